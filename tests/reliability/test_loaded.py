"""A change of a function takes effect in the loaded module; a change that needs an import is left to an import."""

from __future__ import annotations

import importlib.util

import pytest

from reliability.loaded import exchange, loaded_functions

SOURCE = """
MOST = 3
TABLE = {"twice": lambda number: number * 2}

def kept(function):
    def around(number):
        return function(number)
    return around

@kept
def least(number, most=4):
    return min(number, most)

class Rule:
    strict = True

    def holds(self, number):
        return any(one < number for one in (1, 2))
"""


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "rules.py"
    path.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("rules", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("old", "new", "call", "before", "after"),
    [
        ("min(number", "max(number", lambda rules: rules.least(9), 4, 9),
        ("one < number", "number <\n one", lambda rules: rules.Rule().holds(9), True, False),
        ("number * 2", "number / 2", lambda rules: rules.TABLE["twice"](4), 8, 2),
    ],
    ids=["decorated", "method", "lambda"],
)
def test_the_code_of_a_function_is_exchanged(loaded, tmp_path, old, new, call, before, after):
    assert call(loaded) == before
    functions = loaded_functions(str(tmp_path))
    assert exchange(loaded.__file__, SOURCE, SOURCE.replace(old, new), functions)
    assert call(loaded) == after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MOST = 3", "MOST = 4"),
        ("most=4", "most=5"),
        ("strict = True", "strict = False"),
        ("strict = True", "pass"),
        ("return function(number)", "return function(0)"),
    ],
)
def test_what_only_an_import_can_show_is_not_exchanged(loaded, tmp_path, old, new):
    assert not exchange(loaded.__file__, SOURCE, SOURCE.replace(old, new), loaded_functions(str(tmp_path)))
    assert loaded.least(9) == 4


def test_a_function_that_is_not_there_any_more_is_not_exchanged(loaded):
    assert not exchange(loaded.__file__, SOURCE, SOURCE.replace("min(", "max("), {})
    assert not exchange(loaded.__file__, SOURCE, SOURCE, {})
