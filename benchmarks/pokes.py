"""The cost of a sensor's poll on a worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from benchmarks.answers import project_id
from benchmarks.gates import logging_to_nowhere
from benchmarks.measuring import Size, each, median_of_rounds
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

AIM = 1.3


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the CPU and the time of a poke with one request, compared with the bare request."""
    import requests

    from airflow_provider_oms.sensors.oms import OmsProjectStatusSensor

    gate = OmsProjectStatusSensor(task_id="gate", project_id=project_id(0), target_statuses="FINISHED")
    context: Any = {"ti": SimpleNamespace(try_number=1, xcom_push=lambda key, value: None)}
    body = json.dumps({"id": project_id(0)}).encode()
    times = size.of(300, 3)

    with requests.Session() as session:
        session.auth = ("viewer", "none")
        session.headers["Content-Type"] = "application/json"

        def bare() -> object:
            return session.post(f"{oms.url}/api/v2?Action=DescribeProjectProgress", body, timeout=30).json()

        clock: Callable[[], float]
        for name, clock in (("CPU", time.process_time), ("time", time.perf_counter)):
            with logging_to_nowhere():
                contenders = {"ours": each(times, lambda: gate.poke(context), clock), "bare": each(times, bare, clock)}
                found = median_of_rounds(size.of(9, 1), contenders)
            against = "a bare requests.Session"
            yield Row(f"a synchronous poke, {name}", found["ours"], against, found["bare"], "us", aim=AIM)
        if gate._on_worker is not None:
            gate._on_worker.hook.close()
