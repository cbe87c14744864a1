"""How a checkpoint moves: whether the target catches up, how fast, and how long that still takes.

It explains to people why a gate waits; nothing is decided by it.

OMS moves a checkpoint every 10 to 20 s (docs/develop/oms-facts.md#checkpoint-period), so that two polls see it stand
still or jump, and the lag of one poll says little about that of the next. Only moments at which the checkpoint has
changed are compared, over minutes. A source that nobody writes to looks like one that is stuck:
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

#: Seconds: a checkpoint that is moved may be so old, so a lag that changes by no more hasn't changed.
#: Source: docs/develop/oms-facts.md#checkpoint-period
_JITTER = 20.0

#: Seconds without a change after which the checkpoint stands still, as far as anybody can tell.
_STILL = 3 * _JITTER

#: Seconds without a change after which a person should ask why.
_LONG = 300.0

#: Seconds that are looked back on, and the most changes that are kept: one a poll of every 30 s.
_WINDOW = 600.0
_KEPT = 20

#: Seconds: a lag below it is as good as none, and its movement of no interest.
_SMALL = 60.0


class Series(NamedTuple):
    """The polls at a checkpoint, as far as they tell how it moves. Not to be changed.

    :param checkpoint: the last one, Unix seconds
    :param since: when it was first seen so
    :param until: when it was last seen so
    :param changes: (time, checkpoint) of each poll at which it had changed since the poll before, the oldest first
    """

    checkpoint: float
    since: float
    until: float
    changes: tuple[tuple[float, float], ...] = ()

    @property
    def unmoved_for(self) -> float:
        """Seconds that the checkpoint has been seen to stand still."""
        return self.until - self.since


class Pace(NamedTuple):
    """How a checkpoint moves.

    :param rate: seconds of lag that are made good in a second; below 0 the target falls behind. None: not known
    :param seconds_left: seconds until the aim is reached at that rate; None where it isn't known, or never
    :param unmoved_for: seconds for which the checkpoint has stood still; 0 while it moves
    :param message: the same in words; empty where there is nothing of interest
    """

    rate: float | None = None
    seconds_left: float | None = None
    unmoved_for: float = 0.0
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


def follow(series: Series | None, observed: Observation, direction: str) -> Series | None:
    """Return a series with a gate's poll in it; None where the checkpoint can't be expected to move.

    It isn't while the project is paused or copies its rows, and never again for the forward one after a switchover.
    Sources: docs/develop/oms-facts.md#project-status, docs/develop/oms-facts.md#checkpoint-frozen

    :param series: the polls so far
    :param observed: what a gate about checkpoints has seen
    :param direction: whose checkpoint that is
    """
    if observed.time is None:  # no answer, which says nothing
        return series
    moves = is_running(observed.status) and observed.progress in (None, 100)
    frozen = direction == "forward" and kind_of(observed.step) is StepKind.REVERSE
    if not moves or frozen or observed.lag is None or not isinstance(observed.checkpoint, int | float):
        return None
    return extend(series, datetime.fromisoformat(observed.time).timestamp(), observed.checkpoint)


def extend(series: Series | None, time: float, checkpoint: float) -> Series:
    """Return a series with one more poll in it.

    It begins anew where time or the checkpoint went back: another node answered, or another project.

    :param series: the polls so far
    :param time: when OMS said so, Unix seconds
    :param checkpoint: Unix seconds
    """
    if series is None or time < series.until or checkpoint < series.checkpoint:
        return Series(checkpoint, time, time)
    if checkpoint == series.checkpoint:
        return series._replace(until=time)
    # What was before a standstill says nothing about the movement after it.
    before = () if series.unmoved_for >= _LONG else series.changes
    return Series(checkpoint, time, time, (*before, (time, checkpoint))[-_KEPT:])


def pace_of(series: Series | None, aim: Aim) -> Pace:
    """Return how a checkpoint moves, and how long it takes until it is where it should be.

    :param series: the polls
    :param aim: where it should get to
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
    """Return by how many seconds the lag shrinks in a second, 0 where it doesn't change; None where nobody can tell."""
    recent = [(time, checkpoint) for time, checkpoint in series.changes if time >= series.until - _WINDOW]
    if len(recent) < 2:  # polled so seldom
        recent = list(series.changes[-2:])
    if len(recent) < 2:
        return None
    (began, first), (ended, last) = recent[0], recent[-1]
    passed = ended - began
    gained = (last - first) - passed
    if passed > 0 and abs(gained) > _JITTER:
        return gained / passed
    # Too little to be more than chance; so over a short time nothing is known.
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
    # A checkpoint can't be later than now, so a moment to come isn't passed before it has come.
    return max(missing / speed, aim.moment - series.until)


def _number(rate: float) -> str:
    return f"{rate:.2g}" if rate < 1 else f"{rate:,.{1 if rate < 10 else 0}f}"
