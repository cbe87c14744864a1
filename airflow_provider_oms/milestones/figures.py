"""How far a step is, in words for a log: rows, rates, time left. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.models import Step


def figures_of(steps: Iterable[Step]) -> str:
    """Describe the steps that are being waited for."""
    return "; ".join(filter(None, map(_of_step, steps)))


def _of_step(step: Step) -> str:
    info = step.info
    try:
        rows, capacity, rate = info.processed_records, info.capacity, info.target_rps or info.source_rps
    except OmsMalformedAnswerError:
        return ""
    if rows is None:
        return ""
    parts = [f"{rows:,} rows" if capacity is None else f"{rows:,} of about {capacity:,} rows"]
    if rate and rate > 0:
        parts.append(f"{rate:,.0f} rows/s")
        if capacity is not None and capacity > rows and (capacity - rows) / rate < timedelta.max.total_seconds():
            parts.append(f"about {timedelta(seconds=int((capacity - rows) / rate))} left")
    return f"{step.name}: {', '.join(parts)}"
