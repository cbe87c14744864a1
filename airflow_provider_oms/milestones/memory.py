"""What a gate remembers from one poll to the next, and how it measures the time that has passed between them.

Time is measured with our own clock: the monotonic clock while one process polls, the wall clock if the memory outlives
the process (reschedule mode); each poll may then use the wall clock of another machine. OMS's clock isn't used for
this, because the clocks of two nodes behind one address may differ by minutes.

Airflow never updates a trigger's row: docs/develop/airflow-facts.md#triggers. What is kept between two pokes in
reschedule mode:
docs/develop/airflow-facts.md#state-store
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from airflow_provider_oms.milestones.verdict import Verdict


#: With more projects than this, a gate doesn't store the steps of each for the next poke, because Airflow limits what
#: can be stored.
_STEPS_OF = 50


class Now(NamedTuple):
    """The moment at which a poll begins.

    :param passed: seconds on the clock that measures elapsed time: monotonic, or the wall clock if the memory outlives
        the process. All polls that share a memory use the same clock
    :param wall: the wall clock, Unix seconds; only used to measure how much later the answers arrived
    :param shared: whether several processes, on machines whose clocks may differ, read ``passed``
    """

    passed: float
    wall: float
    shared: bool = False


class Condition(StrEnum):
    """The conditions of which a gate remembers since when they have held on every poll."""

    FAILED = "failed"
    LAG_SMALL = "lag small"
    UNREACHABLE = "unreachable"
    UNTOLD = "untold"
    CHANGING = "changing"
    MISSING = "missing"

    def of(self, project: str) -> str:
        """Return the key under which the condition is remembered.

        :param project: a project that is polled in addition to the gate's own; empty for the gate's own
        """
        return f"{self} of {project}" if project else str(self)


#: Conditions that go on holding over a poll without an answer. They can make a gate fail, or explain why it waits; none
#: of them can open one.
OUTLASTS_OUTAGE = frozenset({Condition.FAILED, Condition.UNTOLD, Condition.CHANGING, Condition.MISSING})


def outlasts_outage(key: str) -> bool:
    """Decide whether a poll without an answer leaves a condition unchanged.

    :param key: the key that :meth:`Condition.of` returns
    """
    return key.partition(" of ")[0] in OUTLASTS_OUTAGE


class Names(StrEnum):
    """Whether a project's name may be looked up: a gate always watches the same project."""

    FREE = "free"
    UNREADABLE = "unreadable"
    LOST = "lost"


@dataclass
class Memory:
    """What a gate remembers from poll to poll. If it is lost, the gate waits longer; it never opens earlier.

    :param projects: the resolved ids of projects, by name. This can't become stale
    :param since: since when each condition has held on every poll (:attr:`Now.passed`)
    :param unanswered: how many polls in a row had no usable answer
    :param polled_at: when the last poll began (:attr:`Now.passed`)
    :param observed: in which OMS, and by which user, a project was observed (:attr:`ClientSettings.origin`), by the
        project's id; empty if it isn't known. This can't become stale either: it shows whether another OMS is asked now
    :param oms: the origin of the last answers, empty if it isn't known
    :param kept: False if the memory of earlier polls was lost, or won't be kept until the next one
    :param names: whether a name that isn't in ``projects`` may be looked up
    :param steps: the names of the steps that OMS has listed, by project
    :param by_row: how many polls in a row were answered by a row of ``ListProjects``; None before the first such poll
    :param lists: False once OMS has refused to list this user's projects
    :param called: how messages name the project, if it is one of many
    :param ready: whether the project, one of many, had reached the milestone when the precise calls were last answered
    :param members: what a gate over many projects remembers of each, by the project's id
    :param reached: the verdicts on those projects that have reached a milestone that stays reached. They are only kept
        in the process that polled the projects
    :param counted: how messages name each project, and whether it was ready at the poll before; None at the first poll
    """

    projects: dict[str, str] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    unanswered: int = 0
    polled_at: float | None = None
    observed: dict[str, str] = field(default_factory=dict)
    oms: str = ""
    kept: bool = True
    names: Names = Names.FREE
    steps: dict[str, list[str]] = field(default_factory=dict)
    by_row: int | None = None
    lists: bool = True
    called: str = ""
    ready: bool = False
    members: dict[str, Memory] = field(default_factory=dict)
    reached: dict[str, Verdict] = field(default_factory=dict)
    counted: dict[str, tuple[str, bool]] | None = None

    def member(self, project_id: str) -> Memory:
        """Return what is remembered of one of many projects. It shares the names and addresses with the gate.

        :param project_id: the project
        """
        own = self.members.setdefault(project_id, Memory(kept=self.kept))
        own.projects, own.observed = self.projects, self.observed
        return own

    def begin_poll(self, now: Now, poke_interval: float, oms: str = "") -> None:
        """Note that a poll begins, and decide how much of the time since the last poll counts.

        If the clock went back, none of it counts. If the last poll is long ago (no worker was free, the clock was set,
        the process was stopped), the state in between is unknown, so no more time counts than an ordinary late poll
        takes. If each poll may have read the clock of another machine, no more counts than Airflow's usual time
        between two polls: otherwise a clock that is ahead would count as time for which a condition has held.

        Conditions that were observed at another OMS are dropped.

        :param now: the moment
        :param poke_interval: seconds between two polls
        :param oms: the origin of the answers, empty if it isn't known
        """
        if oms and self.oms and address_of(oms) != address_of(self.oms):
            self.since, self.unanswered, self.steps = {}, 0, {}
            self.members, self.reached, self.counted = {}, {}, None
        self.oms = oms or self.oms
        if self.polled_at is not None:
            gap = now.passed - self.polled_at
            counted = min(max(0.0, gap), longest_gap(poke_interval, shared=now.shared))
            self.since = {name: at + gap - counted for name, at in self.since.items()}
        self.polled_at = now.passed

    def see_nothing(self) -> None:
        """Note a poll that observed nothing of one of many projects, so nothing that could open the gate has held."""
        self.since = {key: at for key, at in self.since.items() if outlasts_outage(key) or key == Condition.UNREACHABLE}

    def observed_elsewhere(self, project_id: str, oms: str) -> bool:
        """Return whether a project was observed in another OMS than the one that is asked, or by another user.

        :param project_id: the project
        :param oms: the origin of the answers, empty if it isn't known
        """
        seen = self.observed.get(project_id, "")
        if not oms or not seen:
            return False
        users = {one.partition("#")[2] for one in (seen, oms)} - {""}  # rows of earlier versions name no user
        return address_of(seen) != address_of(oms) or len(users) > 1

    def copy(self) -> Memory:
        """Return a copy, for a poll that may have to be repeated."""
        copied = copy(self)
        copied.projects, copied.since = dict(self.projects), dict(self.since)
        copied.observed, copied.steps = dict(self.observed), dict(self.steps)
        copied.members = {project_id: own.copy() for project_id, own in self.members.items()}
        copied.reached = dict(self.reached)
        return copied

    def take(self, other: Memory) -> None:
        """Take over the content of another memory.

        :param other: a :meth:`copy` that a poll has changed
        """
        vars(self).update(vars(other))

    def as_dict(self) -> dict[str, Any]:
        """Return, as JSON, what is stored for the next poke."""
        named = {"projects": dict(self.projects), "observed": dict(self.observed)}
        if not self.members:
            return {**named, **self._of_member()}
        steps = len(self.members) <= _STEPS_OF
        members = {project_id: own._of_member(steps=steps) for project_id, own in self.members.items()}
        return {**named, **self._of_member(), "members": members}

    def _of_member(self, *, steps: bool = True) -> dict[str, Any]:
        return {
            "oms": self.oms,
            "since": dict(self.since),
            "steps": {project: list(names) for project, names in self.steps.items()} if steps else {},
            "unanswered": self.unanswered,
            "polled_at": self.polled_at,
            **({} if self.by_row is None else {"by_row": self.by_row}),
            **({"ready": True} if self.ready else {}),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Memory:
        """Read the result of :meth:`as_dict`. Unknown keys, which another version may have stored, are ignored.

        :raises ValueError: when the value of a key is invalid
        """
        polled_at, unanswered = stored.get("polled_at"), stored.get("unanswered", 0)
        since, steps = stored.get("since", {}), stored.get("steps", {})
        members, by_row = stored.get("members", {}), stored.get("by_row")
        if (
            not isinstance(since, Mapping)
            or not all(_is_number(at) for at in since.values())
            or not (polled_at is None or _is_number(polled_at))
            or not _is_number(unanswered)
            or not isinstance(steps, Mapping)
            or not all(isinstance(names, list) for names in steps.values())
            or not (by_row is None or _is_number(by_row))
            or not isinstance(members, Mapping)
            or not all(isinstance(own, Mapping) for own in members.values())
        ):
            raise ValueError(f"not what a gate remembers: {dict(stored)!r}")
        oms = stored.get("oms")
        return cls(
            projects_of(stored.get("projects")),
            dict(since),
            int(unanswered),
            polled_at,
            observed_of(stored.get("observed")),
            oms if isinstance(oms, str) else "",
            steps={project: [str(name) for name in names] for project, names in steps.items()},
            by_row=None if by_row is None else int(by_row),
            ready=stored.get("ready") is True,
            members={project: cls.from_dict(own) for project, own in members.items()},
        )


#: Seconds that Airflow takes at least to run a task again once its time has come.
_STARTS = 3.0


def longest_gap(poke_interval: float, *, shared: bool = False) -> float:
    """Return how many seconds between two polls count at most.

    :param poke_interval: seconds between two polls
    :param shared: whether the polls may read the clocks of several machines
    """
    return poke_interval + _STARTS if shared else 2 * poke_interval + 60.0


def address_of(origin: str) -> str:
    """Return the address of an OMS, without the digest of the user.

    :param origin: as :attr:`ClientSettings.origin` returns it
    """
    return origin.partition("#")[0]


def was_and_is(before: str, now: str) -> tuple[str, str]:
    """Return in words where a project was observed, and where the Airflow connection leads now.

    :param before: the origin of the answers about it
    :param now: the origin of the answers of this poll
    """
    there, here = address_of(before), address_of(now)
    return (there, here) if there != here else (f"{there} by another user", f"{here} as this user")


def projects_of(stored: Any) -> dict[str, str]:
    """Read resolved names, ignoring invalid ones.

    :param stored: ids by name
    """
    found = stored if isinstance(stored, Mapping) else {}
    return {name: known for name, known in found.items() if isinstance(name, str) and isinstance(known, str) and known}


def observed_of(stored: Any) -> dict[str, str]:
    """Read where projects were observed, ignoring invalid addresses.

    :param stored: addresses by project id
    """
    found = stored if isinstance(stored, Mapping) else {}
    return {known: oms for known, oms in found.items() if isinstance(known, str) and isinstance(oms, str)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
