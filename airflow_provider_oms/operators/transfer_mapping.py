"""Builds a ``transferMapping``, which says what a project moves, from plain lists instead of OMS's nested objects.

The result is a dictionary in OMS's own keys, for the body of a project (``CreateProject``, key ``transferMapping``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def table(
    name: str,
    *,
    rename: str | None = None,
    where: str | None = None,
    filter_columns: Iterable[str] | None = None,
    shard_columns: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Describe a table or view that is moved with options.

    :param name: its name in the source
    :param rename: its name in the target, if it differs
    :param where: the condition of a WHERE clause; only rows that meet it are moved
    :param filter_columns: OMS's ``filterColumns``
    :param shard_columns: OMS's ``shardColumns``
    :raises ValueError: if an argument is invalid; the message names it
    """
    described: dict[str, Any] = {"name": _word("name", name), "mappedName": _word("rename", rename or name)}
    if where is not None:
        condition = _word("where", where)
        if condition.split(None, 1)[0].upper() == "WHERE":
            raise ValueError(f"where must be the condition alone, without the word WHERE; it is {where!r}")
        described["whereClause"] = condition
    for key, columns in (("filterColumns", filter_columns), ("shardColumns", shard_columns)):
        if columns is not None:
            described[key] = [_word(key, column) for column in _list(key, columns)]
    return described


def transfer_mapping(
    tables: Mapping[str, Iterable[str | Mapping[str, Any]]],
    *,
    views: Mapping[str, Iterable[str | Mapping[str, Any]]] | None = None,
    rename_schemas: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Build a ``transferMapping`` that names the tables (mode SPECIFIC).

    For example ``transfer_mapping({"shop": ["orders", table("log", rename="log_old", where="id < 1000")]})``.

    :param tables: the tables by schema (database) of the source: names, or results of :func:`table`
    :param views: the views by schema, in the same way
    :param rename_schemas: the names of schemas in the target, if they differ
    :raises ValueError: if a part is invalid; the message names it
    """
    views, renamed = views or {}, rename_schemas or {}
    for name, given in (("tables", tables), ("views", views), ("rename_schemas", renamed)):
        if not isinstance(given, Mapping):
            raise ValueError(f"{name} must be a mapping by schema; it is {given!r}")
    schemas = list(dict.fromkeys([*tables, *views]))
    if not schemas:
        raise ValueError("tables must name at least one schema")
    if unknown := sorted(set(renamed) - set(schemas)):
        raise ValueError(f"rename_schemas names schemas from which nothing is moved: {', '.join(unknown)}")
    return {"mode": "SPECIFIC", "databases": [_database(schema, tables, views, renamed) for schema in schemas]}


def _database(
    schema: str,
    tables: Mapping[str, Iterable[str | Mapping[str, Any]]],
    views: Mapping[str, Iterable[str | Mapping[str, Any]]],
    renamed: Mapping[str, str],
) -> dict[str, Any]:
    database: dict[str, Any] = {
        "name": _word("a schema", schema),
        "mappedName": _word(f"rename_schemas[{schema!r}]", renamed.get(schema, schema)),
    }
    for key, given in (("tables", tables), ("views", views)):
        if schema in given:
            database[key] = _objects(f"{key}[{schema!r}]", given[schema])
    return database


def _objects(where: str, given: Iterable[str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    objects = [table(_word(where, item)) if isinstance(item, str) else dict(item) for item in _list(where, given)]
    names = [item.get("name") for item in objects]
    if not objects:
        raise ValueError(f"{where} must name at least one")
    if None in names:
        raise ValueError(f"{where} has an item without a name")
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"{where} names twice: {', '.join(twice)}")
    return objects


def _list(where: str, given: Any) -> list[Any]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ValueError(f"{where} must be a list; it is {given!r}")
    return list(given)


def _word(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where} must be text that isn't empty; it is {value!r}")
    return value
