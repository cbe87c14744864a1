"""The trigger of asset watchers: it never ends, never raises, and stores an event as fired only once Airflow has it."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing

import pytest
from blockbuster import blockbuster_ctx

from airflow_provider_oms import assets
from airflow_provider_oms.assets import FullTransfer
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from airflow_provider_oms.triggers.events import OmsMilestoneEventTrigger
from tests.triggers.conftest import let_pass

pytestmark = [
    pytest.mark.skipif(not has_task_state_store(), reason="asset watchers need Airflow 3.3"),
    pytest.mark.asyncio,
]

QUICK = {"poke_interval": 30}


class Store:
    """The state store of an asset, by name; it can fail."""

    def __init__(self, *names):
        self.of = {name: {} for name in names}
        self.broken: set[str] = set()
        self.writes: list[str] = []

    def __getitem__(self, ref):
        return _Asset(self, ref.name, self.of[ref.name])


class _Asset:
    def __init__(self, store, name, kept):
        self.store, self.name, self.kept = store, name, kept

    async def aget(self, key, default=None):
        if "read" in self.store.broken:
            raise RuntimeError("no answer from the API server")
        return json.loads(self.kept[key]) if key in self.kept else default

    async def aset(self, key, value):
        if "write" in self.store.broken:
            raise RuntimeError("no answer from the API server")
        self.kept[key] = json.dumps(value)
        self.store.writes.append(key)


class _Over(BaseException):
    """The end of a test; it isn't caught by code that catches errors."""


class Run:
    """A trigger that runs without anybody waiting, for so many pauses.

    :param asset: the asset whose trigger it is
    :param store: what Airflow keeps
    :param at: what happens at the pause of a number, counted from 0
    """

    def __init__(self, asset, store, at=None):
        path, kwargs = asset.watchers[0].trigger.serialize()
        assert path == f"{OmsMilestoneEventTrigger.__module__}.OmsMilestoneEventTrigger"
        self.trigger = OmsMilestoneEventTrigger(**json.loads(json.dumps(kwargs)))
        self.trigger.asset_state_store = store
        self.at = at or {}
        self.pauses: list[float] = []
        self.events: list[dict] = []
        self.kept_when_fired: list[str] = []

    async def run(self, monkeypatch, pauses):
        really = asyncio.sleep

        async def asleep(seconds, result=None):
            if seconds > 0:
                if len(self.pauses) == pauses:
                    raise _Over
                happens = self.at.get(len(self.pauses))
                self.pauses.append(seconds)
                if happens:
                    try:
                        happens()
                    except Exception as error:
                        raise _Over from error
                let_pass(seconds)
            return await really(0, result)

        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "sleep", asleep)
            with pytest.raises(_Over) as over:
                await self._collect()
        assert over.value.__cause__ is None
        return [event["event"] for event in self.events]

    async def _collect(self):
        async with aclosing(self.trigger.run()) as events:
            async for event in events:
                self.events.append(event.payload)
                self.kept_when_fired.append(json.dumps(self.trigger.asset_state_store.of))


def full(name="full", **more):
    return assets.oms_asset(name, milestone=FullTransfer(100), project_id="np_1", **{**QUICK, **more})


def done(sim, **more):
    return sim.add_project(Project(id="np_1", name="shop", status="RUNNING", step="INCR_TRANSFER", **more))


async def test_it_fires_once_and_is_noted_at_the_poll_after(sim, monkeypatch):
    done(sim)
    store = Store("full")
    run = Run(full(), store)
    assert await run.run(monkeypatch, 6) == ["reached"]
    assert len(sim.requests) == 6
    assert '\\"told\\": true' not in run.kept_when_fired[0]
    assert '"told": true' in next(iter(store.of["full"].values()))
    assert len(store.writes) == 2  # where it begins, and what was fired; a poll without changes writes nothing


async def test_killed_before_it_was_noted_it_fires_again_with_the_same_id(sim, monkeypatch):
    done(sim)
    store = Store("full")
    ids = []
    for pauses in (1, 2, 9):
        run = Run(full(), store)
        await run.run(monkeypatch, pauses)
        ids += [event["id"] for event in run.events]
    assert len(ids) == 2
    assert ids[0] == ids[1]


async def test_while_nobody_knows_what_was_fired_nothing_is_decided(sim, monkeypatch, logged):
    done(sim)
    store = Store("full")
    store.broken = {"read"}
    run = Run(full(), store, {4: store.broken.clear})
    assert await run.run(monkeypatch, 4) == []
    assert sim.requests == []
    assert "can't be read (RuntimeError: no answer from the API server), so OMS isn't polled." in logged()
    assert await run.run(monkeypatch, 7) == ["reached"]


async def test_a_beginning_that_can_not_be_kept_is_none(sim, monkeypatch):
    done(sim)
    store = Store("full")
    store.broken = {"write"}
    assert await Run(full(), store).run(monkeypatch, 4) == []
    assert sim.requests == []


async def test_what_can_not_be_noted_is_noted_later_and_not_fired_again(sim, monkeypatch, logged):
    done(sim)
    store = Store("full")
    run = Run(full(), store, {1: lambda: store.broken.add("write"), 5: store.broken.clear})
    assert await run.run(monkeypatch, 8) == ["reached"]
    assert "The memory of the watcher of asset full can't be written (RuntimeError: no answer" in logged()
    assert await Run(full(), store).run(monkeypatch, 3) == []


@pytest.mark.parametrize("kept", ['{"levels": 5}', "[]", '"x"'])
async def test_what_somebody_else_has_kept_there_is_not_guessed_at(sim, monkeypatch, kept):
    done(sim)
    store = Store("full")
    await Run(full(), store).run(monkeypatch, 1)
    (key,) = store.of["full"]
    store.of["full"][key] = kept
    sim.clear_requests()
    assert await Run(full(), store).run(monkeypatch, 3) == []
    assert sim.requests == []


async def test_an_asset_that_airflow_no_longer_watches_decides_nothing(sim, monkeypatch):
    done(sim)
    assert await Run(full(), Store("another")).run(monkeypatch, 3) == []
    run = Run(full(), None)
    assert await run.run(monkeypatch, 3) == []
    assert sim.requests == []


@pytest.mark.parametrize(
    "fault", [Fault(kind="status", status=503), Fault(kind="status", status=401), Fault(kind="html")], ids=str
)
async def test_whatever_oms_answers_it_continues(sim, monkeypatch, fault):
    done(sim)
    sim.add_fault(Fault(**{**vars(fault), "times": 4}))
    run = Run(full(), Store("full"))
    assert await run.run(monkeypatch, 8) == ["reached"]
    assert min(run.pauses) > 1


async def test_without_a_connection_it_continues(sim, monkeypatch):
    done(sim)
    monkeypatch.delenv("AIRFLOW_CONN_OMS_DEFAULT")
    run = Run(full(), Store("full"), {3: lambda: monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)})
    assert await run.run(monkeypatch, 6) == ["reached"]


async def test_settings_of_another_version_are_complained_about_for_ever(sim, monkeypatch, caplog):
    done(sim)
    asset = full()
    asset.watchers[0].trigger.watcher = asset.watchers[0].trigger.watcher.replace("rearm_after", "later")
    run = Run(asset, Store("full"))
    assert await run.run(monkeypatch, 3) == []
    assert min(run.pauses) >= 60
    assert sim.requests == []


async def test_an_error_that_nobody_has_thought_of_does_not_end_it(sim, monkeypatch):
    from airflow_provider_oms.triggers import watching

    done(sim)
    asked = []

    def poll(*args):
        asked.append(args)
        raise ZeroDivisionError

    monkeypatch.setattr(watching, "shared_poll", poll)
    run = Run(full(), Store("full"))
    told = []
    monkeypatch.setattr(run.trigger.log, "exception", lambda said, *arguments: told.append((said, arguments)))
    assert await run.run(monkeypatch, 8) == []
    assert len(asked) == 4
    assert sum(pause >= 60 for pause in run.pauses) == 4
    assert [type(arguments[-1]) for _, arguments in told] == [ZeroDivisionError] * 4
    assert all("starts again in" in said for said, _ in told)


async def test_a_name_is_looked_up_once_and_again_once_its_project_is_gone(sim, monkeypatch):
    live = sim.project(done(sim))
    store = Store("full")
    by_name = assets.oms_asset("full", milestone=FullTransfer(100), project_name="shop", **QUICK)

    def gone():
        live.stop()
        sim.clock.advance(3600)
        live.release()
        sim.clock.advance(3600)
        with OmsHook() as hook:
            hook.delete_project("np_1")

    def anew():
        sim.add_project(Project(id="np_2", name="shop", status="RUNNING", step="INCR_TRANSFER"))

    run = Run(by_name, store, {3: gone, 6: anew})
    assert await run.run(monkeypatch, 9) == ["reached", "reached"]
    assert [event["project"] for event in run.events] == ["np_1", "np_2"]
    assert len([one for one in sim.requests[:3] if one.action == "ListProjects"]) == 1
    # After a restart it is still the second one, without a question to OMS.
    sim.clear_requests()
    assert await Run(by_name, store).run(monkeypatch, 3) == []
    assert {one.action for one in sim.requests} == {"DescribeProjectProgress"}


async def test_a_connection_that_leads_to_another_oms_has_the_name_looked_up_there(sim, monkeypatch):
    """A gate fails then, because it watches one project; a watcher has no end."""
    done(sim, initial_lag=5, catch_up_rate=10)
    with Simulator(clock=Clock(speed=0)) as other:
        other.clock.advance(sim.clock.now() - other.clock.now() + 2 * 3600)
        other.add_project(Project(id="np_2", name="shop", status="RUNNING", step="INCR_TRANSFER", initial_lag=5))
        for asset in (
            assets.oms_complete_until_asset("hours", project_name="shop", every="1h", poke_interval=30),
            assets.oms_alarm_asset("alarm", project_name="shop", min_lag=0, hold_for=0, poke_interval=30),
        ):
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
            moved = {4: lambda: monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", other.connection_json)}
            run = Run(asset, Store("hours", "alarm"), moved)
            # A pause is 3 to 30 s long, depending on the time of day; the connection is read again after 180 s.
            assert "unreachable" not in await run.run(monkeypatch, 100)
            assert [event["project"] for event in run.events][-1] == "np_2"
            assert {event["project"] for event in run.events} == {"np_1", "np_2"}


async def test_boundaries_are_caught_up_one_by_one_without_waiting_for_the_interval(sim, monkeypatch):
    done(sim, initial_lag=5, catch_up_rate=10)
    asset = assets.oms_complete_until_asset("hours", project_id="np_1", every="1h", poke_interval=600)
    run = Run(asset, Store("hours"), {2: lambda: sim.clock.advance(4 * 3600)})
    assert await run.run(monkeypatch, 9) == ["complete_until"] * 5
    assert run.pauses[2:7] == [5.0] * 5
    froms = [event["complete_from"] for event in run.events]
    assert froms[1:] == [event["complete_until"] for event in run.events][:-1]


async def test_twenty_on_one_project_ask_once_an_interval(sim, monkeypatch):
    done(sim)
    names = [f"full_{number}" for number in range(20)]
    store = Store(*names)
    runs = [Run(full(name), store) for name in names]
    really = asyncio.sleep
    rounds = asyncio.Barrier(20)

    async def asleep(seconds, result=None):
        if seconds > 0:
            if await rounds.wait() == 0:
                let_pass(seconds)
            await rounds.wait()
            return result
        return await really(0, result)

    async def first_id(run):
        async with aclosing(run.trigger.run()) as events:
            return (await anext(events)).payload["id"]

    monkeypatch.setattr(asyncio, "sleep", asleep)
    ids = await asyncio.gather(*map(first_id, runs))
    assert len(sim.requests) == 1
    assert len(set(ids)) == 20


async def test_it_never_blocks_the_event_loop(sim, monkeypatch):
    done(sim)
    with blockbuster_ctx():
        assert await Run(full(), Store("full")).run(monkeypatch, 4) == ["reached"]
