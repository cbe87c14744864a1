"""What the reference of the documentation site shows of the code beyond its docstrings: an extension of Griffe.

Sphinx's roles become links, names of constants that are defaults become their values, and a model gets a table of what
it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from griffe import Alias, Class, Docstring, ExprCall, ExprName, Extension, Function, Module, NameResolutionError, Object

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")


class Docstrings(Extension):
    """Rewrites a package once all of it is loaded."""

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """Rewrite all that the package holds."""
        for obj in _inside(pkg):
            if obj.docstring is not None:
                obj.docstring.value = _ROLE.sub(lambda role, obj=obj: _link(obj, role[1], role[2]), obj.docstring.value)
            if isinstance(obj, Function):
                _show_constants(obj, pkg)
            if isinstance(obj, Class) and any(str(base) == "Model" for base in obj.bases):
                _list_fields(obj)


def _inside(obj: Object) -> Iterator[Object]:
    yield obj
    for member in obj.members.values():
        if not isinstance(member, Alias):
            yield from _inside(member)


def _link(obj: Object, tilde: str, name: str) -> str:
    shown = name.rpartition(".")[2] if tilde else name
    try:
        target = obj.resolve(name)
    except NameResolutionError:
        target = name
    return f'<autoref identifier="{target}" optional>`{shown}`</autoref>'


def _show_constants(function: Function, pkg: Module) -> None:
    for parameter in function.parameters:
        default = parameter.default
        if isinstance(default, ExprName) and default.canonical_path.startswith(f"{pkg.path}."):
            value = pkg[default.canonical_path.removeprefix(f"{pkg.path}.")].value
            if isinstance(value, str):
                parameter.default = value


def _list_fields(model: Class) -> None:
    rows = ["", "", "| attribute | read as | OMS's keys |", "|---|---|---|"]
    for name, member in model.members.items():
        read = member.value if member.is_attribute else None
        if isinstance(read, ExprCall) and str(read.function) in ("Field", "NestedField"):
            kind, *keys = (str(argument).strip("'\"") for argument in read.arguments)
            rows.append(f"| `{name}` | {kind} | {', '.join(f'`{key}`' for key in keys)} |")
    if model.docstring is not None and len(rows) > 4:
        model.docstring = Docstring(model.docstring.value + "\n".join(rows), parent=model)
