"""How long gates hold up the event loop that other triggers share."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from benchmarks.answers import PROJECTS, project_name
from benchmarks.gates import STATUS, VARIED, fire, logging_to_nowhere, running, trigger
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

#: Milliseconds.
P99, WORST = 20.0, 50.0

#: Seconds between two beats.
BEAT = 0.002


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the lateness of a heartbeat beside gates, and beside none."""
    gates, interval, seconds = size.of(1000, 20), size.of(5.0, 1.0), size.of(20.0, 0.5)
    names, spread = size.of(PROJECTS, 10), size.of(10.0, 1.0)

    def slow() -> list[Any]:
        return [fire(trigger(n % 20, interval, VARIED[n // 20 % len(VARIED)])) for n in range(gates)]

    def huge() -> list[Any]:
        return [fire(trigger(0, spread, STATUS, project_name=project_name(n))) for n in range(names)]

    # Importing and reading certificates happen once in a process, in a thread.
    asyncio.run(_beat([fire(trigger(0, 1.0, STATUS))], 0.1))
    cases: tuple[tuple[str, float, Callable[[], list[Coroutine[Any, Any, Any]]], float], ...] = (
        (f"{gates} gates, answers after 2 s", 2.0 if not size.quick else 0.2, slow, seconds),
        (f"{names} gates, each listing {PROJECTS} projects", 0.0, huge, spread),
    )
    for name, delay, jobs, lasting in cases:
        oms.tell(delay=delay)
        try:
            with logging_to_nowhere():
                idle = asyncio.run(_beat([], lasting))
                with _collections() as collected:
                    ours = asyncio.run(_beat(jobs(), lasting))
        finally:
            oms.tell(delay=0)
        for what, of, most in (("p99", _p99, P99), ("worst", max, WORST)):
            cpu = of([cpu for _, cpu in ours])
            late, nothing = of([late for late, _ in ours]), of([late for late, _ in idle])
            note = f"{cpu:.1f} ms of it CPU of this thread"
            if what == "worst":
                note += f"; the longest garbage collection took {max(collected, default=0.0):.1f} ms"
            yield Row(f"event-loop stall, {what}: {name}", late, "an idle loop", nothing, "ms", most=most, note=note)


async def _beat(jobs: list[Any], seconds: float, warm: float = 0.5) -> list[tuple[float, float]]:
    """Return how late each beat came, in milliseconds, and how much of that this thread was busy."""
    found = []
    async with running(jobs):
        await asyncio.sleep(warm)
        end = time.monotonic() + seconds
        while (began := time.monotonic()) < end:
            busy = time.thread_time()
            await asyncio.sleep(BEAT)
            late = max(0.0, time.monotonic() - began - BEAT)
            found.append((late * 1000, min(late, time.thread_time() - busy) * 1000))
    return found


@contextlib.contextmanager
def _collections() -> Iterator[list[float]]:
    """Note how long each garbage collection takes, in milliseconds: it goes through all that Airflow has loaded."""
    took: list[float] = []
    began = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.thread_time()
        else:
            took.append((time.thread_time() - began) * 1000)

    gc.collect()
    gc.callbacks.append(note)
    try:
        yield took
    finally:
        gc.callbacks.remove(note)


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
