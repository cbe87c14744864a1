"""The objects that a project moves, and those that are being added to it or removed from it.

OMS gives the objects that a project moves in its configuration (``DescribeProject``), and those that are being added or
removed in separate records (``ListProjectModifyRecords``): docs/develop/oms-actions.md#object-records
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

#: The statuses of a record that is finished, by how it ended. With any other status, documented or not, it isn't
#: finished.
#: Source: docs/develop/oms-actions.md#object-records
_SUCCEEDED, _FAILED, _DROPPED = ("SUCCESS",), ("FAILED",), ("CANCEL", "TERMINATED")

#: How a project names its objects one by one. Source: docs/develop/oms-actions.md#object-records
_ONE_BY_ONE = (None, "SPECIFIC")

#: The most tables to name in a message.
NAMED = 10


#: The documented statuses of a record that isn't finished. They decide nothing.
#: Source: docs/develop/oms-actions.md#object-records
_UNDER_WAY = ("PENDING", "MODIFYING", "RUNNING", "MERGING")


def is_documented_status(status: str) -> bool:
    """Return whether OceanBase documents a record's status. With an undocumented status, a record counts as unfinished.

    Source: docs/develop/oms-actions.md#object-records

    :param status: the status
    """
    return status in (*_UNDER_WAY, *_SUCCEEDED, *_FAILED, *_DROPPED)


class Change(NamedTuple):
    """A record of added or removed objects.

    :param record: the record
    :param tables: its tables and views; None if OMS doesn't list them
    """

    record: ModifyRecord
    tables: frozenset[Table] | None

    @property
    def failed(self) -> bool:
        """Whether it has failed. A failed change holds up the project until somebody repeats or stops it."""
        return self.record.status in _FAILED

    @property
    def dropped(self) -> bool:
        """Whether somebody cancelled or stopped it."""
        return self.record.status in _DROPPED

    @property
    def pending(self) -> bool:
        """Whether it isn't finished. A failed change isn't finished, because it can be repeated."""
        return self.record.status not in (*_SUCCEEDED, *_DROPPED)

    def may_concern(self, tables: Collection[Table]) -> bool:
        """Decide whether it may be about one of these tables: True also if OMS doesn't list its tables."""
        return self.tables is None or not self.tables.isdisjoint(tables)

    def describe(self) -> str:
        """Describe the change, and why it failed, for people."""
        record = self.record
        kind = {ADDITION: "addition", REMOVAL: "removal"}.get(record.type or "", "change")
        of = f" of {named(self.tables)}" if self.tables else ""
        said = f"{kind}{of} (record {safe_text(record.id, 40)}) is {safe_text(record.status, 60)}"
        reason = record.error.summary.rstrip(".") or "OMS gives no error for it"
        return f"{said}: {reason}" if self.failed else said


def named(tables: Iterable[Table]) -> str:
    """List the names of tables for people: the first :data:`NAMED`, and how many more there are.

    :param tables: the tables
    """
    texts = sorted(f"{schema}.{name}" for schema, name in tables)
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return safe_text(", ".join(texts[:NAMED])) + more


def tables_in(project: Project, *, views: bool = True) -> frozenset[Table] | None:
    """Return the tables and views that a project moves; None if OMS doesn't list them one by one.

    :param project: the answer of ``DescribeProject``; a row of ``ListProjects`` may lack the list
    :param views: whether to include views
    """
    mapping = project.transfer_mapping
    if mapping.mode not in _ONE_BY_ONE or mapping.get("databases") is None:
        return None
    return _tables_of(mapping.databases, views=views)


def changes_in(project_id: str) -> Flow[list[Change]]:
    """Ask for a project's records of added and removed objects; return none if this OMS doesn't have the action.

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


def are_still(project_id: str, changes: Iterable[Change]) -> Flow[bool]:
    """Ask for a project's records again, and return whether they are the same.

    The configuration may list a table as soon as its addition is ordered. So if it was read after the records, the
    record that says so may be missing from them.

    :param project_id: the project
    :param changes: what :func:`changes_in` returned
    """
    try:
        records = (yield actions.list_project_modify_records(project_id)).data
    except OmsUnsupportedActionError:
        records = []
    before, after = ({(one.id, one.status) for one in group} for group in ([one.record for one in changes], records))
    return before == after


def pending_changes(project_id: str) -> Flow[str]:
    """Ask for a project's unfinished changes, and describe them. This only explains, so an error is ignored.

    :param project_id: the project
    """
    try:
        records = (yield actions.list_project_modify_records(project_id)).data
        changes = [change for record in records if (change := Change(record, _told_by(record) or None)).pending]
        return f"Unfinished changes: {'; '.join(change.describe() for change in changes[:NAMED])}." if changes else ""
    except OmsError:
        return ""


def _told_by(record: ModifyRecord) -> frozenset[Table]:
    """Return the objects that the record itself lists."""
    moved = record.migration_objects
    listed = {(one.schema or "", one.name or "") for one in (*moved.tables, *moved.views)}
    return _tables_of(record.databases) | {table for table in listed if table[1]}


def _moved_by(project_id: str) -> Flow[frozenset[Table] | None]:
    """Ask what the project that carries out an addition moves; None if OMS doesn't show it."""
    try:
        return tables_in((yield actions.describe_project(project_id)).data)
    except OmsError as error:
        if error.temporary:
            raise
        return None  # the project was merged and no longer exists, or this user may not see it


def _tables_of(databases: Iterable[MappedDatabase], *, views: bool = True) -> frozenset[Table]:
    return frozenset(
        (database.name or "", one.name)
        for database in databases
        for one in (*database.tables, *(database.views if views else ()))
        if one.name
    )
