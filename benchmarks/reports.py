"""The CPU of reporting: lineage for each gate that opens, and metrics for each poll."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from benchmarks.answers import TABLES, project_id
from benchmarks.gates import logging_to_nowhere
from benchmarks.measuring import Size, each, median_of_rounds
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

#: The aim for a poll with metrics compared with one without: metrics are a few datagrams.
METRICS_AIM = 1.3


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the CPU of an opened gate's lineage and of a poll with metrics, compared with the same without them."""
    # A separate process, because Airflow reads only once whether it is to send metrics.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        settings = {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(listening.getsockname()[1]),
        }
        command = [sys.executable, "-m", "benchmarks.reports", *(["quick"] if size.quick else [])]
        done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("PROBED ")]
    found: dict[str, float] = json.loads(line.removeprefix("PROBED "))
    if "lineage" in found:
        what = f"lineage of an opened gate, {TABLES} tables, CPU"
        note = "once a gate, in a process that Airflow starts for it"
        yield Row(what, found["lineage"], "a bare request for the project", found["described"], "us", note=note)
        yield Row(what, found["lineage"], "the gate, from its connection to its first poll", found["gate"], "us")
    else:
        yield Skipped("lineage of an opened gate", "the OpenLineage provider isn't installed here")
    if "on" in found:
        what = "a synchronous poke with [oms] metrics, CPU"
        note = "three metrics to a statsd"
        yield Row(what, found["on"], "the same without", found["off"], "us", METRICS_AIM, note=note)
    else:
        yield Skipped("a poke with metrics", "statsd isn't installed here")


def _probe(size: Size) -> dict[str, float]:
    """Return the microseconds of CPU of each kind of poll."""
    with logging_to_nowhere():
        found = _metrics(size) if find_spec("statsd") else {}
        return found | (_lineage(size) if find_spec("airflow.providers.openlineage") else {})


def _metrics(size: Size) -> dict[str, float]:
    from tests.tasks.metrics_worker import make_ready

    make_ready()
    gates = {}
    for name in ("on", "off"):
        os.environ["AIRFLOW__OMS__METRICS"] = str(name == "on")
        gates[name] = _gate()
        gates[name].poke(_context())  # reads the setting for metrics
    times = size.of(300, 3)
    # Both functions get their gates as defaults, so that they differ only in the metrics.
    contenders = {name: each(times, lambda gate=gate: gate.poke(_context())) for name, gate in gates.items()}  # type: ignore[misc]
    return median_of_rounds(size.of(9, 1), contenders)


def _lineage(size: Size) -> dict[str, float]:
    import requests
    from airflow.providers.common.compat.sdk import BaseHook

    from airflow_provider_oms.lineage.extraction import of_gate
    from airflow_provider_oms.milestones.gate import Gate
    from airflow_provider_oms.milestones.kinds import FullTransferMilestone

    os.environ["AIRFLOW__OMS__METRICS"] = "False"
    gate = Gate(FullTransferMilestone(), project_id=project_id(0))
    observed = {"project": project_id(0), "status": "RUNNING", "step": "FULL_TRANSFER", "progress": 100}
    body = json.dumps({"id": project_id(0)}).encode()

    def report() -> None:
        reported = of_gate(lambda: gate, observed)
        assert reported is not None
        assert len(reported.outputs) == TABLES

    def bare() -> object:
        conn = BaseHook.get_connection("oms_default")
        url = f"http://{conn.host}:{conn.port}/api/v2?Action=DescribeProject"
        return requests.post(url, body, auth=(conn.login, conn.password), timeout=30).json()

    def first_poll() -> None:
        sensor = _gate()
        sensor.poke(_context())
        sensor._on_worker.hook.close()

    times = size.of(30, 1)
    contenders = {"lineage": each(times, report), "described": each(times, bare), "gate": each(times, first_poll)}
    return median_of_rounds(size.of(9, 1), contenders)


def _gate() -> Any:
    from airflow_provider_oms.sensors.oms import OmsProjectStatusSensor

    return OmsProjectStatusSensor(task_id="gate", project_id=project_id(0), target_statuses="FINISHED")


def _context() -> Any:
    return {"ti": SimpleNamespace(try_number=1, xcom_push=lambda key, value: None)}


if __name__ == "__main__":
    print("PROBED " + json.dumps(_probe(Size(quick="quick" in sys.argv))))
