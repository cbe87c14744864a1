"""How a checkpoint moves: whether the target catches up, how fast, and how long that will take.

This explains to people why a gate waits; no rule uses it.

OMS moves a checkpoint every 10 to 20 s (docs/develop/oms-facts.md#checkpoint-period). Between two polls it stands still
or jumps, so the lag of one poll says little about that of the next. So only polls at which the checkpoint has changed
are compared, over minutes. A source without writes looks like a checkpoint that is stuck:
docs/develop/oms-facts.md#idle-source
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from airflow_provider_oms.milestones.durations import duration, estimate
from airflow_provider_oms.milestones.kinds import Aim
from airflow_provider_oms.milestones.status import is_running
from airflow_provider_oms.milestones.steps import StepKind, kind_of
from airflow_provider_oms.milestones.verdict import Observation

#: Seconds. A moving checkpoint may be this old when it is shown, so a lag that changes by less counts as unchanged.
#: Source: docs/develop/oms-facts.md#checkpoint-period
_JITTER = 20.0

#: Seconds without a change after which the checkpoint counts as standing still.
_STILL = 3 * _JITTER

#: Seconds without a change after which a person should ask why.
_LONG = 300.0

#: Seconds of the past that are compared, and the most changes that are kept: one per poll at an interval of 30 s.
_WINDOW = 600.0
_KEPT = 20

#: Seconds. If the lag is smaller, its movement isn't described.
_SMALL = 60.0


class Series(NamedTuple):
    """The observations of a checkpoint that show how it moves. Immutable.

    :param checkpoint: the last checkpoint, Unix seconds
    :param since: when it was first observed
    :param until: when it was last observed
    :param changes: (time, checkpoint) of each poll at which it had changed since the poll before, the oldest first
    """

    checkpoint: float
    since: float
    until: float
    changes: tuple[tuple[float, float], ...] = ()

    @property
    def unmoved_for(self) -> float:
        """Seconds for which the checkpoint was observed to stand still."""
        return self.until - self.since


class Pace(NamedTuple):
    """How a checkpoint moves.

    :param rate: seconds by which the lag shrinks per second; below 0 the target falls behind. None if it isn't known
    :param seconds_left: seconds until the aim is reached at that rate; None if that isn't known, or if it never is
    :param unmoved_for: seconds for which the checkpoint has stood still; 0 while it moves
    :param message: the same in words; empty if nothing needs saying
    """

    rate: float | None = None
    seconds_left: float | None = None
    unmoved_for: float = 0.0
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


def follow(series: Series | None, observed: Observation, direction: str) -> Series | None:
    """Return a series with a gate's observation added; None if the checkpoint can't be expected to move.

    The checkpoint doesn't move while the project is paused or copies its rows, nor, in the forward direction, after a
    switchover.
    Sources: docs/develop/oms-facts.md#project-status, docs/develop/oms-facts.md#checkpoint-frozen

    :param series: the polls so far
    :param observed: the observation of a gate about checkpoints
    :param direction: the direction of the checkpoint: ``forward`` or ``reverse``
    """
    if observed.time is None:  # no answer, so nothing is known
        return series
    moves = is_running(observed.status) and observed.progress in (None, 100)
    frozen = direction == "forward" and kind_of(observed.step) is StepKind.REVERSE
    if not moves or frozen or observed.lag is None or not isinstance(observed.checkpoint, int | float):
        return None
    return extend(series, datetime.fromisoformat(observed.time).timestamp(), observed.checkpoint)


def extend(series: Series | None, time: float, checkpoint: float) -> Series:
    """Return a series with one more observation.

    The series starts again if the time or the checkpoint went back: another node answered, or another project.

    :param series: the polls so far
    :param time: when OMS answered, Unix seconds
    :param checkpoint: Unix seconds
    """
    if series is None or time < series.until or checkpoint < series.checkpoint:
        return Series(checkpoint, time, time)
    if checkpoint == series.checkpoint:
        return series._replace(until=time)
    # Changes before a standstill say nothing about the movement after it.
    before = () if series.unmoved_for >= _LONG else series.changes
    return Series(checkpoint, time, time, (*before, (time, checkpoint))[-_KEPT:])


def pace_of(series: Series | None, aim: Aim) -> Pace:
    """Return how a checkpoint moves, and how long it takes to reach its aim.

    :param series: the polls
    :param aim: what it must reach
    """
    if series is None:
        return Pace()
    unmoved, lag = series.unmoved_for, max(0.0, series.until - series.checkpoint)
    if unmoved >= _STILL:
        why = ': an idle source? See the recipe "An idle source"' if unmoved >= _LONG else ""
        return Pace(unmoved_for=unmoved, message=f"the checkpoint hasn't moved for {duration(unmoved)}{why}")
    rate = _rate(series)
    if rate is None:
        return Pace()
    left = _seconds_left(series, rate, aim)
    if lag < _SMALL:
        return Pace(rate, left)
    if not rate:
        words = "neither catching up nor falling behind"
    else:
        words = f"{'catching up' if rate > 0 else 'falling behind'} {_number(abs(rate))} s per s"
    if left:
        words += f", about {estimate(left)} to go"
    return Pace(rate, left, message=words)


def _rate(series: Series) -> float | None:
    """Return by how many seconds the lag shrinks per second, 0 if it doesn't change; None if that isn't known."""
    recent = [one for one in series.changes[:-2] if one[0] >= series.until - _WINDOW]
    recent += series.changes[-2:]  # however long ago they were
    if len(recent) < 2:
        return None
    (began, first), (ended, last) = recent[0], recent[-1]
    passed = ended - began
    gained = (last - first) - passed
    if passed > 0 and abs(gained) > _JITTER:
        return gained / passed
    # A small change may be chance, so a short time shows nothing.
    return 0.0 if passed >= 2 * _STILL else None


def _seconds_left(series: Series, rate: float, aim: Aim) -> float | None:
    if aim.moment is None:
        excess = series.until - series.checkpoint - aim.max_lag
        if excess <= 0:
            return 0.0
        return excess / rate if rate > 0 else None
    missing, speed = aim.moment - series.checkpoint, rate + 1
    if missing < 0:
        return 0.0
    if speed <= 0:
        return None
    # A checkpoint can't be later than now, so a future moment can't be passed earlier.
    return max(missing / speed, aim.moment - series.until)


def _number(rate: float) -> str:
    return f"{rate:.2g}" if rate < 1 else f"{rate:,.{1 if rate < 10 else 0}f}"
