"""Requests, CPU and time to the event for a thousand projects, with a gate for each or one gate over their label."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.answers import LABEL, MANY, project_id
from benchmarks.gates import FULL_TRANSFER, LIST_SETTING, UNLISTED, cpu_of, fire, logging_to_nowhere, running, trigger
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

#: Each project is asked for itself at least at every how many-th poll, whatever the list says.
CYCLE = 10

#: Real seconds to wait for an event at most.
PATIENCE = 600.0


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the cost of both, compared with a request for each project, and the time until they notice a change."""
    gates, interval = size.of(MANY, 40), size.of(10.0, 1.0)
    intervals = size.of(CYCLE, 2)
    ways = {"a gate each": lambda: _each(gates, interval), "one gate over their label": lambda: [_label(interval)]}
    with logging_to_nowhere():
        before = asyncio.run(_cost(oms, _each(gates, interval), interval, size.of(3, 2), UNLISTED))
        found = {name: asyncio.run(_cost(oms, jobs(), interval, intervals)) for name, jobs in ways.items()}
        heard = {name: asyncio.run(_heard(oms, jobs(), interval)) for name, jobs in ways.items()}
        alone = [
            asyncio.run(_heard_of_one(oms, _each(gates, interval), number, interval))
            for number in range(0, gates, gates // size.of(5, 1))
        ]
    for name, (lists, precise, cpu) in found.items():
        what = f"{gates} projects, {name}" if name == "a gate each" else f"{MANY} projects, {name}"
        note = f"{lists:.0f} for the list, the rest for every tenth poll; CPU is a triggerer's"
        asked, theirs = lists + precise, before[0] + before[1]
        yield Row(f"{what}: requests an interval", asked, "a poll of each project", theirs, most=10, note=note)
        yield Row(f"{what}: of these for the list", lists, "a poll of each project", theirs, most=10)
        yield Row(f"{what}: CPU an interval", 1000 * cpu, "a poll of each project", 1000 * before[2], "ms", aim=0.1)
    for name, times in heard.items():
        what = f"{MANY} projects, {name}: all reach the milestone at once, from OMS's answer to the events"
        yield Row(
            what, median(times), unit="ms", most=100, note=f"worst {max(times):.0f} ms; the interval comes on top"
        )
    what = f"{MANY} projects, a gate each: one reaches the milestone, from OMS's answer to its event"
    note = f"worst of {len(alone)}: {max(alone):.0f} ms; the interval comes on top"
    yield Row(what, median(alone), unit="ms", most=100, note=note)


def _each(gates: int, interval: float) -> list[Any]:
    return [fire(trigger(number, interval, FULL_TRANSFER)) for number in range(gates)]


def _label(interval: float) -> Any:
    return fire(trigger(0, interval, FULL_TRANSFER, fleet={"label_name": LABEL}))


async def _cost(
    oms: CannedOms, jobs: list[Any], interval: float, intervals: int, above: str | None = None
) -> tuple[float, float, float]:
    """Return the numbers of requests in an interval for lists and for anything else, and the CPU seconds."""
    _set(above)
    asked: dict[str, int] = {}

    async def count() -> None:
        await asyncio.sleep(1.25 * interval)
        await asyncio.to_thread(oms.configure)
        await asyncio.sleep(interval * intervals)
        asked.update((await asyncio.to_thread(oms.configure))["asked"])

    cpu = await cpu_of([*jobs, count()], warm=1.25 * interval, seconds=interval * intervals)
    _set(None)
    await asyncio.sleep(0)
    if not asked:  # cpu_of has ended before the count
        asked.update((await asyncio.to_thread(oms.configure))["asked"])
    lists = sum(number for action, number in asked.items() if action.startswith("List"))
    return lists / intervals, (sum(asked.values()) - lists) / intervals, cpu / intervals


async def _heard(oms: CannedOms, jobs: list[Any], interval: float) -> list[float]:
    """Return the milliseconds from OMS's first answer that the milestone is reached to the event of each gate."""
    fired: list[tuple[str | None, float]] = []

    async def gate(job: Any) -> None:
        event: Any = await job
        assert event.payload["status"] == "reached", event
        fired.append((event.payload["observed"].get("project"), time.monotonic()))

    async with running(gate(job) for job in jobs) as tasks:
        await asyncio.sleep(interval * 2.5)
        await asyncio.to_thread(oms.configure, reached=True)
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
    reached = (await asyncio.to_thread(oms.configure, reached=False))["reached_at"]
    return [(at - (reached[project] if project else max(reached.values()))) * 1000 for project, at in fired]


async def _heard_of_one(oms: CannedOms, jobs: list[Any], number: int, interval: float) -> float:
    """Return the same for one project, while the others continue."""
    async with running(jobs) as tasks:
        await asyncio.sleep(interval * 1.5)
        await asyncio.to_thread(oms.configure, reached=project_id(number))
        await asyncio.wait_for(tasks[number], PATIENCE)
        at = time.monotonic()
        reached = (await asyncio.to_thread(oms.configure, reached=False))["reached_at"]
    return float((at - reached[project_id(number)]) * 1000)


def _set(above: str | None) -> None:
    if above is None:
        os.environ.pop(LIST_SETTING, None)
    else:
        os.environ[LIST_SETTING] = above
