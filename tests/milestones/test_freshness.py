"""Which checkpoint counts, when it is accepted, and the message if it isn't."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_oms.client.models import ProjectProgress
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.freshness import Reading, read
from tests.gate_cases import NOW, caught_up, switched


def _read(sent: dict[str, Any], direction: str = "forward", at: float = NOW) -> Reading:
    return read(Answer(ProjectProgress(sent), at, "OMS", at), direction)


def test_a_good_reading():
    reading = _read(caught_up(behind=10))
    assert (reading.trusted_lag, reading.trusted_checkpoint) == (10, NOW - 10)
    assert (reading.problem, reading.impossible, reading.alarming, reading.remark) == ("", False, False, "")


def test_the_lag_is_never_below_nought():
    assert _read(caught_up(behind=-299)).trusted_lag == 0


def test_each_direction_reads_its_own_fields():
    sent = switched(behind=7)
    assert _read(sent, "reverse").trusted_lag == 7
    assert _read(sent).trusted_lag == 72_000


def test_a_frozen_checkpoint_is_remarked_on():
    assert "reverse" in _read(switched()).remark
    assert "reverse" in _read(switched(currentStep="reverse_incr_sync")).remark
    assert not _read(switched(), "reverse").remark
    assert not _read(caught_up(currentStep=["odd"])).remark


@pytest.mark.parametrize(
    ("changes", "impossible", "alarming"),
    [
        ({"enableIncrSync": False}, True, False),
        ({"incrSyncCheckpoint": "100,30"}, True, False),
        ({"incrSyncCheckpoint": None}, False, False),
        ({"incrSyncCheckpoint": 0}, False, False),
        ({"incrSyncCheckpoint": ""}, False, False),
        ({"incrSyncCheckpoint": NOW + 301}, False, True),
        ({"fullTransferProgress": 99}, False, False),
        ({"fullTransferProgress": None}, False, False),
    ],
)
def test_a_reading_that_is_not_believed(changes, impossible, alarming):
    reading = _read(caught_up(**changes))
    assert reading.problem
    assert (reading.impossible, reading.alarming) == (impossible, alarming)
    for trusted in ("trusted_lag", "trusted_checkpoint"):
        with pytest.raises(AssertionError):
            getattr(reading, trusted)


def test_a_text_is_shown_as_it_is_but_on_one_line():
    problem = _read(caught_up(incrSyncCheckpoint="1,2\n" + "3" * 500)).problem
    assert problem.isprintable()
    assert len(problem) < 300


def test_whose_clock_it_is_is_said():
    sent = caught_up(incrSyncCheckpoint=NOW + 1000)
    assert "local clock" in read(Answer(ProjectProgress(sent), NOW, "local", NOW), "forward").problem
