"""Decides when a condition causes an event: when it begins, and again only after it has been false for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from airflow_provider_oms.milestones.verdict import State, Verdict


@dataclass(frozen=True)
class Level:
    """What is remembered of a condition.

    :param told: whether its event was sent, and the condition hasn't been false for long enough since then
    :param times: how many events were sent
    :param since: since when the condition has differed from ``told`` on every poll (Unix seconds); None if it doesn't
        differ
    """

    told: bool = False
    times: int = 0
    since: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Any) -> Level:
        """Read what :meth:`as_dict` returned.

        :param stored: what is read
        :raises ValueError: when it is something else
        """
        match stored:
            case {"told": bool(told), "times": int(times), "since": None | int() | float() as since}:
                return cls(told, times, since)
        raise ValueError(f"not what is remembered of an event: {stored!r:.200}")


class Patience(NamedTuple):
    """How long a condition must hold.

    :param rearm_after: seconds for which it must have been false on every poll before the next event
    :param hold_for: seconds for which it must have held on every poll before its event
    """

    rearm_after: float
    hold_for: float = 0.0


def follow(level: Level, lasts: bool | None, time: float, patience: Patience) -> tuple[Level, bool]:
    """Process a poll; return what to remember, and whether there is an event.

    A condition that already holds at the first poll causes an event.

    :param level: what was remembered
    :param lasts: whether the condition holds; None if the poll doesn't show it, which changes nothing
    :param time: when the poll was, Unix seconds
    :param patience: how long it must hold
    """
    if lasts is None:
        return level, False
    if lasts == level.told:
        return replace(level, since=None), False
    # If the clock was set back, the condition must hold for longer, never for less.
    since = time if level.since is None else min(level.since, time)
    if time - since < (patience.hold_for if lasts else patience.rearm_after):
        return replace(level, since=since), False
    return Level(lasts, level.times + lasts), lasts


def first(
    levels: Mapping[str, Level], lasts: Mapping[str, bool | None], time: float, patience: Mapping[str, Patience]
) -> tuple[dict[str, Level], str | None]:
    """Process a poll that shows several conditions; return what to remember, and the name of the event.

    If several events are due at once, the others follow at the next polls.

    :param levels: what was remembered, by name
    :param lasts: whether each condition holds, by name, the most important first
    :param time: when the poll was, Unix seconds
    :param patience: how long each must hold
    """
    kept, fired = dict(levels), None
    for name, one in lasts.items():
        level, fires = follow(levels.get(name, Level()), one, time, patience[name])
        if fires and fired is not None:
            continue
        kept[name] = level
        fired = name if fires else fired
    return kept, fired


def is_answered(verdict: Verdict) -> bool:
    """Return whether a poll has an answer about the project. During an outage, or after a refused login, it has none.

    :param verdict: the verdict of the poll
    """
    return verdict.observed.status is not None or verdict.observed.time is not None


def lasts_of(verdict: Verdict) -> dict[str, bool | None]:
    """Return whether a poll shows that a milestone is reached, and whether it has failed.

    :param verdict: the verdict of the poll
    """
    if not is_answered(verdict):
        return {"reached": None, "failed": None}
    return {"reached": verdict.state is State.REACHED, "failed": verdict.state is State.FAILED}
