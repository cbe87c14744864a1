"""Answers that are valid JSON with wrong content: inconsistent pages, missing rows, changed values.

Pure: takes an ordinary answer and a fault, returns the altered answer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.faults import Fault

Envelope = dict[str, Any]

#: Returns the ordinary answer to the same request with other parameters.
Ask = Callable[[Mapping[str, Any]], Envelope]


def _rows(answer: Envelope) -> list[Any]:
    data = answer.get("data")
    if isinstance(data, dict):
        data = data.get("fullVerifyTableStatistics")
    return list(data) if isinstance(data, list) else []


def _with_rows(answer: Envelope, rows: list[Any] | None) -> Envelope:
    if isinstance(answer.get("data"), dict):
        return {**answer, "data": {**answer["data"], "fullVerifyTableStatistics": rows}}
    return {**answer, "data": rows}


def _short(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    return _with_rows(answer, _rows(answer)[: -fault.rows or None])


def _null(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    return {**answer, "data": None}


def _empty(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    return _with_rows(answer, [])


def _repeated(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    return _with_rows(answer, _rows(ask({**payload, "pageNumber": 1})))


def _moved(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    number, rows = answer.get("pageNumber") or 1, _rows(answer)
    if number <= 1 or not rows:
        return answer
    return _with_rows(answer, [*_rows(ask({**payload, "pageNumber": number - 1}))[-1:], *rows[:-1]])


def _last_repeated(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    total, size = answer.get("totalCount") or 0, answer.get("pageSize") or 1
    if _rows(answer) or not total:
        return answer
    return _with_rows(answer, _rows(ask({**payload, "pageNumber": -(-total // size)})))


def _total(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    return {**answer, "totalCount": fault.total}


def _without_step(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    def kept(rows: list[Any]) -> list[Any]:
        return [row for row in rows if steps.canonical_or_none(row.get("name")) != fault.step]

    rows = _rows(answer)
    if rows and all(isinstance(row.get("steps"), list) for row in rows):
        return _with_rows(answer, [{**row, "steps": kept(row["steps"])} for row in rows])
    return _with_rows(answer, kept(rows))


def _other_project(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    return ask({**payload, **{key: fault.other for key in ("id", "projectId") if key in payload}})


def _changed(answer: Envelope, fault: Fault, payload: Mapping[str, Any], ask: Ask) -> Envelope:
    changed = copy.deepcopy(answer)
    for path, value in [*fault.set.items(), *((path, _REMOVED) for path in fault.remove)]:
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = changed
        for part in way:
            place = place[part]
        if value is _REMOVED:
            del place[last]
        else:
            place[last] = value
    return changed


_REMOVED = object()

_ALTERED: dict[str, Callable[[Envelope, Fault, Mapping[str, Any], Ask], Envelope]] = {
    "page_short": _short,
    "page_null": _null,
    "page_empty": _empty,
    "page_repeated": _repeated,
    "page_moved": _moved,
    "page_total": _total,
    "page_last_repeated": _last_repeated,
    "without_step": _without_step,
    "other_project": _other_project,
    "change": _changed,
}


def altered(answer: Envelope, fault: Fault | None, payload: Any, ask: Ask) -> Envelope:
    """Return an ordinary answer as a fault alters it, or unchanged.

    :param answer: the whole answer, envelope and data.
    :param fault: the fault that affects the request, if there is one.
    :param payload: the request's parameters.
    :param ask: returns the ordinary answer to other parameters.
    """
    alter = _ALTERED.get(fault.kind) if fault is not None else None
    if alter is None or fault is None or not isinstance(payload, Mapping) or not answer["success"]:
        return answer
    return alter(answer, fault, payload, ask)
