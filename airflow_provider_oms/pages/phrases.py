"""The words and formats of values on the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.milestones.durations import duration, estimate
from airflow_provider_oms.milestones.status import Outlook, outlook
from airflow_provider_oms.milestones.steps import StepKind, kind_of

_STEPS = {
    StepKind.PRECHECK: "Precheck",
    StepKind.PREPARE: "Preparation",
    StepKind.SCHEMA: "Schema transfer",
    StepKind.LOG_PULL: "Log pull",
    StepKind.FULL: "Full transfer",
    StepKind.INDEX: "Index transfer",
    StepKind.INCREMENTAL: "Incremental sync",
    StepKind.FULL_VERIFICATION: "Full verification",
    StepKind.INCREMENTAL_VERIFICATION: "Incremental verification",
    StepKind.SWITCHOVER: "Switchover",
    StepKind.REVERSE: "Reverse incremental sync",
}

#: The colour of a project's status: a class of the style sheet.
_TONES = {
    Outlook.UNDER_WAY: "working",
    Outlook.PAUSED: "warn",
    Outlook.FAILED: "bad",
    Outlook.GONE: "quiet",
    Outlook.OVER: "good",
    Outlook.UNKNOWN: "warn",
}


def shown(value: Any, limit: int = 200) -> str:
    """Return a value that OMS sent as one line of limited length; the templates escape it."""
    return "" if value is None else safe_text(value, limit)


def step_name(name: str | None) -> str:
    """Return what a step does, in words; its own name if that isn't known."""
    kind = kind_of(name)
    return _STEPS[kind] if kind else shown(name, 60) or "A step without a name"


def tone_of(status: str | None) -> str:
    """Return the colour of a project's status."""
    return _TONES[outlook(status)]


def percent(progress: float | None) -> str:
    """Return a percentage, rounded down, so that only a complete step shows 100."""
    return "" if progress is None else f"{int(progress * 10) / 10:g} %"


def figures(step: Mapping[str, Any]) -> str:
    """Return a step's rows, rate and time left, if OMS gives them."""
    parts = []
    if step["rows"] is not None:
        total = "" if step["rows_total"] is None else f" of about {step['rows_total']:,}"
        parts.append(f"{step['rows']:,}{total} rows")
    if step["rows_per_second"]:
        parts.append(f"{step['rows_per_second']:,.0f} rows/s")
    if step["seconds_left"] is not None:
        parts.append(f"about {estimate(step['seconds_left'])} left")
    return ", ".join(parts)


def lag(seconds: float | None) -> str:
    """Return how far behind the target is."""
    return "" if seconds is None else duration(seconds)


def ago(seconds: float) -> str:
    """Return how long ago something was, in whole seconds."""
    return "just now" if seconds < 1 else f"{duration(int(seconds))} ago"


def clock(at: str | None) -> str:
    """Return an ISO 8601 time in UTC in a shorter form."""
    return "" if not at else at.replace("T", " ").replace("+00:00", " UTC")


def iso(at: datetime) -> str:
    """Return a time as ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
