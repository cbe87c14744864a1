"""Distinguishes arguments that are known when a DAG is parsed from those that are only known when it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def is_literal(value: Any) -> bool:
    """Return whether a value is neither a template nor a reference to another task's result."""
    if isinstance(value, str):
        return "{{" not in value and "{%" not in value
    if isinstance(value, Mapping):
        return all(map(is_literal, value.values()))
    if isinstance(value, Iterable):
        return isinstance(value, list | tuple | set | frozenset) and all(map(is_literal, value))
    # XComArg and similar classes have a method resolve.
    return not hasattr(value, "resolve")
