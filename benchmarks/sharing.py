"""How many requests a thousand gates on twenty projects send to OMS, and how much CPU they use in a triggerer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.answers import project_id
from benchmarks.gates import VARIED, cpu_of, every, fire, logging_to_nowhere, running, trigger
from benchmarks.measuring import Size, median_of_rounds
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the number of requests in an interval, and the part of a core that the gates use."""
    gates, projects = size.of(1000, 40), size.of(20, 4)
    with logging_to_nowhere():
        rows = [
            *_requests(oms, gates, projects, size.of(5.0, 1.0), size.of(4, 1)),
            *_cpu(oms, gates, projects, size.of(30.0, 1.0), size),
        ]
    yield from rows


def _gates(gates: int, projects: int, interval: float) -> list[Any]:
    kinds = len(VARIED)
    return [fire(trigger(n % projects, interval, VARIED[n // projects % kinds])) for n in range(gates)]


def _requests(oms: CannedOms, gates: int, projects: int, interval: float, intervals: int) -> Iterator[Row]:
    async def count() -> dict[str, int]:
        async with running(_gates(gates, projects, interval)):
            await asyncio.sleep(1.25 * interval)
            await asyncio.to_thread(oms.configure)
            await asyncio.sleep(interval * intervals)
            return (await asyncio.to_thread(oms.configure))["asked"]  # type: ignore[no-any-return]

    asked = asyncio.run(count())
    each = sum(asked.values()) / intervals
    what, note = f"requests an interval, {gates} gates over {projects} projects", f"{len(asked)} project views"
    yield Row(what, each, "one for each project and view", len(asked), aim=1.1, note=note)
    yield Row(what, each, "one for each gate (every peer)", gates, aim=0.5, note="theirs is counted, not measured")


def _cpu(oms: CannedOms, gates: int, projects: int, interval: float, size: Size) -> Iterator[Row]:
    seconds = interval * size.of(1.0, 0.5)

    async def sleep() -> None:
        return None

    def percent(jobs: Any) -> float:
        return 100 / seconds * asyncio.run(cpu_of(jobs(), warm=1.25 * seconds, seconds=seconds))

    found = median_of_rounds(
        1,
        {
            "ours": lambda: percent(lambda: _gates(gates, projects, interval)),
            "sleep": lambda: percent(lambda: [every(interval, n, gates, sleep) for n in range(gates)]),
            "bare": lambda: percent(lambda: [_bare(oms, gates, interval)]),
        },
    )
    above = found["ours"] - found["sleep"]
    note = f"triggers that only sleep: {found['sleep']:.2f} %"
    what = f"{gates} gates at {interval:g} s, above sleeping"
    bare = found["bare"] - found["sleep"]
    yield Row(what, above, "bare aiohttp loop, a poll for each gate", bare, "% of a core", most=1.0, note=note)


async def _bare(oms: CannedOms, gates: int, interval: float) -> None:
    import aiohttp

    async with aiohttp.ClientSession(oms.url) as session:

        async def poll(body: bytes) -> None:
            async with session.post("/api/v2?Action=DescribeProjectProgress", data=body) as response:
                json.loads(await response.read())

        body = json.dumps({"id": project_id(0), "at": time.time()}).encode()
        async with running(every(interval, n, gates, lambda: poll(body)) for n in range(gates)) as tasks:
            await asyncio.gather(*tasks)
