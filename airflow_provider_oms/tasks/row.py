"""The trigger row: what Airflow stores of a gate in the triggerer, and returns after a restart or an upgrade.

Airflow never updates a row (docs/develop/airflow-facts.md#triggers), so it holds only what can't become stale, and the
version of the package that wrote it. Everything on which decisions depend is in ``gate``. A reader that doesn't
know one of these settings refuses the row, because without it the gate might open too early. A reader may ignore
unknown keys outside ``gate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_oms import __version__
from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import observed_of, projects_of

#: The status of the event with which a trigger asks a worker to write the project's id into the trigger's row.
RESOLVED = "resolved"

#: The status of the event with which a trigger reports that this version can't read its row.
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Row:
    """A gate that waits in the triggerer.

    :param gate: the gate's settings
    :param deadline: the wall clock (Unix seconds) at which the gate times out; None for never
    :param projects: the resolved ids of projects, by name
    :param observed: in which OMS, and by which user, a project was observed, by the project's id
    """

    gate: Gate
    deadline: float | None = None
    projects: Mapping[str, str] = field(default_factory=dict)
    observed: Mapping[str, str] = field(default_factory=dict)

    def as_kwargs(self) -> dict[str, Any]:
        """Return the trigger's keyword arguments, which hold no secret."""
        return {
            "gate": self.gate.as_dict(),
            "deadline": self.deadline,
            "projects": dict(self.projects),
            "observed": dict(self._observed()),
            "version": __version__,
        }

    def _observed(self) -> Mapping[str, str]:
        """Return where projects were observed; for many projects only if it matters, because a row is small."""
        return self.observed if self.gate.fleet is None or self.gate.milestone.reached_by_absence() else {}

    @classmethod
    def from_kwargs(cls, stored: Mapping[str, Any]) -> Row:
        """Read the result of :meth:`as_kwargs`, of this version or another.

        :param stored: a trigger's keyword arguments
        :raises ValueError: if this version can't read them; the message says what to do
        """
        try:
            return cls(_gate(stored), _deadline(stored), _projects(stored), observed_of(stored.get("observed")))
        except ValueError as error:
            raise ValueError(
                f"This gate was deferred by {writer(stored)} of airflow-provider-oms, and version {__version__}, which "
                f"runs here, can't read it: {error}. Install the same version everywhere, then clear this task."
            ) from None


def writer(stored: Any) -> str:
    """Return, in words, the version of the package that wrote a row or an event.

    :param stored: the row or the event
    """
    version = stored.get("version") if isinstance(stored, Mapping) else None
    return f"version {safe_text(version, 40)}" if version else "an older version"


def _gate(stored: Mapping[str, Any]) -> Gate:
    gate = stored.get("gate")
    if not isinstance(gate, Mapping) or not gate:
        raise ValueError("there are no settings in it")
    return Gate.from_dict(gate)


def _deadline(stored: Mapping[str, Any]) -> float | None:
    deadline = stored.get("deadline")
    if deadline is None or (isinstance(deadline, int | float) and not isinstance(deadline, bool)):
        return deadline
    raise ValueError(f"its deadline is {deadline!r:.60}")


def _projects(stored: Mapping[str, Any]) -> dict[str, str]:
    """Return the resolved names. Everything else in the memory of rows that version 0.1 wrote is stale."""
    memory, name = stored.get("memory"), stored["gate"].get("project_name")
    resolved = {name: memory.get("project_id")} if isinstance(memory, Mapping) else {}
    return projects_of(resolved) | projects_of(stored.get("projects"))
