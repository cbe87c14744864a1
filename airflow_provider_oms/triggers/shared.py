"""Shares sessions and answers between all gates of a triggerer that ask the same OMS the same question.

A triggerer runs a thousand gates in one event loop, and many watch the same project. They share one client per
connection, which is closed when the last of them ends, and one request per question. A gate that asks while an answer
is pending, or still fresh enough, gets that answer.

The Airflow connection is read when the first gate begins, again for each later gate, and every few minutes. If
it points to another OMS, a new session replaces the old one, and the gates continue over the new one. Answers belong to
a session, so a gate never gets an answer of another OMS.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsError, OmsTlsError
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.hooks.connection import RECHECK, connection_problem, only_password_differs, read_ca_bundle
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.hooks.options import list_above
from airflow_provider_oms.triggers.reading import Reading

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Seconds for reading an Airflow connection; the gates that need it wait.
LONGEST_READ = 60.0

#: The most gates that continue in one iteration of the event loop after an answer for which many have waited.
AT_ONCE = 20


class ConnectionReplacedError(Exception):
    """The Airflow connection points to another OMS now. The gate must repeat its poll with a new session."""


@dataclass
class _Asked:
    """A question: when it was asked, and its answer or error. The answer is None if the asking gate was cancelled."""

    at: float
    found: asyncio.Future[tuple[Any, float] | None]


class SharedSession:
    """A session with one OMS, and its answers.

    :param client: the open client
    :param ca_bundle: the content of the CA bundle when the client was opened
    :param renew: reads the Airflow connection again, unless it was read after the given time (the loop's clock)
    """

    def __init__(
        self,
        client: AsyncOmsClient,
        ca_bundle: str | None,
        renew: Callable[[SharedSession, float], Awaitable[None]],
    ) -> None:
        self.client = client
        self.ca_bundle = ca_bundle
        #: Which OMS it asks, and as which user.
        self.origin = client.settings.origin
        #: Whether another session has replaced it.
        self.replaced = False
        self.under_way = 0
        #: The list of projects that is being read now, and the last one that was read.
        self.reading: Reading | None = None
        self.read = Reading({})
        self._renew = renew
        #: The questions by key, the oldest first.
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._longest = 0.0

    async def ask(self, call: Call[T], *, fresh_for: float, after: float = 0.0) -> tuple[Answer[T], float]:
        """Return the answer to a call, and when it came (the loop's clock).

        :param call: a call that changes nothing
        :param fresh_for: the greatest age of another gate's answer, in seconds
        :param after: the loop's time; an answer to an earlier request isn't used
        :raises OmsError: the subclass that says what went wrong
        :raises ConnectionReplacedError: when another session has replaced this one
        """
        return await self.once(call.key, partial(self._send, call), fresh_for=fresh_for, after=after)

    async def once(
        self, key: str, get: Callable[[float], Awaitable[T]], *, fresh_for: float, after: float = 0.0
    ) -> tuple[T, float]:
        """Return a result that is fetched once for all gates that need it, and when it came (the loop's clock).

        :param key: identifies the result
        :param get: fetches the result; its argument is the loop's time
        :param fresh_for: as for :meth:`ask`
        :param after: as for :meth:`ask`
        :raises OmsError: the subclass that says what went wrong
        :raises ConnectionReplacedError: when another session has replaced this one
        """
        loop = asyncio.get_running_loop()
        while not self.replaced:
            now = loop.time()
            asked = self._asked.get(key)
            if asked is None or asked.at < after or now - asked.at > fresh_for:
                self._longest = max(self._longest, fresh_for)
                self._forget(now)
                asked = self._asked[key] = _Asked(now, loop.create_future())
                self._asked.move_to_end(key)
                return await self._get_for_all(key, asked, get)
            try:
                # If a waiting gate is cancelled, the others must still get the answer, hence the shield. The answer is
                # usually there already, and a shield costs more than everything else here.
                found = asked.found.result() if asked.found.done() else await asyncio.shield(asked.found)
            except OmsError as error:
                # Each gate gets its own copy of an error, so that their tracebacks don't accumulate in one.
                raise type(error)(error.problem, error.details) from None
            if found is not None:
                return found
        raise ConnectionReplacedError

    async def close(self) -> None:
        """Close the session."""
        self._asked.clear()
        await self.client.aclose()

    async def _get_for_all(self, key: str, asked: _Asked, get: Callable[[float], Awaitable[T]]) -> tuple[T, float]:
        """Ask, and pass the result to all gates that wait for the answer to the same question.

        This runs in the task of the gate that asks, because a separate task would add a tenth to the cost of a poll. So
        if this gate is cancelled, the next waiting gate has to ask again.
        """
        try:
            found = await get(asked.at), asyncio.get_running_loop().time()
        except OmsError as error:
            asked.found.set_exception(error)
            asked.found.exception()  # marks it as read, in case no other gate waits for it
            raise
        except BaseException:
            if self._asked.get(key) is asked:
                del self._asked[key]
            asked.found.set_result(None)
            raise
        asked.found.set_result(found)
        return found

    async def _send(self, call: Call[T], at: float) -> Answer[T]:
        """Send a call.

        :raises ConnectionReplacedError: if the session was replaced, so that the answer doesn't count
        """
        self.under_way += 1
        try:
            answer = await self.client.asend(call)
        except (OmsAuthenticationError, OmsTlsError):
            # The password or the CA bundle may have been changed since the session was opened.
            await self._renew(self, at)
            if self.replaced:
                raise ConnectionReplacedError from None
            raise
        except OmsError:
            if self.replaced:
                raise ConnectionReplacedError from None
            raise
        finally:
            self.under_way -= 1
        if self.replaced:
            raise ConnectionReplacedError
        return answer

    def _forget(self, now: float) -> None:
        """Drop the answers that are too old for every gate. Thousands of them would slow down the garbage collector."""
        while self._asked:
            key, oldest = next(iter(self._asked.items()))
            if now - oldest.at <= self._longest or not oldest.found.done():
                return
            del self._asked[key]


class SharedOms:
    """The OMS of an Airflow connection, for all gates of an event loop.

    :param oms_conn_id: the Airflow connection
    """

    def __init__(self, oms_conn_id: str) -> None:
        self.oms_conn_id = oms_conn_id
        self.users = 0
        #: How many gates wait for each project.
        self.projects: Counter[str] = Counter()
        self.list_above = list_above()
        #: The loop's time until which the list of projects isn't read.
        self.unlisted_until = float("-inf")
        #: The number of gates that continue in this iteration of the loop, and the gates that wait for a later one.
        self._going_on = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._waiting_first: deque[asyncio.Future[None]] = deque()
        self._session: SharedSession | None = None
        #: Sessions that were replaced while they had pending requests.
        self._retired: list[SharedSession] = []
        self._reading = asyncio.Lock()
        self._read_at = self._checked_at = float("-inf")

    async def turn(self, *, first: bool = False) -> None:
        """Wait for an iteration of the event loop in which fewer than :data:`AT_ONCE` gates continue.

        One answer may wake a thousand gates. If all of them continued in the same iteration, they would block the loop.

        :param first: whether the gate continues before those that wait already and aren't first
        """
        loop = asyncio.get_running_loop()
        queue = self._waiting_first if first else self._waiting
        if queue or self._going_on >= AT_ONCE:
            turn = loop.create_future()
            queue.append(turn)
            await turn
            return
        self._going_on += 1
        if self._going_on == 1:
            loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._going_on = 0
        while (queue := self._waiting_first or self._waiting) and self._going_on < AT_ONCE:
            turn = queue.popleft()
            if not turn.done():  # otherwise its gate was cancelled
                turn.set_result(None)
                self._going_on += 1
        if self._going_on:
            asyncio.get_running_loop().call_soon(self._next_turn)

    async def session(self, since: float) -> SharedSession:
        """Return the session to use, after reading the Airflow connection if that is due.

        :param since: the loop's time; a connection that was read before it must be read again
        :raises OmsError: if the connection can't be read or is invalid, and no session may be used instead
        """
        while self._session is None or self._is_due(since):
            async with self._reading:
                if self._session is None or self._is_due(since):
                    await self._check(since)
        return self._session

    async def close(self) -> None:
        """Close the sessions."""
        if self._session is not None:
            self._retire(self._session)
        while self._retired:
            await self._retired.pop().close()

    def _is_due(self, since: float) -> bool:
        return self._read_at < since or asyncio.get_running_loop().time() - self._checked_at >= RECHECK

    async def _check(self, since: float) -> None:
        """Read the Airflow connection; keep the old session if it can't be read."""
        try:
            await self._read()
        except OmsError as error:
            if self._session is None or self._read_at < since:
                raise
            self._checked_at = asyncio.get_running_loop().time()
            log.warning(
                "Waiting gates go on with the earlier settings of the Airflow connection %r: %s",
                self.oms_conn_id,
                error,
            )

    async def _renew(self, session: SharedSession, at: float) -> None:
        """Read the Airflow connection again, because OMS has refused a request.

        :param session: the session over which the request was sent
        :param at: when the request was sent (the loop's clock)
        :raises OmsError: if Airflow is unreachable, so that it isn't known whether the connection has changed
        """
        async with self._reading:
            if self._session is session and self._read_at < at:
                try:
                    await self._read(refused=True)
                except OmsError as error:
                    if error.temporary:
                        raise

    async def _read(self, *, refused: bool = False) -> None:
        """Read the Airflow connection, and open a session if it points to another OMS.

        :param refused: whether OMS has refused the current session, so that a new password is tried
        """
        began, old = asyncio.get_running_loop().time(), self._session
        settings, ca_bundle = await self._settings()
        same = old is not None and only_password_differs(old.client.settings, settings)
        if old is not None and same and (settings == old.client.settings or not refused):
            if ca_bundle in (None, old.ca_bundle):
                self._read_at = self._checked_at = began
                return
            settings = old.client.settings if not refused else settings
        client = await AsyncOmsClient(settings).__aenter__()
        if old is not None and client.unusable is not None:
            await client.aclose()
            if not same:
                raise client.unusable
            # The CA bundle may be incomplete because it is being written; the earlier session stays in use.
            log.warning(
                "Airflow connection %r: %s The earlier settings stay in use.", self.oms_conn_id, client.unusable
            )
        else:
            self._session = SharedSession(client, ca_bundle, self._renew)
            self.unlisted_until = float("-inf")
            if old is not None:
                log.info("The Airflow connection %r has changed; its gates go on over a new session.", self.oms_conn_id)
                self._retire(old)
        self._read_at = self._checked_at = began
        for session in [one for one in self._retired if not one.under_way]:
            self._retired.remove(session)
            await session.close()

    def _retire(self, session: SharedSession) -> None:
        session.replaced = True
        self._retired.append(session)

    async def _settings(self) -> tuple[ClientSettings, str | None]:
        try:
            async with asyncio.timeout(LONGEST_READ):
                settings = await OmsHook(self.oms_conn_id).get_async_settings()
                secure = settings.base_url.startswith("https:")
                ca_bundle = await asyncio.to_thread(read_ca_bundle, settings) if secure else None
        except Exception as error:
            problem = connection_problem(self.oms_conn_id, error)
        else:
            # No retries: the next poll is the retry, so that each interval has one request, whatever OMS answers.
            return replace(settings, retries=0), ca_bundle
        raise problem


class Share:
    """A gate's share of the session with an OMS.

    :param oms: the OMS
    :param project: the project that the gate waits for; None for a user that doesn't use the list of projects
    """

    def __init__(self, oms: SharedOms, project: str | None = None) -> None:
        self.oms = oms
        self.project = project
        self._since = asyncio.get_running_loop().time()

    async def session(self) -> SharedSession:
        """Return the session to use now. The Airflow connection was read for it after this gate began.

        :raises OmsError: when the Airflow connection can't be read, or is invalid
        """
        return await self.oms.session(self._since)


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedOms]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_oms(oms_conn_id: str, project: str | None = None) -> AsyncIterator[Share]:
    """Join the gates that ask the same OMS in this event loop. When the last gate leaves, the session is closed.

    :param oms_conn_id: the Airflow connection
    :param project: the project that the gate waits for, if the list of projects may say "not yet" about it
    """
    here = _shared.setdefault(asyncio.get_running_loop(), {})
    oms = here.setdefault(oms_conn_id, SharedOms(oms_conn_id))
    oms.users += 1
    if project is not None:
        oms.projects[project] += 1
    try:
        yield Share(oms, project)
    finally:
        oms.users -= 1
        if project is not None:
            oms.projects[project] -= 1
            if not oms.projects[project]:
                del oms.projects[project]
        if oms.users == 0:
            del here[oms_conn_id]
            await oms.close()
