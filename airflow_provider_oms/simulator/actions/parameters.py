"""Reads the parameters that several actions have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, Page


def text(payload: Mapping[str, Any], key: str) -> str:
    """Return a parameter that must be a non-empty text."""
    value = payload.get(key)
    if not isinstance(value, str) or not value.strip():
        raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be given.")
    return value


def values(payload: Mapping[str, Any], key: str) -> list[Any]:
    """Return a parameter that the documents describe as a text in one place and as an array in another."""
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
