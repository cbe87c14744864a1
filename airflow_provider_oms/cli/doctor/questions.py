"""Asks OMS: only requests that change nothing, and not more than :data:`MOST`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_oms.cli.doctor.seen import Reply, Seen
from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Project
from airflow_provider_oms.client.protocol import Call, HttpAnswer, HttpRequest
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.milestones.lookup import looks_like_id
from airflow_provider_oms.milestones.status import is_running

#: The most requests that are sent.
MOST = 40

#: The id of a project that doesn't exist.
NO_PROJECT = "np_doctor_asks_for_none"

#: The page size of lists.
ROWS = 10

#: Seconds between two polls of a checkpoint.
LOOK_INTERVAL = 5.0

#: The most polls of a checkpoint. Together with the other requests they stay below the limit.
MOST_LOOKS = 14


class _TooManyError(Exception):
    """The limit of requests is reached."""


class _Recorder(OmsClient):
    """A client that keeps each answer as it was received, and sends no request twice."""

    def __init__(self, settings: ClientSettings, spend: Callable[[], None]) -> None:
        super().__init__(replace(settings, retries=0))
        self.came: HttpAnswer | None = None
        self._spend = spend

    def _exchange(self, request: HttpRequest, asked: str) -> HttpAnswer:
        self._spend()
        self.came = None
        self.came = super()._exchange(request, asked)
        return self.came

    def get(self, url: str) -> HttpAnswer:
        """Ask for a page, without a login.

        :param url: its URL
        """
        return self._exchange(HttpRequest("GET", url, {"Accept": "application/json"}), urlsplit(url).path)


class Questions:
    """Sends the requests, and keeps the replies.

    :param settings: the settings of the connection
    """

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self.replies: list[Reply] = []
        self.left_out: list[str] = []
        self.sent = 0
        self._client = _Recorder(settings, self._spend)
        self._v3 = _Recorder(replace(settings, api_version="v3"), self._spend)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._v3.close()

    def seen(self) -> Seen:
        """Return the replies so far."""
        schema = urlsplit(self.settings.base_url).scheme
        return Seen(tuple(self.replies), self.settings.api_version, schema, tuple(self.left_out))

    def ask_all(self, project: str | None, observe: float) -> Seen:
        """Send all requests.

        :param project: a project's id or name; None for the first running project
        :param observe: seconds for which its checkpoint is polled
        :raises OmsError: if OMS doesn't answer any action
        """
        v2 = self.settings.api_version != "v3"
        self._ask_around()
        if v2:
            self._ask_lists(project)
        project_id = self._choose(project)
        if project_id is not None:
            self._ask_project(project_id)
            self._look_at_checkpoint(project_id, observe)
        if v2:
            self._ask_verify_project()
        seen = self.seen()
        if not seen.good_actions and (failed := [one.error for one in seen.replies if one.error]):
            raise failed[0]
        return seen

    def _ask_around(self) -> None:
        """Send the requests that aren't about a project."""
        parts = urlsplit(self.settings.base_url)
        if not self.settings.hosted:
            self._get("health", f"{self.settings.base_url}/oms/health")
            if parts.scheme == "https" and parts.port:
                self._get("http on https", f"http://{parts.netloc}/oms/health")
        if self.settings.api_version == "v3":
            return
        first = self._ask("labels", actions.list_all_labels())
        if first is not None and first.status is None and first.error is not None:
            raise first.error  # there is no connection to OMS
        self._ask("unknown project", actions.describe_project_progress(NO_PROJECT))
        self._ask("regions", actions.describe_regions())
        self._ask("data sources", next(actions.list_data_source().pages()))

    def _ask_lists(self, project: str | None) -> None:
        """List projects: all, one per page, of each type, and the chosen one."""
        self._ask("projects", next(actions.list_projects(page_size=ROWS).pages()))
        self._ask("one project", next(actions.list_projects(page_size=1).pages()))
        for kind in ("SYNC", "VERIFY"):
            self._ask(f"projects {kind}", next(actions.list_projects(project_type=kind, page_size=ROWS).pages()))
        if project is not None:
            self._ask("projects named", next(actions.list_projects(project, page_size=ROWS).pages()))

    def _choose(self, project: str | None) -> str | None:
        """Return the id of the project to examine; None if there is none."""
        rows = [row for row in self.seen().projects if value_or_none(row, Project.id)]
        if project is None:
            working = [row for row in rows if is_running(value_or_none(row, Project.status))]
            return next((row.id for row in [*working, *rows]), None)
        named = [row.id for row in rows if project in (row.id, value_or_none(row, Project.name))]
        return named[0] if named else project if looks_like_id(project) else None

    def _ask_project(self, project_id: str) -> None:
        if self.settings.api_version == "v3":
            self._ask("progress", actions.describe_project_progress(project_id))
            return
        now = int(time.time())
        self._ask("project", actions.describe_project(project_id))
        self._ask("steps", actions.describe_project_steps(project_id))
        self._ask("components", actions.describe_project_components(project_id))
        self._ask("verification", next(actions.list_project_full_verify_result(project_id, page_size=ROWS).pages()))
        self._ask("records", actions.list_project_modify_records(project_id))
        metric = actions.describe_project_step_metric(
            project_id, "INCR_TRANSFER", "DELAY", now - 3600, now, max_point_num=10
        )
        self._ask("metric", metric)
        if self.settings.api_version == "v2":
            self._ask("3.3 endpoint", actions.describe_project_progress(project_id), self._v3)

    def _look_at_checkpoint(self, project_id: str, observe: float) -> None:
        """Poll the progress several times, for ``observe`` seconds."""
        looks = min(MOST_LOOKS, 1 + int(observe // LOOK_INTERVAL))
        for number in range(looks):
            if number:
                time.sleep(max(LOOK_INTERVAL, observe / (looks - 1)))
            self._ask("progress", actions.describe_project_progress(project_id))

    def _ask_verify_project(self) -> None:
        rows = [row for row in self.seen().projects if value_or_none(row, Project.type) == "VERIFY" and row.id]
        if rows:
            self._ask("verify project's steps", actions.describe_project_steps(str(rows[0].id)))
            result = next(actions.list_project_full_verify_result(str(rows[0].id), page_size=ROWS).pages())
            self._ask("verify project's result", result)

    def _spend(self) -> None:
        if self.sent >= MOST:
            raise _TooManyError
        self.sent += 1

    def _ask(self, name: str, call: Call[Any], client: _Recorder | None = None) -> Reply | None:
        """Send a call, and keep the reply; return None if the limit of requests is reached."""
        client = client or self._client
        client.came = None
        sent_at, answer, error = time.time(), None, None
        try:
            answer = client.send(call)
        except _TooManyError:
            self.left_out.append(name)
            return None
        except OmsError as failed:
            error = failed
        path = "/".join(call.legacy_path or ()) if client is self._v3 else ""
        return self._keep(name, path or call.action, call.payload, sent_at, client.came, answer=answer, error=error)

    def _get(self, name: str, url: str) -> None:
        sent_at, came, error = time.time(), None, None
        try:
            came = self._client.get(url)
        except _TooManyError:
            self.left_out.append(name)
            return
        except OmsError as failed:
            error = failed
        self._keep(name, urlsplit(url).path, {}, sent_at, came, error=error)

    def _keep(
        self, name: str, action: str, payload: Any, sent_at: float, came: HttpAnswer | None, *, answer: Any = None,
        error: OmsError | None = None,
    ) -> Reply:  # fmt: skip
        reply = Reply(
            name,
            action,
            payload,
            sent_at,
            time.time(),
            came.status if came else None,
            came.headers if came else {},
            came.body if came else b"",
            answer.data if answer else None,
            answer.at if answer else 0.0,
            bool(answer and answer.clock == "OMS"),
            error,
        )
        self.replies.append(reply)
        return reply
