"""A poll executes and allocates about as much as when the counts were stored."""

from __future__ import annotations

import sys

import pytest

from benchmarks.counts import ROOM, Lines, measure, stored

#: Memory blocks for each poll. A leak leaves one or more; a few in all may be set up late in a process.
FEW = 0.5


@pytest.fixture(scope="module")
def found(oms):
    return measure(oms)


def test_each_has_a_stored_count(found):
    assert list(found) == list(stored())


@pytest.mark.parametrize("name", stored())
def test_no_more_than_it_was(found, name):
    """If the cost has changed on purpose, or has become lower: ``python -m benchmarks.counts --store``."""
    before = stored()[name]
    assert found[name] <= max(before * (1 + ROOM), FEW)
    assert before < FEW or found[name] >= before * (1 - 3 * ROOM)


def test_lines_of_others_are_not_counted():
    lines, before = Lines(), sys.gettrace()
    with lines.counted():
        for _ in range(3):
            pass
    assert lines.count == 0
    assert sys.gettrace() is before
