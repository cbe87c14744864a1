"""A change of a project's objects that begins or ends between two requests of one poll."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_oms.milestones.memory import Memory
from tests.gate_cases import (
    ALL_DONE,
    NOW,
    PROJECT,
    RECORDS,
    STEPS,
    WAITING,
    Reply,
    mapping,
    progress,
    project,
    record,
    success,
)
from tests.milestones.support import FakeOms, gate_of, poll_once

ADDED, TAKEN_OUT = {"tables": ["shop.prices"]}, {"tables": ["shop.orders"], "absent": ["shop.prices"]}
EARLIER = record("SUCCESS", "INCREASE_OBJECT", "orders", id=44)


def with_prices(listed: bool) -> dict[str, Any]:
    """Return the project's configuration, which lists the table or not."""
    return project(transferMapping=mapping("orders", *(["prices"] if listed else [])))


class Between:
    """An OMS in which something happens after the records were asked for, and before the configuration is."""

    def __init__(self, before: list[Any], after: list[Any], listed: bool) -> None:
        self.records, self.after, self.listed = before, after, listed

    def reply(self, action: str, payload: Any) -> Reply:
        if action == RECORDS:
            found, self.records = self.records, self.after
            return Reply(success(found))
        if action == PROJECT:
            return Reply(success(with_prices(self.listed)))
        return Reply(success(list(ALL_DONE) if action == STEPS else progress(fullTransferProgress=100)))


@pytest.mark.parametrize(
    ("arguments", "before", "after", "listed"),
    [
        (ADDED, [], [record("PENDING", "INCREASE_OBJECT")], True),
        (ADDED, [EARLIER], [EARLIER, record("RUNNING", "INCREASE_OBJECT", "prices")], True),
        (ADDED, [], [record("FAILED", "INCREASE_OBJECT", "prices")], True),
        (ADDED, [], [record("CANCEL", "INCREASE_OBJECT", "prices")], True),  # ordered and cancelled meanwhile
        (TAKEN_OUT, [], [record("PENDING", "DECREASE_OBJECT", "prices")], False),
        (TAKEN_OUT, [EARLIER], [EARLIER, record("MERGING", "DECREASE_OBJECT")], False),
    ],
)
def test_a_change_that_begins_during_a_poll_keeps_the_gate_shut(arguments, before, after, listed):
    """Whether OMS's configuration shows a change before it is complete isn't documented."""
    oms = FakeOms(Between(before, after, listed).reply)
    memory = Memory()
    first = poll_once(gate_of("OmsObjectsSensor", arguments), oms, memory)
    assert first.state == WAITING
    assert "has begun or ended during this poll" in first.message
    second = poll_once(gate_of("OmsObjectsSensor", arguments), oms, memory, NOW + 30)
    assert (second.state == "reached") is (after[-1]["status"] == "CANCEL")


def test_where_nothing_changes_the_gate_opens_at_the_first_poll():
    for arguments, listed in ((ADDED, True), (TAKEN_OUT, False)):
        oms = FakeOms(Between([EARLIER], [EARLIER], listed).reply)
        assert poll_once(gate_of("OmsObjectsSensor", arguments), oms).state == "reached"
        assert oms.asked.count(RECORDS) == 2
