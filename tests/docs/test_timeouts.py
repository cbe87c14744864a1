"""The night on the page about time-outs, replayed poll by poll against a simulated OMS."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.simulator import Clock, Project, Simulator
from tests.docs.pages import DOCS, blocks, fits

PAGE = DOCS / "timeouts.md"
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC).timestamp()

#: Seconds between the polls that the page leaves out. They matter while an outage or a failure lasts.
EVERY = 60

NIGHT = re.findall(r"^\| (\d\d:\d\d:\d\d) \| (.*?) \| `(.*)` \|$", PAGE.read_text(), re.MULTILINE)


def happens(oms, time):
    """Do what happens at a time according to the page."""
    shop = oms.project("shop")
    match time:
        case "00:00:05":
            shop.set_lag(2400)
        case "00:30:00":
            oms.down()
        case "00:50:00":
            oms.up()
            shop.set_lag(5400)
        case "02:10:00":
            shop.set_lag(8000)
            shop.fail("INCR_TRANSFER", message="no space left")
        case "02:12:30":
            pass
        case "02:40:00":
            shop.resume()
            shop.set_lag(9700)
        case "03:05:00":
            shop.set_lag(10_800)
        case _:
            raise AssertionError(f"the page has a time that the test doesn't know: {time}")


@pytest.fixture
def gate():
    """Return the page's gate, with its template rendered."""
    (block,) = blocks(PAGE, "python")
    scope: dict = {}
    exec(block.text, scope)  # noqa: S102
    sensor = scope["complete"]
    sensor.checkpoint = MIDNIGHT
    return sensor.gate()


def test_the_night_goes_as_the_page_says(gate, pauses, monkeypatch):
    begin = MIDNIGHT - 60
    shop = Project(name="shop", status="RUNNING", step="INCR_TRANSFER", catch_up_rate=1, steady_lag=1)
    ends = {}
    with Simulator([shop], clock=Clock(start=begin, speed=0)) as oms:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", oms.connection_json)
        memory, verdict = Memory(), Verdict(State.WAITING, "")

        def poll_at(moment):
            oms.clock.advance(moment - oms.clock.now())
            with OmsHook() as hook:
                return run_flow(hook, poll(gate, memory, Now(moment, moment)))

        for time, story, said in NIGHT:
            now = datetime.fromisoformat(f"2026-11-23T{time}+00:00").timestamp()
            while verdict.alarming and oms.clock.now() + EVERY < now:
                verdict = poll_at(oms.clock.now() + EVERY)
                assert verdict.state is State.WAITING
            oms.clock.advance(now - oms.clock.now())
            happens(oms, time)
            if "cleared the task" in story:
                memory = Memory()
            verdict = poll_at(now)
            assert fits(said, verdict.message), time
            ends[time] = verdict.state
            assert (verdict.state is State.FAILED) == ("**fails**" in story), time
            assert (verdict.state is State.REACHED) == ("**opens**" in story), time
    assert len(ends) == 7
