"""The plan of a campaign on a distributed Airflow, and the components that it kills."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from reliability import distributed_airflow, wide
from reliability.wide import CLOCKS, PARTS, SIZES, UPGRADE, WIDE

BEGIN = 1_770_000_000.0


@pytest.fixture(params=SIZES)
def size(request):
    return SIZES[request.param]


def test_it_is_as_large_as_it_says(size):
    what = wide.content(BEGIN, size, with_events=True)
    assert len({gate.task_id for gate in what.gates}) == len(what.gates) == size.gates
    assert len({gate.project for gate in what.gates}) == len(what.plans) == size.projects
    assert (len(what.over_many), len(what.events)) == (size.by_label, size.events)


def test_the_whole_of_it_has_every_kind_of_gate():
    what = wide.content(BEGIN, WIDE, with_events=True)
    assert len({gate.sensor for gate in what.gates}) == 7
    told = wide.to_json(what, WIDE, in_triggerer=True)
    assert len({tuple(entry["ways"]) for entry in told["gates"]}) == 3
    held = [entry["ways"].get("mode") for gate, entry in zip(what.gates, told["gates"], strict=True) if gate.held > 10]
    assert Counter(held) == {None: 5, "reschedule": 5}


def test_gates_over_many_wait_for_all_with_the_label(size):
    what = wide.content(BEGIN, size, with_events=False)
    assert what.events == []
    for gate in what.over_many:
        labelled = {plan.project.id for plan in what.plans if gate.arguments["label_name"] in plan.project.labels}
        assert set(gate.members) == labelled
    assert any("np_broken" in gate.members and gate.arguments["progress"] == 100 for gate in what.over_many)


def test_no_gate_waits_for_what_passes():
    what = wide.content(BEGIN, WIDE, with_events=True)
    statuses = [gate.arguments["target_statuses"] for gate in what.gates if "target_statuses" in gate.arguments]
    assert statuses
    assert all("FINISHED" in one for one in statuses)


def test_an_airflow_without_it_starts_no_gate_in_the_triggerer():
    what = wide.content(BEGIN, WIDE, with_events=False)
    told = wide.to_json(what, WIDE, in_triggerer=False)
    assert not any("start_from_trigger" in entry["ways"] for entry in told["gates"])
    # Before 3.3 nothing is remembered between two polls, so it isn't known whether the condition has held.
    ways = [entry["ways"] for entry in told["gates"] if "hold_for" in entry["arguments"]]
    assert not any(ways)


def test_everything_is_killed_twice_and_the_rest_done_once():
    steps = wide.steps(WIDE, random.Random(1))
    assert Counter(steps) == {**dict.fromkeys(PARTS, 2), UPGRADE: 1, CLOCKS: 1}
    assert steps.index(CLOCKS) < steps.index(UPGRADE) == len(steps) // 2


def test_the_seed_decides():
    one, same, other = (wide.steps(WIDE, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert not {UPGRADE, CLOCKS} & set(wide.steps(WIDE, random.Random(1), upgrade=False, clocks=False))


@pytest.mark.parametrize("version", [(2, 11), (3, 3)])
def test_there_are_two_of_what_there_can_be_two_of(version, tmp_path):
    parts = distributed_airflow.components_of(version, tmp_path)
    kinds = Counter(re.sub(r"-\d$", "", name) for name in parts)
    assert kinds == {"web": 1, "dag-processor": 1, "scheduler": 2, "triggerer": 2, "worker": 2}
    assert set(PARTS) - set(kinds) == {"redis", "postgresql", "oms"}
    assert {*distributed_airflow.SKEWED} <= set(parts)
