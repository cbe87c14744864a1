"""An extension of Griffe: what the reference of the documentation site shows in addition to the docstrings.

Sphinx's roles become links, and a default that is a constant is shown with its value. Arguments of a base class are
added to the signature if the docstring explains them, and a model gets a table of the values that it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from griffe import (
    Alias,
    Attribute,
    Class,
    Docstring,
    ExprAttribute,
    ExprCall,
    ExprName,
    Extension,
    Function,
    Module,
    NameResolutionError,
    Object,
    Parameters,
)

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")
_PARAMETER = re.compile(r":param (\w+):")


class Docstrings(Extension):
    """Rewrites a package once all of it is loaded."""

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """Rewrite all objects of the package."""
        for obj in _inside(pkg):
            if obj.docstring is not None:
                obj.docstring.value = _ROLE.sub(lambda role, obj=obj: _link(obj, role[1], role[2]), obj.docstring.value)
            if isinstance(obj, Function):
                _show_constants(obj, pkg)
            if isinstance(obj, Class):
                _add_inherited(obj)
                if any(str(base) == "Model" for base in obj.bases):
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
        if isinstance(default, ExprName | ExprAttribute) and default.canonical_path.startswith(f"{pkg.path}."):
            constant = pkg[default.canonical_path.removeprefix(f"{pkg.path}.")]
            if isinstance(constant, Attribute) and constant.value is not None:
                parameter.default = str(constant.value)


def _add_inherited(kind: Class) -> None:
    explained = _PARAMETER.findall(kind.docstring.value) if kind.docstring is not None else []
    inits = [base.members["__init__"] for base in [kind, *kind.mro()] if "__init__" in base.members]
    known = {one.name: one for init in reversed(inits) if isinstance(init, Function) for one in init.parameters}
    if not {"self", "kwargs"} <= known.keys() or not set(explained) <= known.keys():
        return
    own = kind.members.get("__init__")
    taken = [*own.parameters] if isinstance(own, Function) else [known["self"], known["kwargs"]]
    names = [one.name for one in taken]
    added = [known[name] for name in explained if name not in names]
    if added:
        taken[-1:] = [*added, taken[-1]]
        kind.set_member("__init__", Function("__init__", parameters=Parameters(*taken)))


def _list_fields(model: Class) -> None:
    rows = ["", "", "| attribute | read as | OMS's keys |", "|---|---|---|"]
    for name, member in model.members.items():
        read = member.value if member.is_attribute else None
        if isinstance(read, ExprCall) and str(read.function) in ("Field", "NestedField"):
            kind, *keys = (str(argument).strip("'\"") for argument in read.arguments)
            rows.append(f"| `{name}` | {kind} | {', '.join(f'`{key}`' for key in keys)} |")
    if model.docstring is not None and len(rows) > 4:
        model.docstring = Docstring(model.docstring.value + "\n".join(rows), parent=model)
