"""The lag over the last hours: as OMS has recorded it, or else as this page has seen it.

OMS records it where it has an InfluxDB, which is optional: docs/develop/oms-actions.md#metrics
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import DataPoint, Metric, StepMetric
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.steps import stream_of

#: Seconds that are looked back on, and the most points of OMS's curve: one in two minutes.
WINDOW = 6 * 3600
POINTS = 180

#: Seconds between two points that this page keeps itself, and the most of them.
_APART = 20.0
_MOST = int(WINDOW / _APART)

#: Seconds after which OMS is asked for its curve anew, and after which it is where it had none.
RENEWED = 120.0
GIVEN_UP = 900.0

Points = Sequence[tuple[float, float]]


class History:
    """The lag of a project over the last hours, as (Unix seconds, seconds of lag)."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self._direction: str | None = None
        self._recorded: list[tuple[float, float]] = []
        self._due = 0.0

    @property
    def is_recorded(self) -> bool:
        """Whether the points are OMS's own record."""
        return len(self._recorded) > 1

    @property
    def points(self) -> Points:
        """The points, the oldest first."""
        return self._recorded if self.is_recorded else list(self._seen)

    def is_due(self, now: float) -> bool:
        """Tell whether OMS is to be asked for its curve.

        :param now: Unix seconds
        """
        return now >= self._due

    def add(self, known: Mapping[str, Any], now: float) -> None:
        """Take in what a poll has seen.

        :param known: the project, as :func:`~airflow_provider_oms.milestones.facts.of_project` describes it
        :param now: Unix seconds
        """
        if known["direction"] != self._direction:
            self._direction = known["direction"]
            self._seen.clear()
        while self._seen and self._seen[0][0] < now - WINDOW:
            self._seen.popleft()
        if known["lag"] is not None and (not self._seen or now - self._seen[-1][0] >= _APART):
            self._seen.append((now, known["lag"]))

    def record(self, points: Points, now: float) -> None:
        """Take in OMS's curve.

        :param points: the points; none where OMS has none
        :param now: Unix seconds
        """
        self._recorded = sorted(point for point in points if now - WINDOW <= point[0] <= now + RENEWED)
        self._due = now + (RENEWED if self.is_recorded else GIVEN_UP)


def ask_curve(history: History, known: Mapping[str, Any], now: float) -> Flow[None]:
    """Ask OMS for the lag that it has recorded. That it has none is no error of the page.

    :param history: where it goes
    :param known: the project, as :func:`~airflow_provider_oms.milestones.facts.of_project` describes it
    :param now: Unix seconds
    """
    if known["direction"] is None:  # nothing moves yet
        return
    end = int(now)
    try:
        answer: Answer[StepMetric] = yield actions.describe_project_step_metric(
            known["id"], stream_of(known["direction"]), "DELAY", end - WINDOW, end, "AVG", POINTS
        )
    except OmsError:
        history.record((), now)
        return
    history.record(_points(answer.data), now)


def _points(said: StepMetric) -> list[tuple[float, float]]:
    """Read the first curve; points that can't be read are left out."""
    curves = value_or_none(said, StepMetric.metrics) or []
    found = []
    for point in (value_or_none(curves[0], Metric.data_points) or []) if curves else []:
        at, lag = value_or_none(point, DataPoint.timestamp), value_or_none(point, DataPoint.value)
        if at is not None and lag is not None and lag >= 0:
            found.append((float(at), float(lag)))
    return found
