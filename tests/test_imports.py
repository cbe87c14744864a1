"""No import circle, and no folder of the package imports one that builds on it. Module names are unambiguous."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "airflow_provider_oms"

#: The folders of the package, each with those that it may import; the same as in the table of docs/develop/index.md.
FOLDERS = {
    "client": set(),
    "milestones": {"client"},
    "hooks": {"client"},
    "links": set(),
    "lineage": {"client", "milestones", "hooks"},
    "tasks": {"client", "milestones", "hooks"},
    "triggers": {"client", "milestones", "hooks", "tasks"},
    "sensors": {"client", "milestones", "hooks", "tasks", "triggers", "links", "lineage"},
    "operators": {"client", "milestones", "hooks", "tasks", "triggers", "links", "lineage"},
    "cli": {"client", "milestones", "hooks", "tasks"},
    "pages": {"client", "milestones", "hooks", "triggers", "links"},
    "simulator": set(),
}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in sorted((ROOT / PACKAGE).rglob("*.py"))}


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Iterate over the statements that can run, also inside functions; skip code for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _statements(node)


def imported(path: Path) -> set[str]:
    """Return the modules of this package that a module imports, also inside functions."""
    found = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= submodules or {node.module}
    return found & MODULES.keys()


def test_there_is_no_import_circle():
    try:
        TopologicalSorter({name: imported(path) for name, path in MODULES.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' -> '.join(reversed(error.args[1]))}")


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_folder_imports_only_those_that_it_may_import(folder):
    for name, path in MODULES.items():
        if name.startswith(f"{PACKAGE}.{folder}"):
            used = {other.split(".")[1] for other in imported(path) if other.count(".") >= 1}
            assert used & FOLDERS.keys() <= FOLDERS[folder] | {folder}, name


def test_every_folder_is_in_the_table():
    folders = {path.name for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").exists()}
    assert folders == set(FOLDERS)


#: Names that users import, or that Python gives a meaning, may occur in several folders.
SHARED_NAMES = {"oms", "base", "__main__"}

#: Other file names that occur several times, and the one thing that they mean. The simulator shares no code with the
#: client, so it has modules of its own for the same parts of OMS's interface.
ONE_MEANING = {
    "clock": "what time it is",
    "data_sources": "creating OMS's data sources",
    "doctor": "the command doctor, and its output",
    "envelope": "the envelope of OMS's answers",
    "hosted": "the simulator's form of Alibaba Cloud, and the actions that only it has",
    "modifications": "the simulator's changes of a project's objects, and the actions for them",
    "projects": "what a user or a client can do with projects",
    "status": "the status of a project",
    "steps": "the steps of a project",
    "verification": "the result of full verification",
}


def test_no_two_modules_of_one_name_mean_different_things():
    names = [path.stem for path in MODULES.values() if path.name != "__init__.py"]
    assert {name for name in names if names.count(name) > 1} - SHARED_NAMES == set(ONE_MEANING)
