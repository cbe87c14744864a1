"""One project: its steps, its lag, its errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from airflow_provider_oms.cli.pictures.parts import (
    Fitting,
    Sparkline,
    bar,
    fold,
    lag_text,
    percent,
    rate_text,
    rows_text,
    status_text,
    step_text,
    table,
)
from airflow_provider_oms.cli.words import clock, shown, span
from airflow_provider_oms.milestones.attention import Why

#: Seconds. The highest bar stands for this lag at least, because OMS moves checkpoints in steps of 10 to 20 s.
MINUTE = 60.0

#: The reasons for attention that are shown in another place.
_SAID_ELSEWHERE = (Why.ALARM, Why.FAILED, Why.CHANGING)

_BAR = 20
_SHORT_BAR = 10


def picture(project: Mapping[str, Any]) -> RenderableType:
    """Draw a project.

    :param project: as :func:`~airflow_provider_oms.milestones.facts.of_project` describes it
    """
    return Group(*_parts(project))


def _parts(project: Mapping[str, Any]) -> Iterator[RenderableType]:
    name = shown(project["name"]) or shown(project["id"])
    title = Text.assemble((name, "bold"), overflow="fold")
    if project["name"]:
        title.append(f"  {shown(project['id'])}")
    yield title.append("  ").append_text(status_text(project["status"]))
    yield fold(_about(project), "dim")
    yield Text("")
    if project["steps"] is None:
        yield _without_steps(project)
        yield fold("An OMS of the API generation v3 (3.3 to 4.1.0) gives no steps, rows or errors.", "dim")
    elif not project["steps"]:
        yield fold("OMS lists no steps yet.")
    else:
        yield Fitting(_wide(project), _narrow(project))
    yield Text("")
    yield from _lags(project)
    yield from _alarms(project)
    if "components" in project:
        yield Text("")
        yield from _components(project["components"])
    need = project["attention"]
    if need and need["why"] not in _SAID_ELSEWHERE:
        yield Text("")
        yield fold(shown(need["message"], 500), "bold yellow")
    errors = list(_errors(project))
    if errors:
        yield Text("")
        yield from errors


def _about(project: Mapping[str, Any]) -> str:
    ends = f"{shown(project['source_type'], 40)} to {shown(project['target_type'], 40)}"
    parts = (
        shown(project["type"], 40),
        ends if project["source_type"] and project["target_type"] else "",
        f"labels {', '.join(shown(label, 80) for label in project['labels'])}" if project["labels"] else "",
        f"{clock(project['time'])} ({project['clock']} clock)",
    )
    return ", ".join(part for part in parts if part)


def _wide(project: Mapping[str, Any]) -> Table:
    figures = {
        "ROWS": [rows_text(step) for step in project["steps"]],
        "RATE": [rate_text(step) for step in project["steps"]],
        "LEFT": [span(step["seconds_left"]) for step in project["steps"]],
    }
    figures = {heading: texts for heading, texts in figures.items() if any(texts)}
    drawn = table("STEP", "STATUS", "", "", *figures)
    for column in drawn.columns[3:]:
        column.justify = "right"
    for number, step in enumerate(project["steps"]):
        drawn.add_row(
            shown(step["name"], 40) or "no name",
            step_text(step),
            bar(step["progress"], step["state"], _BAR),
            _percent(step),
            *(texts[number] for texts in figures.values()),
        )
    return drawn


def _percent(step: Mapping[str, Any]) -> str:
    return "" if step["state"] == "not begun" and not step["progress"] else percent(step["progress"])


def _narrow(project: Mapping[str, Any]) -> Group:
    # One table per step, all with the same columns, so that the figures below can use the whole width.
    lines: list[RenderableType] = []
    longest = max(len(shown(step["name"], 40)) for step in project["steps"])
    for step in project["steps"]:
        line = table("", "", "", "", padding=1)
        line.show_header = False
        line.columns[0].width, line.columns[1].width = max(longest, len("no name")), 10
        line.columns[3].width, line.columns[3].justify = 5, "right"
        line.add_row(
            shown(step["name"], 40) or "no name",
            step_text(step),
            bar(step["progress"], step["state"], _SHORT_BAR),
            _percent(step),
        )
        lines.append(line)
        left = span(step["seconds_left"])
        figures = [part for part in (rows_text(step), rate_text(step), f"{left} left" if left else "") if part]
        if figures:
            lines.append(Padding(fold(", ".join(figures)), (0, 0, 0, 2)))
    return Group(*lines)


def _without_steps(project: Mapping[str, Any]) -> Table:
    drawn = table("", "", "")
    drawn.show_header = False
    for what, key in (("schema", "struct_transfer_progress"), ("full transfer", "full_transfer_progress")):
        if project[key] is not None:
            drawn.add_row(what, bar(project[key], "under way", _BAR), percent(project[key]))
    if project["step"]:
        drawn.add_row("at", shown(project["step"], 40), "")
    return drawn


def _lags(project: Mapping[str, Any]) -> Iterator[RenderableType]:
    for lag in project["lags"]:
        if lag["direction"] == "reverse" and lag["checkpoint"] is None:
            continue  # nothing moves that way before a switchover
        line = Text(f"{'lag' if lag['direction'] == 'forward' else 'reverse lag'}  ", style="dim", overflow="fold")
        line.append(lag_text(lag["lag"]) or "not known.", style="not dim bold")
        if lag["checkpoint_time"]:
            line.append(f"  checkpoint {clock(lag['checkpoint_time'])}", style="not dim")
        if lag["sampled_seconds_ago"] is not None:
            line.append(f", updated {span(lag['sampled_seconds_ago'])} ago")
        if lag["lag"] is None and lag["problem"]:
            line.append(f" {shown(lag['problem'], 500)}", style="not dim")
        yield line
        if lag["lag"] is not None and lag["problem"]:
            yield Padding(fold(shown(lag["problem"], 500), "yellow"), (0, 0, 0, 2))
        if lag["direction"] == (project["direction"] or "forward"):
            yield from _movement(project["movement"])


def _movement(movement: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    """Draw how the lag has moved over several polls."""
    if movement is None:
        return
    if len(movement["lags"]) > 1:
        yield Padding(Sparkline(movement["lags"], least=MINUTE), (0, 0, 0, 5))
    if movement["message"]:
        yield Padding(fold(movement["message"]), (0, 0, 0, 5))


def _alarms(project: Mapping[str, Any]) -> Iterator[RenderableType]:
    if project["objects_changing"]:
        yield fold("Objects are being added to the project or removed from it.", "yellow")
    alarms = project["alarms"]
    if alarms and alarms["alarming"]:
        yield fold(f"OMS raises an alarm. {shown(alarms['content'], 500)}".strip(), "bold red")


def _components(components: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    if not components:
        yield fold("OMS lists no components.")
        return
    drawn = table("COMPONENT", "STATUS", "HOST", "DELAY", "CHECKPOINT")
    drawn.columns[3].justify = "right"
    for one in components:
        at = clock(one["checkpoint_time"]) if one["checkpoint_time"] else shown(one["checkpoint"], 40)
        drawn.add_row(one["kind"], shown(one["status"], 40), shown(one["host"], 60), lag_text(one["delay"]), at)
    lines = (
        Text.assemble(
            (one["kind"], "bold"),
            f"  {shown(one['status'], 40)}  {shown(one['host'], 60)}  {lag_text(one['delay'])}",
            overflow="fold",
        )
        for one in components
    )
    yield Fitting(drawn, Group(*lines))
    for one in components:
        if one["error"]:
            yield fold(f"{one['kind']} {shown(one['name'])}: {shown(one['error'], 1000)}", "red")


def _errors(project: Mapping[str, Any]) -> Iterator[RenderableType]:
    for step in project["steps"] or []:
        if step["error"]:
            error = step["error"]
            told = " ".join(shown(error[key], 1000) for key in ("code", "message") if error[key])
            when = f" (since {clock(error['time'])})" if error["time"] else ""
            yield fold(f"{shown(step['name'], 40)} failed: {told or 'OMS gives no error'}{when}", "red")
