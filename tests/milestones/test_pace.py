"""How a checkpoint moves, computed from series of polls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_oms.client.protocol import utc_text
from airflow_provider_oms.milestones.kinds import (
    Aim,
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
)
from airflow_provider_oms.milestones.pace import Pace, Series, extend, follow, pace_of
from airflow_provider_oms.milestones.verdict import Observation

START = 1_800_000_000.0
WITHIN_25 = Aim(max_lag=25)


def series_of(lags, every=30.0):
    """Return the series of polls at which these lags were observed."""
    series = None
    for number, lag in enumerate(lags):
        time = START + number * every
        series = extend(series, time, time - lag)
    return series


def polled(speed, lag, every=30.0, polls=20, period=15.0):
    """Return the series of polls of a checkpoint that OMS moves once a period, at a rate in seconds per second."""
    series = None
    for number in range(polls):
        time = START + number * every
        moved = (time - START) // period * period  # when OMS last moved it
        series = extend(series, time, START - lag + moved * speed)
    return series


class TestTheRate:
    @pytest.mark.parametrize("every", [5.0, 10.0, 30.0, 60.0, 300.0])
    @pytest.mark.parametrize(
        ("speed", "words"), [(3.1, "catching up 2."), (21, "catching up "), (0.4, "falling behind 0.")]
    )
    def test_it_is_reported_whatever_the_interval(self, every, speed, words):
        pace = pace_of(polled(speed, 1_000_000, every), WITHIN_25)
        assert pace.rate == pytest.approx(speed - 1, rel=0.1)
        assert pace.message.startswith(words)

    def test_a_watch_polls_more_often_than_oms_moves_and_never_changes_its_mind(self):
        """The lag grows at two polls of three and shrinks at the third; over all polls it shrinks."""
        messages = [pace_of(polled(3, 10_000, every=5, polls=count), WITHIN_25).message for count in range(1, 100)]
        assert {message.split(" ")[0] for message in messages} == {"", "catching"}
        lags = [series.until - series.checkpoint for series in (polled(3, 10_000, 5, count) for count in range(1, 100))]
        assert any(later > earlier for earlier, later in pairwise(lags))

    def test_a_target_that_is_up_to_date_is_no_news(self):
        for polls in range(1, 100):
            pace = pace_of(polled(1, 10, every=7, polls=polls), WITHIN_25)
            assert pace.message == ""
            assert pace.rate in (None, 0.0)

    def test_a_lag_that_stays_is_reported_as_such(self):
        pace = pace_of(polled(1, 7200), WITHIN_25)
        assert pace == Pace(0.0, None, 0.0, "neither catching up nor falling behind")

    def test_of_too_few_polls_nothing_is_reported(self):
        assert pace_of(None, WITHIN_25) == Pace()
        for polls in (1, 2):
            assert pace_of(polled(5, 7200, polls=polls), WITHIN_25) == Pace()

    def test_the_first_poll_is_no_change(self):
        """It isn't known how long the checkpoint had been at its first value."""
        assert pace_of(series_of([290, 5]), WITHIN_25) == Pace()

    def test_only_the_last_minutes_count(self):
        lags = [10_000 + 30 * number for number in range(30)] + [10_900 - 60 * number for number in range(30)]
        assert pace_of(series_of(lags), WITHIN_25).rate == pytest.approx(2)

    @pytest.mark.parametrize("lag", [10_000.0, 7_000.0])
    def test_a_step_back_begins_again(self, lag):
        series = polled(3, 8000)
        assert extend(series, series.until - 590, series.checkpoint) == Series(
            series.checkpoint, series.until - 590, series.until - 590
        )
        back = extend(series, series.until + 30, series.checkpoint - lag)
        assert back.changes == ()

    def test_two_changes_in_one_second_divide_by_nothing(self):
        series = extend(extend(extend(None, START, 1000.0), START, 2000.0), START, 3000.0)
        assert pace_of(series, WITHIN_25) == Pace()


class TestTheTimeLeft:
    def test_until_a_lag(self):
        pace = pace_of(series_of([3600 - 63 * number for number in range(10)]), WITHIN_25)
        assert pace.seconds_left == pytest.approx((3600 - 63 * 9 - 25) / 2.1)
        assert pace.message == "catching up 2.1 s per s, about 24 min to go"

    def test_never(self):
        pace = pace_of(series_of([3600 + 12 * number for number in range(10)]), WITHIN_25)
        assert pace.seconds_left is None
        assert pace.message == "falling behind 0.4 s per s"

    def test_until_a_moment_also_while_falling_behind(self):
        series = series_of([3600 + 12 * number for number in range(10)])
        pace = pace_of(series, Aim(moment=series.checkpoint + 600))
        assert pace.seconds_left == pytest.approx(1000)
        assert pace.message == "falling behind 0.4 s per s, about 17 min to go"

    def test_a_moment_to_come_is_not_passed_before_it_has_come(self):
        series = series_of([600 - 60 * number for number in range(9)])
        assert pace_of(series, Aim(moment=series.until + 3600)).seconds_left == 3600

    @pytest.mark.parametrize("aim", [Aim(max_lag=5000), Aim(moment=START - 50_000)])
    def test_nothing_is_left_where_it_is_reached(self, aim):
        assert pace_of(series_of([3600 - 60 * number for number in range(10)]), aim).seconds_left == 0


class TestAStandstill:
    def stand(self, length, every=30.0):
        series = polled(1, 20, every)
        for number in range(1, int(length / every) + 1):
            series = extend(series, series.since + number * every, series.checkpoint)
        return series

    @pytest.mark.parametrize(
        ("length", "message"),
        [
            (30, ""),
            (60, "the checkpoint hasn't moved for 1 min"),
            (240, "the checkpoint hasn't moved for 4 min"),
            (2400, 'the checkpoint hasn\'t moved for 40 min: an idle source? See the recipe "An idle source"'),
        ],
    )
    def test_a_standstill_is_reported_after_a_while(self, length, message):
        pace = pace_of(self.stand(length), WITHIN_25)
        assert pace.message == message
        if message:
            assert (pace.rate, pace.seconds_left, pace.unmoved_for) == (None, None, length)

    def test_what_was_before_says_nothing_about_what_comes_after(self):
        """The checkpoint jumps, which is no rate. Then it catches up, which is one."""
        series = self.stand(2400)
        time, checkpoint = series.until + 30, series.checkpoint + 60
        series = extend(series, time, checkpoint)
        assert pace_of(series, WITHIN_25) == Pace()
        for number in range(1, 5):
            series = extend(series, time + number * 30, checkpoint + number * 330)
        assert pace_of(series, WITHIN_25).rate == pytest.approx(10)

    def test_a_source_that_is_written_to_now_and_then_does_not_fall_behind(self):
        series = None
        for number in range(100):
            time = START + number * 10
            series = extend(series, time, time // 180 * 180)  # a change every three minutes
            assert "falling" not in pace_of(series, WITHIN_25).message
            assert "catching" not in pace_of(series, WITHIN_25).message


class TestWhatCounts:
    def seen(self, **more):
        given = {"status": "RUNNING", "step": "INCR_TRANSFER", "progress": 100, "checkpoint": START - 90, "lag": 90.0}
        return Observation(time=utc_text(START), **{**given, **more})

    def test_a_poll(self):
        assert follow(None, self.seen(), "forward") == Series(START - 90, START, START)
        assert follow(None, self.seen(progress=None), "forward") is not None
        assert follow(None, self.seen(step="REVERSE_INCR_TRANSFER"), "reverse") is not None

    @pytest.mark.parametrize(
        "more",
        [
            {"status": "SUSPEND"},
            {"status": "FAILED"},
            {"status": None},
            {"progress": 99.9},
            {"lag": None},
            {"checkpoint": "17,42"},
            {"step": "REVERSE_INCR_TRANSFER"},
        ],
    )
    def test_a_checkpoint_that_is_not_expected_to_move_ends_the_series(self, more):
        assert follow(polled(3, 8000), self.seen(**more), "forward") is None

    def test_a_poll_without_an_answer_says_nothing(self):
        series = polled(3, 8000)
        assert follow(series, Observation(project="np_1"), "forward") is series


def test_which_milestones_have_an_aim():
    assert CheckpointLagMilestone(60, "reverse").aim() == Aim("reverse", 60)
    assert CheckpointReachedMilestone(START, "reverse").aim() == Aim("reverse", moment=START)
    assert CutoverReadyMilestone().aim() == Aim("forward", 25)
    assert FullTransferMilestone().aim() is None


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.floats(0, 1e10), st.floats(-1e10, 1e10)), max_size=50),
    st.builds(Aim, max_lag=st.floats(0, 1e9), moment=st.none() | st.floats(0, 1e10)),
)
def test_nothing_is_ever_raised(polls, aim):
    series = None
    for time, checkpoint in polls:
        series = extend(series, time, checkpoint)
        pace = pace_of(series, aim)
        assert pace.seconds_left is None or pace.seconds_left >= 0
        assert pace.unmoved_for >= 0
    assert series is None or len(series.changes) <= 20


@pytest.mark.parametrize(("rate", "said"), [(0.25, "0.25"), (0.5, "0.5"), (1.0, "1.0"), (3.5, "3.5"), (12.0, "12")])
def test_a_rate_is_said_as_precisely_as_it_is_known(rate, said):
    pace = pace_of(series_of([100_000 - rate * 30 * number for number in range(20)]), WITHIN_25)
    assert pace.message.startswith(f"catching up {said} s per s")


def test_of_polls_that_are_far_apart_the_last_two_show_the_pace():
    assert pace_of(series_of([9000, 9000, 9000, 3000], every=1200), WITHIN_25).rate == pytest.approx(5)
