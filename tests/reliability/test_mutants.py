"""The mutants are single changes of what runs, and each is a module that can be imported."""

from __future__ import annotations

import ast
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from reliability.mutants import mutants
from reliability.mutations import SUITES, Outcome, key_of, read_kept, summary

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = sorted({path for pattern in SUITES for path in (ROOT / "airflow_provider_oms").glob(pattern)})

SOURCE = '''
"""A docstring: 1 < 2 and not True."""

def rule(a: int = 1, b: "1 < 2" = 2) -> bool:
    """Another: a and b."""
    self.kept = None
    if a < b and not a:
        return min(a, b) + 1
    log("no", f"{a < b}")
    return True
'''


def test_every_kind_of_change_is_made_once():
    assert [(mutant.line, mutant.change) for mutant in mutants(SOURCE)] == [
        (4, "1 becomes 2"),
        (4, "2 becomes 3"),
        (6, "the statement is left out"),
        (7, "the condition is turned round"),
        (7, "< becomes <="),
        (7, "and becomes or"),
        (7, "not is left out"),
        (8, "None is returned"),
        (8, "min becomes max"),
        (8, "+ becomes -"),
        (8, "1 becomes 2"),
        (9, "the statement is left out"),
        (10, "True becomes False"),
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_mutant_is_a_module_and_another_one(module):
    source = module.read_text(encoding="utf-8")
    statements = ast.parse(source).body
    dumps = [ast.dump(statement) for statement in statements]
    for mutant in mutants(source)[::5]:  # all of them take half a minute
        changed = ast.parse(mutant.apply(source)).body
        assert len(changed) == len(statements), mutant
        # A change is within one statement of the module; to compare the whole module takes ten times as long.
        place = next(n for n, one in enumerate(statements) if one.lineno <= mutant.line <= (one.end_lineno or 0))
        assert ast.dump(changed[place]) != dumps[place], mutant


def test_every_suite_has_modules_and_tests():
    for pattern, suite in SUITES.items():
        modules = {path.stem for path in (ROOT / "airflow_provider_oms").glob(pattern)}
        assert modules, pattern
        assert set(suite.about) <= modules
        for test in (*suite.room, *(test for tests in suite.about.values() for test in tests)):
            assert (ROOT / test).exists(), test


def test_the_tests_about_a_module_come_first_and_none_twice():
    about, room = SUITES["milestones/*.py"].stages("milestones/memory.py")
    assert about[0] == "tests/milestones/test_memory.py"
    assert "tests/triggers/test_restarts.py" in about
    assert not set(about) & set(room)


def test_what_is_kept_is_about_the_modules_as_they_are(tmp_path):
    """A mutant of an older text of its module is another one, and is tried again."""
    module = "milestones/steps.py"
    source = (ROOT / "airflow_provider_oms" / module).read_text(encoding="utf-8")
    first, second = mutants(source)[:2]
    kept = tmp_path / "kept"
    lines = [
        Outcome(module, one.line, one.code, one.change, caught=True, key=key)
        for one, key in ((first, key_of(source, first)), (second, key_of(source + "\n", second)))
    ]
    kept.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines), encoding="utf-8")
    assert [one.key for one in read_kept(kept)] == [key_of(source, first)]
    assert read_kept(tmp_path / "nothing") == []


def test_the_table_counts_what_was_caught_and_what_is_explained():
    found = [
        Outcome("a.py", 1, "x", "y", caught=True),
        Outcome("a.py", 2, "x", "y", caught=False, reason="equal"),
        Outcome("b.py", 3, "x", "y", caught=False),
    ]
    assert summary(found).splitlines()[2:] == [
        "| a.py | 2 | 1 | 1 | 0 |",
        "| b.py | 1 | 0 | 0 | 1 |",
        "| **all** | 3 | 1 | 1 | 1 |",
    ]
