"""The settings of a gate: one way into a trigger's kwargs and one way back, and patience over several looks."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsUnreachableError
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullTransferMilestone
from airflow_provider_oms.milestones.verdict import Memory
from tests.gate_cases import (
    ALL_DONE,
    CASES,
    NOW,
    Reply,
    caught_up,
    failed_step,
    in_transfer,
    oms_time,
    progress,
    refusal,
    replaced,
)
from tests.milestones.support import PROJECT, Script, gate_of

LOST = OmsUnreachableError("no connection.")
FULL = "OmsFullTransferSensor"
LAG = "OmsCheckpointLagSensor"


# Settings


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_gate_survives_json(case):
    gate = gate_of(case.sensor, case.arguments)
    stored = json.loads(json.dumps(gate.as_dict()))
    assert Gate.from_dict(stored) == gate
    assert Gate.from_dict(stored).as_dict() == stored


def test_every_setting_survives_json():
    gate = Gate(
        FullTransferMilestone(50),
        project_name="shop",
        project_type="SYNC",
        oms_conn_id="oms_other",
        poke_interval=7,
        fail_on_suspend=True,
        failure_grace=8,
        outage_tolerance=9,
    )
    default = Gate(FullTransferMilestone(), project_id="np_1")
    different = {name for name in vars(gate) if getattr(gate, name) != getattr(default, name)}
    assert different == set(vars(gate)), "a setting is left at its default, so the comparison would miss it"
    assert Gate.from_dict(json.loads(json.dumps(gate.as_dict()))) == gate


def test_a_gate_is_frozen():
    with pytest.raises(FrozenInstanceError):
        gate_of(FULL).poke_interval = 3  # type: ignore[misc]


def test_lengths_of_time_are_taken_in_every_form():
    gate = Gate(
        FullTransferMilestone(),
        project_id="np_1",
        poke_interval=timedelta(minutes=1),
        failure_grace="45",
        outage_tolerance=0,
    )
    assert (gate.poke_interval, gate.failure_grace, gate.outage_tolerance) == (60, 45, 0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "project_id"),
        ({"project_id": "np_1", "project_name": "shop"}, "project_name"),
        ({"project_id": "np_1", "project_name": ""}, "project_name"),
        ({"project_id": ""}, "project_id"),
        ({"project_id": "  "}, "project_id"),
        ({"project_id": 7}, "project_id"),
        ({"project_id": ["np_1"]}, "project_id"),
        ({"project_name": ""}, "project_name"),
        ({"project_type": "migration"}, "project_type"),
        ({"project_type": None}, "project_type"),
        ({"poke_interval": -1}, "poke_interval"),
        ({"poke_interval": None}, "poke_interval"),
        ({"failure_grace": "soon"}, "failure_grace"),
        ({"failure_grace": float("nan")}, "failure_grace"),
        ({"failure_grace": timedelta(seconds=-1)}, "failure_grace"),
        ({"outage_tolerance": float("inf")}, "outage_tolerance"),
        ({"outage_tolerance": True}, "outage_tolerance"),
        ({"fail_on_suspend": "no"}, "fail_on_suspend"),
        ({"fail_on_suspend": None}, "fail_on_suspend"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], named: str):
    project = {} if {"project_id", "project_name"} & set(arguments) or not arguments else {"project_id": "np_1"}
    with pytest.raises(ValueError, match=named):
        Gate(FullTransferMilestone(), **project, **arguments)


def test_a_gate_says_what_it_waits_for():
    assert gate_of(FULL).describe() == f"the full transfer at 100 % in project {PROJECT}"
    assert gate_of(FULL, project_name="shop").describe() == "the full transfer at 100 % in project 'shop'"


# A failure that may fix itself


def _failing(failed_time: Any = None) -> list[dict[str, Any]]:
    return replaced(in_transfer(), failed_step("FULL_TRANSFER", failed_time))


@pytest.mark.parametrize("status", ["FAILED", "RUNNING"])
def test_a_failure_of_unknown_age_counts_from_when_it_was_first_observed(status):
    script = Script(gate_of(FULL))
    states = [script.poll(NOW + after, progress(status), _failing()).state for after in (0, 60, 120, 121)]
    assert states == ["waiting", "waiting", "waiting", "failed"]


@pytest.mark.parametrize("between", [progress(), progress("SUSPEND"), progress("HIBERNATING"), progress("INIT")])
def test_a_failure_that_fixed_itself_is_forgotten(between):
    script = Script(gate_of(FULL))
    assert script.poll(NOW, progress("FAILED"), _failing()).state == "waiting"
    assert script.poll(NOW + 100, between, in_transfer()).state == "waiting"
    assert script.poll(NOW + 200, progress("FAILED"), _failing()).state == "waiting"
    assert script.poll(NOW + 321, progress("FAILED"), _failing()).state == "failed"


def test_an_outage_is_no_recovery():
    script = Script(gate_of(FULL))
    assert script.poll(NOW, progress("FAILED"), _failing()).state == "waiting"
    assert script.poll(NOW + 100, error=LOST).state == "waiting"
    assert script.poll(NOW + 121, progress("FAILED"), _failing()).state == "failed"


def test_a_failure_that_goes_on_and_on_ends_the_gate_although_its_time_moves():
    script = Script(gate_of(FULL))
    polls = [script.poll(NOW + t, progress("FAILED"), _failing(oms_time(NOW + t - 10))) for t in range(0, 150, 30)]
    assert [verdict.state for verdict in polls] == ["waiting"] * 5
    assert script.poll(NOW + 150, progress("FAILED"), _failing(oms_time(NOW + 140))).state == "failed"


def test_a_failure_ahead_of_the_clock_does_not_wait_for_ever():
    script = Script(gate_of(FULL))
    states = [
        script.poll(NOW + t, progress("FAILED"), _failing(oms_time(NOW + t + 100))).state for t in (0, 60, 120, 121)
    ]
    assert states == ["waiting", "waiting", "waiting", "failed"]


def test_where_nothing_is_remembered_a_failure_of_unknown_age_is_old():
    forgetful = Script(gate_of(FULL), Memory(kept=False))
    assert forgetful.poll(NOW, progress("FAILED"), _failing()).state == "failed"
    forgetful = Script(gate_of(FULL), Memory(kept=False))
    assert forgetful.poll(NOW, progress("FAILED"), _failing(oms_time(NOW - 100))).state == "waiting"
    assert forgetful.memory.failed_since is None
    assert forgetful.poll(NOW + 21, progress("FAILED"), _failing(oms_time(NOW - 100))).state == "failed"


def test_the_age_of_a_failure_is_taken_by_the_clock_of_oms():
    script = Script(gate_of(FULL))
    late = NOW + 9000
    assert script.poll(late, progress("FAILED"), _failing(oms_time(NOW - 10)), date=NOW).state == "waiting"
    assert script.poll(late, progress("FAILED"), _failing(oms_time(NOW - 10)), date=NOW + 111).state == "failed"


def test_a_project_that_recovers_opens():
    script = Script(gate_of(FULL))
    assert script.poll(NOW, progress("FAILED"), _failing()).alarming
    assert script.poll(NOW + 60, caught_up(), ALL_DONE).state == "reached"
    assert script.memory.failed_since is None


# An OMS that can't be reached


def test_an_outage_is_waited_out_and_no_longer():
    script = Script(gate_of(FULL))
    assert script.poll(NOW, progress(), in_transfer()).state == "waiting"
    polls = [script.poll(NOW + t, error=LOST) for t in (30, 300, 629)]
    assert [verdict.state for verdict in polls] == ["waiting"] * 3
    assert all(verdict.alarming for verdict in polls)
    verdict = script.poll(NOW + 630, error=LOST)
    assert verdict.state == "failed"
    assert "600 s" in verdict.message
    assert "no connection" in verdict.message


def test_a_good_answer_ends_an_outage():
    script = Script(gate_of(FULL))
    for at in range(0, 5000, 500):
        assert script.poll(NOW + at, error=LOST).state == "waiting"
        assert script.poll(NOW + at + 400, progress(), in_transfer()).state == "waiting"


@pytest.mark.parametrize(
    "odd",
    [
        Reply("", 503),
        Reply("<html>"),
        Reply(""),
        Reply(refusal("GHANA-OPERAT000001", "CM")),
        progress(fullTransferProgress=5151),
    ],
    ids=["503", "html", "empty", "cm", "nonsense"],
)
def test_every_unusable_answer_is_an_outage(odd):
    script = Script(gate_of(FULL))
    assert script.poll(NOW, odd, in_transfer()).state == "waiting"
    assert script.poll(NOW + 300, error=LOST).state == "waiting"
    assert script.poll(NOW + 600, odd, in_transfer()).state == "failed"


def test_half_an_answer_does_not_end_an_outage():
    script = Script(gate_of("OmsStepSensor", {"step": "FULL_TRANSFER"}))
    for at in (0, 599):
        assert script.poll(NOW + at, progress(), Reply("", 503)).state == "waiting"
    assert script.poll(NOW + 600, progress(), Reply("", 503)).state == "failed"


def test_no_tolerance_fails_at_once():
    assert Script(gate_of(FULL, {"outage_tolerance": 0})).poll(NOW, error=LOST).state == "failed"
    forgetful = Script(gate_of(FULL, {"outage_tolerance": 0}), Memory(kept=False))
    assert forgetful.poll(NOW, error=LOST).state == "failed"


def test_where_nothing_is_remembered_an_outage_is_waited_out():
    forgetful = Script(gate_of(FULL), Memory(kept=False))
    for at in (0, 700, 1400):
        memory_of_a_new_process = Memory(kept=False)
        forgetful.memory = memory_of_a_new_process
        verdict = forgetful.poll(NOW + at, error=LOST)
        assert verdict.state == "waiting"
        assert "giving up" not in verdict.message


def test_a_clock_that_goes_back_ends_no_gate():
    script = Script(gate_of(FULL))
    assert script.poll(NOW, error=LOST).state == "waiting"
    assert script.poll(NOW - 5000, error=LOST).state == "waiting"


def test_what_will_not_pass_fails_at_once():
    verdict = Script(gate_of(FULL)).poll(NOW, error=OmsAuthenticationError("the login is wrong."))
    assert verdict.state == "failed"
    assert "the login is wrong" in verdict.message
    assert verdict.observed.project == PROJECT


# A lag that must hold


def _held(hold_for: float = 60, **more: Any) -> Script:
    return Script(gate_of(LAG, {"max_lag": 60, "hold_for": hold_for, **more}))


def test_a_lag_must_hold():
    script = _held()
    states = [script.poll(NOW + t, caught_up(behind=10 - t), ALL_DONE).state for t in (0, 30, 59, 60)]
    assert states == ["waiting", "waiting", "waiting", "reached"]


@pytest.mark.parametrize(
    "bad",
    [
        {"progress": caught_up(behind=500), "steps": ALL_DONE},
        {"progress": caught_up("SUSPEND"), "steps": ALL_DONE},
        {"progress": caught_up("HIBERNATING"), "steps": ALL_DONE},
        {"progress": caught_up(incrSyncCheckpoint=None), "steps": ALL_DONE},
        {"progress": caught_up(incrSyncCheckpoint=NOW + 9000), "steps": ALL_DONE},
        {"progress": caught_up(fullTransferProgress=99), "steps": ALL_DONE},
        {"progress": caught_up(fullTransferProgress=5151), "steps": ALL_DONE},
        {"progress": caught_up("FAILED"), "steps": _failing(oms_time(NOW + 25))},
        {"progress": Reply("", 503)},
        {"error": LOST},
    ],
    ids=["late", "paused", "unknown", "null", "ahead", "full_99", "nonsense", "failed", "503", "lost"],
)
def test_one_bad_poll_begins_the_hold_anew(bad):
    script = _held()
    assert script.poll(NOW, caught_up(behind=0), ALL_DONE).state == "waiting"
    assert script.poll(NOW + 30, **bad).state == "waiting"
    assert script.memory.within_since is None
    assert script.poll(NOW + 60, caught_up(behind=-60), ALL_DONE).state == "waiting"
    assert script.poll(NOW + 119, caught_up(behind=-119), ALL_DONE).state == "waiting"
    assert script.poll(NOW + 120, caught_up(behind=-120), ALL_DONE).state == "reached"


def test_a_lag_that_holds_counts_by_the_clock_of_oms():
    script = _held()
    assert script.poll(NOW, caught_up(), ALL_DONE).state == "waiting"
    # Our clock runs away; by OMS's only ten seconds have passed.
    assert script.poll(NOW + 9000, caught_up(), ALL_DONE, date=NOW + 10).state == "waiting"
    assert script.poll(NOW + 9050, caught_up(behind=-60), ALL_DONE, date=NOW + 60).state == "reached"


def test_the_hold_survives_json_and_without_it_begins_anew():
    script = _held()
    script.poll(NOW, caught_up(), ALL_DONE)
    script.memory = Memory.from_dict(json.loads(json.dumps(script.memory.as_dict())))
    assert script.poll(NOW + 60, caught_up(behind=-50), ALL_DONE).state == "reached"
    script = _held()
    script.poll(NOW, caught_up(), ALL_DONE)
    script.memory = Memory()
    assert script.poll(NOW + 60, caught_up(behind=-50), ALL_DONE).state == "waiting"


def test_only_a_lag_that_holds_needs_memory():
    assert gate_of(LAG, {"max_lag": 60}).milestone.needs_memory() is None
    assert gate_of(LAG, {"max_lag": 60, "hold_for": 1}).milestone.needs_memory() == "hold_for"
    assert gate_of(FULL).milestone.needs_memory() is None


# No deadline


def test_a_gate_waits_as_long_as_it_takes():
    script = Script(gate_of(FULL))
    for day in range(30):
        assert script.poll(NOW + day * 86_400, progress(), in_transfer()).state == "waiting"
    assert script.poll(NOW + 31 * 86_400, caught_up(), ALL_DONE).state == "reached"
    assert script.memory.polls == 31


# A project by its name


def _row(identifier: Any, name: Any) -> dict[str, Any]:
    return {"id": identifier, "name": name, "status": "RUNNING"}


def test_a_name_is_resolved_once():
    script = Script(gate_of(FULL, project_name="shop"))
    listed = [_row("np_2", "shop2"), _row("np_1", "shop"), _row("np_3", "SHOP")]
    verdict = script.poll(NOW, progress(), in_transfer(), projects=listed)
    assert verdict.state == "waiting"
    assert script.asked[0] == "ListProjects"
    assert script.memory.project_id == verdict.observed.project == "np_1"
    # Renamed since: the id stays.
    assert script.poll(NOW + 30, caught_up(), projects=[]).state == "reached"
    assert "ListProjects" not in script.asked


def test_a_project_given_by_id_is_not_looked_up():
    script = Script(gate_of(FULL))
    script.poll(NOW, progress(), in_transfer())
    assert script.asked == ["DescribeProjectProgress", "DescribeProjectSteps"]


@pytest.mark.parametrize("listed", [[], [_row("np_1", "shop2")], [_row("np_1", "SHOP")], [_row(None, "shop")]])
def test_a_missing_name_fails(listed):
    verdict = Script(gate_of(FULL, project_name="shop")).poll(NOW, progress(), projects=listed)
    assert verdict.state == "failed"
    assert "'shop'" in verdict.message


def test_an_ambiguous_name_fails_and_lists_the_ids():
    listed = [_row("np_2", "shop"), _row("np_1", "shop")]
    verdict = Script(gate_of(FULL, project_name="shop")).poll(NOW, caught_up(), projects=listed)
    assert verdict.state == "failed"
    assert "np_1, np_2" in verdict.message


def test_a_name_listed_twice_with_one_id_is_one_project():
    listed = [_row("np_1", "shop"), _row("np_1", "shop")]
    assert Script(gate_of(FULL, project_name="shop")).poll(NOW, caught_up(), projects=listed).state == "reached"


def test_an_outage_while_the_name_is_looked_up_is_waited_out():
    script = Script(gate_of(FULL, project_name="shop"))
    assert script.poll(NOW, projects=Reply("", 503)).state == "waiting"
    assert script.poll(NOW + 30, caught_up(), projects=[_row("np_1", "shop")]).state == "reached"


def test_a_name_that_never_was_is_no_deleted_project():
    gate = gate_of("OmsProjectStatusSensor", {"target_statuses": "DELETED"}, project_name="shop")
    assert Script(gate).poll(NOW, projects=[]).state == "failed"


def test_a_named_project_that_is_deleted_meanwhile_is():
    script = Script(gate_of("OmsProjectStatusSensor", {"target_statuses": "DELETED"}, project_name="shop"))
    assert script.poll(NOW, progress("RELEASED"), projects=[_row("np_1", "shop")]).state == "waiting"
    gone = Reply(refusal("GHANA-PROJECT000001", "gone"))
    assert script.poll(NOW + 30, gone).state == "reached"


def test_the_gates_kwargs_hold_nothing_but_its_settings():
    gate = replace(gate_of(FULL), oms_conn_id="oms_x")
    assert set(gate.as_dict()) == set(vars(gate))


def test_a_lag_is_held_by_one_clock_only():
    """Where OMS stops telling its time, the difference to ours must not count as time that has passed."""
    script = Script(gate_of("OmsCheckpointLagSensor", {"max_lag": 60, "hold_for": 300}))
    steady = {"status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 100, "enableIncrSync": True}

    def poll(at, date):
        return script.poll(at, {**steady, "incrSyncCheckpoint": NOW}, date=date).state

    assert poll(NOW - 1000, None) == "waiting"  # our clock, which is slow; a checkpoint so far ahead isn't believed
    assert poll(NOW - 290, None) == "waiting"  # now it is: the lag counts as held from here on
    assert poll(NOW - 280, NOW + 20) == "waiting"  # by OMS's clock 310 s have passed; by ours 10
    assert poll(NOW + 20, NOW + 55) == "waiting"
    assert script.poll(NOW + 300, {**steady, "incrSyncCheckpoint": NOW + 310}, date=NOW + 321).state == "reached"
