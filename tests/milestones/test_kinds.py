"""Milestones as objects: they survive JSON, describe what they wait for, and request no more than needed."""

from __future__ import annotations

import inspect
import json

import pytest

from airflow_provider_oms.milestones import kinds
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import from_dict, to_dict
from tests.gate_cases import (
    ALL_DONE,
    APART,
    CONSISTENT,
    NOW,
    PROGRESS,
    PROJECT,
    RECORDS,
    STEPS,
    VERIFY,
    WAITING,
    caught_up,
    in_transfer,
    progress,
    step,
    switched,
    table,
)
from tests.gate_cases import page as result_page
from tests.milestones.support import GATES, MILESTONES, Script, gate_of

#: Every argument of every milestone, with a value that isn't its default.
FULL_SETTINGS = {
    "OmsStepSensor": {"step": "FULL_TRANSFER", "until": "started"},
    "OmsFullTransferSensor": {"progress": 99.5},
    "OmsCheckpointLagSensor": {"max_lag": 61, "direction": "reverse", "hold_for": 3},
    "OmsCheckpointReachedSensor": {"checkpoint": NOW, "direction": "reverse"},
    "OmsFullVerificationSensor": {"verification_project": APART},
    "OmsObjectsSensor": {"tables": ["shop.orders"], "absent": ["shop.old"], "until": "merged"},
    "OmsProjectStatusSensor": {"target_statuses": ["RUNNING", "FINISHED"]},
    "OmsCutoverReadySensor": {"max_lag": 26, "require_verification": False, "verification_project": APART},
}

ASKED = {
    "OmsStepSensor": ["DescribeProjectProgress", "DescribeProjectSteps"],
    "OmsFullTransferSensor": ["DescribeProjectProgress"],
    "OmsCheckpointLagSensor": ["DescribeProjectProgress"],
    "OmsCheckpointReachedSensor": ["DescribeProjectProgress"],
    "OmsFullVerificationSensor": [PROGRESS, STEPS, VERIFY, PROJECT],
    "OmsObjectsSensor": [PROGRESS, RECORDS, PROJECT, RECORDS],
    "OmsProjectStatusSensor": ["DescribeProjectProgress"],
    "OmsCutoverReadySensor": [PROGRESS, STEPS, VERIFY, PROJECT],
}


@pytest.mark.parametrize("sensor", MILESTONES)
def test_a_milestone_survives_json(sensor):
    milestone = MILESTONES[sensor](**FULL_SETTINGS[sensor])
    stored = json.loads(json.dumps(to_dict(milestone)))
    assert stored["kind"] == milestone.kind
    assert from_dict(stored) == milestone
    assert to_dict(from_dict(stored)) == stored
    assert set(stored) == {"kind", *FULL_SETTINGS[sensor]}


def test_every_milestone_has_a_kind_of_its_own_and_a_check():
    all_of_them = {
        cls
        for cls in vars(kinds).values()
        if inspect.isclass(cls) and issubclass(cls, kinds.Milestone) and cls is not kinds.Milestone
    }
    assert {*MILESTONES.values(), kinds.ActionMilestone, kinds.CheckpointBehindMilestone} == all_of_them
    assert len({cls.kind for cls in all_of_them}) == len(all_of_them)
    assert {cls for cls in all_of_them if check.dispatch(cls) is check.dispatch(object)} == set()


@pytest.mark.parametrize(("sensor", "arguments"), GATES, ids=str)
def test_a_milestone_says_what_it_waits_for(sensor, arguments):
    said = gate_of(sensor, arguments).describe()
    assert said.isprintable()
    assert "np_" in said


@pytest.mark.parametrize("sensor", MILESTONES)
def test_what_is_reached_costs_no_more_questions_than_needed(sensor):
    # A lag that must hold needs two polls.
    arguments = FULL_SETTINGS[sensor] | ({"hold_for": 0} if "hold_for" in FULL_SETTINGS[sensor] else {})
    arguments |= {"checkpoint": NOW - 60} if "checkpoint" in arguments else {}
    arguments.pop("verification_project", None)
    sent = switched() if "direction" in arguments else caught_up()
    script = Script(gate_of(sensor, arguments))
    assert script.poll(NOW, sent, ALL_DONE, CONSISTENT).state == "reached"
    assert script.asked == ASKED[sensor]


@pytest.mark.parametrize("sensor", ["OmsFullVerificationSensor", "OmsCutoverReadySensor"])
def test_what_only_explains_is_asked_for_once(sensor):
    """The configuration is requested only at the poll that opens the gate."""
    script = Script(gate_of(sensor))
    for sent in (caught_up("RUNNING_MODIFYING"), caught_up("RUNNING_MERGING")):
        assert script.poll(NOW, sent, ALL_DONE, CONSISTENT).state == "waiting"
        assert "DescribeProject" not in script.asked


def test_the_result_of_a_verification_is_not_asked_for_before_its_end():
    for sensor in ("OmsFullVerificationSensor", "OmsCutoverReadySensor"):
        script = Script(gate_of(sensor))
        assert script.poll(NOW, progress(), in_transfer(), CONSISTENT).state == "waiting"
        assert "ListProjectFullVerifyResult" not in script.asked


def test_a_poll_returns_what_was_observed():
    observed = Script(gate_of("OmsCheckpointLagSensor", {"max_lag": 60})).poll(NOW, caught_up(), ALL_DONE).observed
    assert observed.as_dict() == {
        "project": "np_1",
        "status": "RUNNING",
        "step": "INCR_TRANSFER",
        "progress": 100,
        "checkpoint": NOW - 10,
        "lag": 10,
        "time": "2027-01-15T08:00:00+00:00",
        "note": None,
        "name": None,
        "checkpoint_time": "2027-01-15T07:59:50+00:00",
    }
    observed = (
        Script(gate_of("OmsStepSensor", {"step": "FULL_MIGRATION"})).poll(NOW, progress(), in_transfer()).observed
    )
    assert (observed.step, observed.progress, observed.checkpoint, observed.lag) == ("FULL_TRANSFER", 42, None, None)
    back = {"max_lag": 60, "direction": "reverse"}
    observed = Script(gate_of("OmsCheckpointLagSensor", back)).poll(NOW, switched(behind=7), ALL_DONE).observed
    assert (observed.checkpoint, observed.lag) == (NOW - 7, 7)


def test_a_milestone_that_is_not_known_is_said_so():
    with pytest.raises(ValueError, match="'later' isn't known here"):
        from_dict({"kind": "later", "step": "FULL_TRANSFER"})


def test_an_alarm_is_over_once_the_lag_is_small_again():
    assert kinds.CheckpointBehindMilestone(60, "reverse").aim() == kinds.Aim("reverse", max_lag=60)


def test_a_table_is_in_it_or_not():
    with pytest.raises(ValueError, match=r"tables and absent both name shop\.items"):
        kinds.ObjectsMilestone(["shop.orders", "shop.items"], absent=["shop.items"])


def test_what_may_still_come_alarms_nobody():
    script = Script(gate_of("OmsProjectStatusSensor", {"target_statuses": ["RELEASED"]}))
    assert script.poll(NOW, progress("FINISHED")).alarming is False


@pytest.mark.parametrize(
    ("direction", "paused", "state"),
    [
        ("forward", "INCR_TRANSFER", "failed"),
        ("forward", "REVERSE_INCR_TRANSFER", "waiting"),
        ("reverse", "INCR_TRANSFER", "waiting"),
        ("reverse", "REVERSE_INCR_TRANSFER", "failed"),
    ],
)
def test_an_alarm_reads_the_step_of_its_direction(direction, paused, state):
    milestone = kinds.CheckpointBehindMilestone(min_lag=3600, direction=direction)
    watch = Script(Gate(milestone=milestone, project_id="np_1", fail_on_suspend=True))
    told = caught_up() if direction == "forward" else switched(behind=7)
    assert watch.poll(NOW, told, [step(paused, "SUSPEND", 50)]).state == state


def test_of_equal_steps_the_last_is_shown():
    """It is the step that is in progress, if any is."""
    twice = [step("FULL_TRANSFER", "FINISHED", 100), step("FULL_TRANSFER", "RUNNING", 3)]
    verdict = Script(gate_of("OmsStepSensor", {"step": "FULL_TRANSFER"})).poll(NOW, progress(), twice)
    assert (verdict.state, verdict.observed.progress) == (WAITING, 3)
    assert "RUNNING at 3 %" in verdict.message


def test_a_direction_without_a_checkpoint_shows_no_lag_of_the_other():
    back = {"max_lag": 60, "direction": "reverse"}
    observed = Script(gate_of("OmsCheckpointLagSensor", back)).poll(NOW, caught_up(), ALL_DONE).observed
    assert observed.lag is None


@pytest.mark.parametrize(
    ("sensor", "arguments", "sent", "pages"),
    [
        ("OmsCheckpointLagSensor", {"max_lag": 60}, caught_up(incrSyncCheckpoint=NOW + 9000), ()),
        ("OmsCheckpointReachedSensor", {"checkpoint": NOW}, caught_up(incrSyncCheckpoint=NOW + 9000), ()),
        ("OmsCutoverReadySensor", {}, caught_up(incrSyncCheckpoint=NOW + 9000), CONSISTENT),
        ("OmsFullTransferSensor", {}, progress("HIBERNATING"), ()),
        ("OmsFullVerificationSensor", {}, caught_up(), [result_page(table(result="MOSTLY_FINE"))]),
        ("OmsFullVerificationSensor", {}, caught_up(), [result_page(table(), different=None)]),
        ("OmsCutoverReadySensor", {}, caught_up(), [result_page()]),
    ],
)
def test_what_may_never_pass_by_itself_is_a_warning(sensor, arguments, sent, pages):
    verdict = Script(gate_of(sensor, arguments)).poll(NOW, sent, ALL_DONE, pages)
    assert verdict.state == "waiting"
    assert verdict.alarming


@pytest.mark.parametrize(
    ("sensor", "sent", "steps", "pages"),
    [
        ("OmsFullTransferSensor", progress(), in_transfer(), ()),
        ("OmsFullTransferSensor", progress("SUSPEND"), in_transfer(), ()),
        ("OmsFullVerificationSensor", caught_up(), ALL_DONE, [result_page(table(result="RUNNING"))]),
        ("OmsStepSensor", progress(), in_transfer(), ()),
    ],
)
def test_ordinary_waiting_is_no_warning(sensor, sent, steps, pages):
    arguments = {"step": "FULL_TRANSFER"} if sensor == "OmsStepSensor" else {}
    verdict = Script(gate_of(sensor, arguments)).poll(NOW, sent, steps, pages)
    assert verdict.state == "waiting"
    assert not verdict.alarming


def test_a_cutover_says_all_that_is_missing():
    late = caught_up("SUSPEND", behind=500)
    steps = [step("FULL_TRANSFER", "RUNNING", 99), step("INCR_TRANSFER", "RUNNING"), step("FULL_VERIFIER", "INIT")]
    verdict = Script(gate_of("OmsCutoverReadySensor")).poll(NOW, late, steps)
    for part in (
        "isn't running",
        "FULL_TRANSFER is RUNNING",
        "INCR_TRANSFER is RUNNING",
        "8 min 20 s (at most 25 s allowed)",
        "FULL_VERIFIER",
    ):
        assert part in verdict.message
