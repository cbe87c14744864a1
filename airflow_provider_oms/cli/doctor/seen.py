"""What came back from OMS: replies as they came over the wire, and what they add up to. Nothing here does I/O."""

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
    """One request, and what came of it.

    :param name: what it was asked for; the action's name, or a word of ours
    :param action: OMS's action, or the path that was asked
    :param payload: what was sent
    :param sent_at: our clock (Unix seconds) when it was sent
    :param received_at: our clock when the answer was there
    :param status: the HTTP status; None where no answer came
    :param headers: the answer's headers, names in lower case
    :param body: the answer as it came
    :param data: what the client made of it; None where it refused it
    :param at: the time of the answer, by OMS's clock where it told it
    :param told_time: whether OMS told its time
    :param error: why the client refused it
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
        """The body as JSON; None where it isn't."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def envelope(self) -> Model:
        """The outermost object, empty where there is none."""
        return Model(self.json if isinstance(self.json, Mapping) else {}, self.action)

    @property
    def is_action(self) -> bool:
        """Whether it was one of OMS's actions, and not a page."""
        return self.action[:1].isupper()

    @property
    def ok(self) -> bool:
        """Whether the client took it for a success."""
        return self.error is None and self.status is not None


@dataclass(frozen=True)
class Seen:
    """All that was seen.

    :param replies: in the order in which they were asked for
    :param api_version: the API generation of the connection
    :param schema: ``http`` or ``https``
    :param left_out: what wasn't asked any more, since there were too many questions
    """

    replies: Sequence[Reply] = ()
    api_version: str = "v2"
    schema: str = "http"
    left_out: Sequence[str] = ()

    def all(self, name: str) -> list[Reply]:
        """Return the replies to a question."""
        return [reply for reply in self.replies if reply.name == name]

    def one(self, name: str) -> Reply | None:
        """Return the last reply to a question; None where it wasn't asked."""
        return next(iter(self.all(name)[::-1]), None)

    def data(self, name: str) -> Any:
        """Return what the last good reply to a question was read as; None where there is none."""
        return next((reply.data for reply in self.all(name)[::-1] if reply.ok), None)

    @property
    def good_actions(self) -> list[str]:
        """The actions that were answered well."""
        return sorted({reply.action for reply in self.replies if reply.ok and reply.is_action})

    @cached_property
    def projects(self) -> list[Project]:
        """The rows of ``ListProjects``, each project once."""
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
        """Every step that was seen, of the project and in lists."""
        found = list(self.data("steps") or []) + list(self.data("verify project's steps") or [])
        return found + [step for row in self.projects for step in row.steps]

    def steps_of_type(self, kind: str) -> list[Step]:
        """Return the steps of projects of a type, out of lists."""
        return [step for row in self.projects if value_or_none(row, Project.type) == kind for step in row.steps]

    def bodies(self) -> Iterator[Any]:
        """Return every body that is JSON."""
        return (reply.json for reply in self.replies if reply.json is not None)

    def unsupported(self, name: str) -> bool:
        """Tell whether OMS said that it hasn't the action."""
        reply = self.one(name)
        return reply is not None and isinstance(reply.error, OmsUnsupportedActionError)

    def refused_by_rights(self) -> list[Reply]:
        """Return what this user may not do, as far as it can be told from a refusal."""
        return [reply for reply in self.replies if isinstance(reply.error, OmsAuthenticationError)]


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Return every object in JSON, outer ones first."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
