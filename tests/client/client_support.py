"""Helpers for the client's tests: a call with both clients, and a server that sends raw bytes."""

import asyncio
import contextlib
import re
import selectors
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from hypothesis import HealthCheck, settings

from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.sync import OmsClient

CLIENTS = ("sync", "async")

#: The settings for generated values. Without a deadline, which a busy machine would exceed.
GENERATED = settings(
    deadline=None, max_examples=200, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def settings_of(simulator, **changes):
    """Return the client settings for a simulator."""
    given = {"login": simulator.login, "password": simulator.password, "timeout": 60.0, "retries": 0}
    return ClientSettings(**{"base_url": simulator.url, **given, **changes})


def ask(client, settings, *calls):
    """Send calls one after the other with one of the clients, and return the last answer."""
    if client == "sync":
        with OmsClient(settings) as blocking:
            return [blocking.send(call) for call in calls][-1]

    async def main():
        async with AsyncOmsClient(settings) as waiting:
            return [await waiting.asend(call) for call in calls][-1]

    return asyncio.run(main())


@dataclass(frozen=True)
class Outcome:
    """How a call ended, as far as both clients must agree."""

    error: type[OmsError] | None
    message: str = ""


def outcome(client, settings, *calls):
    """Send calls and return how the last one ended. Any other error than an OmsError is a defect and is raised."""
    try:
        ask(client, settings, *calls)
    except OmsError as error:
        return Outcome(type(error), _UUID.sub("<request id>", str(error)))
    return Outcome(None)


# A small server that answers with bytes that the simulator doesn't send


class RawServer:
    """Reads one whole request from each connection, and answers with prepared bytes.

    :param answer: the bytes; None sends nothing and keeps the connection open until the server stops
    :param drip: seconds between two bytes
    :param listen: False for a TCP port that never accepts a connection from its full queue
    """

    def __init__(self, answer=b"", listen=True, drip=None):
        self.answer = answer
        self.drip = drip
        self.requests = []
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=0 if not listen else 16)
        self.port = self._socket.getsockname()[1]
        self._waiting = []
        self._thread = threading.Thread(target=self._serve) if listen else None

    def __enter__(self):
        if self._thread:
            self._thread.start()
        else:
            for _ in range(4):
                self._waiting.append(socket.socket())
                self._waiting[-1].setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    self._waiting[-1].connect(("127.0.0.1", self.port))
        return self

    def __exit__(self, *exc_info):
        self._stopping.set()
        if self._thread:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60):
                pass
            self._thread.join(60)
        for waiting in self._waiting:
            waiting.close()
        self._socket.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            with connection, contextlib.suppress(OSError):
                if self._stopping.is_set():
                    return
                connection.settimeout(60)
                if self.answer is None:
                    self._stopping.wait(600)
                    return
                self.requests.append(_read_request(connection))
                if self.drip is None:
                    connection.sendall(self.answer)
                else:
                    for byte in self.answer:
                        connection.sendall(bytes([byte]))
                        self._stopping.wait(self.drip)


def _read_request(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(body=b"", status="200 OK", *headers, length=True):
    """Return an answer after which the connection is closed."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Proxy:
    """A local HTTP proxy that forwards requests, opens tunnels, and records the heads that it receives.

    :param refuse: the status line with which it refuses every request
    """

    def __init__(self, refuse=None):
        self.refuse = refuse
        self.observed = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._stopping.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60):
            pass
        self._thread.join(60)
        self._socket.close()

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            with connection, contextlib.suppress(OSError):
                if self._stopping.is_set():
                    return
                connection.settimeout(60)
                self._forward(connection, _read_request(connection))

    def _forward(self, connection, request):
        self.observed.append(request)
        method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
        if self.refuse:
            connection.sendall(http(b"", self.refuse))
            return
        parts = urlsplit(target if method != "CONNECT" else f"//{target}")
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as upstream:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                head, _, body = request.partition(b"\r\n\r\n")
                head = head.replace(target.encode(), f"{parts.path}?{parts.query}".encode(), 1)
                upstream.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            _pump(connection, upstream)


def _pump(one, other):
    """Copy bytes in both directions until one side closes."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select(5):
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)
