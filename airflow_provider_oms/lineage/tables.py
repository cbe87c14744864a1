"""The tables that a project moves, and what a verification found in them. Nothing here asks OMS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from airflow_provider_oms.client.fields import Field, Model, value_or_none
from airflow_provider_oms.client.models import (
    MappedColumn,
    MappedDatabase,
    MappedObject,
    Project,
    TableVerification,
)
from airflow_provider_oms.lineage.naming import Dataset, Place, place_of
from airflow_provider_oms.milestones.verification import counted_rows, verdict_of

#: The mode of a mapping that lists its objects one by one: docs/develop/oms-actions.md#mapping
_SPECIFIC = "SPECIFIC"


class Move(NamedTuple):
    """One object that a project moves.

    :param source: the dataset in the source; None if its name isn't known
    :param target: the dataset in the target; None if its name isn't known
    :param columns: the names of each column in the source and in the target, if OMS lists them
    """

    source: Dataset | None
    target: Dataset | None
    columns: tuple[tuple[str, str], ...] = ()

    def turned(self) -> Move:
        """Return the same move in the reverse direction."""
        return Move(self.target, self.source, tuple((target, source) for source, target in self.columns))


class Verified(NamedTuple):
    """What a verification found in one table.

    :param source: the dataset in the source; None if its name isn't known
    :param target: the dataset in the target; None if its name isn't known
    :param consistent: whether the table is consistent; None if that isn't certain
    :param source_rows: how many rows of the source were compared; None if that isn't known
    :param target_rows: how many rows of the target were compared; None if that isn't known
    """

    source: Dataset | None
    target: Dataset | None
    consistent: bool | None
    source_rows: int | None
    target_rows: int | None


def moves_of(project: Project, databases: Mapping[str, str]) -> list[Move]:
    """Return the objects that a project moves; none if OMS doesn't list them one by one.

    :param project: the answer of ``DescribeProject``
    :param databases: as for :func:`~airflow_provider_oms.lineage.naming.place_of`
    """
    return [move for _, move in _moves(project, *_places(project, databases))]


def verified_of(project: Project, tables: Iterable[TableVerification], databases: Mapping[str, str]) -> list[Verified]:
    """Return what a verification found in the tables whose names are known.

    :param project: the answer of ``DescribeProject``
    :param tables: the tables of ``ListProjectFullVerifyResult``
    :param databases: as for :func:`~airflow_provider_oms.lineage.naming.place_of`
    """
    source, target = places = _places(project, databases)
    moves = dict(_moves(project, *places))
    # IN mode doesn't look for rows that only the target has: docs/develop/oms-facts.md#verification-in-mode
    counts_target = project.full_transfer_config.allow_dest_table_not_empty is not True
    found = []
    for table in tables:
        schema, name = _exact(table, TableVerification.source_schema), _exact(table, TableVerification.source_table)
        move = moves.get((schema, name), Move(None, None))
        to = _exact(table, TableVerification.target_schema), _exact(table, TableVerification.target_table)
        source_rows, target_rows = counted_rows(table)
        verified = Verified(
            move.source or _dataset(source, schema, name),
            _dataset(target, *to) or move.target,
            verdict_of(table),
            source_rows,
            target_rows if counts_target else None,
        )
        if verified.source or verified.target:
            found.append(verified)
    return found


def _places(project: Project, databases: Mapping[str, str]) -> tuple[Place | None, Place | None]:
    return (
        place_of(value_or_none(project, Project.source_endpoint_type), project.source_connect_info, databases),
        place_of(value_or_none(project, Project.sink_endpoint_type), project.sink_connect_info, databases),
    )


def _moves(
    project: Project, source: Place | None, target: Place | None
) -> Iterator[tuple[tuple[str | None, str | None], Move]]:
    """Yield each object that is moved, by its schema and name in the source."""
    mapping = project.transfer_mapping
    if mapping.mode != _SPECIFIC:
        return
    for database in mapping.databases:
        schema, to = _exact(database, MappedDatabase.name), _exact(database, MappedDatabase.mapped_name)
        for item in (*database.tables, *database.views):
            name, renamed = _exact(item, MappedObject.name), _exact(item, MappedObject.mapped_name)
            move = Move(_dataset(source, schema, name), _dataset(target, to, renamed), _columns(item.columns))
            yield (schema, name), move


def _columns(listed: Sequence[MappedColumn]) -> tuple[tuple[str, str], ...]:
    """Return the names of each column in the source and in the target; nothing if one isn't known."""
    columns = []
    for column in listed:
        if value_or_none(column, MappedColumn.is_hidden):
            continue
        name, renamed = _exact(column, MappedColumn.name), _exact(column, MappedColumn.mapped_name)
        if not name:
            return ()
        columns.append((name, renamed or name))
    return tuple(columns)


def _dataset(place: Place | None, schema: str | None, name: str | None) -> Dataset | None:
    return place.dataset(schema, name) if place else None


def _exact(model: Model, field: Field[str]) -> str | None:
    """Return a name as OMS sent it; None if it isn't safe to show, because making it safe would change it."""
    name = value_or_none(model, field)
    return name if name is not None and name in map(model.get, field.names) else None
