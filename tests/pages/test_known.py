"""How long OMS's answers are kept, and how often OMS is asked."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_oms.client.errors import OmsUnreachableError
from airflow_provider_oms.pages import known
from airflow_provider_oms.pages.known import INTERVAL, Kept, Memory


class Oms:
    """Counts the calls; returns a number, or raises."""

    def __init__(self):
        self.asked = 0
        self.error = None
        self.slow = None

    async def ask(self, before):
        self.asked += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.error:
            raise self.error
        return (before or 0) + 1


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def oms():
    return Oms()


@pytest.fixture
def clock():
    return Clock()


def test_however_many_look_it_is_asked_once_an_interval(oms, clock):
    async def run():
        kept = Kept(oms.ask, clock)
        found = await asyncio.gather(*(kept.look() for _ in range(50)))
        assert {one.value for one in found} == {1}
        clock.now += INTERVAL - 0.1
        assert (await kept.look()).value == 1
        assert oms.asked == 1
        clock.now += 0.2
        assert (await kept.look()).value == 2

    asyncio.run(run())
    assert oms.asked == 2


def test_while_oms_is_away_the_last_state_is_shown_with_its_age(oms, clock):
    async def run():
        kept = Kept(oms.ask, clock)
        await kept.look()
        oms.error = OmsUnreachableError("nobody answers")
        clock.now += 3600
        away = await kept.look()
        assert (away.value, away.age) == (1, 3600.0)
        assert "nobody answers" in away.problem
        assert (await kept.look()).problem == away.problem
        assert oms.asked == 2  # a call that fails is also repeated only after an interval
        oms.error = None
        clock.now += INTERVAL
        assert await kept.look() == known.Known(2, 0.0, "")

    asyncio.run(run())


def test_an_oms_that_never_answered(oms, clock):
    oms.error = OmsUnreachableError("nobody answers")
    found = asyncio.run(Kept(oms.ask, clock).look())
    assert found.value is None
    assert "nobody answers" in found.problem


def test_an_error_of_the_program_shows_no_words_of_its_own(oms, clock):
    oms.error = KeyError("<b>secret")
    found = asyncio.run(Kept(oms.ask, clock).look())
    assert "secret" not in found.problem
    assert "KeyError" in found.problem


def test_nobody_waits_long_for_a_slow_oms(oms, clock, monkeypatch):
    monkeypatch.setattr(known, "PATIENCE", 0.0)
    monkeypatch.setattr(known, "LONGEST_WAIT", 0.0)

    async def run():
        oms.slow = asyncio.Event()
        kept = Kept(oms.ask, clock)
        assert await kept.look() == known.Known(None, clock.now, "OMS hasn't answered yet.")
        clock.now += 10 * INTERVAL
        await kept.look()
        assert oms.asked == 1  # and OMS isn't asked again meanwhile
        monkeypatch.setattr(known, "LONGEST_WAIT", 60.0)
        oms.slow.set()
        assert (await kept.look()).value == 1

    asyncio.run(run())


def test_a_browser_that_goes_away_takes_no_answer_from_others(oms, clock):
    async def run():
        oms.slow = asyncio.Event()
        kept = Kept(oms.ask, clock)
        first = asyncio.create_task(kept.look())
        await asyncio.sleep(0)
        second = asyncio.create_task(kept.look())
        await asyncio.sleep(0)
        first.cancel()
        oms.slow.set()
        assert (await second).value == 1

    asyncio.run(run())
    assert oms.asked == 1


def test_two_names_of_the_same_are_asked_for_once(oms):
    other = Oms()

    async def run():
        memory = Memory()
        await memory.look("name", oms.ask)
        memory.same("name", "id")
        memory.same("name", "id")
        assert (await memory.look("id", other.ask)).value == 1
        await memory.look("name", other.ask)
        await memory.look("second name", other.ask)
        memory.same("second name", "id")
        await memory.look("second name", other.ask)

    asyncio.run(run())
    assert (oms.asked, other.asked) == (1, 1)


def test_what_nobody_reads_is_forgotten(oms, monkeypatch):
    monkeypatch.setattr(known, "MOST_KEPT", 2)

    async def run():
        memory = Memory()
        for key in ("a", "b", "a", "c", "a", "b"):
            await memory.look(key, oms.ask)

    asyncio.run(run())
    assert oms.asked == 4  # a, b, c, and b again
