"""What the runner has reported so far of Airflow's tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class TaskReport:
    """The state of a task in Airflow.

    :param name: its task id
    :param state: its last known state; in the end, the one that Airflow has stored
    :param start: when it began (Unix seconds)
    :param end: when it ended; known once the run has ended
    :param returned: what it returned (XCom)
    """

    name: str
    state: str = "not yet"
    start: float | None = None
    end: float | None = None
    returned: Any = None


@dataclass
class RunReport:
    """A run of the example DAG.

    :param tasks: its tasks by name, in the order of the DAG; empty until the DAG is loaded
    :param phase: what the runner is doing: ``database``, then ``run``
    :param state: the run's state, once it has ended
    """

    tasks: dict[str, TaskReport] = field(default_factory=dict)
    phase: str = ""
    state: str | None = None

    def add(self, line: str) -> None:
        """Process a line of the report."""
        said = json.loads(line)
        event = said.pop("event")
        if event == "phase":
            self.phase = said["name"]
        elif event == "loaded":
            self.tasks = {name: TaskReport(name) for name in said["tasks"]}
        elif event == "state":
            task = self._task(said["task"])
            task.state = said["state"]
            if task.start is None and task.state == "running":
                task.start = said["time"]
        elif event == "task":
            task = self._task(said["task"])
            task.state, task.end, task.returned = said["state"] or "none", said["end"], said["returned"]
            # Airflow 2.11 stores no start in dag.test(); if there are two times, the earlier one is the stricter test.
            task.start = min((moment for moment in (task.start, said["start"]) if moment is not None), default=None)
        elif event == "end":
            self.state = said["state"]

    def _task(self, name: str) -> TaskReport:
        return self.tasks.setdefault(name, TaskReport(name))


class ReportReader:
    """Reads a report while it is being written.

    :param file: the runner's file; it may not be there yet
    """

    def __init__(self, file: Path) -> None:
        self.run = RunReport()
        self.file = file
        self._read = 0

    def update(self) -> RunReport:
        """Process the new lines that are complete."""
        if self.file.exists():
            with self.file.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.decode("utf-8").splitlines():
                self.run.add(line)
        return self.run
