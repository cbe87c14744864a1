"""The settings of a gate over many projects: which projects it watches, and when it opens or fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.kinds import made_of

ON_FAILURE = ("fail", "wait_for_others")

#: The arguments that select the projects; exactly one of them must be given.
SELECTORS = ("project_ids", "project_names", "label_id", "label_name", "search_key")


@dataclass(frozen=True)
class Fleet:
    """The projects of a gate over many projects. Exactly one of the first six parameters is given.

    :param project_ids: their ids
    :param project_names: their names
    :param label_id: the id of a label; all projects that have it
    :param label_name: the name of a label; all projects that have it
    :param search_key: part of a name, or an id; all projects that ``ListProjects`` finds with it
    :param label: the name or the id of a label, for callers that don't know which it is; a name wins
    :param min_projects: how many projects there must be at least
    :param on_failure: when a failed project fails the gate: ``fail``: at once; ``wait_for_others``: once no other
        project waits any more
    :raises ValueError: if an argument is invalid; the message names it
    """

    project_ids: tuple[str, ...] | None = None
    project_names: tuple[str, ...] | None = None
    label_id: str | None = None
    label_name: str | None = None
    search_key: str | None = None
    label: str | None = None
    min_projects: int = 1
    on_failure: str = "fail"

    def __post_init__(self) -> None:
        given = [name for name in _READERS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(SELECTORS)}; {' and '.join(given) or 'none'} is given")
        object.__setattr__(self, given[0], _READERS[given[0]](given[0], getattr(self, given[0])))
        object.__setattr__(self, "min_projects", arguments.whole("min_projects", self.min_projects, least=1))
        arguments.choice("on_failure", self.on_failure, ON_FAILURE)

    @property
    def named(self) -> tuple[str, ...] | None:
        """The projects' names or ids if they are given; None if OMS must be asked which projects are meant."""
        return self.project_ids or self.project_names

    def describe(self) -> str:
        """Return, in words, which projects are meant."""
        if self.named is not None:
            first = ", ".join(self.named[:3])
            more = f" and {len(self.named) - 3} more" if len(self.named) > 3 else ""
            return f"{len(self.named)} projects ({first}{more})"
        if self.search_key is not None:
            return f"the projects that a search for {self.search_key!r} finds"
        return f"the projects of label {self.label_id or (self.label_name or self.label)!r}"

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON, without those that have their default value."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Fleet:
        """Read what :meth:`as_dict` returned.

        :raises ValueError: if a setting is unknown or invalid
        """
        return made_of(cls, stored)


def _several(read: Callable[[str, Any], str]) -> Callable[[str, Any], tuple[str, ...]]:
    """Return a function that reads a list of projects, without duplicates and always in the same order."""

    def reading(name: str, value: Any) -> tuple[str, ...]:
        items = [read(f"each of {name}", item) for item in arguments.texts(name, value)]
        if not items:
            raise ValueError(f"{name} names no project; a gate over none never opens")
        return tuple(sorted(items) if isinstance(value, set | frozenset) else dict.fromkeys(items))

    return reading


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "project_ids": _several(arguments.identifier),
    "project_names": _several(arguments.proper_name),
    "label_id": arguments.identifier,
    "label_name": arguments.proper_name,
    "search_key": arguments.proper_name,
    "label": arguments.proper_name,
}
