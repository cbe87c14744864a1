"""Tests of the demo's output."""

from __future__ import annotations

import io

from rich.console import Console

from demo.migration import Progress
from demo.report import RunReport, TaskReport
from demo.screen import Screen
from demo.verdict import Check, Happening


def plain():
    output = io.StringIO()
    return Screen(Console(file=output, highlight=False)), output


def test_without_a_terminal_there_is_a_line_for_what_is_new():
    screen, output = plain()
    run = RunReport({"start": TaskReport("start", "running")})
    with screen:
        for percent, landmark in ((1, 0), (10, 0), (30, 1)):
            screen.show([Progress("FULL_TRANSFER", percent, "RUNNING", "x rows", landmark)], run)
    lines = output.getvalue().splitlines()
    assert len(lines) == 3
    assert "1 %  RUNNING    x rows" in lines[0]
    assert "start" in lines[1]
    assert "30 %" in lines[2]
    assert "\x1b" not in output.getvalue()


def test_what_has_not_begun_is_not_worth_a_line():
    screen, output = plain()
    screen.show([Progress("FULL_TRANSFER", 0, "INIT")], RunReport({"start": TaskReport("start")}))
    assert output.getvalue() == ""


def test_in_a_terminal_there_are_bars():
    output = io.StringIO()
    screen = Screen(Console(file=output, force_terminal=True, width=130, color_system=None))
    with screen:
        screen.phase("a phase")
        screen.show([Progress("FULL_TRANSFER", 50, "RUNNING")], RunReport({"start": TaskReport("start", "running")}))
    assert "━━━━" in output.getvalue()
    assert "a phase" in output.getvalue()


def test_a_narrow_terminal_shows_all_of_it_too():
    output = io.StringIO()
    screen = Screen(Console(file=output, force_terminal=True, width=80, color_system=None))
    with screen:
        screen.show([Progress("TRANSFER_INCR_LOG_PULL", 50, "RUNNING")], RunReport({"a_task": TaskReport("a_task")}))
    assert "TRANSFER_INCR_LOG_PULL" in output.getvalue()
    assert "a_task" in output.getvalue()


def test_the_result_says_when_by_whose_clock_and_what_is_wrong():
    screen, output = plain()
    happened = [Happening(100.0, "project started", "OMS (simulated)"), Happening(None, "downstream ran", "Airflow")]
    screen.result(happened, [Check("this", True), Check("that", False)])
    text = output.getvalue()
    assert "0.0 s" in text
    assert "OMS (simulated)" in text
    assert "ok    this" in text
    assert "WRONG that" in text


def test_a_failure_shows_the_end_of_the_log_and_where_it_is(tmp_path):
    log = tmp_path / "airflow.log"
    log.write_text("\n".join(f"line {number} [/x]" for number in range(100)))
    screen, output = plain()
    screen.failure("It failed.", log)
    text = output.getvalue()
    assert str(log) in text.replace("\n", "")
    assert "line 99 [/x]" in text
    assert "line 10 " not in text
    assert "It failed." in text


def test_a_failure_without_a_log(tmp_path):
    screen, output = plain()
    screen.failure("It failed.", tmp_path / "none")
    assert "It failed." in output.getvalue()
