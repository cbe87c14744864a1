"""Parts that several pictures have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from airflow_provider_oms.cli.words import shown, span
from airflow_provider_oms.milestones.status import Outlook, outlook

#: More columns than any terminal has.
_ENDLESS = 10_000

_OF_PROJECT = {
    Outlook.UNDER_WAY: "cyan",
    Outlook.PAUSED: "yellow",
    Outlook.FAILED: "bold red",
    Outlook.GONE: "dim",
    Outlook.OVER: "green",
    Outlook.UNKNOWN: "bold yellow",
}

_OF_STEP = {
    "done": "green",
    "under way": "cyan",
    "paused": "yellow",
    "failed": "bold red",
    "not begun": "dim",
    "unknown": "bold yellow",
}


class Fitting:
    """A picture for wide terminals, and another one for narrow terminals of at least 60 columns.

    :param wide: the picture that is drawn if it fits
    :param narrow: the other picture
    """

    def __init__(self, wide: RenderableType, narrow: RenderableType) -> None:
        self.wide = wide
        self.narrow = narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needed = Measurement.get(console, options.update(max_width=_ENDLESS), self.wide).maximum
        yield self.wide if needed <= options.max_width else self.narrow


class Sparkline:
    """A row of numbers as small bars; nothing on a terminal that has no such characters.

    :param numbers: not below 0, the oldest first
    :param least: the highest bar stands for this number at least
    """

    _BARS = "▁▂▃▄▅▆▇█"

    def __init__(self, numbers: Sequence[float], least: float = 0.0) -> None:
        self.numbers = numbers
        self.least = least

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not options.ascii_only:
            numbers = self.numbers[-options.max_width :]
            highest = max(self.least, *numbers) or 1.0
            steps = len(self._BARS) - 1
            yield Text("".join(self._BARS[round(number / highest * steps)] for number in numbers), style="cyan")


def status_text(status: str | None) -> Text:
    """Return a project's status, in the colour of its meaning."""
    return Text(shown(status, 40) or "no status", style=_OF_PROJECT[outlook(status)])


def step_text(step: Mapping[str, Any]) -> Text:
    """Return a step's status, in the colour of its meaning."""
    return Text(shown(step["status"], 40) or "no status", style=_OF_STEP[step["state"]])


def bar(progress: float | None, state: str, width: int) -> ProgressBar | Text:
    """Return a bar; nothing without a percentage, or if the step hasn't begun."""
    if progress is None or (state == "not begun" and not progress):
        return Text("")
    style = _OF_STEP.get(state, "cyan")
    return ProgressBar(total=100, completed=progress, width=width, complete_style=style, finished_style=style)


def percent(progress: float | None) -> str:
    """Return a percentage."""
    return "" if progress is None else f"{progress:g} %"


def lag_text(lag: float | None) -> str:
    """Return how far behind the target is."""
    return span(lag)


def rows_text(step: Mapping[str, Any]) -> str:
    """Return how many rows a step has processed."""
    if step["rows"] is None:
        return ""
    return f"{step['rows']:,}" + ("" if step["rows_total"] is None else f" of about {step['rows_total']:,}")


def rate_text(step: Mapping[str, Any]) -> str:
    """Return a step's rate."""
    return f"{step['rows_per_second']:,.0f} rows/s" if step["rows_per_second"] else ""


def table(*headings: str, padding: int = 2) -> Table:
    """Return a table without lines."""
    made = Table(box=None, padding=(0, padding, 0, 0), pad_edge=False, header_style="dim")
    for heading in headings:
        made.add_column(heading, no_wrap=True)
    return made


def fold(text: str, style: str = "") -> Text:
    """Return a text that is wrapped at words and never cut."""
    return Text(text, style=style, overflow="fold")
