"""The settings of the asset watchers: what each waits for. Parsing a DAG file imports only these.

The rules are in :mod:`airflow_provider_oms.milestones.occurrences`.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any, ClassVar

from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.boundaries import Boundaries
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import Milestone, to_dict

DEFAULT_REARM_AFTER = 300.0
DEFAULT_HOLD_FOR = 300.0
DEFAULT_STILL_FOR = 1800.0

#: Earlier than any checkpoint, so that every believed checkpoint has passed it.
BEGINNING = 100_000_001.0


@dataclass(frozen=True)
class Watcher:
    """What an asset watcher waits for.

    :param gate: the project, its milestone, and how patient the watcher is
    """

    gate: Gate
    kind: ClassVar[str]

    @property
    @abstractmethod
    def identity(self) -> list[Any]:
        """What the watcher's events are about, as JSON. Watchers share a memory only if this is equal."""

    @property
    def key(self) -> str:
        """The key of the watcher's memory, made from milestone, project and connection."""
        return f"oms_{self.kind}_{digest(self.identity)}"

    @property
    def direction(self) -> str:
        """The direction of the checkpoint that is watched: ``forward`` or ``reverse``."""
        aim = self.gate.milestone.aim()
        return "forward" if aim is None else aim.direction

    def as_json(self) -> str:
        """Return the watcher as text, which holds no secret."""
        return json.dumps({"kind": self.kind, **self._settings(), "gate": self.gate.as_dict()}, sort_keys=True)

    def _settings(self) -> dict[str, Any]:
        """Return the settings of the subclass as JSON."""
        return {}


@dataclass(frozen=True)
class MilestoneWatcher(Watcher):
    """A milestone is reached, or has failed.

    :param gate: the project and its milestone
    :param on: ``reached``, ``failed`` or both
    :param rearm_after: seconds for which the condition must be false before it can cause another event
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

    def _settings(self) -> dict[str, Any]:
        return {"on": list(self.on), "rearm_after": self.rearm_after}


@dataclass(frozen=True)
class CompleteUntilWatcher(Watcher):
    """The checkpoint has passed a boundary: every change up to it has arrived.

    The first event is about the last boundary that was passed before, not about earlier boundaries.

    :param gate: the project; only the direction of its milestone is used
    :param boundaries: the boundaries
    """

    boundaries: Boundaries = field(default_factory=Boundaries)
    kind: ClassVar[str] = "complete_until"

    @property
    def identity(self) -> list[Any]:
        return [*_project(self.gate), self.direction, self.boundaries.every, self.boundaries.timezone]

    def _settings(self) -> dict[str, Any]:
        return asdict(self.boundaries)


@dataclass(frozen=True)
class AlarmWatcher(Watcher):
    """A project needs attention: it is behind, it has failed, its checkpoint stands still, or OMS gives no answer.

    :param gate: the project, and the lag above which it is behind
    :param on: which of these cause events: ``unreachable``, ``failed``, ``behind``, ``still``
    :param hold_for: seconds for which the project must have been behind on every poll
    :param still_for: seconds for which the checkpoint of a running project may stand still
    :param rearm_after: seconds for which the condition must be false before it can cause another event
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

    def _settings(self) -> dict[str, Any]:
        times = {"hold_for": self.hold_for, "still_for": self.still_for, "rearm_after": self.rearm_after}
        return {"on": list(self.on), **times}


def from_json(text: str) -> Watcher:
    """Read the result of :meth:`Watcher.as_json`.

    :param text: the text
    :raises ValueError: when it is something else, or has an unknown part
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


def _names(name: str, value: Any, allowed: tuple[str, ...]) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else tuple(value)
    if not found or not set(found) <= set(allowed):
        raise ValueError(f"{name} must be one or more of {', '.join(map(repr, allowed))}; it is {value!r}")
    return found


def _project(gate: Gate) -> list[Any]:
    return [gate.oms_conn_id, gate.project_id, gate.project_name]


def _about(milestone: Milestone) -> dict[str, Any]:
    """Return what identifies a milestone: its settings that differ from their defaults, so that a setting that a later
    version adds doesn't change the result."""
    given = to_dict(milestone)
    defaults = {one.name: one.default for one in fields(milestone)}  # type: ignore[arg-type]
    return {name: value for name, value in given.items() if name not in defaults or value != defaults[name]}


def digest(parts: Any) -> str:
    """Return a short key for JSON; equal JSON has an equal key.

    :param parts: the JSON
    """
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
