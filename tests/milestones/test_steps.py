"""When a step is done, and its names: all combinations of kinds, names, statuses and percentages."""

from __future__ import annotations

from itertools import product

import pytest

from airflow_provider_oms.client.models import Step
from airflow_provider_oms.milestones import steps
from tests.gate_cases import STEP_NAMES, step, step_is_done
from tests.rows import each_row

STATUSES = ["INIT", "RUNNING", "FAILED", "FINISHED", "SUSPEND", "MONITORING", "PAUSING", "", None]


@each_row(
    ("kind", "name", "status", "percent"),
    [
        (kind, name, *state)
        for kind in STEP_NAMES
        for name in STEP_NAMES[kind]
        for state in product(STATUSES, (None, 0, 99, 100))
    ],
)
def test_is_done(kind, name, status, percent):
    assert steps.is_done(Step(step(name, status, percent))) is step_is_done(kind, status, percent)


@pytest.mark.parametrize("status", STATUSES)
def test_has_started(status):
    assert steps.has_started(Step(step("FULL_TRANSFER", status))) is (status in ("RUNNING", "MONITORING", "FINISHED"))


def test_a_name_finds_all_of_its_kind_and_nothing_else():
    listed = [Step(step(name)) for names in STEP_NAMES.values() for name in names]
    for names in STEP_NAMES.values():
        for name in names:
            assert [row.name for row in steps.find(listed, name)] == list(names)
    assert steps.find(listed, "FULL") == []
    assert steps.find([Step({})], "") == []


def test_every_kind_is_known():
    assert {kind.value for kind in steps.StepKind} == set(STEP_NAMES.values())
    assert steps.kind_of(None) is None
    assert steps.kind_of("FULL") is None


def test_caught_up_is_monitoring_alone():
    caught = [status for status in STATUSES if steps.caught_up(Step(step("INCR_TRANSFER", status, 100)))]
    assert caught == ["MONITORING"]


def test_failed_suspended_and_names():
    listed = [Step(step("A", "FAILED")), Step(step("B", "SUSPEND")), Step({})]
    assert [row.name for row in steps.failed(listed)] == ["A"]
    assert [row.name for row in steps.suspended(listed)] == ["B"]
    assert steps.names(listed) == "A, B, ?"
