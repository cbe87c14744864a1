"""The time from OMS's answer that the milestone is reached to the event that resumes the task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.answers import project_id
from benchmarks.gates import FULL_TRANSFER, fire, logging_to_nowhere, running, trigger
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

#: Milliseconds.
AIM = 50.0


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the time from OMS's answer to the event."""
    gates, projects, interval = size.of(1000, 20), size.of(200, 10), size.of(5.0, 1.0)
    with logging_to_nowhere():
        found = sorted(asyncio.run(_wait(oms, gates, projects, interval)))
    note = f"{gates} gates over {projects} projects; the poll interval comes on top"
    for what, value in (("median", found[len(found) // 2]), ("worst", found[-1])):
        yield Row(f"from OMS's answer to the event, {what}", value, unit="ms", most=AIM, note=note)


async def _wait(oms: CannedOms, gates: int, projects: int, interval: float) -> list[float]:
    fired: list[tuple[str, float]] = []

    async def gate(number: int) -> None:
        event: Any = await fire(trigger(number % projects, interval, FULL_TRANSFER))
        fired.append((project_id(number % projects), time.monotonic()))
        assert event.payload["status"] == "reached", event

    async with running(gate(number) for number in range(gates)) as tasks:
        await asyncio.sleep(interval * 1.25)
        await asyncio.to_thread(oms.configure, reached=True)
        await asyncio.wait_for(asyncio.gather(*tasks), 600)
    reached = (await asyncio.to_thread(oms.configure, reached=False))["reached_at"]
    return [(at - reached[project]) * 1000 for project, at in fired]
