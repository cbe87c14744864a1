"""What an asset watcher remembers from poll to poll, and from one process to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_oms.milestones.edges import Level

#: Seconds without a change after which the standstill of a checkpoint is stored, so that it survives a restart.
_STANDS_STILL = 300.0


@dataclass(frozen=True)
class Remembered:
    """What a watcher remembers from poll to poll, and from one process to the next.

    :param begun: when the memory began, as text; it makes events from before and after a loss of the memory differ
    :param levels: the conditions that cause events, by name
    :param complete_until: the boundary of the last event, or the boundary to begin with (Unix seconds)
    :param project: the id of the project that this memory is about
    :param series: the last observations of the checkpoint: (checkpoint, since, until)
    """

    begun: str
    levels: Mapping[str, Level] = field(default_factory=dict)
    complete_until: float | None = None
    project: str | None = None
    series: tuple[float, float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "begun": self.begun,
            "levels": {name: level.as_dict() for name, level in self.levels.items()},
            "complete_until": self.complete_until,
            "project": self.project,
            "series": self._standstill(),
        }

    @classmethod
    def from_dict(cls, stored: Any) -> Remembered:
        """Read what :meth:`as_dict` returned.

        :raises ValueError: if it is something else, so that it isn't known which events were sent
        """
        match stored:
            case {
                "begun": str(begun),
                "levels": dict(levels),
                "complete_until": None | int() | float() as complete_until,
                "project": None | str() as project,
                "series": None | [int() | float(), int() | float()] as series,
            }:
                read = {str(name): Level.from_dict(level) for name, level in levels.items()}
                return cls(begun, read, complete_until, project, None if series is None else (*series, series[1]))
        raise ValueError(f"not what a watcher remembers: {stored!r:.200}")

    def _standstill(self) -> list[float] | None:
        """Return the checkpoint and since when it stands still; None while it moves."""
        if self.series is None:
            return None
        checkpoint, since, until = self.series
        return [checkpoint, since] if until - since >= _STANDS_STILL else None

    def of_project(self, project: str | None) -> Remembered:
        """Return what is remembered of a project: no conditions if another project had its name before.

        :param project: the project's id; None if a poll doesn't show it
        """
        if project is None or project == self.project:
            return self
        if self.project is None:
            return replace(self, project=project)
        levels = {name: Level(times=level.times) for name, level in self.levels.items()}
        return replace(self, project=project, levels=levels, series=None)
