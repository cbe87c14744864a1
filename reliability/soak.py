"""A soak test: hundreds of gates wait for minutes in a real triggerer, whose resources are measured meanwhile.

``python -m reliability.soak``, with a Python that has the Airflow to be tested. The gates poll once a second, which is
the shortest interval, so that minutes have as many polls as hours usually have. There are three outages of OMS.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from airflow_provider_oms.client.settings import DEFAULT_MAX_CONCURRENT_REQUESTS
from demo.home import airflow_environment

#: How many gates each project has.
GATES_EACH = 15

#: By how much a number may vary: a connection that is being replaced has two sockets for a moment.
SPARE = 2

#: The largest number of connections that the client keeps. It keeps as many as it has used at the same time, so the
#: number may still grow up to this limit.
POOL = DEFAULT_MAX_CONCURRENT_REQUESTS

#: Growth of memory for each request, in bytes, above which it counts as a leak. A request that is never freed takes
#: thousands of bytes.
BYTES_A_REQUEST = 256

#: The setting for the number of triggers of a triggerer, in Airflow 3 and in Airflow 2.
CAPACITY = ("CAPACITY", "DEFAULT_CAPACITY")

#: Bytes by which memory may grow in any case, because the allocator doesn't return all freed memory.
ALLOCATOR = 4 * 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """The resources that all processes of the triggerer use together.

    :param at: real seconds since the beginning
    :param requests: how many the simulator has answered
    :param rss: bytes
    :param fds: file descriptors
    :param sockets: TCP sockets
    """

    at: float
    requests: int
    rss: int
    fds: int
    sockets: int


def medians(samples: Sequence[Sample]) -> Sample:
    """Return the medians of some samples."""
    return Sample(*(statistics.median(getattr(one, name) for one in samples) for name in asdict(samples[0])))


def leaks(before: Sample, after: Sample) -> list[str]:
    """Return which resources have leaked, each with its figures.

    :param before: the resources after the warm-up
    :param after: the resources at the end
    """
    found = []
    if after.sockets > max(before.sockets, POOL) + SPARE:
        found.append(f"sockets grew from {before.sockets:g} to {after.sockets:g}")
    if after.fds - after.sockets > before.fds - before.sockets + SPARE:
        found.append(f"fds grew from {before.fds:g} to {after.fds:g}, not counting sockets")
    grown, requests = after.rss - before.rss, after.requests - before.requests
    if grown > ALLOCATOR + BYTES_A_REQUEST * requests:
        found.append(f"memory grew by {grown / 1024:.0f} KiB over {requests:g} requests")
    return found


def measure(processes: Sequence[Any], at: float, requests: int) -> Sample:
    """Measure the resources of processes."""
    import psutil

    rss = fds = sockets = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            rss += process.memory_info().rss
            fds += process.num_fds()
            connections = getattr(process, "net_connections", None) or process.connections
            sockets += len(connections(kind="tcp"))
    return Sample(at, requests, rss, fds, sockets)


def soak(home: Path, gates: int, interval: float, warm_up: float, seconds: float) -> dict[str, Any]:
    """Let gates wait, and return the result. This process must have an Airflow home with a database.

    :param home: Airflow's home
    :param gates: how many gates
    :param interval: real seconds between two polls of a gate
    :param warm_up: real seconds before the first measurement
    :param seconds: real seconds from the first measurement to the last
    """
    from airflow.providers.common.compat.sdk import DAG, TaskDeferred

    from airflow_provider_oms.sensors import oms as sensors
    from airflow_provider_oms.simulator import Project, Simulator
    from tests import modes
    from tests.triggerer.database import Run
    from tests.triggerer.process import Triggerer, session

    answered = [0]

    def count(record: Any) -> None:
        answered[0] += 1

    def wait(until: float, keep: list[Sample] | None = None) -> None:
        while time.monotonic() < until:
            triggerer.check()
            if keep is not None:
                processes = session(triggerer._process.pid)  # type: ignore[union-attr]
                keep.append(measure(processes, time.monotonic() - begun, answered[0]))
            time.sleep(1)

    with Simulator(on_request=count) as oms, contextlib.ExitStack() as stack:
        os.environ["AIRFLOW_CONN_OMS_DEFAULT"] = oms.connection_json
        for number in range(-(-gates // GATES_EACH)):
            table = [{"schema": "shop", "table": "orders"}]
            oms.add_project(
                Project(
                    id=f"np_{number}",
                    name=f"shop_{number}",
                    status="RUNNING",
                    step="FULL_TRANSFER",
                    durations={"FULL_TRANSFER": 10**7},
                    verification=table,  # type: ignore[arg-type]
                )
            )
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("OmsFullTransferSensor", {}),
            ("OmsStepSensor", {"step": "FULL_TRANSFER"}),
            ("OmsCheckpointLagSensor", {"max_lag": 30}),
            ("OmsFullVerificationSensor", {}),
            ("OmsCutoverReadySensor", {}),
        ]
        runs = []
        # One DAG for each project, because Airflow reads the whole DAG again for each trigger that it starts.
        for project in range(-(-gates // GATES_EACH)):
            start = datetime(2026, 1, 1, tzinfo=UTC)
            with DAG(f"reliability_soak_{project}", start_date=start, schedule=None) as dag:
                for number in range(project * GATES_EACH, min((project + 1) * GATES_EACH, gates)):
                    sensor, arguments = kinds[number % len(kinds)]
                    getattr(sensors, sensor)(
                        task_id=f"gate_{number}",
                        project_id=f"np_{project}",
                        deferrable=True,
                        poke_interval=interval,
                        timeout=86400,
                        **arguments,
                    )
            deferrals = {}
            for task in dag.tasks:
                try:
                    task.execute(modes.context())
                except TaskDeferred as deferred:
                    deferrals[task.task_id] = deferred
            runs.append(Run(dag, home))
            runs[-1].defer(deferrals)
        begun = time.monotonic()
        # The level of production, because Airflow opens a trigger's log file only at the first line.
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "INFO"
        # The default is 1,000.
        settings = dict.fromkeys((f"AIRFLOW__TRIGGERER__{name}" for name in CAPACITY), str(gates + 100))
        # There is no other triggerer, so this one may be slow while thousands of triggers begin.
        settings["AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD"] = "300"
        triggerer = stack.enter_context(Triggerer(home / "triggerer.log", **settings))
        while runs[0].unclaimed():
            if time.monotonic() > begun + 600:
                raise RuntimeError(f"{runs[0].unclaimed()} gates have no triggerer.\n{triggerer.text()[-3000:]}")
            wait(time.monotonic() + 1)
        oms.outage(3)
        wait(time.monotonic() + warm_up / 2)
        oms.outage(3)
        wait(time.monotonic() + warm_up / 2)
        samples: list[Sample] = []
        third = seconds / 3
        wait(time.monotonic() + third, samples)
        oms.outage(3)
        wait(time.monotonic() + 2 * third, samples)
        waiting = sum(row.state == "deferred" for run in runs for row in run.rows().values())
    size = max(5, len(samples) // 6)
    before, after = medians(samples[:size]), medians(samples[-size:])
    return {
        "airflow": version("apache-airflow"),
        "gates": gates,
        "interval": interval,
        "gates_still_waiting": waiting,
        "seconds": round(samples[-1].at - samples[0].at),
        "requests": samples[-1].requests - samples[0].requests,
        "before": asdict(before),
        "after": asdict(after),
        "leaks": leaks(before, after),
        "lost": [f"{gates - waiting} gates no longer wait"] if waiting != gates else [],
        "samples": [asdict(one) for one in samples[:: max(1, len(samples) // 60)]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reliability.soak", description=__doc__)
    parser.add_argument("--gates", type=int, default=300)
    parser.add_argument("--poke-interval", type=float, default=1, help="seconds; the shortest possible is 1")
    parser.add_argument("--warm-up", type=float, default=45)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--quick", action="store_true", help="45 gates, 30 s")
    parser.add_argument("--result", type=Path, help="the file to write the result to (JSON)")
    given = parser.parse_args()
    # SIGTERM must run the context managers' exits, so that no process of Airflow is left running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if given.quick:
        given.gates, given.warm_up, given.seconds = 45, 10, 30
    home = Path(tempfile.mkdtemp(prefix="oms-soak-"))
    try:
        dags = home / "dags"
        dags.mkdir()
        environment = airflow_environment(home, dags, "{}", deferrable=True)
        for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
            del os.environ[name]
        os.environ.update(environment, AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING")
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
        found = soak(home, given.gates, given.poke_interval, given.warm_up, given.seconds)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    text = json.dumps(found, indent=2)
    print(text)
    if given.result:
        given.result.write_text(text, encoding="utf-8")
    return 1 if found["leaks"] or found["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
