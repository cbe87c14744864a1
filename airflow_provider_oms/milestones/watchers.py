"""What asset watchers wait for: from the verdicts of polls to events. Pure functions over what is remembered."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from math import isfinite
from typing import Any, ClassVar, NamedTuple

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.protocol import utc_text
from airflow_provider_oms.milestones import arguments, edges, pace
from airflow_provider_oms.milestones.boundaries import Boundaries
from airflow_provider_oms.milestones.edges import Patience
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import (
    CheckpointBehindMilestone,
    CheckpointReachedMilestone,
    Milestone,
    to_dict,
)
from airflow_provider_oms.milestones.remembered import Remembered
from airflow_provider_oms.milestones.status import Outlook, outlook
from airflow_provider_oms.milestones.verdict import State, Verdict

DEFAULT_REARM_AFTER = 300.0
DEFAULT_HOLD_FOR = 300.0
DEFAULT_STILL_FOR = 1800.0

#: Earlier than any checkpoint: whatever one can be believed has passed it.
BEGINNING = 100_000_001.0


class Event(NamedTuple):
    """Something that happened.

    :param name: what: ``reached``, ``failed``, ``complete_until``, ``behind``, ``still``, ``unreachable``
    :param which: tells it from others of that name; the same again if it is fired again
    :param facts: what else the payload says of it
    """

    name: str
    which: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Watcher:
    """What an asset watcher waits for.

    :param gate: the project, what is asked of it, and how patient the watcher is
    """

    gate: Gate
    kind: ClassVar[str]

    @property
    @abstractmethod
    def identity(self) -> list[Any]:
        """What its events are about, as JSON: a watcher with another one remembers nothing of this one."""

    @abstractmethod
    def judge(self, remembered: Remembered, verdict: Verdict, time: float) -> tuple[Remembered, Event | None]:
        """Take in a poll; return what to remember, and what has happened.

        :param remembered: what was remembered
        :param verdict: what the poll came to
        :param time: when it was, Unix seconds
        """

    def gate_now(self, remembered: Remembered) -> Gate:
        """Return what is asked at the next poll.

        :param remembered: what is remembered
        """
        return self.gate

    @property
    def key(self) -> str:
        """Where its memory is kept: a name for milestone, project and connection."""
        return f"oms_{self.kind}_{_hash(self.identity)}"

    def payload(self, asset: str, event: Event, verdict: Verdict, time: float) -> dict[str, Any]:
        """Return what an asset event holds, as JSON.

        :param asset: the asset's name
        :param event: what has happened
        :param verdict: what the poll came to
        :param time: when it was, Unix seconds
        """
        found = {
            "id": _hash([asset, self.identity, event.name, event.which]),
            "event": event.name,
            **event.facts,
            "asset": asset,
            "project": verdict.observed.project or self.gate.project_id,
            "project_name": self.gate.project_name,
            "oms_conn_id": self.gate.oms_conn_id,
            "message": verdict.message,
            "observed": verdict.observed.as_dict(),
            "time": utc_text(time),
        }
        return {name: _safe(value) for name, value in found.items()}

    def as_json(self) -> str:
        """Return it as text. There is no secret in it."""
        return json.dumps({"kind": self.kind, **self._settings(), "gate": self.gate.as_dict()}, sort_keys=True)

    def _settings(self) -> dict[str, Any]:
        """Return its own settings as JSON."""
        return {}


@dataclass(frozen=True)
class MilestoneWatcher(Watcher):
    """A milestone is reached, or has failed.

    :param gate: the project and its milestone
    :param on: ``reached``, ``failed`` or both
    :param rearm_after: seconds for which it must not have been so before it can be so again
    """

    on: tuple[str, ...] = ("reached",)
    rearm_after: float = DEFAULT_REARM_AFTER
    kind: ClassVar[str] = "milestone"

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", _names("on", self.on, ("reached", "failed")))
        object.__setattr__(self, "rearm_after", arguments.seconds("rearm_after", self.rearm_after))

    @property
    def identity(self) -> list[Any]:
        return [*_project(self.gate), _about(self.gate.milestone)]

    def judge(self, remembered: Remembered, verdict: Verdict, time: float) -> tuple[Remembered, Event | None]:
        """Fire when the milestone is come to, or when it fails."""
        remembered = remembered.of_project(verdict.observed.project)
        lasts, patience = edges.lasts_of(verdict), Patience(self.rearm_after)
        return _fire(remembered, {name: lasts[name] for name in self.on}, time, dict.fromkeys(self.on, patience))

    def _settings(self) -> dict[str, Any]:
        return {"on": list(self.on), "rearm_after": self.rearm_after}


@dataclass(frozen=True)
class CompleteUntilWatcher(Watcher):
    """The checkpoint has passed a boundary: every change up to it has arrived.

    The first time, when nothing is remembered, the last boundary that was passed is told, and none before it.

    :param gate: the project; its milestone tells the direction alone
    :param boundaries: the boundaries
    """

    boundaries: Boundaries = field(default_factory=Boundaries)
    kind: ClassVar[str] = "complete_until"

    @property
    def identity(self) -> list[Any]:
        return [*_project(self.gate), self._direction, self.boundaries.every, self.boundaries.timezone]

    def gate_now(self, remembered: Remembered) -> Gate:
        """Ask whether the checkpoint has passed the boundary after the one that was told last."""
        last = remembered.complete_until
        moment = BEGINNING if last is None else self.boundaries.after(last)
        return replace(self.gate, milestone=CheckpointReachedMilestone(moment, self._direction))

    def judge(self, remembered: Remembered, verdict: Verdict, time: float) -> tuple[Remembered, Event | None]:
        """Fire when the boundary is passed."""
        remembered = remembered.of_project(verdict.observed.project)
        if verdict.state is not State.REACHED:
            return remembered, None
        last, checkpoint = remembered.complete_until, verdict.observed.checkpoint
        if last is None:
            if isinstance(checkpoint, int | float):
                # Where to begin is kept before anything is fired, so that nothing is left out should it crash then.
                begin = self.boundaries.before(self.boundaries.before(checkpoint))
                remembered = replace(remembered, complete_until=begin)
            return remembered, None
        passed = self.boundaries.after(last)
        facts = {
            "complete_until": self.boundaries.text(passed),
            "complete_from": self.boundaries.text(last),
            "every": self.boundaries.every,
            "timezone": self.boundaries.timezone,
        }
        return replace(remembered, complete_until=passed), Event("complete_until", utc_text(passed), facts)

    @property
    def _direction(self) -> str:
        aim = self.gate.milestone.aim()
        return "forward" if aim is None else aim.direction

    def _settings(self) -> dict[str, Any]:
        return asdict(self.boundaries)


@dataclass(frozen=True)
class AlarmWatcher(Watcher):
    """A project needs somebody: it is behind, has failed, stands still, or OMS gives no answer.

    :param gate: the project, and from what lag on it is behind
    :param on: which of these
    :param hold_for: seconds for which it must have been behind on every poll
    :param still_for: seconds for which the checkpoint of a running project may stand still
    :param rearm_after: seconds for which it must not have been so before it can be so again
    """

    #: The most important first.
    EVENTS: ClassVar[tuple[str, ...]] = ("unreachable", "failed", "behind", "still")

    on: tuple[str, ...] = EVENTS
    hold_for: float = DEFAULT_HOLD_FOR
    still_for: float = DEFAULT_STILL_FOR
    rearm_after: float = DEFAULT_REARM_AFTER
    kind: ClassVar[str] = "alarm"

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", _names("on", self.on, self.EVENTS))
        for name in ("hold_for", "still_for", "rearm_after"):
            object.__setattr__(self, name, arguments.seconds(name, getattr(self, name)))

    @property
    def identity(self) -> list[Any]:
        return [*_project(self.gate), _about(self.gate.milestone)]

    def judge(self, remembered: Remembered, verdict: Verdict, time: float) -> tuple[Remembered, Event | None]:
        """Fire when one of them begins."""
        remembered = remembered.of_project(verdict.observed.project)
        answered, known = edges.is_answered(verdict), edges.lasts_of(verdict)
        series = pace.Series(*remembered.series) if remembered.series else None
        # A checkpoint that isn't believed moves nowhere.
        series = None if verdict.alarming and answered else pace.follow(series, verdict.observed, self._direction)
        remembered = replace(remembered, series=None if series is None else series[:3])
        lasts = {
            # Within outage_tolerance nobody can tell.
            "unreachable": False if answered else (True if verdict.state is State.FAILED else None),
            "failed": known["failed"],
            # A project that has failed isn't late as well.
            "behind": None if known["failed"] else known["reached"],
            "still": (series is not None and series.unmoved_for >= self.still_for) if answered else None,
        }
        patience = dict.fromkeys(self.on, Patience(self.rearm_after))
        patience["behind"] = Patience(self.rearm_after, self.hold_for)
        chosen = {name: one for name, one in lasts.items() if name in self.on}
        return _fire(remembered, chosen, time, patience)

    @property
    def _direction(self) -> str:
        assert isinstance(self.gate.milestone, CheckpointBehindMilestone)  # noqa: S101
        return self.gate.milestone.direction

    def _settings(self) -> dict[str, Any]:
        times = {"hold_for": self.hold_for, "still_for": self.still_for, "rearm_after": self.rearm_after}
        return {"on": list(self.on), **times}


def is_gone(verdict: Verdict) -> bool:
    """Tell whether the project is at its end, so that another one may have its name by now.

    :param verdict: what the poll came to
    """
    return verdict.state is State.FAILED and outlook(verdict.observed.status) is Outlook.GONE


def from_json(text: str) -> Watcher:
    """Read what :meth:`Watcher.as_json` returned.

    :raises ValueError: when it is something else, or has a part that isn't known here
    """
    try:
        parts = dict(json.loads(text))
        kind, gate = parts.pop("kind"), Gate.from_dict(parts.pop("gate"))
        if kind == CompleteUntilWatcher.kind:
            return CompleteUntilWatcher(gate, Boundaries(**parts))
        if "on" in parts:
            parts["on"] = tuple(parts["on"])
        return {one.kind: one for one in (MilestoneWatcher, AlarmWatcher)}[kind](gate, **parts)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _fire(
    remembered: Remembered, lasts: Mapping[str, bool | None], time: float, patience: Mapping[str, Patience]
) -> tuple[Remembered, Event | None]:
    levels, fired = edges.first(remembered.levels, lasts, time, patience)
    remembered = replace(remembered, levels=levels)
    if fired is None:
        return remembered, None
    return remembered, Event(fired, f"{remembered.begun} {levels[fired].times}", {})


def _names(name: str, value: Any, allowed: tuple[str, ...]) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else tuple(value)
    if not found or not set(found) <= set(allowed):
        raise ValueError(f"{name} must be one or more of {', '.join(map(repr, allowed))}; it is {value!r}")
    return found


def _project(gate: Gate) -> list[Any]:
    return [gate.oms_conn_id, gate.project_id, gate.project_name]


def _about(milestone: Milestone) -> dict[str, Any]:
    """Return what is told of a milestone: a setting that a later version adds makes it no other one."""
    given = to_dict(milestone)
    defaults = {one.name: one.default for one in fields(milestone)}  # type: ignore[arg-type]
    return {name: value for name, value in given.items() if name not in defaults or value != defaults[name]}


def _hash(parts: Any) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _safe(value: Any) -> Any:
    """Make what OMS said safe for Airflow's database and page; one odd character has ended a whole triggerer.

    Source: docs/develop/airflow-facts.md#assets
    """
    if isinstance(value, Mapping):
        return {str(name): _safe(one) for name, one in value.items()}
    if isinstance(value, float) and not isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    return safe_text(value)
