"""The settings of a gate: one frozen object, and the only one that is converted to a trigger's kwargs and back."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.fleet import SELECTORS, Fleet
from airflow_provider_oms.milestones.kinds import Milestone, from_dict, made_of, to_dict

if TYPE_CHECKING:
    from airflow_provider_oms.milestones.subject import Subject
    from airflow_provider_oms.milestones.verdict import Observation

DEFAULT_CONN_ID = "oms_default"
DEFAULT_POKE_INTERVAL = 30.0

#: Seconds. Polling more often loads OMS without need.
SHORTEST_INTERVAL = 1.0
DEFAULT_FAILURE_GRACE = 120.0  # the value of OceanBase's own client: docs/develop/oms-facts.md#failed-recovers
DEFAULT_OUTAGE_TOLERANCE = 600.0  # docs/develop/oms-wire.md#passing-codes


@dataclass(frozen=True)
class Gate:
    """Which project a gate watches, or which projects, what it waits for, and how patient it is.

    :param milestone: the milestone
    :param project_id: the project's id
    :param project_name: the project's name, instead of its id
    :param project_type: MIGRATION or SYNC; only API generation v3 needs it (docs/develop/oms-wire.md#v3)
    :param oms_conn_id: the Airflow connection
    :param poke_interval: seconds between two polls
    :param fail_on_suspend: whether a paused project fails the gate
    :param allow_modifying: whether to ignore that objects are being added to the project
    :param failure_grace: seconds that OMS has to recover from a failure by itself
    :param outage_tolerance: seconds without a usable answer until the gate fails
    :param fleet: the projects, instead of one project; the gate opens when every one has reached the milestone
    :raises ValueError: if an argument is invalid; the message names it
    """

    milestone: Milestone
    project_id: str | None = None
    project_name: str | None = None
    project_type: str = "MIGRATION"
    oms_conn_id: str = DEFAULT_CONN_ID
    poke_interval: float = DEFAULT_POKE_INTERVAL
    fail_on_suspend: bool = False
    allow_modifying: bool = False
    failure_grace: float = DEFAULT_FAILURE_GRACE
    outage_tolerance: float = DEFAULT_OUTAGE_TOLERANCE
    fleet: Fleet | None = None

    def __post_init__(self) -> None:
        verifies = getattr(self.milestone, "verification_project", None)
        if self.fleet is None:
            if self._read_project() == verifies:
                raise ValueError("verification_project must be another project than the one that it verifies")
        elif self.project_id is not None or self.project_name is not None:
            raise ValueError(f"give project_id or project_name, or for many {' or '.join(SELECTORS)}; both are given")
        elif verifies is not None:
            raise ValueError("verification_project verifies one project, so it can't be used with many")
        arguments.choice("project_type", self.project_type, ("MIGRATION", "SYNC"))
        for name in ("poke_interval", "failure_grace", "outage_tolerance"):
            object.__setattr__(self, name, arguments.seconds(name, getattr(self, name)))
        for name in ("fail_on_suspend", "allow_modifying"):
            arguments.flag(name, getattr(self, name))

    def _read_project(self) -> str:
        given = [name for name in ("project_id", "project_name") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give project_id or project_name; {'both are' if given else 'neither is'} given")
        read = arguments.identifier if given[0] == "project_id" else arguments.proper_name
        value: str = read(given[0], getattr(self, given[0]))
        object.__setattr__(self, given[0], value)
        return value

    @property
    def project(self) -> str:
        """The project's id or quoted name, whichever was given."""
        return self.project_id or repr(self.project_name)

    def of_member(self, project_id: str) -> Gate:
        """Return the same gate for one of its projects.

        :param project_id: the project's id, already validated
        """
        one = copy(self)
        object.__setattr__(one, "project_id", project_id)
        object.__setattr__(one, "fleet", None)
        return one

    def describe(self, observed: Observation | None = None) -> str:
        """Return, in words, what the gate waits for.

        :param observed: the last observation, which may hold the project's name and id; None before the first poll
        """
        return f"{self.milestone.describe()} in {self._project(observed)}"

    def subject(self, observed: Observation | None = None) -> Subject:
        """Return what its messages are about.

        :param observed: the last observation, which may hold the project's name and id; None before the first poll
        """
        from airflow_provider_oms.milestones.subject import Subject

        return Subject(self._project(observed), f"waiting for {self.milestone.describe()}", self.oms_conn_id)

    def _project(self, observed: Observation | None) -> str:
        from airflow_provider_oms.milestones.subject import called

        if self.fleet is not None:
            return f"each of {self.fleet.describe()}"
        seen_id, seen_name = (observed.project, observed.name) if observed else (None, None)
        return called(self.project_id or seen_id, self.project_name or seen_name)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON; they hold no secret. Without a fleet, the key ``fleet`` is left out."""
        stored = {**vars(self), "milestone": to_dict(self.milestone)}
        if self.fleet is None:
            del stored["fleet"]
        else:
            stored["fleet"] = self.fleet.as_dict()
        return stored

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Gate:
        """Read what :meth:`as_dict` returned.

        :raises ValueError: if a setting is unknown or invalid
        """
        milestone = stored.get("milestone")
        if not isinstance(milestone, Mapping):
            raise ValueError("it has no milestone")
        parts = {**stored, "milestone": from_dict(milestone)}
        if isinstance(parts.get("fleet"), Mapping):
            parts["fleet"] = Fleet.from_dict(parts["fleet"])
        elif parts.get("fleet") is not None:
            raise ValueError("it doesn't say which projects")
        return made_of(cls, parts)
