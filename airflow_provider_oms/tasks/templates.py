"""Telling arguments that are known when a DAG is parsed from those that are only known when it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def is_literal(value: Any) -> bool:
    """Tell whether a value is what it is: no template and no reference to another task's result."""
    if isinstance(value, str):
        return "{{" not in value and "{%" not in value
    if isinstance(value, Mapping):
        return all(map(is_literal, value.values()))
    if isinstance(value, Iterable):
        return isinstance(value, list | tuple | set | frozenset) and all(map(is_literal, value))
    # An XComArg and its kin know how to resolve themselves.
    return not hasattr(value, "resolve")
