"""Every public name has a docstring that explains all of its arguments and no others, for the reference."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

PACKAGE = "airflow_provider_oms"
MODULES = (
    "assets",
    "hooks.oms",
    "sensors.oms",
    "operators.oms",
    "triggers.oms",
    "triggers.events",
    "links.oms",
    "exceptions",
    "client.actions",
    "client.errors",
    "client.models",
    "simulator",
    "simulator.pytest_plugin",
)

#: Arguments that Airflow and Python define; we don't explain them.
FOREIGN = {"self", "cls", "kwargs", "context", "event", "exc_info"}


def public(module: Any) -> dict[str, Any]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in names}
    return {
        name: value
        for name, value in found.items()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__.startswith(PACKAGE if hasattr(module, "__all__") else module.__name__)
    }


PUBLIC = [
    pytest.param(value, id=f"{module}.{name}")
    for module in MODULES
    for name, value in public(import_module(f"{PACKAGE}.{module}")).items()
]


def ours(kind: type) -> list[type]:
    """Iterate over a class and its base classes in this package."""
    return [base for base in inspect.getmro(kind) if base.__module__.startswith(PACKAGE)]


def documented(text: str | None) -> set[str]:
    return set(re.findall(r"^\s*:param (\w+):", text or "", re.MULTILINE)) - FOREIGN


def arguments(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters) - FOREIGN
    except ValueError:  # the attributes of every exception
        return set()


def methods(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(kind).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function


@pytest.mark.parametrize("thing", PUBLIC)
def test_it_says_what_it_is(thing):
    assert inspect.getdoc(thing), thing
    if inspect.isclass(thing):
        # A method with the meaning of the base class's method needs no docstring of its own.
        silent = [name for name, method in methods(thing) if not inspect.getdoc(getattr(thing, name))]
        assert not silent


@pytest.mark.parametrize("thing", PUBLIC)
def test_its_arguments_are_explained(thing):
    if not inspect.isclass(thing):
        assert documented(thing.__doc__) == arguments(thing)
        return
    told = set().union(*(documented(base.__doc__) for base in ours(thing)))
    taken = set().union(*(arguments(base.__init__) for base in ours(thing) if "__init__" in vars(base)))
    assert not taken - told, "arguments that aren't explained"
    assert not documented(thing.__doc__) - taken, "explained arguments that it doesn't take"
    if thing.__module__.startswith(f"{PACKAGE}.operators"):
        return  # their methods are called by Airflow, not by users
    for _, method in methods(thing):
        assert documented(method.__doc__) <= arguments(method), method
        assert arguments(method) <= documented(inspect.getdoc(getattr(thing, method.__name__))), method
