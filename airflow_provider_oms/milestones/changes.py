"""What is being added to a project or removed from it, and what it moves.

What a project moves stands in its configuration (``DescribeProject``), what is being added or removed in records of
their own (``ListProjectModifyRecords``): docs/develop/oms-actions.md#object-records
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsUnsupportedActionError, safe_text
from airflow_provider_oms.client.models import MappedDatabase, ModifyRecord, Project
from airflow_provider_oms.client.operations import Flow

#: A table or view: its schema, and its name.
Table = tuple[str, str]

#: What a record does. Source: docs/develop/oms-actions.md#object-records
ADDITION, REMOVAL = "INCREASE_OBJECT", "DECREASE_OBJECT"

#: A record that is through, and how. Any other word is one that isn't, also one that isn't documented.
#: Source: docs/develop/oms-actions.md#object-records
_SUCCEEDED, _FAILED, _DROPPED = ("SUCCESS",), ("FAILED",), ("CANCEL", "TERMINATED")

#: How a project names its objects one by one. Source: docs/develop/oms-actions.md#object-records
_ONE_BY_ONE = (None, "SPECIFIC")

#: So many tables are named in a message.
NAMED = 10


#: A record that isn't through, in documented words. Nothing is decided by them.
#: Source: docs/develop/oms-actions.md#object-records
_UNDER_WAY = ("PENDING", "MODIFYING", "RUNNING", "MERGING")


def is_documented_status(status: str) -> bool:
    """Tell whether a document names a record's status; what isn't named counts as not through.

    Source: docs/develop/oms-actions.md#object-records

    :param status: the status
    """
    return status in (*_UNDER_WAY, *_SUCCEEDED, *_FAILED, *_DROPPED)


class Change(NamedTuple):
    """A record of added or removed objects.

    :param record: the record
    :param tables: its tables and views; None where OMS doesn't tell
    """

    record: ModifyRecord
    tables: frozenset[Table] | None

    @property
    def failed(self) -> bool:
        """Whether it has failed. It holds the project up until somebody repeats or stops it."""
        return self.record.status in _FAILED

    @property
    def dropped(self) -> bool:
        """Whether somebody cancelled or stopped it."""
        return self.record.status in _DROPPED

    @property
    def pending(self) -> bool:
        """Whether it isn't through; one that has failed isn't, either."""
        return self.record.status not in (*_SUCCEEDED, *_DROPPED)

    def may_concern(self, tables: Collection[Table]) -> bool:
        """Decide whether it is about one of these tables, as far as OMS tells."""
        return self.tables is None or not self.tables.isdisjoint(tables)

    def describe(self) -> str:
        """Say which it is, and why it failed, for people."""
        record = self.record
        kind = {ADDITION: "addition", REMOVAL: "removal"}.get(record.type or "", "change")
        of = f" of {named(self.tables)}" if self.tables else ""
        said = f"{kind}{of} (record {safe_text(record.id, 40)}) is {safe_text(record.status, 60)}"
        return f"{said}: {record.error.summary or 'OMS gives no error for it'}" if self.failed else said


def named(tables: Iterable[Table]) -> str:
    """List tables for people, not more than a few of them.

    :param tables: the tables
    """
    texts = sorted(f"{schema}.{name}" for schema, name in tables)
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return safe_text(", ".join(texts[:NAMED])) + more


def tables_in(project: Project) -> frozenset[Table] | None:
    """Return what a project moves; None where it doesn't name its objects one by one, or OMS doesn't tell them.

    :param project: what ``DescribeProject`` says; a row of ``ListProjects`` may not have it
    """
    mapping = project.transfer_mapping
    if mapping.mode not in _ONE_BY_ONE or mapping.get("databases") is None:
        return None
    return _tables_of(mapping.databases)


def changes_in(project_id: str) -> Flow[list[Change]]:
    """Ask for a project's records of added and removed objects; none where this OMS has no such action.

    :param project_id: the project
    """
    try:
        records = (yield actions.list_project_modify_records(project_id)).data
    except OmsUnsupportedActionError:
        return []
    changes = []
    for record in records:
        tables: frozenset[Table] | None = _told_by(record)
        if not tables and record.sub_project_id and record.type == ADDITION and Change(record, None).pending:
            tables = yield from _moved_by(record.sub_project_id)
        changes.append(Change(record, tables or None))
    return changes


def pending_changes(project_id: str) -> Flow[str]:
    """Ask what is being added to a project or removed from it, in words. It only explains, so no error comes of it.

    :param project_id: the project
    """
    try:
        records = (yield actions.list_project_modify_records(project_id)).data
        changes = [change for record in records if (change := Change(record, _told_by(record) or None)).pending]
        return f"Not through: {'; '.join(change.describe() for change in changes[:NAMED])}." if changes else ""
    except OmsError:
        return ""


def _told_by(record: ModifyRecord) -> frozenset[Table]:
    """Return the objects that a record lists itself."""
    moved = record.migration_objects
    listed = {(one.schema or "", one.name or "") for one in (*moved.tables, *moved.views)}
    return _tables_of(record.databases) | {table for table in listed if table[1]}


def _moved_by(project_id: str) -> Flow[frozenset[Table] | None]:
    """Ask what the task of an addition moves; None where OMS doesn't tell."""
    try:
        return tables_in((yield actions.describe_project(project_id)).data)
    except OmsError as error:
        if error.temporary:
            raise
        return None  # it is merged and gone, or this user may not see it


def _tables_of(databases: Iterable[MappedDatabase]) -> frozenset[Table]:
    return frozenset(
        (database.name or "", one.name)
        for database in databases
        for one in (*database.tables, *database.views)
        if one.name
    )
