"""Changes the list of a project's tables and views, in OMS's own keys.

OMS's action takes the whole list, both for adding and for removing: docs/develop/oms-actions.md#object-records
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.changes import Table
from airflow_provider_oms.operators.transfer_mapping import transfer_mapping

Databases = list[dict[str, Any]]

_KINDS = ("tables", "views")


def databases_of(name: str, given: Any) -> Databases:
    """Read the tables to add.

    :param name: the argument's name
    :param given: ``["schema.table"]``, ``{"schema": ["table"]}``, in which a table may be a result of ``table()``, or
        a result of ``transfer_mapping()``
    :raises ValueError: if an argument is invalid; the message names it
    """
    if given is None or given in ([], {}, ()):
        return []
    if isinstance(given, Mapping) and "databases" in given:
        listed = given["databases"]
        if not isinstance(listed, list) or not all(isinstance(one, Mapping) and one.get("name") for one in listed):
            raise ValueError(f"{name} must hold databases with names; it is {given!r}")
        return [dict(one) for one in listed]
    tables: Mapping[str, Any] = given if isinstance(given, Mapping) else _by_schema(arguments.tables(name, given))
    return transfer_mapping(tables)["databases"]  # type: ignore[no-any-return]


def tables_of(databases: Sequence[Mapping[str, Any]]) -> frozenset[Table]:
    """Return schema and name of every table and view of a list.

    :param databases: the list
    """
    return frozenset(
        (str(database.get("name")), str(item.get("name")))
        for database in databases
        for kind in _KINDS
        for item in database.get(kind) or []
    )


def changed(
    present: Sequence[Mapping[str, Any]],
    add: Sequence[Mapping[str, Any]],
    new: Collection[Table],
    gone: Collection[Table],
) -> Databases:
    """Return the list with tables and views added and removed.

    :param present: the list that ``DescribeProject`` shows
    :param add: the tables and views to add, in OMS's own keys
    :param new: the names of those that aren't in the list yet
    :param gone: the names of the tables and views to remove
    """
    made: dict[str, dict[str, Any]] = {}
    for database in (_in_own_keys(one) for one in present):
        kept = {kind: _without(database, kind, gone) for kind in _KINDS if kind in database}
        made[str(database.get("name"))] = {**database, **kept}
    for database in add:
        name = str(database.get("name"))
        into = made.setdefault(name, {key: value for key, value in database.items() if key not in _KINDS})
        for kind in _KINDS:
            if more := [dict(item) for item in database.get(kind) or [] if (name, str(item.get("name"))) in new]:
                into[kind] = [*(into.get(kind) or []), *more]
    return [database for database in made.values() if any(database.get(kind) for kind in _KINDS)]


def _without(database: Mapping[str, Any], kind: str, gone: Collection[Table]) -> list[Any]:
    name = str(database.get("name"))
    return [item for item in database[kind] or [] if (name, str(item.get("name"))) not in gone]


def _by_schema(tables: Sequence[Table]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for schema, name in tables:
        found.setdefault(schema, []).append(name)
    return found


def _in_own_keys(value: Any) -> Any:
    """Write the keys as OMS does, beginning with a small letter, and leave out values that aren't set."""
    if isinstance(value, Mapping):
        given = {str(key): item for key, item in value.items() if item is not None}
        return {key[:1].lower() + key[1:]: _in_own_keys(item) for key, item in given.items()}
    return [_in_own_keys(item) for item in value] if isinstance(value, list) else value
