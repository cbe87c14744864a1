"""``aiohttp``, made strict about what counts as an answer, as in :mod:`airflow_provider_oms.client.strict_requests`.

aiohttp skips the statuses 102 and 103 by itself, but would take bytes that arrive on an idle connection for the next
answer. Here a connection is closed after such a status and after such bytes. A connection is only used again once its
last answer was read and found well formed: an answer about another project may belong to another request, and then so
may all later answers on that connection.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

_SWITCHING_PROTOCOLS = 101


class StrictProtocol(ResponseHandler):
    """A connection that accepts bytes only while a request is under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.in_use = True  # because a handshake or a tunnel comes first
        #: Whether the last answer was read and is well formed.
        self.judged = True

    def data_received(self, data: bytes) -> None:
        """Process received bytes; close the connection if no request was sent.

        :param data: the bytes
        """
        if data and not self.in_use:  # aiohttp calls this with no bytes to continue unpacking
            self.force_close()
            self.abort()
            return
        super().data_received(data)

    def feed_data(self, data: Any, *args: Any) -> None:
        """Process the complete headers of an answer, or of a 1xx status before it.

        :param data: the status and the headers
        :param args: further arguments of aiohttp
        """
        status = data[0].code
        if 100 < status < 200 and status != _SWITCHING_PROTOCOLS:
            self.force_close()
        super().feed_data(data, *args)

    def release(self) -> None:
        """Note that the answer has been read."""
        self.in_use = False


class StrictConnector(aiohttp.TCPConnector):
    """A connector whose connections deliver only answers to requests."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # aiohttp has no public way to use another protocol class; the tests with raw sockets check that this works.
        setattr(self, "_factory", partial(StrictProtocol, loop=asyncio.get_running_loop()))  # noqa: B010

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Return a connection that may be used; others are closed.

        :param args: aiohttp's arguments
        :param kwargs: aiohttp's arguments
        """
        while True:
            connection = await super().connect(*args, **kwargs)
            protocol = connection.protocol
            if not isinstance(protocol, StrictProtocol):
                return connection
            if protocol.should_close or not protocol.judged:
                connection.close()
                continue
            protocol.in_use, protocol.judged = True, False
            connection.add_callback(protocol.release)
            return connection


class StrictResponse(aiohttp.ClientResponse):
    """An answer that knows which connection it came over."""

    carrier: StrictProtocol

    async def start(self, connection: Any) -> Any:
        """Read the status and the headers.

        :param connection: the connection
        """
        self.carrier = connection.protocol
        return await super().start(connection)
