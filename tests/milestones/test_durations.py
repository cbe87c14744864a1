"""Durations in messages are easy to read."""

from __future__ import annotations

import pytest

from airflow_provider_oms.milestones.durations import duration, estimate


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (1.5, "1.5 s"),
        (9.99, "10 s"),
        (12.7, "12 s"),
        (25.0, "25 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (7265, "2 h 1 min"),
        (79_992, "22 h 13 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (86_400 * 1234, "1,234 d"),
    ],
)
def test_two_units_are_enough(length, words):
    assert duration(length) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [(41.7, "41 s"), (89, "1 min"), (91, "2 min"), (1440.4, "24 min"), (3599, "1 h"), (7265, "2 h 1 min")],
)
def test_a_guess_has_no_seconds_next_to_minutes(length, words):
    assert estimate(length) == words
