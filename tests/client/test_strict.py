"""Bytes on a connection in addition to the requested answer, sent by a small server on a socket."""

import asyncio
import contextlib
import gzip
import json
import re
import socket
import threading
import tracemalloc
from dataclasses import replace

import pytest
from client_support import CLIENTS, RawServer, ask, outcome

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, OmsRedirectError
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.sync import OmsClient

both = pytest.mark.parametrize("client", CLIENTS)


class Script:
    """A server that keeps connections open, and sends prepared bytes for the requests of each.

    :param answers: the bytes to send for each request, in order
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.connections = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._threads = []
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self):
        self._accepting.start()
        return self

    def __exit__(self, *exc_info):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._accepting.join(60)
        for thread in self._threads:
            thread.join(60)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections.append(0)
                thread = threading.Thread(target=self._serve, args=(connection, len(self.connections) - 1))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection, number):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(60)
            while _read(connection):
                self.connections[number] += 1
                connection.sendall(self.answers.pop(0))


def _read(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return False
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    while len(body) < length:
        body += connection.recv(65536)
    return True


def kept(data, *headers):
    """Return an answer after which the connection stays open."""
    body = json.dumps({"success": True, "data": data}).encode()
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def told(client, server, count):
    """Ask a number of times with one client, and return the content of each answer."""
    calls = [actions.call(f"Action{number}", reads_only=True) for number in range(count)]
    found = []

    def remember(call):
        return replace(call, read=lambda envelope, source: found.append(envelope.data))

    ask(client, ClientSettings(server.url, timeout=60, retries=0), *map(remember, calls))
    return found


INTERIM = {
    "102": b"HTTP/1.1 102 Processing\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    "199": b"HTTP/1.1 199 Whatever\r\n\r\n",
    "several": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
}


@both
@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
def test_what_comes_before_the_answer_is_none_and_ends_the_connection(interim, client):
    with Script(interim + kept("a"), kept("b"), kept("c")) as server:
        assert told(client, server, 3) == ["a", "b", "c"]

    assert server.connections == [1, 2]


@both
def test_after_continue_the_connection_continues(client):
    with Script(b"HTTP/1.1 100 Continue\r\n\r\n" + kept("a"), kept("b")) as server:
        assert told(client, server, 2) == ["a", "b"]

    assert server.connections == [2]


@both
def test_switching_protocols_is_no_answer(client):
    with Script(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n") as server:
        ended = outcome(client, ClientSettings(server.url, timeout=60, retries=0), actions.list_all_labels())

    assert ended.error is OmsMalformedAnswerError


@both
@pytest.mark.parametrize(
    "extra",
    [kept("not asked for"), kept("not asked for")[:20], b"\r\n", kept("one") + kept("two")],
    ids=["an answer", "part of one", "a line", "two"],
)
def test_bytes_after_an_answer_end_the_connection(extra, client):
    with Script(kept("a") + extra, kept("b"), kept("c")) as server:
        assert told(client, server, 3) == ["a", "b", "c"]

    # If it isn't a whole answer, aiohttp discards it with the parser of the first: then the bytes that follow aren't
    # HTTP.
    assert server.connections[0] == 1 or (client == "async" and len(extra) <= 20)


class Unasked(Script):
    """Sends bytes on the first connection while no request is open on it."""

    def __init__(self, extra, *answers):
        super().__init__(*answers)
        self.extra = extra
        self.idle, self.arrived = threading.Event(), threading.Event()

    def _serve(self, connection, number):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(60)
            while _read(connection):
                self.connections[number] += 1
                connection.sendall(self.answers.pop(0))
                if number == 0:
                    self.idle.wait(60)
                    connection.sendall(self.extra)
                    self.arrived.set()

    def send_more(self):
        self.idle.set()
        assert self.arrived.wait(60)


@both
def test_bytes_after_an_answer_that_are_no_http(client):
    """aiohttp then accepts nothing of the answer; in both cases no wrong answer is accepted."""
    with Script(kept("a") + b"x", kept("b")) as server:
        try:
            assert told(client, server, 2) == ["a", "b"]
        except OmsMalformedAnswerError:
            assert client == "async"


@both
@pytest.mark.parametrize(
    "extra",
    [kept("not asked for"), kept("not asked for")[:20], b"\r\n", b"x", b"HTTP/1.1 408 Request Timeout\r\n\r\n"],
    ids=["an answer", "part of one", "a line", "a byte", "a refusal"],
)
def test_bytes_that_nobody_asked_for_end_the_connection(extra, client):
    call = actions.call("Anything", reads_only=True)
    with Unasked(extra, kept("a"), kept("b")) as server:
        settings = ClientSettings(server.url, timeout=60, retries=0)
        if client == "sync":
            with OmsClient(settings) as blocking:
                found = [blocking.send(call).data]
                server.send_more()
                found.append(blocking.send(call).data)
        else:

            async def main():
                async with AsyncOmsClient(settings) as waiting:
                    found = [(await waiting.asend(call)).data]
                    await asyncio.to_thread(server.send_more)
                    return [*found, (await waiting.asend(call)).data]

            found = asyncio.run(main())

    assert found == ["a", "b"]
    assert server.connections == [1, 1]


# An error in an answer may also be in the next answer on that connection


def progress(project_id, **more):
    return kept({"projectId": project_id, "status": "RUNNING", **more})


def plain(body, *headers):
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


MALFORMED = {
    "another project": progress("np_other"),
    "a project of the wrong type": kept({"projectId": ["np_1"], "status": "RUNNING"}),
    "no object": kept("RUNNING"),
    "html": plain(b"<html>Log in</html>", "Content-Type: text/html"),
    "half": plain(b'{"success": true, "data": {"projectId": "np_1"'),
    "does not say": plain(b'{"data": {"projectId": "np_1"}}'),
    "large": kept({"projectId": "np_other", "more": "x" * 300_000}),
}


def statuses(client, server, settings=None):
    """Ask for a project with one client until it is answered, and return how each request ended."""
    call, found = actions.describe_project_progress("np_1"), []
    settings = settings or ClientSettings(server.url, timeout=60, retries=0)
    if client == "sync":
        with OmsClient(settings) as blocking:
            while server.answers:
                try:
                    found.append(blocking.send(call).data.status)
                except OmsError as error:
                    found.append(type(error))
        return found

    async def main():
        async with AsyncOmsClient(settings) as waiting:
            while server.answers:
                try:
                    found.append((await waiting.asend(call)).data.status)
                except OmsError as error:
                    found.append(type(error))

    asyncio.run(main())
    return found


@both
@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
def test_a_connection_is_not_used_again_after_a_malformed_answer(answer, client):
    with Script(progress("np_1"), answer, progress("np_1"), progress("np_1")) as server:
        found = statuses(client, server)

    assert found == ["RUNNING", OmsMalformedAnswerError, "RUNNING", "RUNNING"]
    assert server.connections == [2, 2]


@both
def test_within_one_call_the_next_try_is_over_another_connection(client, pauses):
    with Script(progress("np_other"), progress("np_1")) as server:
        found = statuses(client, server, ClientSettings(server.url, timeout=60, retries=1))

    assert found == ["RUNNING"]
    assert server.connections == [1, 1]


@both
@pytest.mark.parametrize(
    "answer",
    [
        plain(b'{"success": false, "code": "PARAM_ERROR", "message": "No."}'),
        plain(b'{"success": false, "code": "GHANA-OPERAT000001", "message": "Later."}'),
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["refused", "busy", "503", "401"],
)
def test_after_a_refusal_the_connection_continues(answer, client):
    with Script(progress("np_1"), answer, progress("np_1")) as server:
        found = statuses(client, server)

    assert (found[0], found[2]) == ("RUNNING", "RUNNING")
    assert server.connections == [3]


@pytest.mark.asyncio
async def test_a_connection_is_not_used_before_its_answer_is_judged():
    """A large answer is parsed in a thread; meanwhile another request could take the connection."""
    begun, judged = threading.Event(), threading.Event()

    def read(envelope, source):
        begun.set()
        judged.wait(60)
        raise ValueError("something else")

    large = replace(actions.call("Large", reads_only=True), read=read)
    small = actions.call("Small", reads_only=True)
    with Script(kept("x" * 300_000), kept("a")) as server:
        async with AsyncOmsClient(ClientSettings(server.url, timeout=60, retries=0)) as client:
            asking = asyncio.create_task(client.asend(large))
            assert await asyncio.to_thread(begun.wait, 60)
            found = (await client.asend(small)).data
            judged.set()
            with pytest.raises(OmsMalformedAnswerError):
                await asking
    assert found == "a"
    assert server.connections == [1, 1]


# Redirects: their content isn't read

HUGE = gzip.compress(b" " * (32 * 1024 * 1024), 1)


@both
@pytest.mark.parametrize("status", [302, 399])
@pytest.mark.parametrize(
    "location",
    [
        None,
        "/elsewhere",
        "http://[broken",
        "http://a:b:c/",
        "http://\xff\xfe",
        "//",
        "http://" + "x" * 60_000,
        "http://admin:geheim@oms/?password=geheim#geheim",
        "geheim@oms",
    ],
)
def test_a_redirect_is_not_looked_into(location, status, client):
    headers = ["Content-Encoding: gzip", *([f"Location: {location}"] if location else [])]
    lines = [f"HTTP/1.1 {status} Moved", "Connection: close", f"Content-Length: {len(HUGE)}", *headers]
    answer = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + HUGE
    tracemalloc.start()
    try:
        with RawServer(answer) as server:
            ended = outcome(client, ClientSettings(server.url, timeout=60, retries=0), actions.list_all_labels())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert ended.error is OmsRedirectError
    assert "geheim" not in ended.message
    assert len(ended.message) < 1000
    assert peak < 16 * 1024 * 1024
