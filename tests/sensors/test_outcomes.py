"""How a gate ends: every outcome, with soft_fail and never_fail, is the same in every mode."""

from __future__ import annotations

import json
import re
import sys

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor
from airflow_provider_oms.simulator import Fault
from tests import modes
from tests.gate_cases import FAILED, REACHED, WAITING

PROGRESS = {"projectId": "np_1", "status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 50}
FAILED_STEP = {
    "order": 1,
    "name": "FULL_TRANSFER",
    "status": "FAILED",
    "progress": 50,
    "extraInfo": {"errorCode": "X-1", "errorMsg": "the disk is full", "failedTime": "2001-01-01T00:00:00.000"},
}

#: OMS's answers, the gate's outcome, and its message. WAITING stands for a time-out of the gate.
ENDINGS = {
    "reached": ({**PROGRESS, "fullTransferProgress": 100}, REACHED, ""),
    "time-out": (
        PROGRESS,
        WAITING,
        r"Still waiting after 0 s \(timeout\)\. .* at 50 % \(100 % needed\)\.",
    ),
    "paused": ({**PROGRESS, "status": "SUSPEND"}, FAILED, "Resume it in OMS, then clear this task"),
    "failed": ({**PROGRESS, "status": "FAILED"}, FAILED, "X-1 the disk is full.*resume the project.*clear this task"),
    "released": ({**PROGRESS, "status": "RELEASED"}, FAILED, "RELEASED"),
    "finished": ({**PROGRESS, "status": "FINISHED"}, FAILED, "Nothing more will happen"),
    "disabled": ({**PROGRESS, "enableFullTransfer": False}, FAILED, "enableFullTransfer"),
    "no such project": (
        Fault(kind="error", code="GHANA-PROJECT000001", message="project is not exists"),
        FAILED,
        "000001",
    ),
    "wrong password": (Fault(kind="status", status=401), FAILED, "login"),
    "outage": (Fault(kind="status", status=503), FAILED, "outage_tolerance"),
}

SETTINGS = {"none": {}, "soft_fail": {"soft_fail": True}, "never_fail": {"never_fail": True}}


def gate(**settings):
    return modes.make("OmsFullTransferSensor", {}, fail_on_suspend=True, outage_tolerance=0, **settings)


MODES = {
    "poke": lambda settings, monkeypatch: modes.poke(gate(**settings)),
    "reschedule": lambda settings, monkeypatch: modes.reschedule(gate(**settings), monkeypatch, timeout=0),
    "deferred": lambda settings, monkeypatch: modes.deferred(gate(**settings)),
    "triggerer first": lambda settings, monkeypatch: modes.in_triggerer(gate(**settings)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_gate_ends_the_same_in_every_mode(ending, setting, mode, sim, monkeypatch, pauses):
    said, expected, message = ENDINGS[ending]
    monkeypatch.setenv(
        "AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**json.loads(sim.connection_json), "extra": {"retries": 0}})
    )
    if isinstance(said, Fault):
        sim.add_fault(said)
    else:
        sim.set_answer("DescribeProjectProgress", {"success": True, "data": said})
        sim.set_answer("DescribeProjectSteps", {"success": True, "data": [FAILED_STEP] if ending == "failed" else []})
    outcome = MODES[mode](SETTINGS[setting], monkeypatch)
    if setting == "none" or expected == REACHED:
        assert outcome.state == expected
        if expected != REACHED:
            assert re.search(message, outcome.message), outcome.message
            assert_says_what_it_is_about(outcome.message)
    else:
        assert outcome.state == modes.SKIPPED
        assert re.search(message, outcome.message), outcome.message
        assert outcome.message.startswith(f"Skipping due to {setting}. ")
        assert_says_what_it_is_about(outcome.message.removeprefix(f"Skipping due to {setting}. "))


def assert_says_what_it_is_about(message):
    assert message.startswith("Project np_1: "), message
    assert message.endswith(" (waiting for the full transfer at 100 %, Airflow connection 'oms_default')"), message


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "triggerer first"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_template_that_renders_to_nothing_fails_without_a_poll(setting, mode, sim, monkeypatch):
    rendered = gate(**SETTINGS[setting])
    rendered.project_id = ""
    monkeypatch.setattr(sys.modules[__name__], "gate", lambda **settings: rendered)
    outcome = MODES[mode](SETTINGS[setting], monkeypatch)
    assert outcome.state == modes.FAILED
    assert outcome.message.startswith("project_id must be text that isn't empty; it is ''. Correct the DAG")
    assert not sim.requests


def test_a_failure_burns_no_retries():
    """Airflow retries neither of the two."""
    assert issubclass(OmsMilestoneFailedError, AirflowFailException)
    assert not issubclass(AirflowSensorTimeout, AirflowFailException)


@pytest.mark.parametrize(
    "event", [None, {}, "success", {"status": "success"}, {"status": None}, [], {"status": "REACHED"}]
)
def test_an_event_that_is_not_known_opens_nothing(event):
    with pytest.raises(OmsMilestoneFailedError, match="not known"):
        gate().execute_complete(modes.context(), event=event)
    with pytest.raises(OmsMilestoneFailedError, match="not known"):
        gate().execute_complete(modes.context())


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("error", ["Trigger timeout", "Trigger failure"])
def test_what_airflow_itself_says_of_a_deferral_s_end_is_said_with_the_project(error, setting):
    with pytest.raises(AirflowException) as ended:
        gate(**SETTINGS[setting]).resume_execution("__fail__", {"error": error}, modes.context())
    said = str(ended.value)
    assert isinstance(ended.value, AirflowSkipException) == (setting != "none")
    if setting != "none":
        assert said.startswith(f"Skipping due to {setting}. ")
        said = said.removeprefix(f"Skipping due to {setting}. ")
    assert error.lower() in said.lower().replace("_", " ")
    assert_says_what_it_is_about(said)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_row_that_cannot_be_followed_says_so_and_is_tried_again(setting):
    event = {"status": "unreadable", "message": "Another version has written it.", "observed": {}}
    with pytest.raises(OmsOperationError) as ended:
        gate(**SETTINGS[setting]).execute_complete(modes.context(), event=event)
    assert "Another version has written it." in str(ended.value)
    assert_says_what_it_is_about(str(ended.value))


def test_somebody_s_own_skip_stays_as_it_is(sim, pauses):
    class Own(OmsFullTransferSensor):
        def poke(self, context):
            raise AirflowSkipException("not on a Sunday")

    with pytest.raises(AirflowSkipException, match=r"^not on a Sunday$"):
        Own(task_id="gate", project_id="np_1", soft_fail=True).execute(modes.context())
