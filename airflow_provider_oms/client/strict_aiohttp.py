"""``aiohttp``, made strict about what counts as an answer, as in :mod:`airflow_provider_oms.client.strict_requests`.

It passes over 102 and 103 by itself, but would take bytes that came over an idle connection for the next answer. Here a
connection is closed after either, and carries nothing more until its last answer has been read and found well formed:
one that is about another project may be the answer to somebody else's question, and all later ones be, too.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

_SWITCHING_PROTOCOLS = 101


class StrictProtocol(ResponseHandler):
    """A connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.in_use = True  # a handshake or a tunnel comes first
        #: Whether the last answer was read, and nothing is wrong with it.
        self.judged = True

    def data_received(self, data: bytes) -> None:
        """Process received bytes, unless no request was sent."""
        if data and not self.in_use:  # aiohttp calls this with no bytes to continue unpacking
            self.force_close()
            self.abort()
            return
        super().data_received(data)

    def feed_data(self, data: Any, *args: Any) -> None:
        """Process a complete head: that of the answer, or of a 1xx status before it."""
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
        # aiohttp has no public way to bring a protocol of one's own; the tests over raw sockets hold this.
        setattr(self, "_factory", partial(StrictProtocol, loop=asyncio.get_running_loop()))  # noqa: B010

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Return a connection; one that received bytes without a request is replaced."""
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
        """Read the head."""
        self.carrier = connection.protocol
        return await super().start(connection)
