"""Which limit a triggerer reaches first with 10,000 gates over 2,000 projects at once. Airflow 3 only."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms
from benchmarks.triggerer import INTERVAL, hold, log_of, make_database, rows, started


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield how many gates a usual limit of open files allows, and what all gates cost with a higher limit."""
    from airflow import __version__

    if __version__.startswith("2."):
        yield Skipped("more gates than a triggerer can hold", "written for Airflow 3")
        return
    make_database()
    gates, projects = size.of((10_000, 2_000), (400, 80))
    oms.configure(many=projects)
    # A low limit shows the same and takes less time.
    files = size.of(1024, 256)
    held, sleepers = (_starve(gates, count, files) for count in (projects, 0))
    what = f"gates that ran when a triggerer that may open {files:,} files ended"
    yield Row(what, held, "triggers that only sleep", sleepers, note="Too many open files: a log for each")
    seconds = size.of(INTERVAL, 2.0)
    empty = hold(oms, 0, projects=0, seconds=seconds)
    ours = hold(oms, gates, projects=projects, seconds=seconds)
    sleeping = empty if size.quick else hold(oms, gates, projects=0, seconds=seconds)
    what = f"{gates:,} gates over {projects:,} projects"
    yield from rows(what, gates, ours, sleeping, empty)
    peer, stall = "triggers that only sleep", f"{what}, longest stall of which Airflow warns"
    yield Row(stall, ours["blocked"], peer, sleeping["blocked"] or None, unit="s")


def _starve(gates: int, projects: int, files: int) -> float:
    """Return how many triggers had a log when the triggerer ended because it could open no more files.

    :raises RuntimeError: it has ended for another reason, or not at all
    """
    shutil.rmtree(Path(os.environ["AIRFLOW_HOME"]) / "logs", ignore_errors=True)
    with started(gates, projects, files) as (process, home):
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < 300:
            time.sleep(1)
        if process.poll() is None or "Too many open files" not in log_of(home):
            raise RuntimeError(log_of(home)[-3000:])
        return float(len(list((home / "logs").glob("*/run_id=held/*/map_index=*/*.trigger.*.log"))))
