"""Asks OMS for what a page shows: one set of requests per project, or one list per connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsUnsupportedActionError
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Project
from airflow_provider_oms.client.operations import Flow, arun_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.milestones.attention import Attention, attention
from airflow_provider_oms.milestones.lookup import no_project_named, project_by_id_or_name, project_by_name
from airflow_provider_oms.milestones.movement import Movement
from airflow_provider_oms.pages.history import History, ask_curves
from airflow_provider_oms.pages.tasks_seen import Subject
from airflow_provider_oms.triggers.shared import ConnectionReplacedError, SharedSession, shared_oms

T = TypeVar("T")


@dataclass(frozen=True)
class ProjectSeen:
    """A project, as OMS showed it.

    :param facts: everything that is known about it, as :func:`~airflow_provider_oms.milestones.facts.of_project`
        describes it, with its movement
    :param answers: the answers on which the facts are based, by the key of their call
    :param movement: how its lag moves
    :param history: the lag and the rate over the last hours
    :param oms: which OMS it came from, and as which user it was asked
    """

    facts: Mapping[str, Any]
    answers: Mapping[str, Answer[Any]] = field(repr=False)
    movement: Movement = field(repr=False)
    history: History = field(repr=False)
    oms: str = ""

    def attention(self) -> Attention:
        """Return whether the project needs a person."""
        return attention(self.facts["status"], self.facts["steps"], self.facts["alarms"])


@dataclass(frozen=True)
class ListSeen:
    """The projects of a connection, as OMS listed them.

    :param rows: each as :func:`~airflow_provider_oms.milestones.facts.of_row` describes it, with its ``steps``
    """

    rows: tuple[Mapping[str, Any], ...]


class _Asker:
    """Sends the calls of one page, and keeps the answers."""

    def __init__(self, session: SharedSession) -> None:
        self._session = session
        self.answers: dict[str, Answer[Any]] = {}
        self.at = 0.0

    async def asend(self, call: Call[Any]) -> Answer[Any]:
        answer, _ = await self._session.ask(call, fresh_for=0.0)
        self.answers[call.key] = answer
        self.at = answer.at
        return answer


async def _carry_out(conn_id: str, flow: Callable[[str], Flow[T]]) -> tuple[T, _Asker]:
    """Run a flow over a connection; repeat it if the connection points to another OMS meanwhile.

    :param conn_id: the Airflow connection
    :param flow: returns the flow for the OMS at an address
    """
    async with shared_oms(conn_id) as share:
        while True:
            session = await share.session()
            asker = _Asker(session)
            try:
                return await arun_flow(asker, flow(session.origin)), asker
            except ConnectionReplacedError:
                continue


async def ask_project(subject: Subject, before: ProjectSeen | None) -> ProjectSeen:
    """Ask for a project.

    :param subject: which project
    :param before: what was known about it; it is ignored if it came from another OMS
    :raises OmsError: the subclass that says what went wrong
    """
    now = time.time()

    def flow(oms: str) -> Flow[ProjectSeen]:
        known = before if before and before.oms == oms else None
        movement, history = (known.movement, known.history) if known else (Movement(), History())
        row, project_id = yield from _find(subject, known)
        said = yield from facts.of_project(project_id, row, subject.project_type)
        said = movement.add(said)
        history.add(said, now)
        yield from ask_curves(history, project_id, now)
        return ProjectSeen(said, {}, movement, history, oms)

    seen, asker = await _carry_out(subject.conn_id, flow)
    return replace(seen, answers=asker.answers)


def _find(subject: Subject, known: ProjectSeen | None) -> Flow[tuple[Project | None, str]]:
    """Find the project's row of ``ListProjects``, and its id. Only the row has its name, labels and alarms.

    A name is looked up once. A project that is created later with the same name is another project.
    """
    project_id = known.facts["id"] if known else subject.project_id
    try:
        if project_id is not None:
            return (yield from project_by_id_or_name(project_id)), project_id
        row = yield from project_by_name(subject.project_name or "")
    except OmsUnsupportedActionError:  # OMS 3.3 doesn't list projects
        if project_id is None:
            raise
        return None, project_id
    if row is None or row.id is None:
        raise no_project_named(subject.project_name or "")
    return row, row.id


async def ask_list(conn_id: str) -> ListSeen:
    """Ask for all projects that a connection's user is shown (``ListProjects``).

    :param conn_id: the Airflow connection
    :raises OmsError: the subclass that says what went wrong
    """

    def flow(oms: str) -> Flow[list[Project]]:
        return (yield from actions.list_projects().whole())

    rows, asker = await _carry_out(conn_id, flow)
    return ListSeen(tuple({**facts.of_row(row, asker.at), "steps": _steps(row)} for row in rows))


def _steps(row: Project) -> list[dict[str, Any]] | None:
    steps = value_or_none(row, Project.steps)
    return None if steps is None else [facts.of_step(step) for step in steps]
