"""A report of ``airflow-oms doctor`` as answers: what a real OMS said, with its times moved to the simulator's.

A request that doctor sent more than once has several answers. Each is given from the time at which doctor sent its
request, counted from the moment at which the report was loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.simulator.envelope import encode
from airflow_provider_oms.simulator.wire import Answer

if TYPE_CHECKING:
    from airflow_provider_oms.simulator.simulator import Simulator

#: The form of reports that can be read, and the moment at which every report begins (Unix seconds).
FORM, BEGAN = 1, 1_700_000_000

#: The keys of a request that decide which answers belong to it. Among those, the same ``pageSize`` is preferred.
_TELLING = ("id", "projectId", "type", "searchKey")

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(.*)")


def load(sim: Simulator, report: str | Path | Mapping[str, Any]) -> None:
    """Answer as a report says. A request that isn't in the report gets its ordinary answer.

    :param sim: the simulator
    :param report: the report, or its file
    :raises ValueError: when it isn't a report that can be read
    """
    try:
        given = report if isinstance(report, Mapping) else json.loads(Path(report).read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{report} isn't a report of doctor: {error}") from None
    if not isinstance(given, Mapping) or given.get("form") != FORM or not isinstance(given.get("answers"), list):
        raise ValueError(f"this isn't a report of doctor in the form {FORM}")
    began = sim.clock.now()
    by_action: dict[str, list[Mapping[str, Any]]] = {}
    for answer in given["answers"]:
        if answer.get("body") is not None and answer.get("action", "")[:1].isupper():
            by_action.setdefault(answer["action"], []).append(answer)
        elif answer.get("asked") == "health":
            sim.healthy = _healthy(answer.get("body"))
    for action, answers in by_action.items():
        sim.set_answer(action, _answering(answers, began, sim.clock.now))


def _healthy(body: Any) -> bool:
    data = body.get("data") if isinstance(body, Mapping) else None
    return bool(data.get("healthy")) if isinstance(data, Mapping) else False


def _answering(
    answers: list[Mapping[str, Any]], began: float, now: Callable[[], float]
) -> Callable[[Mapping[str, Any]], Answer | None]:
    def answer(payload: Mapping[str, Any]) -> Answer | None:
        meant = [one for one in answers if _told(one["payload"]) == _told(payload)]
        sized = [one for one in meant if one["payload"].get("pageSize") == payload.get("pageSize")] or meant
        if not sized:
            return None
        come = [one for one in sized if one["sent_at"] - BEGAN <= now() - began] or sized[:1]
        return Answer(encode(moved(come[-1]["body"], began - BEGAN)), come[-1]["status"] or 200)

    return answer


def _told(payload: Any) -> list[Any]:
    given = {str(key).lower(): value for key, value in payload.items()} if isinstance(payload, Mapping) else {}
    return [given.get(key.lower()) for key in _TELLING]


def moved(value: Any, by: float, key: str = "") -> Any:
    """Move the times in JSON.

    :param value: the JSON
    :param by: seconds
    :param key: the key that it stands under
    """
    if isinstance(value, Mapping):
        return {name: moved(item, by, str(name).lower()) for name, item in value.items()}
    if isinstance(value, list):
        return [moved(item, by, key) for item in value]
    if not any(part in key for part in ("time", "checkpoint", "gmt")) or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _moved_number(value, by)
    if isinstance(value, str) and value.isdecimal():
        return str(_moved_number(int(value), by))
    if isinstance(value, str) and (found := _MOMENT.fullmatch(value)):
        at = datetime.fromisoformat(f"{found[1]}T{found[3]}").replace(tzinfo=UTC).timestamp() + by
        return datetime.fromtimestamp(at, UTC).strftime(f"%Y-%m-%d{found[2]}%H:%M:%S") + found[4]
    return value


def _moved_number(value: float, by: float) -> float:
    for scale in (1, 1000):
        if 1_000_000_000 <= value / scale <= 4_000_000_000:
            return value + int(by) * scale
    return value
