"""Lets gates poll one after the other without real pauses, so that each run executes and counts the same."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any
from unittest.mock import patch

from benchmarks.gates import BOTH, PROGRESS, STATUS, STEP, bare, client, fire, running, trigger

Jobs = list[Coroutine[Any, Any, Any]]

#: Seconds. As nothing sleeps, this only decides for how long an answer is shared.
INTERVAL = 0.001


def _gates(milestone: dict[str, Any], gates: int, interval: float = INTERVAL) -> Jobs:
    return [fire(trigger(number, interval, milestone)) for number in range(gates)]


#: What is compared: functions of OMS's address and the number of gates.
CONTENDERS: dict[str, Callable[[str, int], Jobs]] = {
    "one": lambda url, gates: _gates(STATUS, gates),
    "bare one": lambda url, gates: [bare(url, gates, INTERVAL, PROGRESS)],
    "two": lambda url, gates: _gates(STEP, gates),
    "bare two": lambda url, gates: [bare(url, gates, INTERVAL, BOTH)],
    "client": lambda url, gates: [client(url, gates, INTERVAL)],
    # With this interval all gates share the first answer.
    "shared": lambda url, gates: _gates(STATUS, gates, interval=600.0),
}


class _Turns:
    """Replaces ``asyncio.sleep``: a call wakes the task that has slept longest."""

    def __init__(self, gates: int, warm: int, polls: int, mark: Callable[[], object]) -> None:
        self._gates = gates
        self._marks = (warm, warm + polls)
        self._mark = mark
        self._sleeping: deque[asyncio.Future[None]] = deque()
        self._count = 0
        self.done = asyncio.get_running_loop().create_future()

    async def sleep(self, _: float) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._sleeping.append(turn)
        if len(self._sleeping) == self._gates and not self.done.done():
            self._count += 1
            if self._count in self._marks:
                self._mark()
            if self._count == self._marks[-1]:
                self.done.set_result(None)
            else:
                self._sleeping.popleft().set_result(None)
        await turn


async def in_turn(jobs: Jobs, *, gates: int, warm: int, polls: int, mark: Callable[[], object]) -> None:
    """Let gates poll, one after the other.

    :param jobs: coroutines that poll and sleep for ever
    :param gates: how many gates there are in all jobs
    :param warm: how many polls all gates together make before counting begins
    :param polls: how many polls are counted
    :param mark: called before and after the polls that are counted
    """
    turns = _Turns(gates, warm, polls, mark)
    with patch("asyncio.sleep", turns.sleep):
        async with running(jobs) as tasks:
            await asyncio.wait([turns.done, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for ended in (task for task in tasks if task.done()):
                await ended
