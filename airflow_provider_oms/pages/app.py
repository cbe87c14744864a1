"""The routes of the page "Migration progress", behind Airflow's own login and permissions.

All of them only read. Airflow's database is read in threads, and OMS over the asynchronous client, so that nothing
blocks the API server.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import HTMLResponse, Response

from airflow_provider_oms.links.address import page_path
from airflow_provider_oms.pages import access
from airflow_provider_oms.pages.known import Memory
from airflow_provider_oms.pages.list_view import SHOWS, SORTS, list_view
from airflow_provider_oms.pages.project_view import project_view, wait_view
from airflow_provider_oms.pages.sources import ask_list, ask_project
from airflow_provider_oms.pages.tasks_seen import NoProjectError, read_task

_HERE = Path(__file__).parent

_STATIC = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
}

#: The page loads nothing from another host and nothing inline, and only Airflow's own pages may frame it.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

_WORDS = {
    401: ("Not logged in", "Log in to Airflow, then load this page again."),
    403: ("Not for you", "Your role in Airflow doesn't let you see this."),
    404: ("Not found", "There is no such page."),
}

_memories: WeakKeyDictionary[asyncio.AbstractEventLoop, Memory] = WeakKeyDictionary()


def make_app() -> FastAPI:
    """Return the application that Airflow mounts."""
    app = FastAPI(title="Migration progress", docs_url=None, redoc_url=None, openapi_url=None)
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
        text = environment.get_template(name).render(home=page_path(""), **values)
        return HTMLResponse(text, status_code=status, headers=HEADERS)

    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, StarletteHTTPException) else 404
        title, advice = _WORDS.get(status, ("That didn't work", "Load this page again."))
        return page("message.html", status, title=title, message=advice, live=False)

    app.add_exception_handler(StarletteHTTPException, refuse)
    app.add_exception_handler(RequestValidationError, refuse)

    @app.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _STATIC:
            raise HTTPException(404)
        content = await asyncio.to_thread((_HERE / "static" / name).read_bytes)
        kept = {**HEADERS, "cache-control": "max-age=300"}
        return Response(content, headers={**kept, "content-type": _STATIC[name]})

    @app.get("/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/{map_index}", dependencies=[access.MAY_READ_TASK])
    async def task_page(dag_id: str, run_id: str, task_id: str, map_index: int, user: access.User) -> Response:
        task = await asyncio.to_thread(read_task, dag_id, run_id, task_id, map_index)
        if task is None:
            raise HTTPException(404)
        now = datetime.now(UTC)
        try:
            subject = task.subject()
        except NoProjectError as error:
            return page("task.html", task=task, view=None, wait=wait_view(task, None, now), message=str(error), all="")
        known = await _memory().look(("project", subject), lambda before: ask_project(subject, before))
        if known.value is not None:  # so that a task with the id and a task with the name share the requests
            by_id = replace(subject, project_id=known.value.facts["id"], project_name=None)
            _memory().same(("project", subject), ("project", by_id))
        may = await access.may_read_connection(user, subject.conn_id)
        values: dict[str, Any] = {"task": task, "all": page_path("connections", subject.conn_id) if may else ""}
        if known.value is None:
            return page("task.html", view=None, wait=wait_view(task, None, now), message=known.problem, **values)
        view = project_view(task, known, known.value, datetime.now(UTC))
        return page("task.html", view=view, wait=view.wait, message="", **values)

    @app.get("/connections/{connection_id}", dependencies=[access.MAY_READ_CONNECTION])
    async def connection_page(
        request: Request, connection_id: str, q: str = "", show: str = "", sort: str = ""
    ) -> Response:
        if not await asyncio.to_thread(access.is_oms, connection_id):
            raise HTTPException(404)
        known = await _memory().look(("list", connection_id), lambda _: ask_list(connection_id))
        chosen = {"q": q[:200], "show": show if show in SHOWS else "", "sort": sort if sort in SORTS else ""}
        view = list_view(known, known.value, *chosen.values()) if known.value is not None else None
        return page(
            "connection.html",
            conn_id=connection_id,
            view=view,
            message=known.problem,
            chosen=chosen,
            shows=SHOWS,
            sorts=SORTS,
        )

    @app.get("/")
    async def start_page(user: access.User) -> Response:
        found = await access.readable_connections(user)
        listed = [(conn_id, page_path("connections", conn_id)) for conn_id in found]
        return page("connections.html", connections=listed)

    return app


def _memory() -> Memory:
    """Return the memory of the running event loop."""
    return _memories.setdefault(asyncio.get_running_loop(), Memory())
