"""Every benchmark runs once in its shortest form. Tests don't judge the figures."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import instructions, variations
from benchmarks.__main__ import BEGIN, END, NAMES, with_table
from benchmarks.gates import logging_to_nowhere
from benchmarks.measuring import Size, median_of_rounds
from benchmarks.plot import draw
from benchmarks.row import HEADINGS, Row, Skipped, markdown, ratio_of
from benchmarks.turns import CONTENDERS, in_turn


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("triggerer", "instructions")])
def test_a_benchmark_yields_figures(name, oms):
    rows = list(import_module(f"benchmarks.{name}").run(Size(quick=True), oms))
    assert rows
    for row in rows:
        if isinstance(row, Row):
            assert math.isfinite(row.ours)
            assert row.theirs is None or row.theirs > 0
        assert len(row.cells()) == len(HEADINGS)


def test_the_command_writes_its_table_into_a_page(tmp_path):
    """This uses the benchmark that starts an Airflow with a database and a triggerer."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "triggerer", "--output", str(page)]
    ended = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=400, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert page.read_text().startswith(f"before\n{BEGIN}\n`python -m benchmarks --quick` on ")
    assert "one triggerer, memory" in page.read_text() or "written for Airflow 3" in page.read_text()


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CONTENDERS)
async def test_gates_take_turns(name, oms):
    """A whole number of polls is counted, each with its requests, so the count is the same in each run."""
    marks = []
    with logging_to_nowhere():
        await in_turn(
            CONTENDERS[name](oms.url, 3), gates=3, warm=4, polls=6, mark=lambda: marks.append(oms.configure()["asked"])
        )
    _, counted = marks
    assert sum(counted.values()) == {"shared": 0, "two": 12, "bare two": 12}.get(name, 6)


def test_without_valgrind_no_instructions_are_counted(oms, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (row,) = instructions.run(Size(quick=True), oms)
    assert isinstance(row, Skipped)


def test_a_count_is_read_from_what_valgrind_has_written(tmp_path):
    (tmp_path / "counts.1").write_text("version: 1\nevents: Ir\nfn=(1) x\n16 400\n\ntotals: 12345\n")
    assert instructions.total_of(tmp_path / "counts.1") == 12345


def test_a_variation_is_measured_in_a_process_of_its_own(oms):
    (user, system) = variations.measured(oms, "cold", "bare one")["bare one"]
    assert user + system > 0


def test_the_ratio_of_several_processes_is_their_median():
    row = ratio_of([(3.0, 2.0), (2.0, 2.0), (5.0, 4.0)], Row("x", 0, "y", unit="us", aim=1.2))
    assert (row.ours, row.theirs, row.ratio) == (3.0, 2.0, 1.25)
    assert "1.25 x (1.00 to 1.50)" in row.cells()


def test_the_ratios_are_drawn(tmp_path):
    rows = [Row("slow", 13, "y", 10, aim=1.2), Row("fast", 5, "y", 10, aim=1.2), Row("no aim", 5), Skipped("z", "why")]
    if find_spec("matplotlib") is None:
        with pytest.raises(ImportError):
            draw(rows, tmp_path / "plot.svg")
        return
    draw(rows, tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text()
    assert "slow / y" in drawn
    assert "fast / y" in drawn
    assert "no aim" not in drawn


def test_the_picture_in_the_docs_can_be_read_on_a_phone():
    """It can be shown small without its text becoming too small to read."""
    drawn = (Path(__file__).parents[2] / "docs" / "images" / "performance.svg").read_text()
    (width,) = re.findall(r'<svg [^>]*\bwidth="([0-9.]+)pt"', drawn)
    assert float(width) * 96 / 72 < 1.2 * 390


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
