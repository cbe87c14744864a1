"""Each mutant is a single change of executed code, and a module that can be imported."""

from __future__ import annotations

import ast
import json
from dataclasses import asdict

import pytest

from reliability.mutants import mutants
from reliability.mutations import (
    AREAS,
    PACKAGE,
    Outcome,
    chosen,
    explanations,
    functions_around,
    keyed,
    read_kept,
    sources,
    summary,
)

MODULES = sorted({path for area in AREAS for path in PACKAGE.glob(area)})

SOURCE = '''
"""A docstring: 1 < 2 and not True."""
if TYPE_CHECKING: import this
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
        # A change is within one statement of the module; comparing the whole module takes ten times as long.
        place = next(n for n, one in enumerate(statements) if one.lineno <= mutant.line <= (one.end_lineno or 0))
        assert ast.dump(changed[place]) != dumps[place], mutant


def test_the_more_mutants_are_chosen_the_more_of_the_same():
    of_all = [[key for key, _, _ in chosen("client/*.py", most, seed=1)] for most in (5, 10)]
    assert of_all[1][:5] == of_all[0]
    assert len(set(of_all[1])) == 10
    assert of_all[0] != [key for key, _, _ in chosen("client/*.py", 5, seed=2)]


def test_every_area_has_mutants_that_are_distinguished():
    for area in AREAS:
        for module, source in sources(area).items():
            assert len(keyed(module, source)) == len(mutants(source)), module


def test_a_mutant_of_a_function_is_the_same_whatever_changes_elsewhere():
    later = SOURCE.replace("def rule", "ANOTHER = 1\n\n\ndef rule")
    keys = keyed("m.py", SOURCE).keys()
    assert keys < keyed("m.py", later).keys()
    assert not keys & keyed("m.py", SOURCE.replace("return True", "return 1")).keys()


def test_a_line_that_no_test_runs_is_held_by_the_tests_of_its_function():
    assert list(functions_around(SOURCE, 8)) == [(4, 10)]
    assert list(functions_around(SOURCE, 4)) == []


def test_what_is_kept_is_how_it_ended_last_for_the_mutants_that_there_are(tmp_path):
    area = module = "client/paging.py"
    there = list(keyed(module, sources(area)[module]).items())[:2]
    kept = tmp_path / "kept"
    lines = [
        Outcome(area, module, mutant.line, mutant.code, mutant.change, noticed_by, key)
        for noticed_by, (key, mutant) in (
            ("", there[0]),
            ("a test", there[0]),
            ("", there[1]),
            ("", ("no", there[1][1])),
        )
    ]
    kept.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines), encoding="utf-8")
    assert [(one.key, one.noticed_by) for one in read_kept(kept)] == [(there[0][0], "a test"), (there[1][0], "")]
    assert read_kept(tmp_path / "nothing") == []


def test_each_explained_survivor_is_a_mutant_that_there_is():
    there = {
        (module, mutant.code, mutant.change)
        for area in AREAS
        for module, source in sources(area).items()
        for mutant in mutants(source)
    }
    assert set(explanations()) <= there


def test_the_table_counts_what_was_noticed_and_what_is_explained():
    found = [
        Outcome("a.py", "a.py", 1, "x", "y", "a test", "1"),
        Outcome("a.py", "a.py", 2, "x", "y", "", "2", reason="equal"),
        Outcome("b.py", "b.py", 3, "x", "y", "", "3"),
    ]
    assert summary(found, {"a.py": 1000, "b.py": 1, "c.py": 1}).splitlines()[2:] == [
        "| `a.py` | 1,000 | 2 | 1 | 1 | 0 | 50.0% |",
        "| `b.py` | 1 | 1 | 0 | 0 | 1 | 0.0% |",
        "| `c.py` | 1 | 0 | 0 | 0 | 0 |  |",
        "| all | 1,002 | 3 | 1 | 1 | 1 | 33.3% |",
    ]
