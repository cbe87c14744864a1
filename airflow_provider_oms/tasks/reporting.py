"""What a gate writes to its log: a line when something changes, a heartbeat every tenth poll, and the result."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.pace import Series, follow, pace_of
from airflow_provider_oms.milestones.verdict import FleetObservation, State, Verdict

if TYPE_CHECKING:
    from airflow_provider_oms.tasks.metrics import Metrics

HEARTBEAT = 10

_NUMBERS = re.compile(r"\d+([.,]\d+)*( (d|h|min|s)\b( \d+ (h|min|s)\b)?)?")


class Reporter:
    """Logs the verdicts of one gate, except those that repeat the verdict before.

    :param gate: the gate's settings
    :param log: the logger
    :param metrics: the sender of the gate's metrics; None if metrics are off
    """

    def __init__(self, gate: Gate, log: logging.Logger | Any, metrics: Metrics | None = None) -> None:
        self.gate = gate
        self.log = log
        self._metrics = metrics
        self._last: object = None
        self._silent = 0
        self._aim = gate.milestone.aim() if gate.fleet is None else None
        self._series: Series | None = None

    def report(self, verdict: Verdict) -> None:
        """Log a verdict if it is new, or if a heartbeat is due, and send its metrics.

        :param verdict: the verdict of a poll
        """
        self.count(verdict)
        if self._aim:
            self._series = follow(self._series, verdict.observed, self._aim.direction)
        news = _news(verdict)
        self._silent += 1
        if news == self._last and self._silent < HEARTBEAT:
            return
        self._last, self._silent = news, 0
        level = logging.WARNING if verdict.alarming else logging.INFO
        level = logging.ERROR if verdict.state is State.FAILED else level
        self.log.log(level, "%s", describe(self.gate, verdict, self._pace(verdict)))

    def count(self, verdict: Verdict) -> None:
        """Send the metrics of a verdict that is logged elsewhere.

        :param verdict: the verdict of a poll
        """
        if self._metrics:
            self._metrics.count(verdict)

    def _pace(self, verdict: Verdict) -> str:
        """Return, in words, how the checkpoint that the gate waits for moves."""
        if self._aim is None or verdict.state is not State.WAITING:
            return ""
        return pace_of(self._series, self._aim).message


def describe(gate: Gate, verdict: Verdict, pace: str = "") -> str:
    """Format a verdict as one line. The new part comes first: Airflow's page shows only the first hundred characters.

    :param gate: the gate's settings
    :param verdict: the verdict of a poll
    :param pace: how the checkpoint moves, in words
    """
    observed = verdict.observed
    facts = ", ".join(
        text
        for text in (
            f"status {observed.status}" if observed.status else "",
            f"step {observed.step}" if observed.step else "",
            f"{observed.progress:g} %" if observed.progress is not None else "",
            f"lag {duration(observed.lag)}" if observed.lag is not None else "",
        )
        if text
    )
    facts = "; ".join(filter(None, [facts, pace, verdict.figures]))
    told = f" [{facts}]" if facts else ""
    return f"{verdict.state.value.capitalize()}. {verdict.message}{told} Waiting for: {gate.describe(observed)}."


def _news(verdict: Verdict) -> object:
    """Return the parts of a verdict that make it new. Lag and rows are left out because they change at every poll."""
    seen = verdict.observed
    progress = None if seen.progress is None else int(seen.progress)
    words = _NUMBERS.sub("#", verdict.message)
    counted = (seen.ready, seen.failed, len(seen.projects)) if isinstance(seen, FleetObservation) else None
    return verdict.state, seen.status, seen.step, progress, verdict.alarming, words, counted
