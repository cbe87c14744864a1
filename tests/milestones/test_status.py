"""What a project's status means for what isn't reached yet."""

from __future__ import annotations

import pytest

from airflow_provider_oms.milestones.status import Outlook, is_running, may_follow, outlook


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("INIT", Outlook.UNDER_WAY),
        ("RUNNING", Outlook.UNDER_WAY),
        ("RUNNING_MODIFYING", Outlook.UNDER_WAY),
        ("RUNNING_MERGING", Outlook.UNDER_WAY),
        ("RUNNING_ALARMING", Outlook.UNDER_WAY),
        ("SUSPEND", Outlook.PAUSED),
        ("FAILED", Outlook.FAILED),
        ("RELEASING", Outlook.GONE),
        ("RELEASED", Outlook.GONE),
        ("DELETED", Outlook.GONE),
        ("FINISHED", Outlook.OVER),
        ("RUNNINGLESS", Outlook.UNKNOWN),
        ("running", Outlook.UNKNOWN),
        ("STOPPED", Outlook.UNKNOWN),
        ("", Outlook.UNKNOWN),
        (None, Outlook.UNKNOWN),
    ],
)
def test_outlook(status, expected):
    assert outlook(status) is expected
    assert is_running(status) is (expected is Outlook.UNDER_WAY and status != "INIT")


@pytest.mark.parametrize(
    ("status", "targets", "expected"),
    [
        ("FINISHED", ("RELEASED",), True),
        ("FINISHED", ("RUNNING", "DELETED"), True),
        ("FINISHED", ("RUNNING",), False),
        ("RELEASING", ("RELEASED",), True),
        ("RELEASED", ("RELEASING",), False),
        ("RELEASED", ("DELETED",), True),
        ("DELETED", ("RELEASED", "DELETED"), False),
        ("FAILED", ("RELEASED", "DELETED"), True),
        # What a resumed project would reach is the FAILED rule's to decide.
        ("FAILED", ("RELEASED", "RUNNING"), False),
        ("RUNNING", ("RELEASED",), False),
        (None, ("RELEASED",), False),
    ],
)
def test_may_follow(status, targets, expected):
    assert may_follow(status, targets) is expected
