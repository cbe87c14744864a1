"""The clocks with which gates measure elapsed time. The rules in ``milestones`` read no clock themselves."""

from __future__ import annotations

import time

from airflow_provider_oms.milestones.memory import Now


def within_process() -> Now:
    """Return the moment for a gate whose polls all happen in this process; setting the clock doesn't affect it."""
    return Now(time.monotonic(), time.time())


def across_processes() -> Now:
    """Return the moment for a gate whose polls happen in several processes, which share only the wall clock."""
    wall = time.time()
    return Now(wall, wall, shared=True)
