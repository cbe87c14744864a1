"""``requests``, made strict about what counts as an answer.

- The time-out of ``requests`` starts again with every byte, so a server that sends a header byte by byte could block a
  worker for days. Here every read gets only the time that is left.
- Python takes the statuses 102 and 103 for the final answer, so every later answer on that connection would belong to
  the request before. Here they are skipped, and the connection is closed after them and after unrequested bytes.
- ``requests`` reads the whole body of a redirect and parses its target, even if it doesn't follow redirects. Here
  neither is done.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from airflow_provider_oms.client.transport import mark_as_unsent


class _TimedReader(io.RawIOBase):
    """Reads from a socket; the socket's time-out limits all reads together, counted from now."""

    def __init__(self, sock: socket.socket, seconds: float | None) -> None:
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._ended:
            return 0
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(left)
        return self._file.readinto(buffer)

    def end(self) -> None:
        """Read nothing more."""
        self._ended = True

    def hang_up(self) -> None:
        """Close the connection, so that it isn't used again."""
        with suppress(OSError):  # the connection may be broken already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._file.close()
        super().close()


class _StrictResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._reader = _TimedReader(sock, sock.gettimeout())
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        passed_over = False
        while 100 <= self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            passed_over = True
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first headers
            super().begin()
        if passed_over:
            self.will_close = True

    def _close_conn(self) -> None:
        reader, buffered = self._reader, self.fp
        if buffered is not None and not buffered.closed:
            reader.end()
            if buffered.peek(1):
                reader.hang_up()
        super()._close_conn()  # type: ignore[misc]  # called by http.client when the body is read


class _HttpConnection(HTTPConnection):
    response_class = _StrictResponse

    def connect(self) -> None:
        with mark_as_unsent():
            super().connect()


class _HttpsConnection(HTTPSConnection):
    response_class = _StrictResponse

    def connect(self) -> None:
        with mark_as_unsent():
            super().connect()


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class StrictAdapter(HTTPAdapter):
    """The adapter of ``requests``, except that the read time-out limits the whole answer."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._limit(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return self._limit(super().proxy_manager_for(*args, **kwargs))

    @staticmethod
    def _limit(manager: PoolManager) -> PoolManager:
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return manager


class StrictSession(requests.Session):
    """A session that keeps no cookies and ignores redirects."""

    def __init__(self) -> None:
        from http.cookiejar import DefaultCookiePolicy

        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, StrictAdapter())
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None; otherwise ``requests`` reads the body, to whatever size it unpacks."""
