"""The clocks by which gates measure what has passed. The rules in ``milestones`` read none themselves."""

from __future__ import annotations

import time

from airflow_provider_oms.milestones.memory import Now


def within_process() -> Now:
    """Return the moment for a gate whose polls all happen in this process: setting the clock doesn't disturb it."""
    return Now(time.monotonic(), time.time())


def across_processes() -> Now:
    """Return the moment for a gate whose polls happen in one process after the other, which share the wall clock."""
    wall = time.time()
    return Now(wall, wall)
