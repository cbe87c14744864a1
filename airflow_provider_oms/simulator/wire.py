"""Sends answers over HTTP, intact or broken by a fault."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from airflow_provider_oms.simulator.envelope import encode, refusal
from airflow_provider_oms.simulator.faults import Fault
from airflow_provider_oms.simulator.hosted import Refused

JSON = "application/json;charset=UTF-8"
_HTML = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx (simulated)</body></html>"


@dataclass
class Answer:
    """An answer before it is sent."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """Return the answer as a response of aiohttp."""
        return web.Response(
            body=self.body, status=self.status, headers={"Content-Type": self.content_type, **self.headers}
        )


def replaced(fault: Fault, casing: str) -> Answer | None:
    """Return the answer of a fault that replaces the ordinary one, or None for the other faults."""
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body
    if fault.kind == "status":
        return Answer(body or b"", fault.status or 503, "text/plain", fault.headers)
    if fault.kind == "redirect":
        return Answer(b"", fault.status or 302, "text/html", {"Location": fault.location})
    if fault.kind == "error":
        return Answer(encode(refusal(fault.code, fault.message, fault.advice, detail_code=fault.detail_code), casing))
    if fault.kind == "gateway":
        refused = Refused(fault.status or 400, fault.code, fault.message)
        return Answer(refused.body, refused.status, headers=fault.headers)
    if fault.kind == "html":
        return Answer(body or _HTML.encode(), content_type="text/html")
    if fault.kind == "empty":
        return Answer(b"")
    if fault.kind == "invalid_json":
        return Answer(body or b'{"success": true "data": {')
    if fault.kind == "invalid_utf8":
        return Answer(b'{"success": true, "message": "\xff\xfe\xc3\x28"}')
    return None


def reset(request: web.Request) -> web.Response:
    """Cut the connection with a reset."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def _raw(request: web.Request, data: bytes) -> web.Response:
    """Write raw bytes and end the connection, so that aiohttp can add nothing."""
    if request.transport is not None:
        request.transport.write(data)
        request.transport.close()
    return web.Response()


def _head(answer: Answer, length: int) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} OK", f"Content-Type: {answer.content_type}", f"Content-Length: {length}"]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode()


async def _pause(seconds: float, stopping: asyncio.Event) -> bool:
    """Wait some seconds, or until the simulator stops; return whether it stops."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
    return stopping.is_set()


async def hang(request: web.Request, stopping: asyncio.Event) -> web.Response:
    """Give no answer until the simulator stops."""
    await stopping.wait()
    return reset(request)


async def delay(fault: Fault, stopping: asyncio.Event) -> None:
    """Wait for the fault's time."""
    await _pause(fault.seconds, stopping)


async def huge(request: web.Request, fault: Fault, stopping: asyncio.Event) -> web.StreamResponse:
    """Stream a valid JSON answer of the fault's size."""
    begin, end = b'{"success": true, "data": "', b'"}'
    size = max(fault.size, len(begin) + len(end))
    response = web.StreamResponse(headers={"Content-Type": JSON})
    if not fault.chunked:
        response.content_length = size
    await response.prepare(request)
    left = size - len(begin) - len(end)
    await response.write(begin)
    block = b"x" * 65536
    while left and not stopping.is_set():
        part = block[: min(left, len(block))]
        await response.write(part)
        left -= len(part)
    if stopping.is_set():
        return reset(request)
    await response.write(end)
    await response.write_eof()
    return response


async def drip(request: web.Request, answer: Answer, fault: Fault, stopping: asyncio.Event) -> web.StreamResponse:
    """Send the ordinary answer byte by byte."""
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    response.content_length = len(answer.body)
    await response.prepare(request)
    for number in range(len(answer.body)):
        await response.write(answer.body[number : number + 1])
        if await _pause(fault.seconds, stopping):
            return reset(request)
    await response.write_eof()
    return response


async def send(
    request: web.Request, answer: Answer, fault: Fault | None, stopping: asyncio.Event
) -> web.StreamResponse:
    """Send an ordinary answer, broken as a fault says."""
    kind = fault.kind if fault else None
    if fault is None or kind == "delay":
        return answer.response()
    if kind == "reset_after":
        return reset(request)
    if kind == "truncate":
        return _raw(request, _head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
    if kind == "wrong_length":
        return _raw(request, _head(answer, len(answer.body) // 2) + answer.body)
    if kind == "cut_headers":
        return _raw(request, _head(answer, len(answer.body))[:40])
    if kind == "drip":
        return await drip(request, answer, fault, stopping)
    if kind == "wrong_type":
        answer.content_type = "text/plain;charset=UTF-8"
    return answer.response()
