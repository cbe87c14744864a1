"""The lag and the rate over the last hours: as OMS has recorded them, or otherwise as this page has observed them.

OMS records them if it has an InfluxDB, which is optional: docs/develop/oms-actions.md#metrics
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
from airflow_provider_oms.milestones.steps import StepKind, kind_of, stream_of

#: The length of the curve in seconds, and the most points of OMS's curve: one in two minutes.
WINDOW = 6 * 3600
POINTS = 180

#: The seconds between two points that this page records itself, and the most of these points.
_APART = 20.0
_MOST = int(WINDOW / _APART)

#: Seconds after which OMS is asked for its curve again: usually, and after it has refused.
RENEWED = 120.0
GIVEN_UP = 900.0

#: The name of OMS's metric for the rate of each step that moves or compares rows.
#: Source: docs/develop/oms-actions.md#metrics
_RATES = {
    StepKind.FULL: "RPS",
    StepKind.INCREMENTAL: "RPS",
    StepKind.FULL_VERIFICATION: "FULL_VERIFY_SOURCE_RPS",
    StepKind.REVERSE: "RPS",
}

#: Those of these steps that end.
_FINITE = (StepKind.FULL, StepKind.FULL_VERIFICATION)

Points = Sequence[tuple[float, float]]


class Track:
    """One figure of a step over the last hours, as (Unix seconds, figure)."""

    def __init__(self) -> None:
        self.step: str | None = None
        self._seen: deque[tuple[float, float]] = deque(maxlen=_MOST)
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
        """Return whether OMS must be asked for its curve now.

        :param now: Unix seconds
        """
        return now >= self._due

    def follow(self, step: str | None) -> None:
        """Drop the points if the figure belongs to another step now.

        :param step: the step's name; None if there is none
        """
        if step != self.step:
            self.step = step
            self._seen.clear()
            self._recorded, self._due = [], 0.0

    def add(self, figure: float | None, now: float) -> None:
        """Add the figure of a poll.

        :param figure: the figure; None if it isn't known
        :param now: Unix seconds
        """
        while self._seen and self._seen[0][0] < now - WINDOW:
            self._seen.popleft()
        if figure is not None and (not self._seen or now - self._seen[-1][0] >= _APART):
            self._seen.append((now, figure))

    def record(self, points: Points, now: float) -> None:
        """Replace the points by OMS's curve.

        :param points: the points; a step that has just begun has few, or none
        :param now: Unix seconds
        """
        self._recorded = sorted(point for point in points if now - WINDOW <= point[0] <= now + RENEWED)
        self._due = now + RENEWED

    def give_up(self, now: float) -> None:
        """Do without OMS's curve for a while.

        :param now: Unix seconds
        """
        self._recorded, self._due = [], now + GIVEN_UP


class History:
    """The lag of a project in seconds, and the rows per second of the step that is at work."""

    def __init__(self) -> None:
        self.lag = Track()
        self.rate = Track()

    def add(self, known: Mapping[str, Any], now: float) -> None:
        """Add the figures of a poll.

        :param known: the project, as :func:`~airflow_provider_oms.milestones.facts.of_project` describes it
        :param now: Unix seconds
        """
        self.lag.follow(known["direction"] and stream_of(known["direction"]))
        self.lag.add(known["lag"], now)
        step = _moving(known)
        self.rate.follow(_name(step) if step else None)
        self.rate.add(step["rows_per_second"] if step else None, now)


def ask_curves(history: History, project_id: str, now: float) -> Flow[None]:
    """Ask OMS for its recorded curves if they are due. If OMS has none, that isn't an error.

    :param history: the history; it is changed
    :param project_id: the project
    :param now: Unix seconds
    """
    if history.lag.step is not None and history.lag.is_due(now):
        yield from _ask(history.lag, project_id, history.lag.step, "DELAY", now)
    if (kind := kind_of(history.rate.step)) is not None and history.rate.is_due(now):
        yield from _ask(history.rate, project_id, kind.value[0], _RATES[kind], now)


def _moving(known: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the step whose rate is shown; None if there is none.

    This is the last step that has begun and isn't done, of the steps that end. Without one, it is the incremental step
    of the direction, and otherwise the last step that has begun.
    """
    begun = [step for step in known["steps"] or () if kind_of(step["name"]) in _RATES and step["state"] != "not begun"]
    at_work = [step for step in begun if kind_of(step["name"]) in _FINITE and step["state"] != "done"]
    stream = [step for step in begun if known["direction"] and _name(step) == stream_of(known["direction"])]
    return next((found[-1] for found in (at_work, stream, begun) if found), None)


def _name(step: Mapping[str, Any]) -> str | None:
    """Return the current name of a step that has a rate."""
    kind = kind_of(step["name"])
    return kind.value[0] if kind else None


def _ask(track: Track, project_id: str, step: str, metric: str, now: float) -> Flow[None]:
    end = int(now)
    try:
        answer: Answer[StepMetric] = yield actions.describe_project_step_metric(
            project_id, step, metric, end - WINDOW, end, "AVG", POINTS
        )
    except OmsError:
        track.give_up(now)
        return
    track.record(_points(answer.data), now)


def _points(said: StepMetric) -> list[tuple[float, float]]:
    """Return the points of the first curve, without those that can't be read."""
    curves = value_or_none(said, StepMetric.metrics) or []
    found = []
    for point in (value_or_none(curves[0], Metric.data_points) or []) if curves else []:
        at, figure = value_or_none(point, DataPoint.timestamp), value_or_none(point, DataPoint.value)
        if at is not None and figure is not None and figure >= 0:
            found.append((float(at), float(figure)))
    return found
