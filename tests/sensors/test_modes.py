"""The cases of the one table in every mode: all modes come to the same verdict.

Every row is run in deferrable mode, which includes the worker, the triggerer and the worker again. The other modes, and
versions of Airflow other than the newest, run one row of each kind.
"""

from __future__ import annotations

import json
import re

import pytest

from airflow_provider_oms.milestones.verdict import Observation
from airflow_provider_oms.simulator import Clock, Simulator
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from tests import modes
from tests.connections import connect
from tests.gate_cases import CASES, FAILED, NOW, REACHED, Case, serve

OF_EACH_KIND = modes.one_of_each_kind(CASES)

#: The verdict of a row doesn't depend on Airflow, so one version runs them all.
DEFERRED = CASES if has_task_state_store() else OF_EACH_KIND


@pytest.fixture(scope="module")
def oms():
    with Simulator(clock=Clock(start=NOW, speed=0)) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def connection(oms, monkeypatch, pauses):
    connect(monkeypatch, oms)


def check(case: Case, outcome: modes.Outcome, expected: str) -> None:
    assert outcome.state == expected, outcome
    if expected == REACHED:
        assert set(outcome.observed) == set(Observation._fields)
        json.dumps(outcome.observed)
    if expected == FAILED and case.message:
        assert re.search(case.message, outcome.message)


@pytest.mark.parametrize("case", OF_EACH_KIND, ids=str)
def test_poke(case, oms):
    serve(oms, case)
    check(case, modes.poke(modes.make(case.sensor, case.arguments)), case.expected)


@pytest.mark.parametrize("case", OF_EACH_KIND, ids=str)
def test_reschedule_with_a_store(case, oms, monkeypatch):
    if not has_task_state_store() and case.needs_memory:
        with pytest.raises(ValueError, match="hold_for"):
            modes.make(case.sensor, case.arguments, mode="reschedule")
        return
    serve(oms, case)
    gate = modes.make(case.sensor, case.arguments, mode="reschedule")
    check(case, modes.reschedule(gate, monkeypatch, modes.Store()), case.expected)


@pytest.mark.parametrize("case", [case for case in OF_EACH_KIND if not case.needs_memory], ids=str)
def test_reschedule_without_a_store(case, oms, monkeypatch):
    serve(oms, case)
    gate = modes.make(case.sensor, case.arguments, mode="reschedule")
    check(case, modes.reschedule(gate, monkeypatch), case.expected_without_memory)


@pytest.mark.parametrize("case", DEFERRED, ids=str)
def test_deferred(case, oms):
    serve(oms, case)
    check(case, modes.deferred(modes.make(case.sensor, case.arguments)), case.expected)


@pytest.mark.parametrize("case", OF_EACH_KIND, ids=str)
def test_the_triggerer_decides_like_the_worker(case, oms):
    serve(oms, case)
    check(case, modes.in_triggerer(modes.make(case.sensor, case.arguments)), case.expected)
