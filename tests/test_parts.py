"""Each part of the tests names existing tests, and CONTRIBUTING.md and the scripts name existing parts."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT
from tests.hosting.files import PROJECT
from tests.parts import LONG, MARKERS, deal, markers, may_hold, place
from versions import AIRFLOWS

PATHS = sorted({path for paths in MARKERS.values() for path in paths})


@pytest.mark.parametrize("path", LONG)
def test_what_takes_long_is_there(path):
    file, _, group = path.partition("::")
    assert (ROOT / file).exists()
    assert not group or f"class {group}:" in (ROOT / file).read_text()
    assert place(f"{path}::test_x") < place("tests/milestones/test_poll.py::test_case")


@pytest.mark.parametrize("path", PATHS)
def test_what_a_part_names_is_there(path):
    file, *within = path.partition("[")[0].split("::")
    assert (ROOT / file).exists()
    text = (ROOT / file).read_text() if within else ""
    assert all(re.search(rf"\b(def|class) {name}\b", text) for name in within)
    assert markers(path)


@pytest.mark.parametrize("test", ["tests/hooks/test_oms.py::test_x[a]", "tests/hooks/sub/test_oms.py::test_x"])
def test_a_folder_is_all_that_is_in_it(test):
    assert markers(test) == ["airflow"]
    assert markers(test.replace("hooks", "hooks_of_others")) == []


def test_a_row_of_a_test_is_not_all_of_it():
    path = next(path for path in PATHS if path.endswith("[deferrable-failed]"))
    assert markers(path) == ["airflow"]
    assert markers(path.replace("[deferrable-failed]", "[poke-failed]")) == []


@pytest.mark.parametrize("part", MARKERS)
def test_no_file_is_passed_over_that_holds_something_of_a_part(part):
    for path in MARKERS[part]:
        file = path.partition("::")[0]
        assert may_hold(file if file.endswith(".py") else f"{file}/sub/test_x.py", part)
    assert not may_hold("tests/test_words.py", part)


def test_a_single_test_is_not_its_file():
    assert markers("tests/demo/test_demo.py::test_downstream_runs_after_the_milestones") == ["smoke"]
    assert markers("tests/demo/test_demo.py::test_downstream_runs_after_the_milestones_2") == []


def test_every_version_is_tested_with_a_part_that_there_is():
    assert {airflow.tested.removeprefix("not ") for airflow in AIRFLOWS.values()} == {"whole", *MARKERS}
    declared = {line.split(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert declared >= {*MARKERS}


def test_two_processes_begin_with_what_takes_long():
    long = [f"{path}::test_{number}" for path in LONG for number in range(3)]
    others = [f"tests/milestones/test_poll.py::test_{number}" for number in range(200)]
    dealt = deal([*others, *long], str, 4)
    assert sorted(dealt) == sorted([*others, *long])
    size = len(dealt) // 4
    begins = [dealt[number * size : number * size + 3] for number in range(4)]
    assert [[test in long for test in tests] for tests in begins] == [[True] * 3, [True] * 3, [False] * 3, [False] * 3]
    # Tests of a file stay together, because some share an Airflow.
    hands = [dealt[:size], dealt[size : 2 * size]]
    for path in LONG:
        assert sum(any(test.startswith(f"{path}::test_") for test in hand) for hand in hands) == 1, path
    assert deal(long[::-1], str, 1)[0].startswith(LONG[0])
