"""The result of full verification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from airflow_provider_oms.cli.pictures.parts import Fitting, fold, table
from airflow_provider_oms.cli.words import shown

_STYLES = {True: "green", False: "bold red", None: "yellow"}
_COUNTS = ("source_only", "target_only", "mismatched", "consistent")


def picture(report: Mapping[str, Any]) -> RenderableType:
    """Draw the result.

    :param report: as the command writes it as JSON
    """
    parts: list[RenderableType] = [Text.assemble((shown(report["name"]) or shown(report["project"]), "bold"))]
    if report["name"]:
        parts[0] = Text.assemble((shown(report["name"]), "bold"), f"  {shown(report['project'])}", overflow="fold")
    if report["differences"]:
        parts += [Text(""), Fitting(_wide(report), Group(*_narrow(report)))]
    parts += [Text(""), fold(report["message"], _STYLES[report["consistent"]])]
    return Group(*parts)


def _wide(report: Mapping[str, Any]) -> Table:
    drawn = table("TABLE", "RESULT", "ONLY IN SOURCE", "ONLY IN TARGET", "MISMATCHED", "CONSISTENT")
    for column in drawn.columns[2:]:
        column.justify = "right"
    for one in report["differences"]:
        drawn.add_row(_name(one), _result(one), *(_count(one[key]) for key in _COUNTS))
    return drawn


def _narrow(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    for one in report["differences"]:
        yield Text.assemble((_name(one), "bold"), "  ", _result(one), overflow="fold")
        counts = ", ".join(f"{key.replace('_', ' ')} {_count(one[key])}" for key in _COUNTS if one[key] is not None)
        if counts:
            yield Padding(fold(counts), (0, 0, 0, 2))


def _name(one: Mapping[str, Any]) -> str:
    return f"{shown(one['schema'], 80)}.{shown(one['table'], 80)}"


def _result(one: Mapping[str, Any]) -> str:
    return shown(one["result"], 40) or "no result"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
