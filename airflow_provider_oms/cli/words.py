"""Reads and formats times, lengths of time and OMS's texts for the command line."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_oms.cli.running import UsageError
from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.durations import duration

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
#: The most characters; no message of a gate is longer.
_LONGEST = 20_000

_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)")


def seconds(option: str, text: str) -> float:
    """Read a length of time: seconds, or a number with s, m, h or d.

    :param option: the option
    :param text: its value
    :raises UsageError: if the value isn't a length of time; the message names the option
    """
    found = _TIME.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(f"{option} must be a length of time such as 90, 90s, 15m, 2h or 7d; it is {text!r}")
    return arguments.seconds(option, float(found[1]) * _UNITS[found[2]])


def span(length: float | None) -> str:
    """Format a length of time; empty if it isn't known."""
    return "" if length is None else duration(length)


def clock(at: str) -> str:
    """Format a time of the JSON, ISO 8601 in UTC, for a person."""
    return at.replace("T", " ").replace("+00:00", " UTC")


def shown(value: Any, limit: int = 200) -> str:
    """Make OMS's text safe to show: it must not control the terminal."""
    return "" if value is None else safe_text(value, limit)


def said(message: str) -> str:
    """Make a gate's message safe to show, and adapt its advice, because there is no task to clear.

    :param message: the message, as the gate logs it
    """
    return safe_text(message.replace("clear this task", "run this command again"), _LONGEST)
