"""The cost of reading an answer: from its bytes to the values that a milestone uses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

from benchmarks.answers import project_id, project_name, taken
from benchmarks.measuring import Size, each, median_of_rounds
from benchmarks.row import Row, Skipped

AIM = 2.0


def run(size: Size, oms: Any) -> Iterator[Row | Skipped]:
    """Yield a row for each kind of answer."""
    from airflow_provider_oms.client import actions
    from airflow_provider_oms.client.protocol import HttpAnswer, read_answer
    from airflow_provider_oms.milestones import steps

    headers = {"date": formatdate(time.time(), usegmt=True), "content-type": "application/json"}

    def ours(call: Any, body: bytes, read: Callable[[Any], object]) -> Callable[[], object]:
        return lambda: read(read_answer(call, HttpAnswer(200, headers, body, 0.0)).data)

    def progress(data: Any) -> object:
        return data.status, data.enable_full_transfer, data.full_transfer_progress, data.incr_sync_checkpoint

    def done(data: Any) -> object:
        return [steps.is_done(step) for step in steps.find(data, "FULL_TRANSFER")]

    def found(data: Any) -> object:
        return {row.id for row in data.rows if row.name == project_name(7)}

    cases: list[tuple[str, str, Any, Callable[[Any], object], int]] = [
        ("progress", "DescribeProjectProgress", actions.describe_project_progress(project_id(0)), progress, 2000),
        ("steps", "DescribeProjectSteps", actions.describe_project_steps(project_id(0)), done, 1000),
        ("150 projects", "ListProjects", actions.list_projects("shop").page(1), found, 20),
    ]
    for name, action, call, read, times in cases:
        body = taken()[action]
        read_ours = ours(call, body, read)
        times = size.of(times, max(1, times // 100))
        contenders = {"ours": each(times, read_ours), "json": each(times, lambda body=body: json.loads(body))}  # type: ignore[misc]
        cpu = median_of_rounds(size.of(21, 1), contenders)
        note = f"{len(body):,} bytes"
        yield Row(f"read {name}, CPU", cpu["ours"], "json.loads alone", cpu["json"], "us", aim=AIM, note=note)
