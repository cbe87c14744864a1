"""The demo's output: moving bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.migration import Progress
from demo.report import RunReport
from demo.verdict import Check, Happening

NOTICE = (
    "OMS is simulated here: the simulator was built from OceanBase's documents, not from an OMS. "
    "Airflow is a real one, in a throw-away home."
)

_COLOURS = {
    "FINISHED": "green",
    "MONITORING": "green",
    "RUNNING": "cyan",
    "FAILED": "red",
    "SUSPEND": "yellow",
    "success": "green",
    "running": "cyan",
    "failed": "red",
    "upstream_failed": "red",
    "skipped": "yellow",
    "retry": "yellow",
}

#: The width of the output without a terminal, and the width that two tables side by side need.
_PLAIN_WIDTH = 120
_WIDE = 110

#: Lines of Airflow's log that are shown when something went wrong.
_TAIL = 30


class Screen:
    """Shows the demo. As a context manager it shows the progress.

    :param console: where to write
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._moves = self.console.is_terminal and not self.console.is_dumb_terminal
        if not self.console.is_terminal:
            self.console.width = _PLAIN_WIDTH
        self._live: Live | None = None
        self._phase = ""
        self._begin = time.monotonic()
        self._said: dict[str, object] = {}
        self._shown: tuple[Sequence[Progress], RunReport] = ((), RunReport())

    def say(self, text: str) -> None:
        """Write a line."""
        self.console.print(text, markup=False)

    # -- the progress ----------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._moves:
            self._live = Live(get_renderable=self._picture, console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def phase(self, text: str) -> None:
        """Show what is being done now."""
        self._phase = text
        if not self._moves:
            self._line("demo", text)

    def show(self, steps: Sequence[Progress], run: RunReport) -> None:
        """Show how far the migration and Airflow's tasks are."""
        self._shown = (steps, run)
        if not self._moves:
            self._write_news(steps, run)

    def _picture(self) -> Group:
        steps, run = self._shown
        left = Table(box=None, title="OMS: demo_shop", title_justify="left", padding=(0, 1))
        for heading in ("step", "", "", "status", ""):
            left.add_column(heading, header_style="dim", no_wrap=True)
        for step in steps:
            bar = ProgressBar(
                total=100, completed=step.percent, width=16, complete_style="cyan", finished_style="green"
            )
            status = Text(step.status, style=_COLOURS.get(step.status, "dim"))
            left.add_row(step.name, bar, f"{step.percent:3d} %", status, step.detail)
        right = Table(box=None, title="Airflow: example_oms_gate", title_justify="left", padding=(0, 1), min_width=28)
        for heading in ("task", "state"):
            right.add_column(heading, header_style="dim", no_wrap=True)
        for task in run.tasks.values():
            right.add_row(task.name, Text(task.state, style=_COLOURS.get(task.state, "dim")))
        both = Table.grid(padding=(0, 3))
        if self.console.width >= _WIDE:
            both.add_row(left, right)
        else:
            both.add_row(left)
            both.add_row(right)
        return Group(both, Text(f"{self._elapsed()}  {self._phase}", style="bold"))

    def _write_news(self, steps: Sequence[Progress], run: RunReport) -> None:
        for step in steps:
            if step.status != "INIT" and self._is_news(f"oms {step.name}", step.landmark):
                self._line("OMS", f"{step.name:<24} {step.percent:3d} %  {step.status:<10} {step.detail}")
        for task in run.tasks.values():
            if task.state != "not yet" and self._is_news(f"airflow {task.name}", task.state):
                self._line("Airflow", f"{task.name:<24}        {task.state}")

    def _is_news(self, name: str, what: object) -> bool:
        if self._said.get(name) == what:
            return False
        self._said[name] = what
        return True

    def _line(self, who: str, text: str) -> None:
        self.console.print(f"{self._elapsed()}  {who:<8} {text.rstrip()}", markup=False, soft_wrap=True)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._begin:5.1f} s"

    # -- the result -------------------------------------------------------------------------------------------

    def result(self, happened: Iterable[Happening], checks: Iterable[Check]) -> None:
        """Show what happened when, and what was checked."""
        table = Table(title="What happened when", title_justify="left", box=None, padding=(0, 2))
        for heading in ("after the start", "time", "what", "whose clock"):
            table.add_column(heading, justify="right" if heading == "after the start" else "left", no_wrap=True)
        first: float | None = None
        for one in happened:
            if one.time is None:
                table.add_row("-", "-", one.what, one.source, style="red")
                continue
            first = one.time if first is None else first
            clock = datetime.fromtimestamp(one.time).strftime("%H:%M:%S.%f")[:-5]
            table.add_row(f"{one.time - first:.1f} s", clock, one.what, one.source)
        self.console.print()
        self.console.print(table)
        self.console.print()
        for check in checks:
            mark = Text("ok    " if check.passed else "WRONG ", style="green" if check.passed else "bold red")
            self.console.print(Text.assemble(mark, check.what), soft_wrap=True)

    def failure(self, message: str, log: Path) -> None:
        """Show why it failed, and the end of Airflow's log."""
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        self.say("")
        if lines:
            self.say(f"The end of {log}:")
            for line in lines[-_TAIL:]:
                self.console.print(f"  {line}", markup=False, soft_wrap=True)
            self.say("")
        self.console.print(Text(message, style="bold red"), soft_wrap=True)
