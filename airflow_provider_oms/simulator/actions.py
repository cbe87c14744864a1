"""The table of actions of ``POST /api/v2?Action=...``, and what their parameters have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_oms.simulator.envelope import CHECK_FAILED, INNER_ERROR, PARAM_ERROR, OmsRefusal, Page
from airflow_provider_oms.simulator.machine import NotAllowed
from airflow_provider_oms.simulator.store import Store

Handler = Callable[[Store, Mapping[str, Any]], Any]

ACTIONS: dict[str, Handler] = {}


def action(name: str) -> Callable[[Handler], Handler]:
    """Register a function as an action of OMS's API."""

    def register(handler: Handler) -> Handler:
        ACTIONS[name] = handler
        return handler

    return register


def run(store: Store, name: str, payload: Mapping[str, Any], unsupported: Iterable[str] = ()) -> Any:
    """Run an action and return its ``data``.

    :raises OmsRefusal: when OMS would say no.
    """
    # The actions register themselves when their modules are imported.
    from airflow_provider_oms.simulator import (  # noqa: F401
        actions_projects,
        actions_settings,
        actions_sources,
        actions_verification,
    )

    handler = ACTIONS.get(name)
    if handler is None or name in unsupported:
        raise OmsRefusal(INNER_ERROR, f"Unsupported action: {name}")
    with store.lock:
        try:
            return handler(store, payload)
        except NotAllowed as error:
            raise OmsRefusal(CHECK_FAILED, str(error)) from None


def text(payload: Mapping[str, Any], key: str) -> str:
    """Return a parameter that must be a text with something in it."""
    value = payload.get(key)
    if not isinstance(value, str) or not value.strip():
        raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be given.")
    return value


def values(payload: Mapping[str, Any], key: str) -> list[Any]:
    """Return a parameter that the documents describe as a text here and as an array there."""
    value = payload.get(key)
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def paged(payload: Mapping[str, Any], rows: Sequence[Any], default: int = 10, maximum: int = 150) -> Page:
    """Return the page of rows that the parameters pageNumber and pageSize ask for."""
    numbers = []
    for key, otherwise in (("pageNumber", 1), ("pageSize", default)):
        value = payload.get(key)
        value = otherwise if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be a positive integer, not {value!r}.")
        numbers.append(value)
    number, size = numbers
    if size > maximum:
        raise OmsRefusal(PARAM_ERROR, f"The parameter pageSize must not be above {maximum}, but is {size}.")
    return Page(list(rows[(number - 1) * size : number * size]), number, size, len(rows))
