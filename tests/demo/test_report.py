"""Tests of reading the runner's report."""

from __future__ import annotations

import json

from demo.report import ReportReader


def write(file, *events):
    with file.open("a", encoding="utf-8") as report:
        for event in events:
            report.write(json.dumps(event) + "\n")


def test_no_file_is_no_report_yet(tmp_path):
    run = ReportReader(tmp_path / "none").update()
    assert not run.tasks
    assert run.state is None


def test_tasks_stand_in_the_order_of_the_dag(tmp_path):
    write(tmp_path / "report", {"event": "phase", "name": "run"}, {"event": "loaded", "tasks": ["b", "a"]})
    run = ReportReader(tmp_path / "report").update()
    assert run.phase == "run"
    assert [(task.name, task.state) for task in run.tasks.values()] == [("b", "not yet"), ("a", "not yet")]


def test_half_a_line_waits_for_the_other_half(tmp_path):
    file = tmp_path / "report"
    reader = ReportReader(file)
    line = json.dumps({"event": "end", "state": "success"}) + "\n"
    file.write_text(line[:10])
    assert reader.update().state is None
    file.write_text(line)
    assert reader.update().state == "success"


def test_a_task_that_airflow_stores_no_start_of_began_when_it_said_so(tmp_path):
    file = tmp_path / "report"
    write(
        file,
        {"event": "loaded", "tasks": ["a"]},
        {"event": "state", "task": "a", "state": "running", "time": 10.0},
        {"event": "state", "task": "a", "state": "running", "time": 12.0},
        {"event": "task", "task": "a", "state": "success", "start": None, "end": 13.0, "returned": {"x": 1}},
    )
    task = ReportReader(file).update().tasks["a"]
    assert (task.state, task.start, task.end, task.returned) == ("success", 10.0, 13.0, {"x": 1})


def test_of_two_starts_the_earlier_one_counts(tmp_path):
    file = tmp_path / "report"
    write(
        file,
        {"event": "state", "task": "a", "state": "running", "time": 10.0},
        {"event": "task", "task": "a", "state": "success", "start": 9.5, "end": 13.0, "returned": None},
    )
    assert ReportReader(file).update().tasks["a"].start == 9.5
