"""The tests that execute a line are found, in a good order, and only changed ones are measured again."""

from __future__ import annotations

import pytest

from reliability.selection import Measured

TEXTS = {"steps.py": "...", "facts.py": "..."}
SECONDS = {"a.py::test[1]": 0.01, "a.py::test[2]": 0.001, "a.py::slow": 5.0, "b.py::test": 0.01}


@pytest.fixture
def root(tmp_path):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


@pytest.fixture
def measured(root):
    measured = Measured(root / "kept", root, TEXTS)
    measured.keep(SECONDS, {"steps.py": {3: [0, 1, 2, 3], 4: [2]}, "facts.py": {3: [0]}})
    return measured


def test_a_quick_one_of_each_function_comes_first(measured):
    assert list(measured.tests_of("steps.py", 3, 3)) == ["a.py::test[2]", "b.py::test", "a.py::test[1]", "a.py::slow"]
    assert measured.tests_of("steps.py", 4, 4) == {"a.py::slow": 5.0}
    assert list(measured.tests_of("steps.py", 1, 3)) == list(measured.tests_of("steps.py", 3, 4))
    assert measured.tests_of("facts.py", 1, 2) == {}
    assert list(measured.all_tests("facts.py")) == list(measured.tests_of("steps.py", 3, 3))


def test_only_tests_that_there_are_can_be_run(measured):
    measured.there = frozenset({"a.py::slow"})
    assert list(measured.tests_of("steps.py", 3, 3)) == ["a.py::slow"]


def test_what_has_noticed_mutants_of_the_module_comes_before_all_others(measured):
    measured.noticed("steps.py", "a.py::slow")
    measured.noticed("facts.py", "b.py::test")
    assert list(measured.tests_of("steps.py", 3, 3))[:2] == ["a.py::slow", "a.py::test[2]"]


def test_only_what_has_changed_is_measured_again(measured, root):
    tests = list(SECONDS)
    assert list(Measured(root / "kept", root, TEXTS).missing(tests)) == []
    assert list(Measured(root / "kept", root, TEXTS).missing([*tests, "b.py::new"])) == [["b.py::test", "b.py::new"]]
    (root / "b.py").write_text("changed", encoding="utf-8")
    assert list(Measured(root / "kept", root, TEXTS).missing(tests)) == [["b.py::test"]]


def test_of_a_module_that_has_changed_any_line_may_be_run(measured, root):
    again = Measured(root / "kept", root, TEXTS | {"steps.py": "changed"})
    assert list(again.missing(list(SECONDS))) == []
    assert list(again.tests_of("steps.py", 9, 9)) == list(measured.tests_of("steps.py", 1, 9))
    assert again.tests_of("facts.py", 9, 9) == {}


def test_what_is_kept_is_found_again(measured, root):
    again = Measured(root / "kept", root, TEXTS)
    assert again.tests_of("steps.py", 3, 3) == measured.tests_of("steps.py", 3, 3)
