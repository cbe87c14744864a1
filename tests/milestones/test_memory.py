"""A gate's memory is plain JSON, and invalid JSON in its place does no harm. How it is used: test_patience.py."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from airflow_provider_oms.milestones.memory import OUTLASTS_OUTAGE, Condition, Memory, Names, Now, longest_gap

FULL = Memory({"shop": "np_1"}, {Condition.FAILED: 2.5, Condition.LAG_SMALL: 3.0}, unanswered=4, polled_at=5.0)


#: What is stored only for gates over many projects, or never.
OF_MANY = {"by_row", "lists", "called", "ready", "members", "reached", "counted"}


def test_it_survives_json():
    stored = json.loads(json.dumps(FULL.as_dict()))
    assert Memory.from_dict(stored) == FULL
    assert set(stored) == set(vars(FULL)) - {"kept", "names"} - OF_MANY, (
        "how it came by its memory a gate isn't told by it"
    )


def test_what_is_remembered_of_each_of_many_survives_json():
    memory = Memory(members={"np_1": Memory(ready=True, by_row=3), "np_2": Memory(unanswered=1)})
    assert Memory.from_dict(json.loads(json.dumps(memory.as_dict()))) == memory


def test_of_another_version_it_is_read_as_far_as_it_goes():
    assert Memory.from_dict({**FULL.as_dict(), "mood": "good"}) == FULL
    assert Memory.from_dict({"polled_at": 1.0}) == Memory(polled_at=1.0)
    assert Memory.from_dict({}) == Memory()


@pytest.mark.parametrize(
    "spoiled",
    [
        {"since": [1]},
        {"since": None},
        {"since": {"failed": "long ago"}},
        {"since": {"failed": True}},
        {"polled_at": "now"},
        {"unanswered": None},
        {"unanswered": "many"},
    ],
    ids=str,
)
def test_what_can_be_no_memory_is_refused(spoiled):
    with pytest.raises(ValueError, match="not what a gate remembers"):
        Memory.from_dict({**FULL.as_dict(), **spoiled})


@pytest.mark.parametrize("projects", [None, [], {"shop": None}, {"shop": 7}, {"shop": ""}, {7: "np_1"}], ids=str)
def test_a_name_that_was_resolved_to_nothing_is_not_resolved(projects):
    assert Memory.from_dict({"projects": projects}).projects == {}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("gap", [0, 30, 33, 34, 120, 121, 10**9, -1, -(10**9)])
def test_of_the_time_between_two_polls_only_so_much_counts(gap, shared):
    memory = replace(FULL, since={"x": 1.0, "y": 5.0})
    memory.begin_poll(Now(5.0 + gap, 0.0, shared), poke_interval=30)
    counted = min(max(gap, 0), longest_gap(30, shared=shared))
    assert longest_gap(30, shared=shared) == (33 if shared else 120)
    assert memory.polled_at == 5.0 + gap
    assert {name: memory.polled_at - at for name, at in memory.since.items()} == {"x": 4 + counted, "y": counted}
    assert memory.unanswered == 4
    assert memory.projects == {"shop": "np_1"}


@pytest.mark.parametrize("poke_interval", [5, 15, 60])
@pytest.mark.parametrize("ahead", [-3600, -90, -7, 0, 7, 90, 3600])
def test_workers_with_different_clocks_count_no_time_that_has_not_passed(ahead, poke_interval):
    """Airflow's own clock decides when a task runs again, but by the time that the last worker's clock has set."""
    dice = random.Random(ahead)
    memory, begin, now, counted = Memory(), 10.0**9, 10.0**9, 0.0
    for _ in range(200):
        clock = now + dice.choice([0, ahead])
        memory.begin_poll(Now(clock, clock, shared=True), poke_interval)
        memory.since.setdefault("x", clock)
        counted = clock - memory.since["x"]
        assert counted <= now - begin + poke_interval + 3
        now = max(now, clock + poke_interval) + 3
    assert counted > 0.4 * 200 * poke_interval


def test_a_first_poll_has_no_gap():
    memory = Memory()
    memory.begin_poll(Now(10.0**9, 0.0), 30)
    assert memory == Memory(polled_at=10.0**9)


def test_what_opens_a_gate_is_broken_by_an_outage():
    assert Condition.LAG_SMALL not in OUTLASTS_OUTAGE


def test_a_fresh_memory_may_look_names_up():
    assert Memory().names is Names.FREE
