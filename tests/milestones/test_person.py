"""When a project needs a person, and when it doesn't."""

from __future__ import annotations

import pytest

from airflow_provider_oms.client.models import Step
from airflow_provider_oms.milestones.person import At, holds_up, waits_at
from tests.gate_cases import NOW
from tests.milestones.support import Script, gate_of

INCREMENTAL = {"name": "INCR_TRANSFER", "status": "MONITORING"}
VERIFIED = {"name": "FULL_VERIFIER", "status": "RUNNING", "progress": 100}
SWITCH = {"name": "TRANSFER_APP_SWITCH", "status": "INIT"}
REVERSE = {"name": "REVERSE_INCR_TRANSFER", "status": "INIT"}
SWITCHING = {**SWITCH, "status": "RUNNING", "progress": 0}


def steps(*rows):
    return [Step(row) for row in rows]


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([INCREMENTAL, VERIFIED, SWITCH, REVERSE], "FULL_VERIFIER"),
        ([VERIFIED], "FULL_VERIFIER"),
        ([{**VERIFIED, "name": "FULL_VALIDATION"}], "FULL_VALIDATION"),
        ([INCREMENTAL, VERIFIED, SWITCHING, REVERSE], "TRANSFER_APP_SWITCH"),
        ([INCREMENTAL, {**VERIFIED, "status": "FINISHED"}, SWITCHING, REVERSE], "TRANSFER_APP_SWITCH"),
        ([{**SWITCHING, "name": "APP_SWITCH"}], "APP_SWITCH"),
        # No person is needed.
        ([INCREMENTAL, {**VERIFIED, "progress": 99}, SWITCH], None),
        ([INCREMENTAL, {**VERIFIED, "status": "FINISHED"}, SWITCH], None),
        ([INCREMENTAL, {**VERIFIED, "status": "SUSPEND"}, SWITCH], None),
        ([INCREMENTAL, VERIFIED, {**SWITCH, "status": "FINISHED"}, {**REVERSE, "status": "MONITORING"}], None),
        ([INCREMENTAL, VERIFIED, {**SWITCH, "status": "FAILED"}], None),
        ([{"name": "FULL_TRANSFER", "status": "RUNNING", "progress": 100}], None),
        # A value that can't be read counts as missing.
        ([{**VERIFIED, "progress": 1000}, {"name": None, "status": []}], None),
        ([], None),
    ],
)
def test_where_it_waits(rows, at):
    wait = waits_at(map(At.of, steps(*rows)))
    assert wait.step == at
    assert wait.words.startswith(f"Step {at} waits for a person: ") if at else not wait.words


@pytest.mark.parametrize(
    ("awaited", "said"),
    [
        (SWITCH, True),  # after the verification that waits
        (REVERSE, True),
        (VERIFIED, False),  # that is done, whoever continued it
        (INCREMENTAL, False),
    ],
)
def test_a_gate_is_held_up_only_by_what_is_before_it(awaited, said):
    rows = steps(INCREMENTAL, VERIFIED, SWITCH, REVERSE)
    assert bool(holds_up(rows, steps(awaited))) == said


def test_a_gate_that_waits_for_no_step_is_not_delayed():
    assert holds_up(steps(INCREMENTAL, VERIFIED, SWITCH), []) == ""


PROGRESS = {"projectId": "np_1", "status": "RUNNING", "enableIncrSync": True, "fullTransferProgress": 100}


def test_a_gate_that_a_person_holds_up_says_so():
    script = Script(gate_of("OmsStepSensor", {"step": "TRANSFER_APP_SWITCH"}))
    said = script.poll(NOW, PROGRESS, [INCREMENTAL, VERIFIED, SWITCH, REVERSE]).message
    assert said.startswith("Step TRANSFER_APP_SWITCH is INIT. Step FULL_VERIFIER waits for a person: ")
    said = script.poll(NOW + 30, PROGRESS, [INCREMENTAL, VERIFIED, SWITCHING, REVERSE]).message
    assert said == (
        "Step TRANSFER_APP_SWITCH is RUNNING at 0 %. "
        "Step TRANSFER_APP_SWITCH waits for a person: switch over in the OMS console."
    )


def test_one_that_is_paused_says_that_alone():
    script = Script(gate_of("OmsStepSensor", {"step": "TRANSFER_APP_SWITCH"}))
    said = script.poll(NOW, {**PROGRESS, "status": "SUSPEND"}, [INCREMENTAL, VERIFIED, SWITCH, REVERSE]).message
    assert "waits for a person" not in said
    assert "paused" in said
