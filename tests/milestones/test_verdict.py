"""Verdicts are plain JSON."""

from __future__ import annotations

import json

from airflow_provider_oms.milestones.verdict import Observation, State, Verdict


def test_a_observation_is_json():
    observed = Observation("np_1", "RUNNING", "FULL_TRANSFER", 42.0, "100,30", None, "2027-01-15T08:00:00+00:00")
    assert Observation(**json.loads(json.dumps(observed.as_dict()))) == observed


def test_there_are_three_verdicts():
    assert [str(state) for state in State] == ["waiting", "reached", "failed"]
    assert Verdict(State.WAITING, "not yet").observed == Observation()
