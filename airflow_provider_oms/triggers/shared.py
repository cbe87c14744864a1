"""One session and one answer for all the gates of a triggerer that ask the same OMS the same thing.

A triggerer runs a thousand gates in one event loop, and many watch the same project. They share a client for each
connection, closed when the last of them ends, and a request for each question: whoever asks while an answer is on its
way, or fresh enough, gets that answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
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
    """A question: when it was asked, and what it came to. None: whoever asked it was cancelled."""

    at: float
    found: asyncio.Future[tuple[Answer[Any], float] | None]


class SharedOms:
    """An OMS that several gates ask through one session.

    :param oms_conn_id: the Airflow connection
    """

    def __init__(self, oms_conn_id: str) -> None:
        self.oms_conn_id = oms_conn_id
        self.users = 0
        self._clients: list[AsyncOmsClient] = []
        self._opening = asyncio.Lock()
        #: The oldest question first.
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._longest = 0.0

    async def ask(self, call: Call[T], *, fresh_for: float, after: float = 0.0) -> tuple[Answer[T], float]:
        """Return the answer to a call, and when it came (the loop's clock).

        :param call: a call that changes nothing
        :param fresh_for: seconds that an answer somebody else got may be old
        :param after: the loop's time; an answer asked for earlier doesn't do
        :raises OmsError: one of its kinds
        """
        loop, key = asyncio.get_running_loop(), call.key
        while True:
            now = loop.time()
            asked = self._asked.get(key)
            if asked is None or asked.at < after or now - asked.at > fresh_for:
                self._longest = max(self._longest, fresh_for)
                self._forget(now)
                asked = self._asked[key] = _Asked(now, loop.create_future())
                self._asked.move_to_end(key)
                return await self._ask_for_all(key, asked, call)
            try:
                # A gate that is cancelled must not take the answer away from the others.
                found = await asyncio.shield(asked.found)
            except OmsError as error:
                # Each gate gets an error of its own, so that their tracebacks don't pile up in one.
                raise type(error)(error.problem, error.details) from None
            if found is not None:
                return found

    async def close(self) -> None:
        """Close the session."""
        self._asked.clear()
        while self._clients:
            await self._clients.pop().aclose()

    async def _ask_for_all(self, key: str, asked: _Asked, call: Call[T]) -> tuple[Answer[T], float]:
        """Ask, and let those who wait for the same have what comes of it.

        In the task of the gate that asks, not in one of its own: that would cost a tenth of a poll. So if the gate is
        cancelled, the next one that waits has to ask again.
        """
        try:
            client = self._clients[-1] if self._clients else await self._open()
            try:
                answer = await client.asend(call)
            except OmsAuthenticationError:
                # The password may have been changed since the first gate began; days may have passed.
                fresh = await self._open(instead_of=client)
                if fresh is client:
                    raise
                answer = await fresh.asend(call)
            found = answer, asyncio.get_running_loop().time()
        except Exception as error:
            asked.found.set_exception(error)
            asked.found.exception()  # there may be nobody else to look at it
            raise
        except BaseException:
            if self._asked.get(key) is asked:
                del self._asked[key]
            asked.found.set_result(None)
            raise
        asked.found.set_result(found)
        return found

    def _forget(self, now: float) -> None:
        """Drop the answers that are too old for everybody: thousands of them would keep the garbage collector busy."""
        while self._asked:
            key, oldest = next(iter(self._asked.items()))
            if now - oldest.at <= self._longest or not oldest.found.done():
                return
            del self._asked[key]

    async def _open(self, *, instead_of: AsyncOmsClient | None = None) -> AsyncOmsClient:
        """Return the client; another one than ``instead_of`` if the Airflow connection has changed."""
        async with self._opening:
            current = self._clients[-1] if self._clients else None
            if current is not None and current is not instead_of:
                return current
            # The next poll is the retry: one request an interval, whatever OMS answers.
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
