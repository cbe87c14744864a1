"""Print the names that the package uses of an Airflow, with their signatures, so that two versions can be compared.

``new_airflow.py`` runs this inside an environment.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "airflow_provider_oms"


def used() -> set[tuple[str, str]]:
    """Return each name that the package imports from Airflow, with the module that it is in."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "airflow":
                found |= {(str(node.module), name.name) for name in node.names}
    return found


def described(value: Any) -> str:
    """Return the signature of a value, or its type."""
    try:
        said = str(inspect.signature(value)) if callable(value) else type(value).__name__
    except (TypeError, ValueError):
        said = type(value).__name__
    return re.sub(r" at 0x[0-9a-f]+", "", said)


def lines(module: str, name: str) -> Iterator[str]:
    """Return a line for a name and, for a class, one line for each public attribute.

    :param module: where the package imports it from
    :param name: the name
    """
    try:
        value = getattr(importlib.import_module(module), name)
    except Exception as error:
        yield f"{module}.{name}: {type(error).__name__}"
        return
    yield f"{module}.{name}: {described(value)}"
    if inspect.isclass(value):
        for attribute in dir(value):
            if not attribute.startswith("_"):
                yield f"{module}.{name}.{attribute}: {described(inspect.getattr_static(value, attribute))}"


def main() -> None:
    warnings.simplefilter("ignore")
    for module, name in sorted(used()):
        for line in lines(module, name):
            print(line)


if __name__ == "__main__":
    main()
