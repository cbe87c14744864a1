"""The milestones: what each waits for, and its description. One class per milestone.

Parsing a DAG file imports only these classes. The rules (:mod:`airflow_provider_oms.milestones.checks`), and everything
that they need, are imported when a gate polls for the first time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, NamedTuple, TypeVar

from airflow_provider_oms.milestones import arguments

T = TypeVar("T")

DIRECTIONS = ("forward", "reverse")

#: Seconds that the checkpoint may lie behind at the cut-over: the limit of OceanBase's own client.
#: Source: docs/develop/oms-facts.md#checkpoint-period
CUTOVER_LAG = 25


class Aim(NamedTuple):
    """What a checkpoint must reach: a lag, or a moment.

    :param direction: the direction of the checkpoint: ``forward`` or ``reverse``
    :param max_lag: the allowed lag in seconds; unused if there is a moment
    :param moment: the moment that it must pass, Unix seconds
    """

    direction: str = "forward"
    max_lag: float = 0.0
    moment: float | None = None


class Milestone:
    """What a gate waits for. Subclasses are frozen dataclasses whose fields are plain JSON."""

    kind: ClassVar[str]
    #: Whether the milestone's rule looks up the project itself.
    finds_project: ClassVar[bool] = False

    #: Whether the milestone is about all data, so that it isn't reached while objects are being added to the project.
    needs_all_objects: ClassVar[bool] = False

    #: Whether a project that has reached the milestone isn't polled again while one process waits for other projects.
    #: For a milestone about the present (a lag, a status), every project is polled in the poll that opens the gate.
    stays_reached: ClassVar[bool] = False

    @abstractmethod
    def describe(self) -> str:
        """Return, in words, what a gate waits for; it completes "waiting for ..."."""

    def reached_by_absence(self) -> bool:
        """Return whether a project that no longer exists has reached the milestone."""
        return False

    def needs_memory(self) -> str | None:
        """Return the name of a setting that only works if the gate remembers earlier polls; None if there is none."""
        return None

    def caution(self) -> str | None:
        """Return a warning about the settings; None if there is none."""
        return None

    def aim(self) -> Aim | None:
        """Return what a checkpoint must reach; None for milestones about something else. Only explanations use it."""
        return None


@dataclass(frozen=True)
class StepMilestone(Milestone):
    """A step is done, or has started.

    :param step: the step, in any of OMS's vocabularies
    :param until: ``done`` or ``started``
    """

    step: str
    until: str = "done"
    kind: ClassVar[str] = "step"
    stays_reached: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", arguments.name_of("step", self.step))
        arguments.choice("until", self.until, ("done", "started"))

    def describe(self) -> str:
        return f"step {self.step} {'to be done' if self.until == 'done' else 'to start'}"


@dataclass(frozen=True)
class FullTransferMilestone(Milestone):
    """The full transfer has reached a percentage.

    :param progress: the percentage
    """

    progress: float = 100.0
    kind: ClassVar[str] = "full_transfer"
    stays_reached: ClassVar[bool] = True
    needs_all_objects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "progress", arguments.percentage("progress", self.progress))

    def describe(self) -> str:
        return f"the full transfer at {self.progress:g} %"


@dataclass(frozen=True)
class CheckpointLagMilestone(Milestone):
    """The checkpoint lies at most ``max_lag`` seconds behind, at this poll and at every poll for ``hold_for``.

    :param max_lag: seconds
    :param direction: ``forward`` or ``reverse``
    :param hold_for: seconds
    """

    max_lag: float
    direction: str = "forward"
    hold_for: float = 0.0
    kind: ClassVar[str] = "checkpoint_lag"
    needs_all_objects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_lag", arguments.seconds("max_lag", self.max_lag))
        object.__setattr__(self, "hold_for", arguments.seconds("hold_for", self.hold_for))
        arguments.choice("direction", self.direction, DIRECTIONS)

    def describe(self) -> str:
        held = f" for {_length(self.hold_for)}" if self.hold_for else ""
        return f"the {self.direction} checkpoint within {_length(self.max_lag)}{held}"

    def needs_memory(self) -> str | None:
        return "hold_for" if self.hold_for else None

    def caution(self) -> str | None:
        from airflow_provider_oms.milestones.freshness import caution

        return caution(self.max_lag)

    def aim(self) -> Aim:
        return Aim(self.direction, max_lag=self.max_lag)


@dataclass(frozen=True)
class CheckpointBehindMilestone(Milestone):
    """The checkpoint lies more than ``min_lag`` seconds behind; used by alarms.

    :param min_lag: seconds
    :param direction: ``forward`` or ``reverse``
    """

    min_lag: float
    direction: str = "forward"
    kind: ClassVar[str] = "checkpoint_behind"

    def __post_init__(self) -> None:
        object.__setattr__(self, "min_lag", arguments.seconds("min_lag", self.min_lag))
        arguments.choice("direction", self.direction, DIRECTIONS)

    def describe(self) -> str:
        return f"the {self.direction} checkpoint more than {_length(self.min_lag)} behind"

    def aim(self) -> Aim:
        return Aim(self.direction, max_lag=self.min_lag)


@dataclass(frozen=True)
class CheckpointReachedMilestone(Milestone):
    """The checkpoint has passed a moment, so every change up to it has arrived.

    :param checkpoint: the moment, Unix seconds
    :param direction: ``forward`` or ``reverse``
    """

    checkpoint: float
    direction: str = "forward"
    kind: ClassVar[str] = "checkpoint_reached"
    stays_reached: ClassVar[bool] = True
    needs_all_objects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "checkpoint", arguments.moment("checkpoint", self.checkpoint))
        arguments.choice("direction", self.direction, DIRECTIONS)

    def describe(self) -> str:
        from airflow_provider_oms.client.protocol import utc_text

        return f"the {self.direction} checkpoint past {utc_text(self.checkpoint)}"

    def aim(self) -> Aim:
        return Aim(self.direction, moment=self.checkpoint)


@dataclass(frozen=True)
class FullVerificationMilestone(Milestone):
    """Full verification is done and found every table consistent.

    :param verification_project: id or name of a separate project that verifies this one; None if a step of the
        project itself does (docs/develop/oms-facts.md#verification-project)
    """

    verification_project: str | None = None
    kind: ClassVar[str] = "full_verification"
    stays_reached: ClassVar[bool] = True
    needs_all_objects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        verifies = arguments.project_or_none("verification_project", self.verification_project)
        object.__setattr__(self, "verification_project", verifies)

    def describe(self) -> str:
        return "full verification to find every table consistent"


@dataclass(frozen=True)
class ProjectStatusMilestone(Milestone):
    """The project's status is one of the target statuses.

    :param target_statuses: the statuses, in OMS's words
    """

    target_statuses: tuple[str, ...]
    kind: ClassVar[str] = "project_status"

    def __post_init__(self) -> None:
        object.__setattr__(self, "target_statuses", arguments.names_of("target_statuses", self.target_statuses))

    def describe(self) -> str:
        return f"the project to be {' or '.join(self.target_statuses)}"

    def reached_by_absence(self) -> bool:
        from airflow_provider_oms.milestones.status import DELETED

        return DELETED in self.target_statuses

    def caution(self) -> str | None:
        from airflow_provider_oms.milestones.status import caution

        return caution(self.target_statuses)


@dataclass(frozen=True)
class CutoverReadyMilestone(Milestone):
    """Everything that a safe switchover needs.

    :param max_lag: seconds that the forward checkpoint may lie behind
        (docs/develop/oms-facts.md#checkpoint-period)
    :param require_verification: whether a project without full verification is never ready
    :param verification_project: id or name of a separate project that verifies this one; None if a step of the
        project itself does (docs/develop/oms-facts.md#verification-project)
    """

    max_lag: float = CUTOVER_LAG
    require_verification: bool = True
    verification_project: str | None = None
    kind: ClassVar[str] = "cutover_ready"
    needs_all_objects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_lag", arguments.seconds("max_lag", self.max_lag))
        arguments.flag("require_verification", self.require_verification)
        verifies = arguments.project_or_none("verification_project", self.verification_project)
        object.__setattr__(self, "verification_project", verifies)

    def describe(self) -> str:
        return f"the project to be ready for the cut-over (lag within {_length(self.max_lag)})"

    def caution(self) -> str | None:
        from airflow_provider_oms.milestones.freshness import caution

        return caution(self.max_lag)

    def aim(self) -> Aim:
        return Aim(max_lag=self.max_lag)


@dataclass(frozen=True)
class ObjectsMilestone(Milestone):
    """Tables or views are in the project, or not in it, and no change that concerns them is unfinished.

    :param tables: schema and name of each table or view that must be in the project
    :param absent: schema and name of each table or view that must not be in it
    :param until: ``copied``: the project's full transfer must be done, too; ``merged``: it needn't be
    """

    tables: tuple[tuple[str, str], ...]
    absent: tuple[tuple[str, str], ...] = ()
    until: str = "copied"
    kind: ClassVar[str] = "objects"
    needs_all_objects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", arguments.tables("tables", self.tables))
        object.__setattr__(self, "absent", arguments.tables("absent", self.absent))
        arguments.choice("until", self.until, ("copied", "merged"))
        if not self.tables and not self.absent:
            raise ValueError("tables must name at least one")
        if both := sorted({*self.tables} & {*self.absent}):
            raise ValueError(f"tables and absent both name {'.'.join(both[0])}")

    def describe(self) -> str:
        from airflow_provider_oms.milestones.changes import named

        inside = f"{named(self.tables)} to be {'copied and ' if self.until == 'copied' else ''}merged"
        outside = f"{named(self.absent)} to be taken out"
        return " and ".join(text for text, given in ((inside, self.tables), (outside, self.absent)) if given)


@dataclass(frozen=True)
class ActionMilestone(Milestone):
    """An action that was sent has had its effect; operators wait for this.

    :param goal: the action that is wanted: start, stop, resume, release or delete
    :param sent: the action that was sent: the goal itself, or an action that must come before it
    :param stop_first: whether the project may be stopped and released first
    :param since: when it was sent (OMS's clock, Unix seconds); None if it wasn't sent by this task
    """

    goal: str
    sent: str
    stop_first: bool = False
    since: float | None = None
    kind: ClassVar[str] = "action"
    stays_reached: ClassVar[bool] = True

    def __post_init__(self) -> None:
        from airflow_provider_oms.milestones import transitions

        arguments.choice("goal", self.goal, transitions.ACTIONS)
        arguments.choice("sent", self.sent, transitions.ACTIONS)

    def describe(self) -> str:
        from airflow_provider_oms.milestones.transitions import name_of

        return f"{name_of(self.sent)} to take effect"

    def reached_by_absence(self) -> bool:
        from airflow_provider_oms.milestones.status import DELETED
        from airflow_provider_oms.milestones.transitions import has_effect

        return bool(has_effect(self.goal, self.sent, DELETED, stop_first=self.stop_first))


def _length(seconds: float) -> str:
    """Return a length of time, in words."""
    from airflow_provider_oms.milestones.durations import duration

    return duration(seconds)


_KINDS: dict[str, type[Milestone]] = {
    kind.kind: kind
    for kind in (
        StepMilestone,
        FullTransferMilestone,
        CheckpointLagMilestone,
        CheckpointBehindMilestone,
        CheckpointReachedMilestone,
        FullVerificationMilestone,
        ProjectStatusMilestone,
        CutoverReadyMilestone,
        ObjectsMilestone,
        ActionMilestone,
    )
}


def to_dict(milestone: Milestone) -> dict[str, Any]:
    """Return a milestone as JSON."""
    fields = {name: _plain(value) for name, value in asdict(milestone).items()}  # type: ignore[call-overload]
    return {"kind": milestone.kind, **fields}


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def from_dict(stored: Mapping[str, Any]) -> Milestone:
    """Read the result of :func:`to_dict`.

    :raises ValueError: when the milestone or a part of it is unknown or invalid
    """
    parts = dict(stored)
    kind = _KINDS.get(str(parts.pop("kind", None)))
    if kind is None:
        raise ValueError(f"the milestone {stored.get('kind')!r:.60} isn't known here")
    return made_of(kind, parts)


def made_of(cls: type[T], parts: Mapping[str, Any]) -> T:
    """Make a dataclass from stored parts. An unknown part is an error: without it a gate might open too early.

    :param cls: the dataclass
    :param parts: its fields
    :raises ValueError: when a part is unknown, missing or invalid
    """
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    if unknown := [name for name in parts if name not in known]:
        raise ValueError(f"the setting {', '.join(f'{name!r:.60}' for name in unknown)} isn't known here")
    try:
        return cls(**parts)
    except TypeError as error:  # a part without a default is missing
        raise ValueError(str(error)) from None
