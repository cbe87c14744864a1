"""The verdicts over several polls: steps that disappear, missing results, objects that are added and removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from tests.gate_cases import (
    ALL_DONE,
    APART,
    CONSISTENT,
    MISSING,
    NOW,
    UNVERIFIED,
    Apart,
    Reply,
    caught_up,
    mapping,
    page,
    progress,
    project,
    replaced,
    step,
    table,
    without,
)
from tests.milestones.support import Script, gate_of

CUTOVER, VERIFICATION = "OmsCutoverReadySensor", "OmsFullVerificationSensor"
LACKING = without(ALL_DONE, "FULL_VERIFIER")


def _gate(sensor: str, arguments: Mapping[str, Any] | None = None) -> Gate:
    """Return a gate with long intervals, so that few polls cover a long time."""
    return gate_of(sensor, {"poke_interval": 300, **(arguments or {})})


# Steps that are no longer listed

SHORTER = {
    "verification": (LACKING, "FULL_VERIFIER"),
    "log_pull": (without(ALL_DONE, "TRANSFER_INCR_LOG_PULL"), "TRANSFER_INCR_LOG_PULL"),
    "several": (ALL_DONE[3:5], "TRANSFER_PRECHECK, STRUCT_TRANSFER, TRANSFER_INCR_LOG_PULL"),
    "all": ([], "FULL_TRANSFER"),
    "null": (None, "FULL_TRANSFER"),
}


@pytest.mark.parametrize("what", SHORTER)
@pytest.mark.parametrize(
    ("sensor", "arguments"),
    [
        (CUTOVER, {"require_verification": False}),
        (VERIFICATION, {}),
        ("OmsStepSensor", {"step": "TRANSFER_APP_SWITCH"}),
    ],
)
def test_a_list_of_steps_that_came_short_is_not_believed(sensor, arguments, what):
    shorter, named = SHORTER[what]
    late = caught_up(behind=900)
    script = Script(_gate(sensor, arguments))
    assert script.poll(NOW, late, replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 3))).state == "waiting"
    for t in (30, 60, 600):
        verdict = script.poll(NOW + t, caught_up(behind=-t), shorter, CONSISTENT, project=UNVERIFIED)
        assert verdict.state == "waiting"
        assert verdict.alarming
        assert named in verdict.message
    verdict = script.poll(NOW + 640, caught_up(behind=-640), shorter, CONSISTENT, project=UNVERIFIED)
    assert verdict.state == "failed"
    assert named in verdict.message


def test_a_list_that_is_whole_again_is_believed_again():
    longer = [*ALL_DONE, step("INCR_VERIFIER")]
    script = Script(_gate(CUTOVER))
    assert script.poll(NOW, caught_up(behind=900), ALL_DONE, CONSISTENT).state == "waiting"
    assert script.poll(NOW + 30, caught_up(behind=-30), LACKING, CONSISTENT).state == "waiting"
    assert script.poll(NOW + 60, caught_up(behind=-60), longer, CONSISTENT).state == "reached"


def test_steps_may_be_called_otherwise_than_before():
    renamed = [{**row, "name": "FULL_VALIDATION"} if row["name"] == "FULL_VERIFIER" else row for row in ALL_DONE]
    script = Script(_gate(CUTOVER))
    assert script.poll(NOW, caught_up(behind=900), ALL_DONE, CONSISTENT).state == "waiting"
    assert script.poll(NOW + 30, caught_up(behind=-30), renamed, CONSISTENT).state == "reached"


def test_the_steps_are_remembered_as_json_and_again_where_the_memory_is_lost():
    optional = {"require_verification": False}
    for memory, expected in ((None, "waiting"), (Memory(), "reached")):
        script = Script(_gate(CUTOVER, optional))
        assert script.poll(NOW, caught_up(behind=900), ALL_DONE, CONSISTENT).state == "waiting"
        script.memory = memory or Memory.from_dict(json.loads(json.dumps(script.memory.as_dict())))
        assert script.poll(NOW + 30, caught_up(behind=-30), LACKING, project=UNVERIFIED).state == expected


# Results that OMS doesn't return yet

OWED: dict[str, dict[str, Any]] = {
    "different_null": {"verify": [page(table(), different=None)]},
    "different_missing": {"verify": [page(table(), different=MISSING)]},
    "no_table": {"verify": [page()]},
    "result_null": {"verify": [page(table(result=None))]},
    "result_unknown": {"verify": [page(table(result="MOSTLY_FINE"))]},
    "status_null": {"verify": [page(table(status=None))]},
    "progress_half": {"verify": [page(table(progress="0.5"))]},
    "count_nonsense": {"verify": [page(table(mismatchedCount="some"))]},
    "finished_at_40": {"steps": replaced(ALL_DONE, step("FULL_VERIFIER", "FINISHED", 40)), "verify": CONSISTENT},
    "skipped": {
        "steps": replaced(ALL_DONE, step("FULL_VERIFIER", "FINISHED", 100, stepInfo={"skipped": True})),
        "verify": CONSISTENT,
    },
}

#: Verifications that are still running, so that no result is missing.
UNDER_WAY: dict[str, dict[str, Any]] = {
    "verification_running": {"steps": replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 99))},
    "not_validated_yet": {
        "steps": replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 100, stepInfo={"validated": False}))
    },
    "result_running": {"verify": [page(table(result="RUNNING", status="RUNNING"))]},
    "table_running": {"verify": [page(table(status="RUNNING"))]},
    "table_paused": {"verify": [page(table(status="SUSPEND"))]},
}


@pytest.mark.parametrize("what", OWED)
@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
@pytest.mark.parametrize("lag", [10, 900])
def test_a_result_that_oms_never_sends_fails_the_gate_in_the_end(sensor, what, lag):
    told = {"steps": ALL_DONE, **OWED[what]}
    script = Script(_gate(sensor, {"outage_tolerance": 600}))
    for t in (0, 300, 599):
        verdict = script.poll(NOW + t, caught_up(behind=lag - t), **told)
        assert verdict.state == "waiting"
        assert verdict.alarming
    verdict = script.poll(NOW + 600, caught_up(behind=lag - 600), **told)
    assert verdict.state == "failed"
    assert "10 min (outage_tolerance is 10 min)" in verdict.message


@pytest.mark.parametrize("what", UNDER_WAY)
@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_what_is_under_way_owes_nothing(sensor, what):
    told = {"steps": ALL_DONE, **UNDER_WAY[what]}
    script = Script(_gate(sensor))
    for hour in range(50):
        at = 3600 * hour
        assert script.poll(NOW + at, caught_up(behind=10 - at), **told).state == "waiting"


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_a_result_that_comes_at_last_counts(sensor):
    script = Script(_gate(sensor))
    owed = OWED["no_table"]["verify"]
    assert script.poll(NOW, caught_up(), ALL_DONE, owed).state == "waiting"
    assert script.poll(NOW + 500, caught_up(), ALL_DONE, UNDER_WAY["table_running"]["verify"]).state == "waiting"
    # The time is counted from the beginning again.
    for t in (600, 900, 1199):
        assert script.poll(NOW + t, caught_up(behind=-t), ALL_DONE, owed).state == "waiting"
    assert script.poll(NOW + 1199, caught_up(behind=-1190), ALL_DONE, CONSISTENT).state == "reached"


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_an_outage_in_between_says_nothing(sensor):
    script = Script(_gate(sensor))
    owed = OWED["no_table"]["verify"]
    for t in range(0, 600, 60):
        answer = Reply("", 503) if t % 120 else caught_up(behind=10 - t)
        assert script.poll(NOW + t, answer, ALL_DONE, owed).state == "waiting"
    assert script.poll(NOW + 600, caught_up(behind=-590), ALL_DONE, owed).state == "failed"


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_two_polls_far_apart_are_no_proof_that_a_result_never_comes(sensor):
    script = Script(gate_of(sensor, {"poke_interval": 3600}))
    for at, expected in ((0, "waiting"), (3600, "waiting"), (7200, "failed")):
        assert script.poll(NOW + at, caught_up(behind=10 - at), ALL_DONE, [page()]).state == expected


def test_where_nothing_is_remembered_a_result_may_come_for_ever():
    script = Script(_gate(VERIFICATION), Memory(kept=False))
    for t in (0, 900):
        assert script.poll(NOW + t, caught_up(), ALL_DONE, [page()]).state == "waiting"


def test_without_any_patience_a_result_must_be_there():
    script = Script(_gate(VERIFICATION, {"outage_tolerance": 0}))
    assert script.poll(NOW, caught_up(), ALL_DONE, [page()]).state == "failed"


@pytest.mark.parametrize("required", [True, False])
def test_a_verification_that_is_configured_and_never_listed_fails_the_gate_in_the_end(required):
    script = Script(_gate(CUTOVER, {"require_verification": required}))
    for t in (0, 300, 599):
        verdict = script.poll(NOW + t, caught_up(behind=10 - t), LACKING, project=project())
        assert verdict.state == "waiting"
        assert "enableFullVerify" in verdict.message
    assert script.poll(NOW + 600, caught_up(behind=-590), LACKING, project=project()).state == "failed"


# Objects that are being added


@pytest.mark.parametrize(
    ("sensor", "arguments"),
    [
        ("OmsFullTransferSensor", {}),
        ("OmsCheckpointLagSensor", {"max_lag": 60}),
        ("OmsCheckpointReachedSensor", {"checkpoint": NOW - 60}),
        (VERIFICATION, {}),
        (CUTOVER, {}),
    ],
)
def test_a_gate_says_since_when_objects_are_being_added(sensor, arguments):
    script = Script(_gate(sensor, arguments))

    def poll(t: int, status: str) -> Any:
        return script.poll(NOW + t, caught_up(status, behind=10 - t), ALL_DONE, CONSISTENT)

    for t, status in ((0, "RUNNING_MODIFYING"), (600, "RUNNING_MODIFYING"), (1200, "RUNNING_MERGING")):
        verdict = poll(t, status)
        assert verdict.state == "waiting"
        assert f"({status}, seen since 2027-01-15T08:00:00+00:00)" in verdict.message
    assert poll(1230, "RUNNING").state == "reached"
    assert "seen since 2027-01-15T08:20:40" in poll(1240, "RUNNING_MODIFYING").message


def test_since_when_is_reported_where_nothing_is_reached_either():
    script = Script(_gate("OmsFullTransferSensor"))
    assert "seen since" in script.poll(NOW, progress("RUNNING_MODIFYING"), ALL_DONE).message
    assert "08:00:00" in script.poll(NOW + 90, caught_up("RUNNING_MODIFYING"), ALL_DONE).message


# A verification in a project of its own

STEPS = [step("TRANSFER_PRECHECK", "FINISHED", 100), step("FULL_VERIFIER", "FINISHED", 100)]
ROW = {"id": APART, "name": "shop_check", "type": "VERIFY", "status": "RUNNING"}
DONE = Apart(progress("FINISHED", projectId=APART), STEPS, CONSISTENT, project(id=APART, type="VERIFY"), [ROW])
UNDER_WAY_APART = replace(
    DONE, progress=progress("RUNNING", projectId=APART), steps=[STEPS[0], step("FULL_VERIFIER", "RUNNING", 42)]
)


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_the_project_that_verifies_is_looked_up_once(sensor):
    script = Script(_gate(sensor, {"verification_project": "shop_check"}))
    assert script.poll(NOW, caught_up(), LACKING, project=UNVERIFIED, apart=UNDER_WAY_APART).state == "waiting"
    assert script.asked.count("ListProjects") == 1
    script.memory = Memory.from_dict(json.loads(json.dumps(script.memory.as_dict())))
    elsewhere = replace(DONE, rows=[{**ROW, "id": "np_other"}])
    later = caught_up(behind=-20)
    assert script.poll(NOW + 30, later, LACKING, project=UNVERIFIED, apart=elsewhere).state == "reached"
    assert "ListProjects" not in script.asked


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_the_project_that_verifies_has_a_failure_and_a_patience_of_its_own(sensor):
    script = Script(_gate(sensor, {"verification_project": APART}))
    failed = replace(UNDER_WAY_APART, progress=progress("FAILED", projectId=APART))
    for t, expected in ((0, "waiting"), (120, "waiting"), (121, "failed")):
        verdict = script.poll(NOW + t, caught_up(behind=10 - t), LACKING, project=UNVERIFIED, apart=failed)
        assert verdict.state == expected
        assert f"In verification project {APART}: The project has failed" in verdict.message


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_the_project_that_verifies_may_lose_no_step_and_owe_no_result_either(sensor):
    script = Script(_gate(sensor, {"verification_project": APART}))

    def poll(t: int, apart: Apart) -> Any:
        return script.poll(NOW + t, caught_up(behind=10 - t), LACKING, project=UNVERIFIED, apart=apart)

    assert poll(0, UNDER_WAY_APART).state == "waiting"
    verdict = poll(30, replace(DONE, steps=STEPS[:1]))
    assert verdict.state == "waiting"
    assert f"step FULL_VERIFIER of project {APART}" in verdict.message
    assert poll(60, DONE).state == "reached"
    owed = replace(DONE, verify_pages=[page()])
    assert [poll(t, owed).state for t in (100, 699, 700)] == ["waiting", "waiting", "failed"]


@pytest.mark.parametrize("sensor", [VERIFICATION, CUTOVER])
def test_a_verification_that_is_older_than_the_data_is_none(sensor):
    """It belongs to an earlier project with the same tables. Somebody may verify again, which takes some minutes."""
    script = Script(_gate(sensor, {"verification_project": APART}))
    old = step("FULL_VERIFIER", "FINISHED", 100, finishTime="2027-01-14T23:00:00")  # the project began at 06:00
    new = step("FULL_VERIFIER", "RUNNING", 100, finishTime="2027-01-15T07:59:00")

    def poll(t: int, *steps: Any) -> Any:
        status = "FINISHED" if old in steps else "RUNNING"
        apart = replace(DONE, progress=progress(status, projectId=APART), steps=list(steps))
        return script.poll(NOW + t, caught_up(behind=10 - t), LACKING, project=UNVERIFIED, apart=apart)

    for t in (0, 300, 599):
        verdict = poll(t, old)
        assert (verdict.state, verdict.alarming) == ("waiting", True)
        assert "ended at 2027-01-14T23:00:00+00:00, before this project began to move rows" in verdict.message
    assert poll(620, step("FULL_VERIFIER", "RUNNING", 42)).state == "waiting"
    assert poll(640, new).state == "reached"
    for t, state in ((700, "waiting"), (1299, "waiting"), (1300, "failed")):
        assert poll(t, old).state == state, t


# The values that a gate returns for the tasks after it

IN_MODE = "only the target has were not looked for"
DATABASES = {"sourceConnectInfo": {"endpointId": "e_1"}, "sinkConnectInfo": {"endpointId": "e_2"}}


@pytest.mark.parametrize(
    ("sensor", "arguments", "steps", "config", "apart", "note"),
    [
        (VERIFICATION, {}, ALL_DONE, project(), None, None),
        (VERIFICATION, {}, ALL_DONE, project(in_mode=True), None, IN_MODE),
        (CUTOVER, {}, ALL_DONE, project(), None, None),
        (CUTOVER, {}, ALL_DONE, project(in_mode=True), None, IN_MODE),
        (CUTOVER, {}, ALL_DONE, Reply("", 503), None, "isn't known"),
        (CUTOVER, {"require_verification": False}, LACKING, UNVERIFIED, None, "It was not verified"),
        # A table that was added later may have no result.
        *(
            (sensor, {}, ALL_DONE, project(transferMapping=mapping("ORDERS", *tables), **more), None, note)
            for sensor in (VERIFICATION, CUTOVER)
            for tables, more, note in (
                (["items", "prices"], {}, "The verification has no result for shop.prices."),
                (["prices", "old"], {"in_mode": True}, "no result for shop.old, shop.prices. Rows that only the"),
                (["Items"], {}, None),
            )
        ),
        (CUTOVER, {}, ALL_DONE, project(transferMapping=mapping("prices", mode="WILDCARD")), None, None),
        (CUTOVER, {}, ALL_DONE, project(transferMapping={"databases": "odd"}), None, None),
        *(
            (sensor, {"verification_project": APART}, steps, project(**DATABASES), replace(DONE, project=config), note)
            for sensor in (VERIFICATION, CUTOVER)
            for steps in (ALL_DONE, LACKING)
            for config, note in (
                (project(id=APART, type="VERIFY", **DATABASES), None),
                (project(id=APART, type="VERIFY"), "doesn't show whether project np_apart compares the databases"),
                (project(id=APART, type="VERIFY", in_mode=True, **DATABASES), IN_MODE),
            )
        ),
    ],
)
def test_what_consistent_does_not_say_is_returned(sensor, arguments, steps, config, apart, note):
    verdict = Script(_gate(sensor, arguments)).poll(NOW, caught_up(), steps, CONSISTENT, project=config, apart=apart)
    assert verdict.state == "reached"
    assert (verdict.observed.note is None) is (note is None)
    assert note is None or note in verdict.observed.note
    assert note is None or note in verdict.message
