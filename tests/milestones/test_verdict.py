"""Verdicts and memory are plain JSON, and memory of another version does no harm."""

from __future__ import annotations

import json

from airflow_provider_oms.milestones.verdict import Memory, Observation, State, Verdict


def test_memory_survives_json():
    memory = Memory("np_1", 1.5, 2.5, 3.5, 4, kept=False)
    assert Memory.from_dict(json.loads(json.dumps(memory.as_dict()))) == memory
    assert len(memory.as_dict()) == len(vars(memory))


def test_memory_of_another_version_is_read_as_far_as_it_goes():
    assert Memory.from_dict({"polls": 3, "mood": "good"}) == Memory(polls=3)
    assert Memory.from_dict({}) == Memory.from_dict(None) == Memory()


def test_a_observation_is_json():
    observed = Observation("np_1", "RUNNING", "FULL_TRANSFER", 42.0, "100,30", None, "2027-01-15T08:00:00+00:00")
    assert Observation(**json.loads(json.dumps(observed.as_dict()))) == observed


def test_there_are_three_verdicts():
    assert [str(state) for state in State] == ["waiting", "reached", "failed"]
    assert Verdict(State.WAITING, "not yet").observed == Observation()
