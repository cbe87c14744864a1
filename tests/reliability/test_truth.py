"""Judging gates and lifecycles: gates that open early, things that are lost, and things that are done twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from airflow_provider_oms.simulator import Clock, Simulator
from reliability import truth
from reliability.plan import LIFECYCLE, ONE_BY_ONE, QUICK, SENDS, WHOLE, broken, plans, written
from tests.triggerer.witness import PROGRESS, Answered

BEGIN = 1_770_000_000.0


@pytest.fixture
def project():
    """A project whose full transfer fails half-way, an hour after its start; its gates by what they wait for."""
    clock = Clock(speed=0, start=BEGIN)
    oms = Simulator(clock=clock)
    plan = broken()
    oms.add_project(plan.project)
    live = oms.project("broken")
    live.start()
    clock.advance(3600)
    gates = {gate.arguments.get("progress"): gate for gate in plan.gates if gate.sensor == "OmsFullTransferSensor"}
    return SimpleNamespace(live=live, gates=gates, now=clock.now())


def judge(project, percent, state, at):
    """Judge a gate that reports its milestone at a time."""
    told = {"time": datetime.fromtimestamp(int(at), UTC).isoformat()}
    answers = [Answered(at, 0.0, PROGRESS, project.live.id)]
    return truth.judge_gate(project.gates[percent], project.live, state, told, answers, project.now)


def reached(project, percent):
    """Find that time in small steps, independently of the code that judges."""
    from airflow_provider_oms.simulator.machine import evaluate

    live, at = project.live, BEGIN
    while not project.gates[percent].truth(evaluate(live.project, live.created, live.history, at)):
        at += 0.25
    return at


def test_a_gate_that_opens_after_the_fact_is_right(project):
    at = reached(project, 20)
    assert judge(project, 20, "success", at + 2) == ("right", "open")
    assert judge(project, 20, "success", at + 500) == ("right", "open")


@pytest.mark.parametrize("seconds", [3, 10, 50])
def test_a_gate_that_opens_before_is_early(project, seconds):
    word, why = judge(project, 40, "success", reached(project, 40) - seconds)
    assert word == "early"
    assert "before its milestone was reached" in why


def test_a_gate_that_opens_though_it_never_is_so_is_early(project):
    assert judge(project, 60, "success", BEGIN + 1000)[0] == "early"


def test_a_claim_that_oms_never_made_is_early(project):
    told = {"time": datetime.fromtimestamp(BEGIN + 1000, UTC).isoformat()}
    word, why = truth.judge_gate(project.gates[20], project.live, "success", told, [], project.now)
    assert (word, "no answer of OMS" in why) == ("early", True)


@pytest.mark.parametrize(("percent", "right"), [(60, "right"), (40, "lost")])
def test_a_gate_may_fail_only_where_it_cannot_be_reached(project, percent, right):
    assert judge(project, percent, "failed", BEGIN + 1000)[0] == right


@pytest.mark.parametrize("state", ["deferred", "running", "queued", "upstream_failed", None])
@pytest.mark.parametrize("percent", [40, 60])
def test_a_gate_that_does_not_end_is_lost(project, state, percent):
    assert judge(project, percent, state, BEGIN + 1000)[0] == "lost"


@pytest.mark.parametrize("returned", [None, {}, {"time": None}, {"time": "noon"}, "text"])
def test_a_gate_that_returns_nothing_is_lost(project, returned):
    word, _ = truth.judge_gate(project.gates[20], project.live, "success", returned, [], project.now)
    assert word == "lost"


def record(action, project_id=None, name=None):
    return SimpleNamespace(action=action, project_id=project_id, payload={"name": name} if name else {})


def test_what_is_sent_twice_is_named():
    records = [
        record("CreateProject", name="life_0"),
        record("StartProject", "np_1"),
        record("DescribeProjectProgress", "np_1"),
        record("DescribeProjectProgress", "np_1"),
        record("StartProject", "np_1"),
        record("CreateProject", name="life_1"),
    ]
    sent = truth.sent_by_name(records, {"np_1": "life_0"})
    assert truth.twice(sent) == ["StartProject of life_0: 2 times"]
    assert sent["life_1"] == Counter(CreateProject=1)


@pytest.fixture
def life():
    """A project that was stopped an hour after its start, when it had all rows."""
    clock = Clock(speed=0, start=BEGIN)
    oms = Simulator(clock=clock)
    oms.add_project({"name": "life_0"})
    live = oms.project("life_0")
    live.start()
    clock.advance(3600)
    live.stop()
    return live


DONE = dict.fromkeys(LIFECYCLE, "success")
SENT = {"life_0": Counter(SENDS.values())}


def test_a_lifecycle_that_is_done(life):
    assert truth.judge_lifecycle("life_0", DONE, SENT, life, gone=True) == ("right", "done")


def test_a_lifecycle_that_stopped_too_soon_is_early():
    oms = Simulator(clock=Clock(speed=0, start=BEGIN))
    oms.add_project({"name": "life_0"})
    live = oms.project("life_0")
    live.start()
    oms.clock.advance(0.5)
    live.stop()
    assert truth.judge_lifecycle("life_0", DONE, SENT, live, gone=True)[0] == "early"


@pytest.mark.parametrize("step", LIFECYCLE)
@pytest.mark.parametrize("state", ["failed", "upstream_failed", "running", None])
def test_a_lifecycle_that_is_not_whole_is_lost(life, step, state):
    assert truth.judge_lifecycle("life_0", {**DONE, step: state}, SENT, life, gone=True)[0] == "lost"


def test_a_lifecycle_of_which_oms_knows_nothing_is_lost(life):
    assert truth.judge_lifecycle("life_0", DONE, SENT, life, gone=False)[0] == "lost"
    assert truth.judge_lifecycle("life_0", DONE, SENT, None, gone=True)[0] == "lost"
    some = {"life_0": Counter(list(SENDS.values())[:-1])}
    assert truth.judge_lifecycle("life_0", DONE, some, life, gone=True)[0] == "lost"


@pytest.mark.parametrize("size", [WHOLE, QUICK, ONE_BY_ONE])
def test_a_plan_is_as_large_as_it_says(size):
    gates = [gate for plan in plans(BEGIN, size) for gate in plan.gates]
    assert len({gate.task_id for gate in gates}) == len(gates) == size.gates
    assert len({gate.project for gate in gates}) > 1
    assert sum(gate.project == "np_broken" for gate in gates) >= 4
    assert len(written(gates, size)["lifecycles"]) == size.lifecycles
