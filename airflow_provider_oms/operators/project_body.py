"""Checks the body of a project before it is sent, and finds what OMS would refuse.

The rules are those of OceanBase's page "CreateProject" (V4.2.2); VERIFY and COMPLEX are from the Enterprise reference
of V4.3. Unknown keys are sent unchanged, because a newer OMS may know them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airflow_provider_oms.milestones import arguments

#: Keys that only this package knows. They hold names, which are looked up and sent as ids.
SOURCE_NAME, SINK_NAME, LABEL_NAMES = "sourceEndpointName", "sinkEndpointName", "labelNames"

#: The keys of the body that hold lists of texts. A template may have rendered such a list to text.
LABELS = ("labelIds", LABEL_NAMES)

_FLAGS = (
    "enableStructTransfer",
    "enableFullTransfer",
    "enableFullVerify",
    "enableIncrTransfer",
    "enableIncrVerify",
    "enableReverseIncrTransfer",
)
_SECTIONS = ("commonTransferConfig", "structTransferConfig", "fullTransferConfig", "incrTransferConfig")
_ENDS = (("sourceEndpointId", SOURCE_NAME), ("sinkEndpointId", SINK_NAME))
_KNOWN = ("name", "type", "labelIds", LABEL_NAMES, "transferMapping", *_FLAGS, *_SECTIONS, *sum(_ENDS, ()))
_TYPES = ("MIGRATION", "SYNC", "VERIFY")
_MODES = ("SPECIFIC", "WILDCARD", "COMPLEX")
_MOST_LABELS = 5


def check(body: Any) -> None:
    """Raise an error for a body that OMS would refuse.

    :param body: the body of ``CreateProject``
    :raises ValueError: if a key is invalid; the message names every invalid key
    """
    if not isinstance(body, Mapping):
        raise ValueError(f"project must be a mapping, or a .json file with an object; it is {type(body).__name__}")
    if problems := list(_problems(body)):
        raise ValueError(f"project: {'; '.join(problems)}")


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _misspelt(body)
    if _problem(arguments.proper_name, "name", body) or len(body["name"].split()) != 1:
        yield f"name must be text without blanks; it is {body.get('name')!r}"
    if body.get("type") not in _TYPES:
        yield f"type must be {' or '.join(_TYPES)}; it is {body.get('type')!r}"
    for key, by_name in _ENDS:
        given = [one for one in (key, by_name) if body.get(one) is not None]
        if len(given) != 1:
            yield f"give {key} or {by_name}{', not both' if given else ''}"
        elif wrong := _problem(arguments.identifier if given[0] == key else arguments.proper_name, given[0], body):
            yield wrong
    yield from _labels(body)
    yield from _mapping(body.get("transferMapping"))
    for key in _FLAGS:
        if not isinstance(body.get(key), bool | None):
            yield f"{key} must be true or false; it is {body[key]!r}"
    for key in _SECTIONS:
        if not isinstance(body.get(key), Mapping | None):
            yield f"{key} must be an object; it is {body[key]!r}"
    yield from _incremental(body)


def _misspelt(body: Mapping[str, Any]) -> Iterator[str]:
    right = {name.lower(): name for name in _KNOWN}
    for key in body:
        meant = right.get(str(key).replace("_", "").lower())
        if meant is not None and meant != key:
            yield f"{key} must be written {meant}"


def _labels(body: Mapping[str, Any]) -> Iterator[str]:
    count = 0
    for key in LABELS:
        if body.get(key) is None:
            continue
        if wrong := _problem(arguments.texts, key, body):
            yield wrong
        else:
            count += len(arguments.texts(key, body[key]))
    if count > _MOST_LABELS:
        yield f"a project has at most {_MOST_LABELS} labels; these are {count}"


def _mapping(mapping: Any) -> Iterator[str]:
    if not isinstance(mapping, Mapping):
        yield f"transferMapping must be an object, for example a result of transfer_mapping(); it is {mapping!r}"
        return
    if mapping.get("mode") not in _MODES:
        yield f"transferMapping.mode must be {' or '.join(_MODES)}; it is {mapping.get('mode')!r}"
    databases = mapping.get("databases")
    if not isinstance(databases, list | tuple) or not databases:
        yield "transferMapping.databases must list at least one database"
        return
    for number, database in enumerate(databases):
        where = f"transferMapping.databases[{number}]"
        if not isinstance(database, Mapping) or not _is_text(database.get("name")):
            yield f"{where} must be an object with a name"
            continue
        for kind in ("tables", "views", "specificTables", "specificViews"):
            objects = database.get(kind)
            if objects is None:
                continue
            if not isinstance(objects, list | tuple) or not all(
                isinstance(one, Mapping) and _is_text(one.get("name")) for one in objects
            ):
                yield f"{where}.{kind} must be a list of objects with names"


def _incremental(body: Mapping[str, Any]) -> Iterator[str]:
    config = body.get("incrTransferConfig")
    if not isinstance(config, Mapping):
        return
    start = config.get("startTimestamp")
    if start is not None and (body.get("enableFullTransfer") or not body.get("enableIncrTransfer")):
        yield "incrTransferConfig.startTimestamp needs enableIncrTransfer true and enableFullTransfer false"
    numbers: tuple[tuple[str, Callable[[int], bool], str], ...] = (
        ("storeLogKeptHour", lambda value: 1 <= value <= 8760, "1 to 8760"),
        ("incrSyncConcurrency", lambda value: 1 <= value <= 1024, "1 to 1024"),
    )
    for key, fits, words in numbers:
        value = config.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not fits(value)):
            yield f"incrTransferConfig.{key} must be a whole number from {words}; it is {value!r}"
    kinds = config.get("recordTypeWhiteList")
    if kinds is not None and not isinstance(kinds, list | tuple):
        yield f"incrTransferConfig.recordTypeWhiteList must be a list; it is {kinds!r}"


def _problem(read: Callable[[str, Any], object], key: str, body: Mapping[str, Any]) -> str:
    """Return the error of the function that reads a value; empty if there is none."""
    try:
        read(key, body.get(key))
    except ValueError as error:
        return str(error)
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
