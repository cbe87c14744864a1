"""Every benchmark runs once in its shortest form. What it measures is looked at by people, not by tests."""

from __future__ import annotations

import math
from importlib import import_module

import pytest

from benchmarks.__main__ import BEGIN, END, LONG, NAMES, with_table
from benchmarks.measuring import Size, median_of_rounds
from benchmarks.row import HEADINGS, Row, Skipped, markdown
from benchmarks.server import CannedOms


@pytest.fixture(scope="module")
def oms():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AIRFLOW_CONN_OMS_DEFAULT", "AIRFLOW_CONN_HTTP_DEFAULT"):
            patch.setenv(name, "")  # restored afterwards
        with CannedOms() as running:
            yield running


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LONG])
def test_a_benchmark_yields_figures(name, oms):
    rows = list(import_module(f"benchmarks.{name}").run(Size(quick=True), oms))
    assert rows
    for row in rows:
        if isinstance(row, Row):
            assert math.isfinite(row.ours)
            assert row.theirs is None or row.theirs > 0
        assert len(row.cells()) == len(HEADINGS)


@pytest.mark.parametrize("name", LONG)
def test_a_long_benchmark_can_at_least_be_imported(name):
    assert callable(import_module(f"benchmarks.{name}").run)


def test_a_row_is_ok_up_to_its_aim():
    assert Row("x", 13, "y", 10, aim=1.3).is_ok is True
    assert Row("x", 14, "y", 10, aim=1.3).is_ok is False
    assert Row("x", 9, most=10).is_ok is True
    assert Row("x", 11, most=10).is_ok is False
    assert Row("x", 11).is_ok is None


def test_the_table_is_aligned():
    lines = markdown([Row("x", 13, "y", 10, "us", aim=1.3), Skipped("z", "no provider")]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "1.30 x" in lines[2]
    assert "no provider" in lines[3]


def test_the_median_of_all_rounds_counts():
    figures = iter([3.0, 1.0, 2.0])
    assert median_of_rounds(3, {"one": lambda: next(figures)}) == {"one": 2.0}


def test_a_page_keeps_what_stands_around_the_table():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_table(page, "new\n") == f"before\n{BEGIN}\nnew\n\n{END}\nafter\n"
    assert with_table(with_table("", "old\n"), "new\n") == f"{BEGIN}\nnew\n\n{END}\n"
