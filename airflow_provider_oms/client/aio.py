"""The asynchronous client, on ``aiohttp``: the twin of :mod:`airflow_provider_oms.client.sync`.

Why ``aiohttp``: docs/develop/airflow-facts.md#http-clients
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow_provider_oms.client.envelope import MAX_ANSWER_BYTES, takes_long
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, broken_off
from airflow_provider_oms.client.operations import AsyncOperations
from airflow_provider_oms.client.protocol import (
    Answer,
    Call,
    HttpAnswer,
    HttpRequest,
    build_request,
    read_answer,
)
from airflow_provider_oms.client.retry import attempts, retry_policy
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.transport import (
    bad_address,
    bad_proxy,
    check_ca_bundle,
    connection_error,
    too_large,
)

if TYPE_CHECKING:
    import aiohttp

    from airflow_provider_oms.client.strict_aiohttp import StrictProtocol

T = TypeVar("T")

#: Bytes in one line of a header: the limit of Python's own HTTP client.
_LONGEST_HEADER = 65_536


class AsyncOmsClient(AsyncOperations):
    """OMS over HTTP without blocking the event loop. Open it with ``async with``.

    :param settings: the address of OMS, the login, and the limits of a request
    """

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None
        # The connector's own limit isn't used: the time in its queue counts towards the time-out, so many gates on a
        # slow OMS would report it as unreachable.
        self._turns = asyncio.Semaphore(settings.max_concurrent_requests)
        self._proxy: str | None = None
        self._unusable: OmsError | None = None

    async def __aenter__(self) -> Self:
        # Importing, reading certificates and looking up proxies block, so they run in a thread.
        context = await asyncio.to_thread(self._prepare)
        import aiohttp

        from airflow_provider_oms.client.strict_aiohttp import StrictConnector, StrictResponse

        self._session = aiohttp.ClientSession(
            connector=StrictConnector(ssl=context, limit=0),
            response_class=StrictResponse,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            timeout=aiohttp.ClientTimeout(total=self.settings.timeout, sock_connect=self.settings.connect_timeout),
        )
        # aiohttp repeats a GET by itself when a connection breaks, and has no public option against that. Whether
        # a request is repeated is decided by the retry policy; the fault matrix in the tests checks this.
        setattr(self._session, "_retry_connection", False)  # noqa: B010
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def unusable(self) -> OmsError | None:
        """The error in the TLS settings or the proxy, or None if the client is open and there is no error."""
        return self._unusable

    async def asend(self, call: Call[T]) -> Answer[T]:
        """Send a call and return OMS's answer. A call that changes nothing is sent again after a temporary error.

        :param call: a call from :mod:`airflow_provider_oms.client.actions`
        :raises OmsError: the subclass that says what went wrong
        """
        spent: list[float] = []
        try:
            answer = await self._asend(call, spent)
        except OmsError as error:
            failed: BaseException = self.settings.explain(error).bare(self.settings.secrets | call.secrets)
        except BaseException as error:
            failed = broken_off(error)
        else:
            return answer._replace(spent=sum(spent) / self.settings.timeout)
        # Raised outside the except block. Inside it, the HTTP library's error, whose frames hold the login, would be
        # chained.
        raise failed

    async def _asend(self, call: Call[T], spent: list[float]) -> Answer[T]:
        if self._unusable is not None:
            build_request(self.settings, call)  # an invalid request is reported before a broken TLS configuration
            raise self._unusable.about(call.asked)

        # Setting up tenacity is expensive, so it is only done after a first failure.
        try:
            return await self._ask(call, spent)
        except OmsError as error:
            if attempts(self.settings, call) == 1:
                raise
            failed = [error]

        async def once() -> Answer[T]:
            if failed:
                raise failed.pop()
            return await self._ask(call, spent)

        from tenacity import AsyncRetrying

        return await AsyncRetrying(**retry_policy(self.settings, call))(once)

    async def _ask(self, call: Call[T], spent: list[float]) -> Answer[T]:
        """Try once, and note how many seconds it took, not counting the time in the queue.

        Each try builds its own request, since a signature is valid for one request and a short time only.
        """
        async with self._turns:
            began = time.monotonic()
            try:
                answer, carrier = await self._exchange(build_request(self.settings, call), call.asked)
            finally:
                spent.append(time.monotonic() - began)
        reading = partial(read_answer, call, answer, self.settings.secrets, hosted=self.settings.hosted)
        try:
            read = await asyncio.to_thread(reading) if takes_long(answer.body) else reading()
        except OmsMalformedAnswerError:
            raise  # the connection is not judged, so it is not used again
        except OmsError:
            carrier.judged = True
            raise
        carrier.judged = True
        return read

    def _prepare(self) -> Any:
        """Find the proxy and return the TLS context; errors in either are raised when a request is sent."""
        from requests.utils import get_environ_proxies, select_proxy

        import airflow_provider_oms.client.strict_aiohttp  # noqa: F401

        url = self.settings.base_url
        # The rules of requests, which supports more of NO_PROXY than aiohttp does.
        proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
        self._proxy = proxy if not proxy or "://" in proxy else f"http://{proxy}"
        self._unusable = None
        if self._proxy and not self._proxy.lower().startswith(("http://", "https://")):
            self._unusable = bad_proxy("")
        try:
            return self._tls()
        except OmsError as error:
            self._unusable = error
        except OSError as error:  # the bundle can't be read, or holds no certificate
            self._unusable = connection_error(error, self.settings, "", connecting=True, timed_out=False)
        return True

    def _tls(self) -> Any:
        import ssl

        if not self.settings.base_url.startswith("https:"):
            return True
        bundle = self.settings.ca_bundle
        if bundle is False:
            return False
        check_ca_bundle(self.settings, "")
        path = str(bundle)
        if os.path.isdir(path):
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)

    async def _exchange(self, request: HttpRequest, asked: str) -> tuple[HttpAnswer, StrictProtocol]:
        import aiohttp
        from yarl import URL

        if self._session is None:
            raise RuntimeError("AsyncOmsClient must be opened with 'async with'")
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,  # docs/develop/oms-wire.md#redirects
                proxy=self._proxy,
            ) as response:
                carrier: StrictProtocol = response.carrier  # type: ignore[attr-defined]  # of StrictResponse
                headers = {name.lower(): value for name, value in response.headers.items()}
                if 300 <= response.status < 400:  # nothing in the body of a redirect counts
                    return HttpAnswer(response.status, headers, b"", time.time()), carrier
                body = bytearray()
                while chunk := await response.content.readany():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        response.close()
                        raise too_large(asked)
                return HttpAnswer(response.status, headers, bytes(body), time.time()), carrier
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError includes aiohttp's InvalidURL, UnicodeError, an invalid port, and errors in certificates.
            if isinstance(error, ValueError) and not isinstance(error, OSError):
                raise bad_address(asked) from None
            raise self._meaning(error, asked) from None

    def _meaning(self, error: Exception, asked: str) -> OmsError:
        import aiohttp

        return connection_error(
            error,
            self.settings,
            asked,
            connecting=isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError),
            timed_out=isinstance(error, TimeoutError),
            malformed=isinstance(error, aiohttp.ClientResponseError),
            at_proxy=isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError),
        )
