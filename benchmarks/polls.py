"""What one poll costs in a triggerer, with thousands of gates that each watch a project of their own."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from benchmarks.answers import project_id
from benchmarks.gates import STATUS, STEP, bare, every, fire, logging_to_nowhere, running, trigger
from benchmarks.measuring import Size, median_of_rounds
from benchmarks.row import Row, Skipped
from benchmarks.server import JSON, MISSING, CannedOms

AIM = 1.3

Job = Coroutine[Any, Any, Any]


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield our CPU for a poll beside that of the bare loop, of the http provider and of threads."""
    gates, interval = size.of(2000, 40), size.of(4.0, 1.0)

    # The first polls come within an interval, evenly spread.
    warm, window = interval * size.of(1.25, 0.6), interval * size.of(2.5, 0.4)

    def contender(jobs: Callable[[], list[Job]], requests_each: int = 1) -> Callable[[], float]:
        return lambda: asyncio.run(_cpu_of_a_poll(oms, jobs, warm, window, requests_each))

    def ours(milestone: dict[str, Any]) -> list[Job]:
        return [fire(trigger(number, interval, milestone)) for number in range(gates)]

    contenders = {
        "one": contender(lambda: ours(STATUS)),
        "bare one": contender(lambda: [bare(oms.url, gates, interval, ["DescribeProjectProgress"])]),
        "two": contender(lambda: ours(STEP), 2),
        "bare two": contender(
            lambda: [bare(oms.url, gates, interval, ["DescribeProjectProgress", "DescribeProjectSteps"])], 2
        ),
        "client": contender(lambda: [_client(oms, gates, interval)]),
        "threads": contender(lambda: [_threads(oms, gates, interval)]),
    }
    peers = _http_provider(gates, interval)
    contenders |= {name: contender(jobs) for name, jobs in peers.items()}

    with logging_to_nowhere():
        cpu = median_of_rounds(size.of(3, 1), contenders)
    note = f"{gates} gates"
    yield Row("a poll, 1 request, CPU", cpu["one"], "bare aiohttp loop", cpu["bare one"], "us", aim=AIM, note=note)
    yield Row("a poll, 2 requests, CPU", cpu["two"], "bare aiohttp loop", cpu["bare two"], "us", aim=AIM, note=note)
    what = "a request of our client alone, CPU"
    yield Row(what, cpu["client"], "bare aiohttp loop", cpu["bare one"], "us", note=f"{note}; the rest is judging")
    for name in peers:
        yield Row("a poll, 1 request, CPU", cpu["one"], name, cpu[name], "us", aim=0.5, note=note)
    if not peers:
        yield Skipped("a poll beside HttpTrigger", "the http provider isn't installed here")
    yield Row("a poll, 1 request, CPU", cpu["one"], "requests in threads", cpu["threads"], "us", aim=0.5, note=note)


async def _cpu_of_a_poll(
    oms: CannedOms, jobs: Callable[[], list[Job]], warm: float, window: float, requests_each: int
) -> float:
    """Return microseconds of CPU of this process for a poll, once all poll."""
    async with running(jobs()) as tasks:
        await asyncio.sleep(warm)
        gc.collect()  # what starting has left; what polling leaves counts
        await asyncio.to_thread(oms.tell)
        before = time.process_time()
        requests = 0
        while not requests:  # on a busy machine a short window may see none
            await asyncio.sleep(window)
            for failed in (task for task in tasks if task.done() and task.exception()):
                await failed
            spent = time.process_time() - before
            requests += sum((await asyncio.to_thread(oms.tell))["asked"].values())
    return spent / (requests / requests_each) * 1e6


async def _client(oms: CannedOms, gates: int, interval: float) -> None:
    """Our client, without sharing, milestones and logs."""
    from airflow_provider_oms.client.aio import AsyncOmsClient
    from airflow_provider_oms.client.settings import ClientSettings

    async with AsyncOmsClient(ClientSettings(oms.url, "viewer", "none", retries=0)) as client:

        def poll(number: int) -> Awaitable[object]:
            return client.adescribe_project_progress(project_id(number))

        async with running(every(interval, number, gates, partial(poll, number)) for number in range(gates)) as tasks:
            await asyncio.gather(*tasks)


async def _threads(oms: CannedOms, gates: int, interval: float) -> None:
    """What an asynchronous trigger around a synchronous client does."""
    import requests

    local = threading.local()

    def poll() -> object:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return local.session.post(f"{oms.url}{JSON}", b"{}", timeout=30).json()

    async with running(
        every(interval, number, gates, lambda: asyncio.to_thread(poll)) for number in range(gates)
    ) as tasks:
        await asyncio.gather(*tasks)


def _http_provider(gates: int, interval: float) -> dict[str, Callable[[], list[Job]]]:
    """The triggers of Airflow's http provider, where there is one."""
    try:
        from airflow.providers.http.triggers.http import HttpSensorTrigger, HttpTrigger
    except ImportError:
        return {}

    def once() -> Job:
        return fire(HttpTrigger(endpoint=JSON, method="POST", data="{}", auth_type="aiohttp.BasicAuth"))

    def waits() -> Job:
        return fire(HttpSensorTrigger(endpoint=MISSING, method="POST", data="{}", poke_interval=interval))

    async def later(number: int) -> None:
        await asyncio.sleep(interval * number / gates)
        await waits()

    return {
        "HttpTrigger, once a poll": lambda: [every(interval, number, gates, once) for number in range(gates)],
        "HttpSensorTrigger, 404": lambda: [later(number) for number in range(gates)],
    }
