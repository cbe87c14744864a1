"""When something that lasts becomes an event: once when it begins, and again only after it was over for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from airflow_provider_oms.milestones.verdict import State, Verdict


@dataclass(frozen=True)
class Level:
    """What is remembered of something that is so or not.

    :param told: whether its event was fired, and it hasn't been over for long enough since
    :param times: how many events were fired
    :param since: since when it has been otherwise than ``told`` on every poll (Unix seconds); None where it isn't
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
    """How long something has to be so.

    :param rearm_after: seconds for which it must have been over on every poll before its event can be fired again
    :param hold_for: seconds for which it must have lasted on every poll before its event is fired
    """

    rearm_after: float
    hold_for: float = 0.0


def follow(level: Level, lasts: bool | None, time: float, patience: Patience) -> tuple[Level, bool]:
    """Take in a poll; return what to remember, and whether the event is fired.

    What is already so at the first poll fires: nobody was told of it.

    :param level: what was remembered
    :param lasts: whether it is so; None where the poll can't tell, which changes nothing
    :param time: when the poll was, Unix seconds
    :param patience: how long it has to be so
    """
    if lasts is None:
        return level, False
    if lasts == level.told:
        return replace(level, since=None), False
    # Where a clock was set back it takes longer, not shorter.
    since = time if level.since is None else min(level.since, time)
    if time - since < (patience.hold_for if lasts else patience.rearm_after):
        return replace(level, since=since), False
    return Level(lasts, level.times + lasts), lasts


def first(
    levels: Mapping[str, Level], lasts: Mapping[str, bool | None], time: float, patience: Mapping[str, Patience]
) -> tuple[dict[str, Level], str | None]:
    """Take in a poll that tells of several things; return what to remember, and the name of the event that is fired.

    Where several are due at once, the others fire at the polls after this one.

    :param levels: what was remembered, by name
    :param lasts: what is so, by name, the most important first
    :param time: when the poll was, Unix seconds
    :param patience: how long each has to be so
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
    """Tell whether a poll has learnt something about the project. An outage hasn't, nor has a login that is refused.

    :param verdict: what the poll came to
    """
    return verdict.observed.status is not None or verdict.observed.time is not None


def lasts_of(verdict: Verdict) -> dict[str, bool | None]:
    """Return what a poll tells of a milestone: whether it is reached, and whether it has failed.

    :param verdict: what the poll came to
    """
    if not is_answered(verdict):
        return {"reached": None, "failed": None}
    return {"reached": verdict.state is State.REACHED, "failed": verdict.state is State.FAILED}
