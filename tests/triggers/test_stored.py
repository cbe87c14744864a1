"""Deferred gates outlive an upgrade: what a release has stored of its triggers is read by the ones after it.

Don't correct a row when this fails: the row stands in somebody's database. Let the code read it, or release a new major
version. Add the rows of a release when what it stores has changed.
"""

from __future__ import annotations

import pytest

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import _KINDS
from airflow_provider_oms.milestones.verdict import Memory
from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

COMMON_0_1 = {
    "project_id": "np_1",
    "project_name": None,
    "project_type": "MIGRATION",
    "oms_conn_id": "oms_default",
    "poke_interval": 30.0,
    "fail_on_suspend": False,
    "failure_grace": 120.0,
    "outage_tolerance": 600.0,
}
MEMORY_0_1 = {
    "project_id": "np_1",
    "failed_since": 1767225600.0,
    "within_since": 1767225600.0,
    "within_clock": "oms",
    "unreachable_since": None,
    "polls": 7,
    "kept": True,
}
MILESTONES_0_1 = [
    ({"kind": "step", "step": "FULL_TRANSFER", "until": "done"}, "step FULL_TRANSFER to be done"),
    ({"kind": "full_transfer", "progress": 100.0}, "the full transfer at 100 %"),
    (
        {"kind": "checkpoint_lag", "max_lag": 25.0, "direction": "forward", "hold_for": 60.0},
        "the forward checkpoint within 25 s for 60 s",
    ),
    (
        {"kind": "checkpoint_reached", "checkpoint": 1767225600.0, "direction": "reverse"},
        "the reverse checkpoint past 2026-01-01T00:00:00+00:00",
    ),
    ({"kind": "full_verification"}, "full verification to find every table consistent"),
    ({"kind": "project_status", "target_statuses": ["RELEASED", "DELETED"]}, "the project to be RELEASED or DELETED"),
    ({"kind": "cutover_ready", "max_lag": 25.0}, "the project to be ready for the cut-over (lag within 25 s)"),
    (
        {"kind": "action", "goal": "release", "sent": "stop", "stop_first": True, "since": 1767225600.0},
        "StopProject to take effect",
    ),
]


@pytest.mark.parametrize(("milestone", "meaning"), MILESTONES_0_1, ids=lambda given: str(given)[:30])
def test_a_row_of_0_1_means_the_same(milestone, meaning):
    row = {"gate": {**COMMON_0_1, "milestone": milestone}, "deadline": 1767830400.0, "memory": MEMORY_0_1}
    trigger = OmsMilestoneTrigger(**row)
    gate = Gate.from_dict(trigger.gate)
    assert gate.describe() == f"{meaning} in project np_1"
    assert {name: getattr(gate, name) for name in COMMON_0_1} == COMMON_0_1
    memory = Memory.from_dict(trigger.memory)
    assert {name: getattr(memory, name) for name in MEMORY_0_1} == MEMORY_0_1


def test_every_milestone_has_a_row():
    assert {milestone["kind"] for milestone, _ in MILESTONES_0_1} == set(_KINDS)
