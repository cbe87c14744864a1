"""How long gates block the event loop that all triggers share, and how much of that is garbage collection.

A full collection visits every object in the triggerer, and any trigger can start it, so stalls are given with and
without the collections.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.answers import PROJECTS, project_name
from benchmarks.gates import STATUS, VARIED, bare, fire, logging_to_nowhere, running, trigger
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

#: Milliseconds.
P99, WORST = 20.0, 50.0

#: Seconds between two heartbeats.
BEAT = 0.002


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield how late a heartbeat is with gates, and with as many bare loops that send the same requests."""
    gates, interval, seconds = size.of(1000, 20), size.of(5.0, 1.0), size.of(20.0, 0.5)
    names, spread = size.of(PROJECTS, 10), size.of(10.0, 1.0)

    def slow() -> list[Any]:
        return [fire(trigger(n % 20, interval, VARIED[n // 20 % len(VARIED)])) for n in range(gates)]

    def huge() -> list[Any]:
        return [fire(trigger(0, spread, STATUS, project_name=project_name(n))) for n in range(names)]

    # The first client of a process imports modules and reads certificates, in a thread. This isn't measured.
    asyncio.run(_beat([fire(trigger(0, 1.0, STATUS))], 0.1))

    def bare_slow() -> list[Any]:
        return [bare(oms.url, gates, interval, ["DescribeProjectProgress"])]

    def bare_huge() -> list[Any]:
        return [bare(oms.url, names, spread, ["ListProjects"])]

    jobs_of = Callable[[], list[Coroutine[Any, Any, Any]]]
    cases: tuple[tuple[str, float, jobs_of, jobs_of, float], ...] = (
        (f"{gates} gates, answers after 2 s", 2.0 if not size.quick else 0.2, slow, bare_slow, seconds),
        (f"{names} gates, each listing {PROJECTS} projects", 0.0, huge, bare_huge, spread),
    )
    for name, delay, gated, bared, lasting in cases:
        oms.configure(delay=delay)
        try:
            with logging_to_nowhere():
                theirs = asyncio.run(_beat(bared(), lasting))
                ours = asyncio.run(_beat(gated(), lasting))
        finally:
            oms.configure(delay=0)

        def row(what: str, of: Callable[[Beats], float], most: float, ours: Beats, theirs: Beats) -> Row:
            note = f"{of([replace(beat, late=beat.busy) for beat in ours]):.1f} ms of it CPU of this thread"
            if what == "worst":
                note += f"; {_full(ours)} full collections, theirs {_full(theirs)}"
            what = f"event-loop stall, {what}: {name}"  # noqa: B023 - called at once
            return Row(what, of(ours), "bare aiohttp loops", of(theirs), "ms", most=most, note=note)

        yield row("p99", _p99, P99, ours, theirs)
        yield row("worst", _worst, WORST, ours, theirs)
        yield row("worst without the garbage collector's", _worst, WORST, _uncollected(ours), _uncollected(theirs))


@dataclass(frozen=True)
class Beat:
    """One heartbeat; there should be one every :data:`BEAT` seconds. All times are in milliseconds.

    :param late: how late it was
    :param busy: how much CPU this thread used in that time
    :param collecting: how long the garbage collector ran in that time
    :param full: how many full collections there were in that time
    """

    late: float
    busy: float
    collecting: float
    full: int = 0


Beats = list[Beat]


async def _beat(jobs: list[Any], seconds: float, warm: float = 0.5) -> Beats:
    """Return the heartbeats of a period."""
    found = []
    async with running(jobs):
        await asyncio.sleep(warm)
        with _collections() as collected:
            end = time.monotonic() + seconds
            while (began := time.monotonic()) < end:
                collected.clear()
                busy = time.thread_time()
                await asyncio.sleep(BEAT)
                late = max(0.0, time.monotonic() - began - BEAT)
                found.append(
                    Beat(
                        late * 1000,
                        min(late, time.thread_time() - busy) * 1000,
                        sum(took for took, _ in collected),
                        sum(generation == 2 for _, generation in collected),
                    )
                )
    return found


@contextlib.contextmanager
def _collections() -> Iterator[list[tuple[float, int]]]:
    """Record the milliseconds of each garbage collection."""
    took: list[tuple[float, int]] = []
    began = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.thread_time()
        else:
            took.append(((time.thread_time() - began) * 1000, info["generation"]))

    gc.collect()
    gc.callbacks.append(note)
    try:
        yield took
    finally:
        gc.callbacks.remove(note)


def _full(beats: Beats) -> int:
    return sum(beat.full for beat in beats)


def _p99(beats: Beats) -> float:
    return sorted(beat.late for beat in beats)[int(len(beats) * 0.99)]


def _worst(beats: Beats) -> float:
    return max(beat.late for beat in beats)


def _uncollected(beats: Beats) -> Beats:
    """Return how late a heartbeat was, less the time of the garbage collector."""
    return [
        replace(beat, late=max(0.0, beat.late - beat.collecting), busy=max(0.0, beat.busy - beat.collecting))
        for beat in beats
    ]
