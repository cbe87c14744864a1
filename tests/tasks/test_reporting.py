"""What a gate writes into its log."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import CheckpointLagMilestone
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict
from airflow_provider_oms.tasks.reporting import HEARTBEAT, Reporter, describe

GATE = Gate(CheckpointLagMilestone(25), project_name="shop")


def verdict(lag=66, state=State.WAITING, **more):
    observed = Observation(status="RUNNING", step="INCR_TRANSFER", progress=100, lag=lag)
    return Verdict(state, f"The forward checkpoint lies {lag} s behind; 25 s are allowed.", observed, **more)


def test_what_is_new_comes_first_and_what_is_awaited_last():
    assert describe(GATE, verdict(figures="FULL_TRANSFER: 7 rows")) == (
        "Waiting. The forward checkpoint lies 66 s behind; 25 s are allowed. "
        "[status RUNNING, step INCR_TRANSFER, 100 %, lag 66 s; FULL_TRANSFER: 7 rows] "
        "Waiting for: the forward checkpoint within 25 s in project 'shop'."
    )


@pytest.mark.parametrize(("state", "word"), [(State.REACHED, "Reached"), (State.FAILED, "Failed")])
def test_what_was_not_observed_is_not_told(state, word):
    said = describe(GATE, Verdict(state, "Why."))
    assert said == f"{word}. Why. Waiting for: the forward checkpoint within 25 s in project 'shop'."


@pytest.fixture
def written(caplog):
    """The levels of what a reporter writes about verdicts."""

    def levels(*verdicts):
        caplog.set_level(logging.INFO)
        caplog.clear()
        reporter = Reporter(GATE, logging.getLogger("gate"))
        for one in verdicts:
            reporter.report(one)
        return [record.levelname for record in caplog.records]

    return levels


def test_a_lag_that_moves_is_no_news_but_now_and_then_a_line_is_written(written):
    assert written(*(verdict(lag) for lag in range(66, 66 + HEARTBEAT))) == ["INFO"]
    assert written(*(verdict(lag) for lag in range(66, 66 + HEARTBEAT + 1))) == ["INFO", "INFO"]


def test_how_bad_it_is_shows_in_the_level(written):
    told = written(verdict(), verdict(alarming=True), verdict(state=State.FAILED), verdict(state=State.REACHED))
    assert told == ["INFO", "WARNING", "ERROR", "INFO"]
