"""The log lines of a gate."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from airflow_provider_oms.client.protocol import utc_text
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import CheckpointLagMilestone, FullTransferMilestone
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict
from airflow_provider_oms.tasks.reporting import HEARTBEAT, Reporter, describe
from tests.gate_cases import NOW, progress
from tests.milestones.fleets import Wave, over, row
from tests.milestones.test_together import AT_WORK, BROKEN, DONE

GATE = Gate(CheckpointLagMilestone(25), project_name="shop")


def verdict(lag=66, state=State.WAITING, **more):
    observed = Observation(status="RUNNING", step="INCR_TRANSFER", progress=100, lag=lag)
    return Verdict(
        state, f"The forward checkpoint lies {duration(lag)} behind (at most 25 s allowed).", observed, **more
    )


def test_what_is_new_comes_first_and_what_is_awaited_last():
    assert describe(GATE, verdict(figures="FULL_TRANSFER: 7 rows")) == (
        "Waiting. The forward checkpoint lies 1 min 6 s behind (at most 25 s allowed). "
        "[status RUNNING, step INCR_TRANSFER, 100 %, lag 1 min 6 s; FULL_TRANSFER: 7 rows] "
        "Waiting for: the forward checkpoint within 25 s in project 'shop'."
    )


class TestThePace:
    @pytest.fixture
    def lines(self, caplog):
        """Return the lines that are logged about polls every 30 s, at all levels."""

        def lines(gate, lags, **more):
            caplog.set_level(logging.INFO)
            caplog.clear()
            reporter = Reporter(gate, logging.getLogger("gate"))
            for number, lag in enumerate(lags):
                at = 1_800_000_000 + 30 * number
                observed = verdict(lag).observed._replace(time=utc_text(at), checkpoint=at - lag, **more)
                reporter.report(Verdict(State.WAITING, f"Poll {chr(65 + number)}.", observed))
            return caplog.messages

        return lines

    FALLING = tuple(3600 - 63 * number for number in range(10))

    def test_a_waiting_line_shows_how_the_lag_moves_and_how_long_it_takes(self, lines):
        told = lines(GATE, self.FALLING)
        assert "per s" not in told[1]
        assert "lag 50 min 33 s; catching up 2.1 s per s, about 24 min to go] Waiting for:" in told[-1]

    def test_an_idle_source(self, lines):
        told = lines(GATE, range(3600, 4200, 30))
        assert "the checkpoint hasn't moved for 9 min 30 s: an idle source? See the recipe" in told[-1]

    def test_a_gate_that_waits_for_no_checkpoint_says_nothing_about_it(self, lines):
        assert "per s" not in "".join(lines(Gate(FullTransferMilestone(), project_name="shop"), self.FALLING))

    def test_a_paused_project_has_no_pace(self, lines):
        assert "per s" not in "".join(lines(GATE, self.FALLING, status="SUSPEND"))

    @pytest.mark.parametrize("state", [State.REACHED, State.FAILED])
    def test_it_is_for_those_who_wait(self, lines, caplog, state):
        reporter = Reporter(GATE, logging.getLogger("gate"))
        caplog.set_level(logging.INFO)
        for number in range(20):
            at = 1_800_000_000 + 30 * number
            observed = verdict(90).observed._replace(time=utc_text(at), checkpoint=1_799_999_000)
            reporter.report(Verdict(state if number == 19 else State.WAITING, "So.", observed))
        assert "moved" not in caplog.messages[-1]


@pytest.mark.parametrize(("state", "word"), [(State.REACHED, "Reached"), (State.FAILED, "Failed")])
def test_what_was_not_observed_is_not_told(state, word):
    said = describe(GATE, Verdict(state, "Why."))
    assert said == f"{word}. Why. Waiting for: the forward checkpoint within 25 s in project 'shop'."


@pytest.fixture
def written(caplog):
    """The levels of the lines that a reporter logs about verdicts."""

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


def test_a_gate_over_many_logs_what_changes_and_not_each_project(caplog):
    """Of fifty projects whose percentages change at every poll."""
    caplog.set_level(logging.INFO)
    gate = over("OmsFullTransferSensor", {"on_failure": "wait_for_others"}, label_name="wave-7")
    wave, reporter = Wave(gate, {}), Reporter(gate, logging.getLogger("gate"))
    for number in range(3 * HEARTBEAT):
        wave.projects = {
            f"np_{one}": replace(AT_WORK, progress=progress(fullTransferProgress=number + one)) for one in range(50)
        }
        wave.projects["np_1"] = DONE if number >= 5 else AT_WORK
        wave.projects["np_7"] = BROKEN if number >= 7 else AT_WORK
        wave.rows = [row(one, case) for one, case in wave.projects.items()]
        reporter.report(wave.poll(NOW + 30 * number))
    told = [record.message for record in caplog.records if record.name == "gate"]
    assert len(told) <= 3 + 3  # the beginning, two changes, and heartbeats
    assert told[0].startswith("Waiting. 0 of 50 ready. [0 %; waiting for shop_0 at 0 %, shop_1 at 42 %, ")
    assert told[1].startswith("Waiting. 1 of 50 ready; now ready: shop_1. [2 %; waiting for ")
    assert [line for line in told if "1 of 50 ready; shop_7 failed: " in line]
    assert max(map(len, told)) < 600
