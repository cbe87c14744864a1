"""Describes the progress of a step for a log: rows, rows per second, time left. No rule uses it.

The total number of rows is OMS's estimate: docs/develop/oms-facts.md#step-fields
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.models import Step
from airflow_provider_oms.client.numbers import counted
from airflow_provider_oms.milestones.durations import estimate

#: Seconds. A longer estimate isn't shown, because it can't be right.
_CENTURY = 100 * 365 * 86400.0


def figures_of(steps: Iterable[Step]) -> str:
    """Describe the steps that are being waited for."""
    return "; ".join(filter(None, map(_of_step, steps)))


def seconds_left(rows: int | None, capacity: int | None, rate: float | None) -> float | None:
    """Return how long the rest of a step takes at its present rate; None if that is unknown.

    :param rows: the rows that are done
    :param capacity: OMS's estimate of all rows
    :param rate: rows per second
    """
    if rows is None or capacity is None or not rate or rate <= 0 or capacity <= rows:
        return None
    return (capacity - rows) / rate


def _of_step(step: Step) -> str:
    info = step.info
    try:
        rows, capacity, rate = info.processed_records, info.capacity, info.target_rps or info.source_rps
    except OmsMalformedAnswerError:
        return ""
    if rows is None:
        return ""
    parts = [counted(rows, "row") if capacity is None else f"{rows:,} of about {counted(capacity, 'row')}"]
    if rate and rate > 0:
        parts.append(f"{rate:,.0f} rows/s")
    left = seconds_left(rows, capacity, rate)
    if left is not None and left < _CENTURY:
        parts.append(f"about {estimate(left)} left")
    return f"{step.name}: {', '.join(parts)}"
