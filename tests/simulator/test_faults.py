"""Which request a fault is applied to."""

from __future__ import annotations

import re

import pytest

from airflow_provider_oms.simulator import Fault
from airflow_provider_oms.simulator.faults import KINDS, Faults
from tests.docs.pages import DOCS


def fired(fault: Fault, *requests: tuple[str, str | None]) -> list[bool]:
    faults = Faults()
    faults.add(fault)
    return [faults.match(*request) is fault for request in requests]


def test_for_ever_and_a_few_times():
    assert fired(Fault("empty"), *[("A", None)] * 4) == [True] * 4
    assert fired(Fault("empty", times=2), *[("A", None)] * 4) == [True, True, False, False]
    assert fired(Fault("empty", after=1, times=2), *[("A", None)] * 4) == [False, True, True, False]


def test_by_action_and_project():
    assert fired(Fault("empty", action="A"), ("A", "p"), ("B", "p")) == [True, False]
    assert fired(Fault("empty", project_id="p"), ("A", "p"), ("A", "q"), ("A", None)) == [True, False, False]
    assert fired(Fault("empty", action="A", after=1), ("B", None), ("A", None), ("A", None)) == [False, False, True]


def test_the_first_that_matches_and_none_after_clear():
    faults = Faults()
    first, second = Fault("empty", times=1), Fault("html")
    faults.add(first)
    faults.add(second)
    assert [faults.match("A", None), faults.match("A", None)] == [first, second]
    assert (first.fired, second.fired) == (1, 1)
    faults.clear()
    assert faults.match("A", None) is None


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="explode"):
        Fault("explode")


def test_the_documentation_has_every_kind():
    table = (DOCS / "simulator.md").read_text().split("## Faults")[1].split("## ")[0]
    assert set(re.findall(r"`([a-z_0-9]+)`", table.split("`page=2`")[0])) >= set(KINDS)
