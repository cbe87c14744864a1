"""The meaning of a project's status for a milestone that isn't reached yet."""

from __future__ import annotations

import pytest

from airflow_provider_oms.milestones.status import (
    DOCUMENTED,
    Outlook,
    caution,
    is_changing,
    is_running,
    may_follow,
    outlook,
)


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
        ("RUNNING_DEFRAGMENTING", Outlook.UNKNOWN),
        ("RUNNING_", Outlook.UNKNOWN),
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
        # Whether a project that would be resumed can reach it is decided by the rule for FAILED.
        ("FAILED", ("RELEASED", "RUNNING"), False),
        ("RUNNING", ("RELEASED",), False),
        (None, ("RELEASED",), False),
    ],
)
def test_may_follow(status, targets, expected):
    assert may_follow(status, targets) is expected


def test_objects_are_being_added_in_two_of_the_documented_statuses():
    assert {status for status in DOCUMENTED if is_changing(status)} == {"RUNNING_MODIFYING", "RUNNING_MERGING"}
    assert not is_changing(None)


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("RUNING", "RUNNING"),
        ("PAUSED", "SUSPEND"),
        ("STOPPED", "SUSPEND"),
        ("SUSPENDED", "SUSPEND"),
        ("COMPLETED", "FINISHED"),
        ("FINISH", "FINISHED"),
        ("ENDED", "RELEASED"),
        ("RELASED", "RELEASED"),
        ("MODIFYING", "RUNNING_MODIFYING"),
    ],
)
def test_a_status_that_is_not_documented_is_a_warning_with_a_suggestion(status, meant):
    said = caution(("FAILED", status)) or ""
    assert said.startswith(f"{status} isn't a status that OceanBase documents. Did you mean {meant}?")
    assert "FAILED is no" not in said


def test_where_nothing_is_like_it_all_statuses_are_listed():
    said = caution(("PARKED",)) or ""
    assert "Did you mean" not in said
    for status in DOCUMENTED:
        assert status in said


@pytest.mark.parametrize("status", DOCUMENTED)
def test_a_documented_status_is_no_warning(status):
    assert caution((status,)) is None
