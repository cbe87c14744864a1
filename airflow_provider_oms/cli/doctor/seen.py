"""The replies of OMS as they were received, and what they say together. Nothing here does I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsError, OmsUnsupportedActionError
from airflow_provider_oms.client.fields import Model, value_or_none
from airflow_provider_oms.client.models import Project, ProjectProgress, Step


@dataclass(frozen=True)
class Reply:
    """One request, and its reply.

    :param name: the name of the request in this command
    :param action: OMS's action, or the path of the request
    :param payload: what was sent
    :param sent_at: our clock (Unix seconds) when it was sent
    :param received_at: our clock when the answer was complete
    :param status: the HTTP status; None if no answer came
    :param headers: the answer's headers, with names in lower case
    :param body: the body as it was received
    :param data: the client's model of the answer; None if the client raised an error
    :param at: the time of the answer, by OMS's clock if the answer gives it
    :param told_time: whether the answer gives OMS's time
    :param error: the error that the client raised; None if it read the answer
    """

    name: str
    action: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    sent_at: float = 0.0
    received_at: float = 0.0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    data: Any = None
    at: float = 0.0
    told_time: bool = False
    error: OmsError | None = None

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it isn't JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def envelope(self) -> Model:
        """The outermost object; empty if there is none."""
        return Model(self.json if isinstance(self.json, Mapping) else {}, self.action)

    @property
    def is_action(self) -> bool:
        """Whether the request was an action of OMS, and not a page."""
        return self.action[:1].isupper()

    @property
    def ok(self) -> bool:
        """Whether the client read the answer as a success."""
        return self.error is None and self.status is not None


@dataclass(frozen=True)
class Seen:
    """All replies.

    :param replies: the replies, in the order of the requests
    :param api_version: the API generation of the connection
    :param schema: ``http`` or ``https``
    :param left_out: the names of the requests that weren't sent because of the limit
    """

    replies: Sequence[Reply] = ()
    api_version: str = "v2"
    schema: str = "http"
    left_out: Sequence[str] = ()

    def all(self, name: str) -> list[Reply]:
        """Return the replies to a request.

        :param name: the request's name
        """
        return [reply for reply in self.replies if reply.name == name]

    def one(self, name: str) -> Reply | None:
        """Return the last reply to a request; None if it wasn't sent.

        :param name: the request's name
        """
        return next(iter(self.all(name)[::-1]), None)

    def data(self, name: str) -> Any:
        """Return the data of the last good reply to a request; None if there is none.

        :param name: the request's name
        """
        return next((reply.data for reply in self.all(name)[::-1] if reply.ok), None)

    @property
    def good_actions(self) -> list[str]:
        """The actions that had a good reply."""
        return sorted({reply.action for reply in self.replies if reply.ok and reply.is_action})

    @cached_property
    def projects(self) -> list[Project]:
        """The rows of ``ListProjects``, without duplicates."""
        rows = [row for reply in self.replies if reply.action == "ListProjects" and reply.ok for row in reply.data.rows]
        return list({row.id: row for row in rows}.values())

    @cached_property
    def progress(self) -> list[tuple[Reply, ProjectProgress]]:
        """The answers of ``DescribeProjectProgress`` about the project, oldest first."""
        return [(reply, reply.data) for reply in self.all("progress") if reply.ok]

    @cached_property
    def checkpoints(self) -> list[tuple[Reply, float]]:
        """The forward checkpoints (Unix seconds) of the project, oldest first."""
        found = []
        for reply, progress in self.progress:
            checkpoint = value_or_none(progress, ProjectProgress.incr_sync_checkpoint)
            if isinstance(checkpoint, int | float) and checkpoint > 0:
                found.append((reply, float(checkpoint)))
        return found

    @cached_property
    def steps(self) -> list[Step]:
        """Every step in the replies, of the project and in lists."""
        found = list(self.data("steps") or []) + list(self.data("verify project's steps") or [])
        return found + [step for row in self.projects for step in row.steps]

    def steps_of_type(self, kind: str) -> list[Step]:
        """Return the steps of listed projects of a type.

        :param kind: the type
        """
        return [step for row in self.projects if value_or_none(row, Project.type) == kind for step in row.steps]

    def bodies(self) -> Iterator[Any]:
        """Return every body that is JSON."""
        return (reply.json for reply in self.replies if reply.json is not None)

    def unsupported(self, name: str) -> bool:
        """Return whether OMS answered that it doesn't have the action.

        :param name: the request's name
        """
        reply = self.one(name)
        return reply is not None and isinstance(reply.error, OmsUnsupportedActionError)

    def refused_by_rights(self) -> list[Reply]:
        """Return the replies in which OMS refused this user."""
        return [reply for reply in self.replies if isinstance(reply.error, OmsAuthenticationError)]


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Iterate over every object in JSON, outer objects before inner ones.

    :param value: the JSON
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
