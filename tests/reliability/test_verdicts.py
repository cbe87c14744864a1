"""Judging a whole campaign: gates over many projects, conditions that must hold for a time, and events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_provider_oms.simulator import Clock, Simulator
from reliability import truth
from reliability.plan import GATES_DAG, OverMany
from reliability.verdicts import Held, judge_events, judged, leaks
from reliability.wide import Event
from tests.triggerer.gates import Planned, full_transfer, lag_within, plans
from tests.triggerer.witness import PROGRESS, Answered

BEGIN = 1_770_000_000.0
MEMBERS = ("np_00", "np_01")
GATE = OverMany("wave", "np_00", "OmsFullTransferSensor", {}, full_transfer(100), members=MEMBERS)
SPEED = 4.0


@pytest.fixture
def oms():
    """Two projects some time after their start, and an answer about each at every second second."""
    simulator = Simulator(clock=Clock(speed=0, start=BEGIN))
    for plan in plans(BEGIN, 2):
        simulator.add_project(plan.project)
    for project in simulator.projects.values():
        project.start()
    simulator.clock.advance(1000)
    answers = [Answered(BEGIN + at, 0.0, PROGRESS, member) for at in range(0, 1000, 2) for member in MEMBERS]
    return Held(simulator.projects, {}, [], answers, simulator.clock.now(), SPEED)


def at(seconds):
    return datetime.fromtimestamp(BEGIN + seconds, UTC).isoformat()


def open_at(*seconds):
    return {"projects": [{"project": one, "time": at(when)} for one, when in zip(MEMBERS, seconds, strict=False)]}


def judge(oms, state, returned, gate=GATE):
    return truth.judge_any(gate, oms.projects, state, returned, oms.answers, oms.now, oms.speed)


def test_a_gate_over_many_is_right_when_each_got_there(oms):
    assert judge(oms, "success", open_at(400, 600)) == ("right", "open")


@pytest.mark.parametrize("seconds", [(400, 20), (20, 400)])
def test_one_that_was_not_there_makes_it_early(oms, seconds):
    assert judge(oms, "success", open_at(*seconds))[0] == "early"


def test_one_that_was_not_asked_makes_it_early(oms):
    assert judge(oms, "success", open_at(400))[0] == "early"


@pytest.mark.parametrize("returned", [None, {}, {"projects": "all"}])
def test_a_gate_over_many_that_returns_nothing_is_lost(oms, returned):
    assert judge(oms, "success", returned)[0] == "lost"


@pytest.mark.parametrize("state", ["deferred", "up_for_reschedule", None, "failed"])
def test_a_gate_over_many_that_could_open_and_did_not_is_lost(oms, state):
    assert judge(oms, state, None)[0] == "lost"


def test_a_gate_over_many_may_fail_where_one_never_gets_there(oms):
    never = OverMany("wave", "np_00", "OmsFullTransferSensor", {}, full_transfer(101), members=MEMBERS)
    assert judge(oms, "failed", None, never) == ("right", "failed")


def test_what_must_hold_for_a_time_has_held_for_it(oms):
    gate = Planned("held", "np_00", "OmsCheckpointLagSensor", {}, lag_within(60), held=45.0)
    live = oms.projects["np_00"]
    small = next(second for second in range(1000) if gate.truth(live.state_at(BEGIN + second)))
    word, why = judge(oms, "success", {"time": at(small + 30 * SPEED)}, gate)
    assert (word, "but held for 30" in why) == ("early", True)
    assert judge(oms, "success", {"time": at(small + 46 * SPEED)}, gate) == ("right", "open")


EVENT = Event("event", Planned("gate", "np_00", "OmsFullTransferSensor", {}, full_transfer(100)))


def events(oms, payloads, state="success"):
    found = {"early": [], "lost": [], "twice": []}
    return judge_events(found, [EVENT], oms, {("event", "gate"): (state, 1)}, {"event": payloads})


def fired(seconds=400, name="a"):
    return {"id": name, "observed": {"time": at(seconds)}}


def test_an_event_and_its_copy_are_one(oms):
    assert events(oms, [fired(), fired()]) == {"early": [], "lost": [], "twice": [], "events": 1, "copies": 1}


@pytest.mark.parametrize(
    ("payloads", "state", "wrong"),
    [
        ([], None, "lost"),
        ([fired()], "deferred", "lost"),
        ([fired(20)], "success", "early"),
        ([fired(), fired(name="b")], "success", "twice"),
    ],
)
def test_what_is_wrong_with_an_event(oms, payloads, state, wrong):
    found = events(oms, payloads, state)
    assert [name for name in ("early", "lost", "twice") if found[name]] == [wrong]


def test_all_of_it_is_added_up(oms):
    tasks = {(GATES_DAG, "wave"): ("success", 1)}
    life = Held({}, {}, [], [], 0.0)
    found = judged([GATE], 1, oms, life, tasks, {(GATES_DAG, "wave"): open_at(400, 600)})
    assert (found["gates"], found["gates_open"], found["lifecycles"], found["lifecycles_done"]) == (1, 1, 1, 0)
    assert (found["early"], found["twice"], [why.split(":")[0] for why in found["lost"]]) == ([], [], ["life_0"])


def test_connections_that_are_kept_though_all_is_over_are_a_leak():
    assert leaks({"triggerer-1": 20, "worker-1": 0, "dag-processor": 0}) == []
    assert leaks({"triggerer-2": 21, "worker-2": 1}) == [
        "triggerer-2 has 21 connections to OMS",
        "worker-2 has 1 connections to OMS",
    ]
