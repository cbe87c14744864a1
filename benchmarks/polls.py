"""The CPU of one poll in a triggerer with thousands of gates, each on a project of its own.

Ratios of CPU time differ between processes and between machines, so each ratio is the median of several processes;
``--only instructions`` measures what doesn't differ.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from benchmarks.gates import (
    BOTH,
    LIST_SETTING,
    PROGRESS,
    STATUS,
    STEP,
    UNLISTED,
    bare,
    client,
    every,
    fire,
    logging_to_nowhere,
    running,
    trigger,
)
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped, ratio_of
from benchmarks.server import JSON, MISSING, CannedOms, configure

AIM_ONE, AIM_TWO = 1.2, 1.3

Job = Coroutine[Any, Any, Any]

#: Pairs of contenders that are compared; both are measured in the same process.
_Times = dict[str, float]


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield our CPU for a poll compared with that of the bare loop, of the http provider and of threads."""
    # Several child processes, because the figure depends on where objects happen to be in a process's memory.
    times = [_of_a_process(size, oms, turn) for turn in range(size.of(5, 2))]
    note = f"{_gates(size)} gates"
    for what, ours, peer, theirs, aim in (
        ("a poll, 1 request, CPU", "one", "bare aiohttp loop", "bare one", AIM_ONE),
        ("a poll, 2 requests, CPU", "two", "bare aiohttp loop", "bare two", AIM_TWO),
        ("a request of our client alone, CPU", "client", "bare aiohttp loop", "bare one", None),
        ("a poll, 1 request, CPU", "one", "HttpTrigger, once a poll", "HttpTrigger, once a poll", 0.5),
        ("a poll, 1 request, CPU", "one", "HttpSensorTrigger, 404", "HttpSensorTrigger, 404", 0.5),
        ("a poll, 1 request, CPU", "one", "requests in threads", "threads", 0.5),
    ):
        if theirs in times[0]:
            yield ratio_of(
                [(one[ours], one[theirs]) for one in times], Row(what, 0, peer, unit="us", aim=aim, note=note)
            )
        else:
            yield Skipped(f"{what}, compared with {peer}", "the http provider isn't installed here")


def _of_a_process(size: Size, oms: CannedOms, turn: int) -> _Times:
    """Return microseconds of CPU for a poll by contender, measured one after the other in a separate process.

    :param turn: the number of the process; every second one measures in the reverse order
    """
    command = [sys.executable, "-m", "benchmarks.polls", oms.url, *(["quick"] if size.quick else ["full"]), str(turn)]
    printed = subprocess.run(command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, check=True).stdout
    found: _Times = json.loads(printed)
    return found


def _gates(size: Size) -> int:
    return size.of(2000, 40)


def _main(url: str, size: str, turn: str) -> None:
    """Measure every contender; this runs in a separate process."""
    os.environ[LIST_SETTING] = UNLISTED  # each gate asks for its own project
    contenders = _contenders(Size(quick=size == "quick"), url)
    found: _Times = {}
    with logging_to_nowhere():
        for name in list(contenders) if int(turn) % 2 == 0 else list(reversed(contenders)):
            gc.collect()
            found[name] = contenders[name]()
    print(json.dumps(found))


def _contenders(size: Size, url: str) -> dict[str, Callable[[], float]]:
    gates, interval = _gates(size), size.of(4.0, 1.0)

    # The first polls come within an interval, evenly spread.
    warm, window = interval * size.of(1.25, 0.6), interval * size.of(2.5, 0.4)

    def contender(jobs: Callable[[], list[Job]], requests_each: int = 1) -> Callable[[], float]:
        return lambda: asyncio.run(_cpu_of_a_poll(url, jobs, warm, window, requests_each))

    def ours(milestone: dict[str, Any]) -> list[Job]:
        return [fire(trigger(number, interval, milestone)) for number in range(gates)]

    return {
        "one": contender(lambda: ours(STATUS)),
        "bare one": contender(lambda: [bare(url, gates, interval, PROGRESS)]),
        "two": contender(lambda: ours(STEP), 2),
        "bare two": contender(lambda: [bare(url, gates, interval, BOTH)], 2),
        "client": contender(lambda: [client(url, gates, interval)]),
        "threads": contender(lambda: [_threads(url, gates, interval)]),
        **{name: contender(jobs) for name, jobs in _http_provider(gates, interval).items()},
    }


async def _cpu_of_a_poll(
    url: str, jobs: Callable[[], list[Job]], warm: float, window: float, requests_each: int
) -> float:
    """Return the microseconds of CPU that this process uses for a poll, after a warm-up."""
    async with running(jobs()) as tasks:
        await asyncio.sleep(warm)
        gc.collect()  # garbage of the start-up; that of polling is measured
        await asyncio.to_thread(configure, url)
        before = time.process_time()
        requests = 0
        while not requests:  # on a busy machine there may be none in a short period
            await asyncio.sleep(window)
            for failed in (task for task in tasks if task.done() and task.exception()):
                await failed
            spent = time.process_time() - before
            requests += sum((await asyncio.to_thread(configure, url))["asked"].values())
    return spent / (requests / requests_each) * 1e6


async def _threads(url: str, gates: int, interval: float) -> None:
    """Poll as an asynchronous trigger that calls a synchronous client in threads."""
    import requests

    local = threading.local()

    def poll() -> object:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return local.session.post(f"{url}{JSON}", b"{}", timeout=30).json()

    async with running(
        every(interval, number, gates, lambda: asyncio.to_thread(poll)) for number in range(gates)
    ) as tasks:
        await asyncio.gather(*tasks)


def _http_provider(gates: int, interval: float) -> dict[str, Callable[[], list[Job]]]:
    """Return contenders that use the triggers of Airflow's http provider, if it is installed."""
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


if __name__ == "__main__":
    _main(*sys.argv[1:])
