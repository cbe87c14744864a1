"""Objects that are added to a running project or removed from it: the records of CreateProjectModifyRecords.

By OceanBase's documents, added objects are copied by a separate task while the project shows RUNNING_MODIFYING,
then merged into it (RUNNING_MERGING). A failed addition leaves the project in that status, a PENDING record leaves it
RUNNING.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ADD, REMOVE = "INCREASE_OBJECT", "DECREASE_OBJECT"

#: A project's status while a record is in a phase.
STATUS_OF_PHASE = {"modifying": "RUNNING_MODIFYING", "merging": "RUNNING_MERGING"}

Databases = list[dict[str, Any]]


@dataclass(frozen=True)
class Modification:
    """The course of an addition or a removal of objects.

    :param pending: seconds for which its record is PENDING, and the project's status still RUNNING.
    :param modifying: seconds in RUNNING_MODIFYING.
    :param merging: seconds in RUNNING_MERGING; a removal has none.
    :param fails: the phase at whose end it fails, ``modifying`` or ``merging``. The project stays in that phase.
    :param times: how often it fails; the RetryProjectModifyRecords after that succeeds.
    :param code: OMS's error code of the failure.
    :param message: OMS's message.
    :param proposal: what OMS advises.
    """

    pending: float = 0.0
    modifying: float = 4.0
    merging: float = 2.0
    fails: str | None = None
    times: int = 1
    code: str = "GHANA-MIGRAT000201"
    message: str = "Failed to migrate the added table."
    proposal: str | None = None

    def __post_init__(self) -> None:
        if self.fails not in (None, *STATUS_OF_PHASE):
            raise ValueError(f"a modification fails in modifying or merging, not in {self.fails!r}")


@dataclass
class ModifyRecord:
    """A record of ListProjectModifyRecords. ``number`` counts within the project, from 1.

    ``status`` is PENDING, RUNNING for any record in progress, SUCCESS, FAILED, CANCEL or TERMINATED.
    """

    number: int
    kind: str
    databases: Databases
    plan: Modification
    modified: float
    status: str = "PENDING"
    phase: str = "modifying"
    spent: float = 0.0
    failures: int = 0

    @property
    def shown_status(self) -> str:
        """Its status in ListProjectModifyRecords: RUNNING while the task of an addition copies."""
        if self.status != "RUNNING":
            return self.status
        return "MERGING" if self.phase == "merging" else "RUNNING" if self.kind == ADD else "MODIFYING"

    @property
    def error(self) -> Modification | None:
        """The plan with the reason why the record failed, or None."""
        return self.plan if self.status == "FAILED" else None

    @property
    def left(self) -> float:
        """Seconds until its next change."""
        lasts = self.plan.pending if self.status == "PENDING" else getattr(self.plan, self.phase)
        return max(0.0, float(lasts) - self.spent)


def tables_of(databases: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield schema and name of every table and view in ``transferMapping.databases``."""
    for database in databases:
        for kind in ("tables", "views"):
            for item in database.get(kind) or []:
                if isinstance(item, Mapping) and item.get("name"):
                    yield str(database.get("name") or ""), str(item["name"])


def difference(of: Iterable[Mapping[str, Any]], minus: Iterable[Mapping[str, Any]]) -> Databases:
    """Return the databases with those tables and views only that the other list doesn't have."""
    known = set(tables_of(minus))
    found = []
    for database in of:
        kept: dict[str, Any] = {
            kind: [
                item
                for item in database.get(kind) or []
                if isinstance(item, Mapping) and (str(database.get("name") or ""), str(item.get("name"))) not in known
            ]
            for kind in ("tables", "views")
        }
        if any(kept.values()):
            found.append({**database, **{kind: items for kind, items in kept.items() if items or kind in database}})
    return found


def union(databases: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]]) -> Databases:
    """Return the databases with the tables and views of both lists, each once."""
    merged = {str(database.get("name") or ""): dict(database) for database in databases}
    for database in difference(more, list(merged.values())):
        name = str(database.get("name") or "")
        into = merged.setdefault(name, {key: v for key, v in database.items() if key not in ("tables", "views")})
        for kind in ("tables", "views"):
            if database.get(kind):
                into[kind] = [*(into.get(kind) or []), *database[kind]]
    return list(merged.values())


@dataclass
class Modifications:
    """The records of a project, of which one is in progress at a time, and the project's current objects."""

    databases: Databases
    records: list[ModifyRecord] = field(default_factory=list)

    @property
    def current(self) -> ModifyRecord | None:
        """The record that is in progress or has failed; None when the project is just running."""
        return next((record for record in self.records if record.status in ("RUNNING", "FAILED")), None)

    @property
    def phase(self) -> str | None:
        """``modifying``, ``merging`` or None."""
        return None if self.current is None else self.current.phase

    def create(self, target: Databases, plan: Modification, now: float) -> list[ModifyRecord]:
        """Make the records that replace the project's objects by those of a list: additions, then removals."""
        made = []
        for kind, databases in (
            (ADD, difference(target, self.databases)),
            (REMOVE, difference(self.databases, target)),
        ):
            if databases:
                made.append(ModifyRecord(len(self.records) + 1, kind, databases, plan, now))
                self.records.append(made[-1])
        return made

    def due(self, now: float) -> list[tuple[float, Callable[[], None]]]:
        """Return when the next change happens, and the change."""
        record = self.current
        if record is None:
            record = next((record for record in self.records if record.status == "PENDING"), None)
        if record is None or record.status == "FAILED":
            return []
        at, happens = now + record.left, self._begin if record.status == "PENDING" else self._end_phase
        return [(at, lambda: happens(record, at))]

    def flow(self, seconds: float) -> None:
        """Let time pass in a running project."""
        for record in self.records:
            if record.status in ("PENDING", "RUNNING"):
                record.spent += seconds

    def set_status(self, record: ModifyRecord, status: str, now: float) -> None:
        """Set a record's status: ``RUNNING`` (also as a retry), ``CANCEL``, ``TERMINATED``."""
        record.status, record.spent, record.modified = status, 0.0, now

    def fail(self, record: ModifyRecord, now: float) -> None:
        """Let a record fail in its current phase."""
        record.failures += 1
        self.set_status(record, "FAILED", now)

    def finish(self, record: ModifyRecord, now: float) -> None:
        """End a record with success: its objects are added to the project or removed from it."""
        self.set_status(record, "SUCCESS", now)
        if record.kind == ADD:
            self.databases = union(self.databases, record.databases)
        else:
            self.databases = difference(self.databases, record.databases)

    def _begin(self, record: ModifyRecord, now: float) -> None:
        self.set_status(record, "RUNNING", now)

    def _end_phase(self, record: ModifyRecord, now: float) -> None:
        if record.plan.fails == record.phase and record.failures < record.plan.times:
            self.fail(record, now)
        elif record.phase == "modifying" and record.kind == ADD:
            record.phase = "merging"
            self.set_status(record, "RUNNING", now)
        else:
            self.finish(record, now)
