"""One session and one answer for all the gates of a triggerer that ask the same OMS the same thing.

A triggerer runs a thousand gates in one event loop, and many watch the same project. They share a client for each
connection, closed when the last of them ends, and a request for each question: whoever asks while an answer is on its
way, or fresh enough, gets that answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsError
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.hooks.oms import OmsHook, connection_problem

T = TypeVar("T")


@dataclass
class _Asked:
    """A question: when it was asked, and the task that gets the answer."""

    at: float
    task: asyncio.Task[tuple[Answer[Any], float]]


class SharedOms:
    """An OMS that several gates ask through one session.

    :param oms_conn_id: the Airflow connection
    """

    def __init__(self, oms_conn_id: str) -> None:
        self.oms_conn_id = oms_conn_id
        self.users = 0
        self._clients: list[AsyncOmsClient] = []
        self._opening = asyncio.Lock()
        self._asked: dict[str, _Asked] = {}

    async def ask(self, call: Call[T], *, fresh_for: float, after: float = 0.0) -> tuple[Answer[T], float]:
        """Return the answer to a call, and when it came (the loop's clock).

        :param call: a call that changes nothing
        :param fresh_for: seconds that an answer somebody else got may be old
        :param after: the loop's time; an answer asked for earlier doesn't do
        :raises OmsError: one of its kinds
        """
        now = asyncio.get_running_loop().time()
        asked = self._asked.get(call.key)
        if asked is None or asked.at < after or now - asked.at > fresh_for:
            self._forget(now)
            asked = self._asked[call.key] = _Asked(now, asyncio.create_task(self._send(call)))
            # Whoever waits may be cancelled; then nobody is left to look at a failure.
            asked.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            # A gate that is cancelled must not take the answer away from the others.
            return await asyncio.shield(asked.task)
        except OmsError as error:
            # Each gate gets an error of its own, so that their tracebacks don't pile up in one.
            raise type(error)(error.problem, error.details) from None

    async def close(self) -> None:
        """Give up what is on its way and close the session."""
        tasks = [asked.task for asked in self._asked.values()]
        self._asked.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._clients:
            await self._clients.pop().aclose()

    def _forget(self, now: float) -> None:
        """Drop answers that nobody will take any more, so that memory doesn't grow with the projects seen."""
        if len(self._asked) > 1000:
            self._asked = {
                key: asked for key, asked in self._asked.items() if now - asked.at < 60 or not asked.task.done()
            }

    async def _send(self, call: Call[T]) -> tuple[Answer[T], float]:
        client = await self._open()
        try:
            answer = await client.asend(call)
        except OmsAuthenticationError:
            # The password may have been changed since the first gate began; days may have passed.
            fresh = await self._open(instead_of=client)
            if fresh is client:
                raise
            answer = await fresh.asend(call)
        return answer, asyncio.get_running_loop().time()

    async def _open(self, *, instead_of: AsyncOmsClient | None = None) -> AsyncOmsClient:
        """Return the client; another one than ``instead_of`` if the Airflow connection has changed."""
        async with self._opening:
            current = self._clients[-1] if self._clients else None
            if current is not None and current is not instead_of:
                return current
            # The next look is the retry: one request an interval, whatever OMS answers.
            settings = replace(await self._read_settings(), retries=0)
            if current is None or settings != current.settings:
                # The old one may still be in use, so it stays open until the end.
                self._clients.append(await AsyncOmsClient(settings).__aenter__())
            return self._clients[-1]

    async def _read_settings(self) -> ClientSettings:
        try:
            return await OmsHook(self.oms_conn_id).get_async_settings()
        except Exception as error:
            raise connection_problem(self.oms_conn_id, error) from None


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedOms]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_oms(oms_conn_id: str) -> AsyncIterator[SharedOms]:
    """Join those who ask the same OMS in this event loop; the last to leave closes the session.

    :param oms_conn_id: the Airflow connection
    """
    here = _shared.setdefault(asyncio.get_running_loop(), {})
    oms = here.setdefault(oms_conn_id, SharedOms(oms_conn_id))
    oms.users += 1
    try:
        yield oms
    finally:
        oms.users -= 1
        if oms.users == 0:
            del here[oms_conn_id]
            await oms.close()
