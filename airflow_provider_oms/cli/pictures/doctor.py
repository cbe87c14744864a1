"""Draws the result of ``doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from airflow_provider_oms.cli.doctor.probes import Outcome
from airflow_provider_oms.cli.pictures.parts import fold
from airflow_provider_oms.cli.words import shown

_STYLES = {
    Outcome.HOLDS.value: "green",
    Outcome.DIFFERS.value: "bold red",
    Outcome.UNKNOWN.value: "yellow",
    Outcome.NO_PROBE.value: "dim",
}


def picture(told: Mapping[str, Any]) -> RenderableType:
    """Draw the result.

    :param told: the result, as the command writes it as JSON
    """
    outcomes = [one["outcome"] for one in (*told["points"], *told["checks"])]
    counts = ", ".join(f"{outcomes.count(one.value)} {one.value}" for one in Outcome)
    parts: list[RenderableType] = [
        Text("What OceanBase doesn't document (docs/untested.md)", "bold"),
        *_findings(told["points"]),
        Text(""),
        Text("This OMS", "bold"),
        *_findings(told["checks"]),
        Text(""),
        Text("What this user may call", "bold"),
        *(fold(f"  {action}: {may}") for action, may in told["rights"].items()),
        Text(""),
        fold(f"{told['requests']} requests, none of which changed anything. {counts}."),
    ]
    if told["left_out"]:
        parts.append(fold(f"Not asked, because of the limit of requests: {', '.join(told['left_out'])}.", "yellow"))
    return Group(*parts)


def _findings(findings: Sequence[Mapping[str, str]]) -> Iterator[RenderableType]:
    for one in findings:
        style = _STYLES[one["outcome"]]
        yield Text.assemble("  ", (f"{one['outcome']:<14}", style), one["point"], overflow="fold")
        yield Padding(fold(shown(one["message"], 2000), "dim"), (0, 0, 0, 16))
