"""Which project needs a person."""

from __future__ import annotations

import pytest

from airflow_provider_oms.client.models import Project, Step
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.milestones.attention import Level, Why, attention


def steps(*rows):
    return [
        facts.of_step(Step({"name": name, "status": status, "progress": progress})) for name, status, progress in rows
    ]


DONE = ("FULL_TRANSFER", "FINISHED", 100)


@pytest.mark.parametrize(
    ("status", "rows", "level", "words"),
    [
        ("RUNNING", [DONE, ("INCR_TRANSFER", "MONITORING", 100)], Level.NOTHING, ""),
        ("RUNNING", [DONE, ("INCR_TRANSFER", "RUNNING", 3)], Level.NOTHING, ""),
        ("INIT", [("FULL_TRANSFER", "INIT", 0)], Level.NOTHING, ""),
        ("RUNNING", [("FULL_TRANSFER", "FAILED", 40)], Level.ACT, "FULL_TRANSFER has failed: OMS gives no error"),
        ("RUNNING", [("FULL_TRANSFER", "SUSPEND", 40)], Level.ACT, "FULL_TRANSFER is paused"),
        (
            "RUNNING",
            [("TRANSFER_APP_SWITCH", "RUNNING", 0)],
            Level.ACT,
            "waits for a person: switch over",
        ),
        ("RUNNING", [("TRANSFER_APP_SWITCH", "INIT", 0)], Level.NOTHING, ""),
        ("RUNNING", [("TRANSFER_APP_SWITCH", "FINISHED", 100)], Level.NOTHING, ""),
        ("RUNNING", [("FULL_VERIFIER", "RUNNING", 100)], Level.ACT, " waits for a person: look at its result"),
        ("RUNNING", [("FULL_VALIDATION", "RUNNING", 100)], Level.ACT, " waits for a person: look at its result"),
        ("RUNNING", [("FULL_VERIFIER", "RUNNING", 99)], Level.NOTHING, ""),
        ("RUNNING", [("FULL_VERIFIER", "FINISHED", 100)], Level.NOTHING, ""),
        ("FAILED", [], Level.ACT, "The project has failed"),
        ("FAILED", [("FULL_TRANSFER", "FAILED", 40)], Level.ACT, "FULL_TRANSFER has failed"),
        ("SUSPEND", [("FULL_TRANSFER", "SUSPEND", 40)], Level.ACT, "The project is paused"),
        ("RUNNING_MERGING", [DONE], Level.LOOK, "Objects are being added"),
        ("RUNNING_SOMETHING", [DONE], Level.LOOK, "RUNNING_SOMETHING"),
        (None, [DONE], Level.LOOK, "none"),
        ("FINISHED", [("TRANSFER_APP_SWITCH", "RUNNING", 0)], Level.ENDED, ""),
        ("RELEASED", [("FULL_TRANSFER", "FAILED", 40)], Level.ENDED, ""),
    ],
)
def test_who_needs_a_person(status, rows, level, words):
    found = attention(status, steps(*rows))
    assert found.level is level
    assert words in found.reason
    assert bool(found.reason) is bool(found.why) is (level in (Level.ACT, Level.LOOK))


def test_an_error_is_reported():
    failed = Step(
        {
            "name": "FULL_TRANSFER",
            "status": "FAILED",
            "extraInfo": {"errorCode": "E-1", "errorMsg": "disk\x1b[31m full"},
        }
    )
    assert attention("RUNNING", [facts.of_step(failed)]).reason == "FULL_TRANSFER has failed: E-1 disk [31m full"


def test_an_alarm_is_worth_attention():
    row = Project({"id": "np_1", "status": "RUNNING", "alarmStats": {"alarming": True, "alarmContent": "late"}})
    alarms = facts.of_row(row, 0.0)["alarms"]
    assert attention("RUNNING", [], alarms) == (Level.LOOK, "OMS raises an alarm. late", Why.ALARM)
    assert attention("RUNNING", [], {"alarming": False, "content": "late"}).level is Level.NOTHING


def test_an_oms_that_sends_no_steps():
    assert attention("RUNNING", None).level is Level.NOTHING


def test_the_most_urgent_comes_first():
    assert sorted(Level) == [Level.ACT, Level.LOOK, Level.NOTHING, Level.ENDED]
