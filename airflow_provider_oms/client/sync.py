"""The synchronous client, on ``requests``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from airflow_provider_oms.client.envelope import MAX_ANSWER_BYTES
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, broken_off
from airflow_provider_oms.client.operations import Operations
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
    too_slow,
)

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

_CHUNK = 64 * 1024


def _is_cut(status: int, headers: Mapping[str, str], version: int) -> bool:
    """Return whether an answer without a body was cut off within its headers, which Python's HTTP client doesn't
    notice.

    A complete HTTP/1.1 answer gives the length of its body, or says that the connection is closed after it.
    """
    told = (
        "content-length" in headers
        or "transfer-encoding" in headers
        or headers.get("connection", "").lower() == "close"
    )
    return version == 11 and status >= 200 and status != 204 and not told


def _keep_as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


class OmsClient(Operations):
    """OMS over HTTP, one blocking call at a time.

    :param settings: the address of OMS, the login, and the limits of a request
    """

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self._session: requests.Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client may be used again afterwards."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def send(self, call: Call[T]) -> Answer[T]:
        """Send a call and return OMS's answer. A call that changes nothing is sent again after a temporary error.

        :param call: a call from :mod:`airflow_provider_oms.client.actions`
        :raises OmsError: the subclass that says what went wrong
        """
        began = time.monotonic()
        try:
            answer = self._send(call)
        except OmsError as error:
            failed: BaseException = self.settings.explain(error).bare(self.settings.secrets | call.secrets)
        except BaseException as error:
            failed = broken_off(error)
        else:
            return answer._replace(spent=(time.monotonic() - began) / self.settings.timeout)
        # Raised outside the except block. Inside it, the HTTP library's error, whose frames hold the login, would be
        # chained.
        raise failed

    def _send(self, call: Call[T]) -> Answer[T]:
        build_request(self.settings, call)  # an invalid request is reported before a broken TLS configuration
        check_ca_bundle(self.settings, call.asked)
        # Setting up tenacity is expensive, so it is only done after a first failure.
        try:
            return self._ask(call)
        except OmsError as error:
            if attempts(self.settings, call) == 1:
                raise
            failed = [error]

        def once() -> Answer[T]:
            if failed:
                raise failed.pop()
            return self._ask(call)

        from tenacity import Retrying

        return Retrying(**retry_policy(self.settings, call))(once)

    def _ask(self, call: Call[T]) -> Answer[T]:
        """Try once. Each try builds its own request, since a signature is valid for one request only."""
        answer = self._exchange(build_request(self.settings, call), call.asked)
        try:
            return read_answer(call, answer, self.settings.secrets, hosted=self.settings.hosted)
        except OmsMalformedAnswerError:
            # An answer about another project may belong to another request, and then so may all later answers on that
            # connection.
            self.close()
            raise

    def _exchange(self, request: HttpRequest, asked: str) -> HttpAnswer:
        import requests
        import urllib3

        deadline = time.monotonic() + self.settings.timeout
        try:
            with self._open_session().request(
                request.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                # Without auth, requests would look for credentials in a .netrc file.
                auth=_keep_as_it_is,
                timeout=(self.settings.connect_timeout, self.settings.timeout),
                verify=self.settings.ca_bundle,
                allow_redirects=False,  # docs/develop/oms-wire.md#redirects
                stream=True,
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                if 300 <= response.status_code < 400:  # nothing in the body of a redirect counts
                    return HttpAnswer(response.status_code, headers, b"", time.time())
                body = b"".join(self._read_body(response, deadline, asked))
                if not body and _is_cut(response.status_code, headers, response.raw.version):
                    raise urllib3.exceptions.ProtocolError("the connection ended within the headers")
                return HttpAnswer(response.status_code, headers, body, time.time())
        except (requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError, UnicodeError):
            raise bad_address(asked) from None
        except requests.exceptions.InvalidSchema:  # of the proxy, because OMS's is http or https
            raise bad_proxy(asked) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._meaning(error, asked) from None

    def _open_session(self) -> requests.Session:
        if self._session is None:
            from airflow_provider_oms.client.strict_requests import StrictSession

            self._session = StrictSession()
        return self._session

    def _read_body(self, response: requests.Response, deadline: float, asked: str) -> Iterator[bytes]:
        """Read a body as it arrives, with a limit on its size and on the time."""
        size = 0
        # iter_content() isn't used because it waits for a whole chunk.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise too_large(asked)
            if time.monotonic() > deadline:
                raise too_slow(self.settings, asked)
            yield chunk

    def _meaning(self, error: Exception, asked: str) -> OmsError:
        import requests
        import urllib3

        return connection_error(
            error,
            self.settings,
            asked,
            connecting=isinstance(error, requests.exceptions.ConnectTimeout),
            timed_out=isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError | TimeoutError),
            at_proxy=isinstance(error, requests.exceptions.ProxyError),
        )
