"""Runs gates on one event loop, as a triggerer does, and the simpler loops that they are compared with."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any

from benchmarks.answers import project_id


def trigger(number: int, interval: float, milestone: dict[str, Any], **project: Any) -> Any:
    """Return a trigger that waits for a milestone.

    :param number: the number of its project
    :param interval: its poll interval in seconds
    :param milestone: the milestone, as in a trigger's kwargs
    :param project: another way to name the project, such as ``project_name``
    """
    from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

    known = project or {"project_id": project_id(number)}
    return OmsMilestoneTrigger(gate={**known, "poke_interval": interval, "milestone": milestone})


#: One request for each poll.
STATUS = {"kind": "project_status", "target_statuses": ["FINISHED"]}
#: Two requests for each poll: the progress, then the steps.
STEP = {"kind": "step", "step": "FULL_TRANSFER"}
FULL_TRANSFER = {"kind": "full_transfer", "progress": 100}
LAG = {"kind": "checkpoint_lag", "max_lag": 30}

#: The setting for the number of projects above which gates use the list, and a value above any number of projects.
LIST_SETTING, UNLISTED = "AIRFLOW__OMS__LIST_ABOVE", "1000000"

#: What the bare loop requests in a poll.
PROGRESS, BOTH = ["DescribeProjectProgress"], ["DescribeProjectProgress", "DescribeProjectSteps"]

#: Milestones that are assigned to gates in turn, so that the gates of a project wait for different ones.
VARIED = (STEP, FULL_TRANSFER, LAG, STATUS, {"kind": "cutover_ready"}, {"kind": "full_verification"})


async def fire(waiting: Any) -> Any:
    """Run a trigger to its end and return its event."""
    return await anext(waiting.run())


@contextlib.asynccontextmanager
async def running(jobs: Iterable[Awaitable[Any]]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Run jobs in the background, and cancel them at the end."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def every(interval: float, index: int, total: int, poll: Callable[[], Awaitable[object]]) -> None:
    """Poll for ever, at a time in the interval that depends on the index, as gates do."""
    await asyncio.sleep(interval * index / total)
    while True:
        began = time.monotonic()
        await poll()
        await asyncio.sleep(max(0.0, interval - (time.monotonic() - began)))


async def bare(url: str, gates: int, interval: float, actions: list[str]) -> None:
    """The lower limit: send requests over one session, and parse the JSON."""
    import aiohttp

    headers = {"Authorization": "Basic dmlld2VyOm5vbmU=", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(url, headers=headers) as session:

        async def poll(body: bytes) -> None:
            for action in actions:
                async with session.post(f"/api/v2?Action={action}", data=body) as response:
                    json.loads(await response.read())

        bodies = [json.dumps({"id": project_id(number)}).encode() for number in range(gates)]
        async with running(
            every(interval, number, gates, lambda body=body: poll(body))  # type: ignore[misc]
            for number, body in enumerate(bodies)
        ) as tasks:
            await asyncio.gather(*tasks)


async def client(url: str, gates: int, interval: float) -> None:
    """Our client alone, without sharing, milestones and logs."""
    from airflow_provider_oms.client.aio import AsyncOmsClient
    from airflow_provider_oms.client.settings import ClientSettings

    async with AsyncOmsClient(ClientSettings(url, "viewer", "none", retries=0)) as opened:

        def poll(number: int) -> Awaitable[object]:
            return opened.adescribe_project_progress(project_id(number))

        async with running(every(interval, number, gates, partial(poll, number)) for number in range(gates)) as tasks:
            await asyncio.gather(*tasks)


async def cpu_of(jobs: Iterable[Awaitable[Any]], *, warm: float, seconds: float) -> float:
    """Return the CPU seconds that jobs use in this process in a period, after a warm-up."""
    async with running(jobs):
        await asyncio.sleep(warm)
        gc.collect()  # garbage of the start-up
        before = time.process_time()
        await asyncio.sleep(seconds)
        return time.process_time() - before


@contextlib.contextmanager
def logging_to_nowhere() -> Iterator[None]:
    """Let Airflow format its logs as usual, but discard them."""
    sys.stdout.flush()
    sys.stderr.flush()
    shown = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, before in zip((1, 2), shown, strict=True):
            os.dup2(before, number)
            os.close(before)
        os.close(nowhere)
