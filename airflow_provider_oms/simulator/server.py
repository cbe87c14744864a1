"""The HTTP server: aiohttp in a thread of its own, which can be stopped and started again on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Any

from aiohttp import web

from airflow_provider_oms.simulator import ctl, hosted, wire
from airflow_provider_oms.simulator.control import Controls, Done, Wrong, listed
from airflow_provider_oms.simulator.envelope import encode
from airflow_provider_oms.simulator.faults import ALTERING, Fault
from airflow_provider_oms.simulator.page import HEADERS, page
from airflow_provider_oms.simulator.records import RequestRecord, redacted
from airflow_provider_oms.simulator.service import LEGACY, Call, Service
from airflow_provider_oms.simulator.signature import SignedRequest

#: An internal header that :meth:`Server._headers` removes: how far the Date header is ahead.
_AHEAD = "X-Simulator-Seconds-Ahead"

_MAX_BODY = 16 * 1024 * 1024


class _Door(asyncio.Protocol):
    """Accepts a connection, unless the port is just being closed."""

    def __init__(self, server: web.Server, stopping: asyncio.Event) -> None:
        self._server = server
        self._stopping = stopping

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over to aiohttp, or cut it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        if self._stopping.is_set():
            transport.abort()
            return
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)


class Server:
    """Listens for the service, in a background thread with its own event loop."""

    def __init__(
        self,
        service: Service,
        host: str,
        port: int,
        ssl_context: ssl.SSLContext | None,
        date: Callable[[], float | None],
    ) -> None:
        self.service = service
        self.controls = Controls(service.store)
        self._token = secrets.token_urlsafe(24)
        self.host = host
        self.port = port
        self.ssl_context = ssl_context
        self._date = date
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._stopping = asyncio.Event()
        self._reserved: socket.socket | None = None
        self._back: asyncio.TimerHandle | None = None
        self._gate = asyncio.Lock()
        self._changes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # -- from any thread -------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the thread runs (the port may be closed)."""
        return self._loop is not None

    def start(self) -> None:
        """Start the thread and listen; raises what listening raises, such as a port in use."""
        if self._loop is not None:
            raise RuntimeError("The simulator is running already")
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._run, args=(loop,), name="oms-simulator", daemon=True)
        self._loop, self._thread, self._gate = loop, thread, asyncio.Lock()
        thread.start()
        try:
            self._wait(self._change(up=True))
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Stop listening, cut open connections, and end the thread."""
        if self._loop is None:
            return
        try:
            self._wait(self._change(up=False, reserve=False))
        finally:
            self._end()

    def down(self) -> None:
        """Close the port: connections are cut, new ones refused."""
        self._wait(self._change(up=False))

    def up(self) -> None:
        """Listen again on the same port."""
        self._wait(self._change(up=True))

    def outage(self, seconds: float) -> None:
        """Close the port and open it again after some real seconds; returns at once."""
        self._wait(self._change(up=False, back=seconds))

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            # Done here and not in stop(), which may be called from a thread with an event loop of its own.
            loop.run_until_complete(self._drain())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def _end(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)

    async def _drain(self) -> None:
        """End cut connections and the tasks of interrupted requests."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._unlisten(reserve=False)
        for _ in range(3):
            await asyncio.sleep(0)

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        loop = self._loop
        if loop is None:
            work.close()
            raise RuntimeError("The simulator is not running")
        if threading.current_thread() is self._thread:
            # Called from a callback in the server's own loop, which can't wait for itself.
            self._keep(loop.create_task(work))
            return
        asyncio.run_coroutine_threadsafe(work, loop).result(30)

    async def _change(self, up: bool, reserve: bool = True, back: float | None = None) -> None:
        """Open or close the port, one change after another; with ``back``, open it again after that many seconds."""
        self._changes += 1
        number = self._changes
        async with self._gate:
            if self._back is not None:
                self._back.cancel()
                self._back = None
            if up:
                await self._listen()
            else:
                await self._unlisten(reserve)
            if back is not None:
                self._back = asyncio.get_running_loop().call_later(back, self._return, number)

    def _return(self, number: int) -> None:
        if number == self._changes:
            self._keep(asyncio.get_running_loop().create_task(self._change(up=True)))

    async def _listen(self) -> None:
        if self._runner is not None:
            return
        stopping = asyncio.Event()
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_get("/", self._page)
        app.router.add_get("/control", self._list)
        app.router.add_post("/control", self._control)
        app.router.add_get("/oms/health", self._health)
        app.router.add_post("/", self._hosted)
        app.router.add_post("/api/v2", self._v2)
        app.router.add_get("/api/omsp/v2/{kind:migrations|sync}/{id}/progress", self._v3)
        app.on_response_prepare.append(self._headers)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, logger=_quiet)
        await runner.setup()
        try:
            server = runner.server
            if server is None:  # pragma: no cover - it is there after setup()
                raise RuntimeError("aiohttp has no server")
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: _Door(server, stopping), sock=self._bind(), ssl=self.ssl_context, backlog=512
            )
        except BaseException:
            await runner.cleanup()
            raise
        self._release_reserved()
        self._runner, self._stopping = runner, stopping

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.host, self.port))
        except OSError:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        return sock

    async def _unlisten(self, reserve: bool) -> None:
        runner, self._runner = self._runner, None
        listener, self._listener = self._listener, None
        self._stopping.set()
        if listener is not None:
            # Accept no more connections, but finish accepting the current ones before closing: asyncio doesn't close a
            # connection that it accepted just before its server closed, and the client would wait for ever.
            for sock in listener.sockets:
                asyncio.get_running_loop().remove_reader(sock.fileno())
            for _ in range(5):
                await asyncio.sleep(0)
            listener.close()
        if runner is not None:
            server = runner.server
            for connection in list(server.connections) if server else []:
                if connection.transport is not None:
                    connection.transport.abort()
            await runner.cleanup()
        if not reserve:
            self._release_reserved()
        elif self._reserved is None:
            # A bound socket that doesn't listen: connections are refused, and no other process gets the port.
            with contextlib.suppress(OSError):
                self._reserved = self._bind()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _release_reserved(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    # -- requests --------------------------------------------------------------------------------------------------

    async def _headers(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Server"] = "oms-simulator"
        moment = self._date()
        ahead = float(response.headers.pop(_AHEAD, "0"))
        if moment is None:
            response.headers.pop("Date", None)
        else:
            response.headers["Date"] = formatdate(int(moment + ahead), usegmt=True)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._shown()

    def _shown(self) -> web.Response:
        text = page(self.controls, self.service.records.all(), self._token)
        body = text.encode("utf-8", "replace")
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=HEADERS)

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Return the refusal for a control without permission, or None if it is allowed."""
        if not self.service.authorized(request.headers.get("Authorization")):
            headers = {"WWW-Authenticate": 'Basic realm="OMS simulator"'}
            return web.json_response({"error": "The login is the simulator's own."}, status=401, headers=headers)
        return None

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """List the projects for the command ``ctl``."""
        with self.service.store.lock:
            return self._refusal(request) or web.json_response(
                {"projects": listed(self.service.store.projects.values())}
            )

    async def _control(self, request: web.Request) -> web.StreamResponse:
        """Carry out a control from the page's form or the command ``ctl``.

        A browser sends the login with every request that another site makes it send. So the form must send back the
        page's token, which another site can't read, and the command sends a header that a form can't.
        """
        if (stranger := self._refusal(request)) is not None:
            return stranger
        given = {key: str(value) for key, value in (await request.post()).items()}
        from_command = all(request.headers.get(name) == value for name, value in ctl.HEADER.items())
        if not from_command and not hmac.compare_digest(given.get("token", "").encode(), self._token.encode()):
            return web.json_response({"error": "The form is not from this page. Reload it."}, status=403)
        try:
            done = self.controls.carry_out(given.get("control", ""), given)
        except Wrong as error:
            done, status = Done(self.service.store.clock.now(), str(error)), 409
            self.controls.log.appendleft(done)
        else:
            status = 200
        response: web.Response
        if from_command:
            response = web.json_response({"done" if status == 200 else "error": done.words}, status=status)
        elif done.down:
            response = self._shown()  # no redirect, since the page is unreachable for a while
        else:
            response = web.Response(status=303, headers={"Location": "/"})
        if done.down:
            await response.prepare(request)
            await response.write_eof()
            self.outage(done.down)
        return response

    async def _health(self, request: web.Request) -> web.StreamResponse:
        """Answer OMS's health check, which needs no login."""
        return wire.Answer(encode({"data": {"healthy": self.service.healthy}})).response()

    async def _v2(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            payload = json.loads(body) if body.strip() else {}
        except ValueError:
            payload = None
        return await self._handle(request, request.query.get("Action"), payload, _project(payload))

    async def _v3(self, request: web.Request) -> web.StreamResponse:
        return await self._handle(request, LEGACY[request.match_info["kind"]], None, request.match_info["id"])

    async def _hosted(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = SignedRequest(request.method, request.path, request.query_string, headers, await request.read())
        action = headers.get("x-acs-action")
        try:
            payload: Any = hosted.payload(action or "", signed.body)
        except hosted.Refused:
            payload = None  # the service reports the error
        return await self._handle(request, action, payload, _project(payload), signed)

    async def _handle(
        self,
        request: web.Request,
        action: str | None,
        payload: Any,
        project: str | None,
        signed: SignedRequest | None = None,
    ) -> web.StreamResponse:
        begin = time.monotonic()
        stopping = self._stopping
        if stopping.is_set():
            return wire.reset(request)
        authorization = request.headers.get("Authorization")
        call = Call(request.method, request.path, action, payload, project, authorization, signed)
        page = payload.get("pageNumber") if isinstance(payload, dict) else None
        fault = self.service.faults.match(action, project, page if isinstance(page, int) else 1)

        def record(status: int | None, outcome: str, executed: bool) -> None:
            self.service.records.add(
                RequestRecord(
                    time=self.service.store.clock.now(),
                    method=call.method,
                    path=call.path,
                    action=action,
                    payload=redacted(payload),
                    project_id=project,
                    status=status,
                    outcome=f"fault:{fault.kind}" if fault else outcome,
                    executed=executed,
                    milliseconds=(time.monotonic() - begin) * 1000,
                )
            )

        if fault is None or fault.kind == "delay" or fault.kind in ALTERING:
            if fault is not None and fault.kind == "delay":
                await wire.delay(fault, stopping)
            answer, outcome, executed = self.service.answer(call, fault)
            if fault is not None and fault.kind == "date":
                answer.headers = {**answer.headers, _AHEAD: str(fault.seconds)}
            record(answer.status, outcome, executed)
            return await wire.send(request, answer, fault, stopping)
        return await self._faulty(request, call, fault, stopping, record)

    async def _faulty(
        self,
        request: web.Request,
        call: Call,
        fault: Fault,
        stopping: asyncio.Event,
        record: Callable[[int | None, str, bool], None],
    ) -> web.StreamResponse:
        answer, outcome, executed = wire.Answer(b""), "", False
        if fault.executes:
            answer, outcome, executed = self.service.answer(call)
        instead = wire.replaced(fault, "pascal" if call.hosted else self.service.casing)
        cut = fault.kind in ("hang", "reset_before", "reset_after", "cut_headers")
        record(None if cut else (instead or answer).status, outcome, executed)
        if instead is not None:
            return instead.response()
        if fault.kind == "hang":
            return await wire.hang(request, stopping)
        if fault.kind == "reset_before":
            return wire.reset(request)
        if fault.kind == "huge":
            return await wire.huge(request, fault, stopping)
        return await wire.send(request, answer, fault, stopping)


def _project(payload: Any) -> str | None:
    """Return the id of the project that a request is about."""
    named = payload.get("id") or payload.get("projectId") if isinstance(payload, dict) else None
    return named if isinstance(named, str) else None


_quiet = logging.getLogger("airflow_provider_oms.simulator.http")
_quiet.setLevel(logging.CRITICAL)
