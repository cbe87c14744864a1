"""Runs a command in this process, against a simulated OMS over HTTP, with a clock that doesn't really wait."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_provider_oms.cli import observing, waiting
from airflow_provider_oms.cli.main import parser
from airflow_provider_oms.cli.running import run
from airflow_provider_oms.cli.screen import Screen, wants_color
from airflow_provider_oms.simulator import Clock, Failure, Project, Simulator, Table
from airflow_provider_oms.tasks import clock as task_clock
from tests.clocks import Elapsed
from tests.connections import connect

START = 1_800_000_000

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Result:
    """The result of a command: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """All of stdout, as one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """All of stdout, as one JSON document per line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Stream(io.StringIO):
    """A stream that is a terminal, or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class CommandClock(Elapsed):
    """The clock of a command, and of the simulated OMS if there is one."""

    simulator: Simulator | None = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.simulator is not None:
            self.simulator.clock.advance(seconds)
        self.at_pause(len(self.pauses))

    def at_pause(self, number: int) -> None:
        """Called at each pause; tests replace it."""


@pytest.fixture
def oms(monkeypatch):
    """A simulated OMS with projects in many states and a stopped clock, behind ``oms_default``."""
    # It runs in this process, where Airflow may log to the command's stdout.
    monkeypatch.setattr(logging.getLogger("airflow_provider_oms.simulator"), "disabled", True)
    projects = [
        Project(id="np_new", name="new"),
        Project(id="np_copying", name="copying", status="RUNNING", step="FULL_TRANSFER", step_progress=40, rows=1000),
        Project(id="np_late", name="late", status="RUNNING", step="INCR_TRANSFER", initial_lag=7200, catch_up_rate=20),
        Project(id="np_good", name="good", status="RUNNING", step="FULL_VERIFIER", step_progress=100),
        Project(
            id="np_bad",
            name="bad",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=[
                Table(schema="shop", table="orders", consistent=100),
                Table(schema="shop", table="prices", result_type="INCONSISTENT", consistent=90, mismatched=10),
            ],
        ),
        Project(id="np_paused", name="paused", status="SUSPEND", step="FULL_TRANSFER", step_progress=12),
    ]
    broken = Project(
        id="np_broken",
        name="broken",
        status="RUNNING",
        step="FULL_TRANSFER",
        failures=[Failure("FULL_TRANSFER", at=10, code="GHANA-X000001", message="no space left")],
    )
    with Simulator([broken], clock=Clock(start=START - 60, speed=0), password=PASSWORD) as simulator:
        simulator.clock.advance(60)
        for project in projects:
            simulator.add_project(project)
        simulator.add_label("nightly")
        connect(monkeypatch, simulator)
        yield simulator


@pytest.fixture
def clock(monkeypatch):
    """The clock of a command that waits: a pause takes no real time, and also advances OMS's clock."""
    made = CommandClock(START + 1000.0, 1000.0)
    made.install(monkeypatch, observing, waiting, task_clock)
    return made


@pytest.fixture
def cli(monkeypatch):
    """Run a command as a shell would, and return its result."""

    def command(*arguments: str, columns: int | None = None, terminal: bool = False) -> Result:
        monkeypatch.setenv("TERM", "xterm-256color")
        if columns is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(columns))
        out, err = Stream(terminal), Stream(terminal)
        try:
            given = parser().parse_args(arguments)
        except SystemExit as end:
            return Result(int(end.code or 0), "", "")
        screen = Screen(out, err, as_json=given.json, color=wants_color(given.no_color))
        return Result(int(run(given.command, given, screen)), out.getvalue(), err.getvalue())

    return command
