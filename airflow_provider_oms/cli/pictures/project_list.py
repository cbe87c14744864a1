"""The list of projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from airflow_provider_oms.cli.pictures.parts import Fitting, fold, lag_text, percent, status_text, table
from airflow_provider_oms.cli.words import shown
from airflow_provider_oms.client.numbers import counted, verb
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.milestones.attention import Why


def picture(projects: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Draw the list.

    :param projects: as :func:`~airflow_provider_oms.milestones.facts.of_row` describes them
    """
    if not projects:
        return fold("OMS shows this user no such project.")
    return Group(Fitting(_wide(projects), _narrow(projects)), Text(""), fold(_summary(projects), "dim"))


def _wide(projects: Sequence[Mapping[str, Any]]) -> Table:
    drawn = table("ID", "NAME", "STATUS", "STEP", "PROGRESS", "LAG", "ALARMS")
    drawn.columns[4].justify = "right"
    drawn.columns[5].justify = "right"
    for one in projects:
        drawn.add_row(
            shown(one["id"]),
            shown(one["name"]),
            status_text(one["status"]),
            _step(one),
            percent(one["progress"]),
            _lag(one),
            _alarms(one),
        )
    return drawn


def _narrow(projects: Sequence[Mapping[str, Any]]) -> Group:
    lines: list[RenderableType] = []
    for one in projects:
        title = Text.assemble((shown(one["name"]), "bold"), "  ", shown(one["id"]), overflow="fold")
        where = Text("  ", overflow="fold").append_text(status_text(one["status"]))
        lag = _lag(one)
        for part in (f"{_step(one)} {percent(one['progress'])}".strip(), f"lag {lag}" if lag else ""):
            where.append(f"  {part}" if part else "")
        alarms = _alarms(one)
        if alarms.plain:
            where.append("  ").append_text(alarms)
        lines += [title, where]
    return Group(*lines)


def _lag(one: Mapping[str, Any]) -> str:
    lag = lag_text(one["lag"])
    return f"{lag} (reverse)" if lag and one["direction"] == "reverse" else lag


def _alarms(one: Mapping[str, Any]) -> Text:
    alarms = one["alarms"]
    if not alarms or not (alarms["alarming"] or alarms["recent"]):
        return Text("")
    words = "alarm" if alarms["alarming"] else "recent"
    count = f" ({alarms['recent']})" if alarms["recent"] else ""
    return Text(f"{words}{count}", style="bold red" if alarms["alarming"] else "yellow")


def _step(one: Mapping[str, Any]) -> str:
    waits = one["attention"] and one["attention"]["why"] == Why.WAITING
    return f"{shown(one['step'], 40)}{', waits for a person' if waits else ''}"


def _summary(projects: Sequence[Mapping[str, Any]]) -> str:
    summary = facts.summary_of(projects)
    act, look, others = (summary[kind] for kind in ("act", "look", "others"))
    number = sum(act.values())
    parts = [f"{number:,} {verb(number, 'needs', 'need')} a person: {_listed(act)}"] if act else []
    parts += [f"{sum(look.values()):,} to look at: {_listed(look)}"] if look else []
    parts += [f"{'others: ' if parts else ''}{_listed(others)}"] if others else []
    return f"{counted(len(projects), 'project')}. {'; '.join(parts)}."


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items())
