"""The lag and the rate of the last hours, from OMS's record or from what the page has observed."""

from __future__ import annotations

import pytest

from airflow_provider_oms.client.errors import OmsRejectedError
from airflow_provider_oms.client.models import StepMetric
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.pages.history import GIVEN_UP, POINTS, RENEWED, WINDOW, History, ask_curves

NOW = 1_767_225_600.0

FULL = ("FULL_TRANSFER", "under way", 5000.0)


def known(lag=10.0, direction="forward", steps=()):
    told = [dict(zip(("name", "state", "rows_per_second"), step, strict=True)) for step in steps]
    return {"id": "np_1", "direction": direction, "lag": lag, "steps": told}


def asked(history, said, now=NOW):
    """Ask an OMS that always gives the same answer; return the requests."""
    flow, calls = ask_curves(history, "np_1", now), []
    try:
        call = next(flow)
        while True:
            calls.append(call)
            if isinstance(said, Exception):
                call = flow.throw(said)
            else:
                call = flow.send(Answer(StepMetric(said, "OMS"), now, "OMS", now))
    except StopIteration:
        return calls


def after(*polls):
    history = History()
    for number, poll in enumerate(polls):
        history.add(poll, NOW + number * 30)
    return history


def curve(*points):
    return {"metrics": [{"dataPoints": [{"timestamp": at, "value": value} for at, value in points]}]}


def test_what_oms_is_asked():
    (call,) = asked(after(known()), curve())
    assert call.action == "DescribeProjectStepMetric"
    assert call.payload == {
        "projectId": "np_1",
        "stepName": "INCR_TRANSFER",
        "metricType": "DELAY",
        "aggregator": "AVG",
        "beginTimestamp": int(NOW) - WINDOW,
        "endTimestamp": int(NOW),
        "maxPointNum": POINTS,
    }
    (call,) = asked(after(known(direction="reverse")), curve())
    assert call.payload["stepName"] == "REVERSE_INCR_TRANSFER"


@pytest.mark.parametrize("steps", [(), [("FULL_TRANSFER", "not begun", None), ("STRUCT_TRANSFER", "done", None)]])
def test_before_anything_moves_nothing_is_asked(steps):
    assert asked(after(known(None, None, steps)), {}) == []


def test_an_oms_that_sends_no_steps_is_asked_for_the_lag_alone():
    (call,) = asked(after({**known(), "steps": None}), {})
    assert call.payload["metricType"] == "DELAY"


@pytest.mark.parametrize(
    ("direction", "steps", "step", "metric"),
    [
        (None, [FULL], "FULL_TRANSFER", "RPS"),
        (None, [("FULL_MIGRATION", "under way", 1.0)], "FULL_TRANSFER", "RPS"),  # an older OMS
        (None, [("FULL_TRANSFER", "failed", 0.0)], "FULL_TRANSFER", "RPS"),
        (None, [("FULL_TRANSFER", "done", 0.0)], "FULL_TRANSFER", "RPS"),
        ("forward", [("FULL_TRANSFER", "done", 0.0), ("INCR_TRANSFER", "done", None)], "INCR_TRANSFER", "RPS"),
        ("forward", [FULL, ("INCR_TRANSFER", "under way", None)], "FULL_TRANSFER", "RPS"),
        (
            "forward",
            [("INCR_TRANSFER", "done", None), ("FULL_VERIFIER", "under way", 7.0)],
            "FULL_VERIFIER",
            "FULL_VERIFY_SOURCE_RPS",
        ),
        ("forward", [("INCR_TRANSFER", "done", None), ("FULL_VERIFIER", "done", 0.0)], "INCR_TRANSFER", "RPS"),
        (
            "reverse",
            [("INCR_TRANSFER", "done", None), ("REVERSE_INCR_TRANSFER", "under way", None)],
            "REVERSE_INCR_TRANSFER",
            "RPS",
        ),
    ],
)
def test_the_step_whose_rate_is_reported(direction, steps, step, metric):
    calls = asked(after(known(None, direction, steps)), curve())
    rates = [call.payload for call in calls if call.payload["metricType"] != "DELAY"]
    assert [(rate["stepName"], rate["metricType"]) for rate in rates] == [(step, metric)]


def test_what_oms_has_recorded_comes_first():
    history = after(known(99.0, steps=[FULL]))
    asked(history, curve((NOW - 60, 5), (NOW - 120, 7), (NOW - WINDOW - 100, 1), (None, 4), (NOW - 30, None)))
    for track in (history.lag, history.rate):
        assert track.is_recorded
        assert track.points == [(NOW - 120, 7.0), (NOW - 60, 5.0)]
    assert asked(history, curve(), NOW + RENEWED - 1) == []
    assert len(asked(history, curve(), NOW + RENEWED)) == 2


REFUSED = OmsRejectedError("there is no InfluxDB")


@pytest.mark.parametrize("said", [curve(), {"metrics": None}, {"metrics": []}, {"metrics": "x"}, REFUSED])
def test_without_a_record_it_is_what_was_seen(said):
    history = after(*(known(float(number), steps=[(*FULL[:2], 100.0 * number)]) for number in range(5)))
    asked(history, said, NOW + 120)
    assert not history.lag.is_recorded
    assert history.lag.points == [(NOW + number * 30, float(number)) for number in range(5)]
    assert history.rate.points == [(NOW + number * 30, 100.0 * number) for number in range(5)]


def test_a_step_that_has_just_begun_is_asked_about_again_soon_and_an_oms_that_refuses_later():
    for said, pause in ((curve((NOW, 5)), RENEWED), (REFUSED, GIVEN_UP)):
        history = after(known(steps=[FULL]))
        asked(history, said)
        assert asked(history, said, NOW + pause - 1) == []
        assert len(asked(history, said, NOW + pause)) == 2


def test_what_is_seen_is_bounded():
    history = History()
    for second in range(0, 2 * WINDOW, 10):
        history.add(known(), NOW + second)
    assert len(history.lag.points) <= WINDOW / 20 + 1
    assert history.lag.points[0][0] >= NOW + WINDOW - 10


def test_what_is_not_known_is_no_point():
    history = after(known(None, steps=[(*FULL[:2], None)]))
    assert (history.lag.points, history.rate.points) == ([], [])


def test_after_a_switchover_it_begins_again():
    history = after(known(5.0))
    asked(history, curve((NOW - 60, 5), (NOW - 120, 7)))
    history.add(known(7.0, "reverse"), NOW + 60)
    assert history.lag.points == [(NOW + 60, 7.0)]
    (call,) = asked(history, curve(), NOW + 60)
    assert call.payload["stepName"] == "REVERSE_INCR_TRANSFER"


def test_the_rate_of_the_next_step_begins_again():
    history = after(known(None, None, [FULL]), known(3.0, steps=[("FULL_TRANSFER", "done", 0.0)]))
    assert history.rate.points == [(NOW, 5000.0), (NOW + 30, 0.0)]
    history.add(known(3.0, steps=[("FULL_TRANSFER", "done", 0.0), ("INCR_TRANSFER", "under way", 40.0)]), NOW + 60)
    assert history.rate.points == [(NOW + 60, 40.0)]
