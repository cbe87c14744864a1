"""The lag over the last hours: OMS's own record, or else what the page has seen."""

from __future__ import annotations

import pytest

from airflow_provider_oms.client.errors import OmsRejectedError
from airflow_provider_oms.client.models import StepMetric
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.pages.history import GIVEN_UP, POINTS, RENEWED, WINDOW, History, ask_curve

NOW = 1_767_225_600.0


def known(lag=10.0, direction="forward"):
    return {"id": "np_1", "direction": direction, "lag": lag}


def answered(history, points, now=NOW, direction="forward"):
    flow = ask_curve(history, known(direction=direction), now)
    call = next(flow)
    go_on = flow.throw if isinstance(points, Exception) else flow.send
    said = points if isinstance(points, Exception) else Answer(StepMetric(points, "OMS"), now, "OMS", now)
    with pytest.raises(StopIteration):
        go_on(said)
    return call


def curve(*points):
    return {"metrics": [{"dataPoints": [{"timestamp": at, "value": value} for at, value in points]}]}


def test_what_oms_is_asked():
    call = answered(History(), curve())
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
    assert answered(History(), curve(), direction="reverse").payload["stepName"] == "REVERSE_INCR_TRANSFER"


def test_before_anything_moves_nothing_is_asked():
    assert list(ask_curve(History(), known(None, None), NOW)) == []


def test_what_oms_has_recorded_comes_first():
    history = History()
    history.add(known(99.0), NOW)
    answered(history, curve((NOW - 60, 5), (NOW - 120, 7), (NOW - WINDOW - 100, 1), (None, 4), (NOW - 30, None)))
    assert history.is_recorded
    assert history.points == [(NOW - 120, 7.0), (NOW - 60, 5.0)]
    assert not history.is_due(NOW + RENEWED - 1)
    assert history.is_due(NOW + RENEWED)


@pytest.mark.parametrize(
    "said", [curve(), {"metrics": None}, {"metrics": []}, {"metrics": "x"}, OmsRejectedError("there is no InfluxDB")]
)
def test_without_a_record_it_is_what_was_seen(said):
    history = History()
    answered(history, said)
    for number in range(5):
        history.add(known(float(number)), NOW + number * 30)
    assert not history.is_recorded
    assert history.points == [(NOW + number * 30, float(number)) for number in range(5)]
    assert not history.is_due(NOW + GIVEN_UP - 1)


def test_what_is_seen_is_bounded():
    history = History()
    for second in range(0, 2 * WINDOW, 10):
        history.add(known(), NOW + second)
    assert len(history.points) <= WINDOW / 20 + 1
    assert history.points[0][0] >= NOW + WINDOW - 10


def test_a_lag_that_is_not_known_is_no_point():
    history = History()
    history.add(known(None), NOW)
    assert history.points == []


def test_after_a_switchover_it_begins_anew():
    history = History()
    history.add(known(5.0), NOW)
    history.add(known(7.0, "reverse"), NOW + 60)
    assert history.points == [(NOW + 60, 7.0)]
