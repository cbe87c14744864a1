"""How a project's lag changes over several polls, for the command line and the progress page."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.milestones.kinds import Aim, CutoverReadyMilestone
from airflow_provider_oms.milestones.pace import Series, follow, pace_of
from airflow_provider_oms.milestones.verdict import Observation

#: The number of polls whose lags are kept for a curve.
_DRAWN = 40


class Movement:
    """Follows a project from poll to poll.

    :param aim: what the checkpoint must reach; None for the default lag of the cut-over gate
    """

    def __init__(self, aim: Aim | None = None) -> None:
        self._aim = aim
        self._direction: str | None = None
        self._series: Series | None = None
        self._lags: deque[float] = deque(maxlen=_DRAWN)

    def add(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Add a poll, and return it with what is known about the movement.

        :param known: the project, as :func:`~airflow_provider_oms.milestones.facts.of_project` describes it
        """
        direction = known["direction"] or "forward"
        if direction != self._direction:
            self._direction, self._series = direction, None
            self._lags.clear()
        observed = Observation(
            status=known["status"],
            step=known["current_step"],
            progress=known["full_transfer_progress"],
            checkpoint=known["checkpoint"],
            lag=known["lag"],
            time=known["time"],
        )
        self._series = follow(self._series, observed, direction)
        if self._series is None:
            self._lags.clear()
        elif observed.lag is not None:
            self._lags.append(observed.lag)
        fits = self._aim is not None and self._aim.direction == direction
        aim = self._aim if self._aim and fits else Aim(direction, CutoverReadyMilestone().max_lag)
        return {**known, "movement": {**pace_of(self._series, aim).as_dict(), "lags": list(self._lags)}}
