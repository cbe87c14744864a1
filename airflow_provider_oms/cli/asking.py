"""Asks OMS: finds the project, and sends each call only once per poll."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from airflow_provider_oms.cli.running import UsageError
from airflow_provider_oms.client.errors import OmsProjectNotFoundError, OmsUnsupportedActionError, safe_text
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Project
from airflow_provider_oms.client.operations import Flow, run_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.hooks.connection import connection_problem
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.kinds import Milestone
from airflow_provider_oms.milestones.lookup import looks_like_id, project_by_id_or_name
from airflow_provider_oms.milestones.verdict import Observation, Verdict

T = TypeVar("T")


def check_connection(conn_id: str, *, patient: bool = False) -> None:
    """Raise an error if Airflow doesn't have a connection.

    :param conn_id: the Airflow connection
    :param patient: whether to ignore temporary errors, such as those of Airflow's database
    :raises OmsError: when there is no such connection
    """
    try:
        OmsHook.get_connection(conn_id)
    except Exception as error:
        problem = connection_problem(conn_id, error)
    else:
        return
    if not (patient and problem.temporary):
        raise problem


class Asker:
    """Sends calls, and answers a repeated call from its cache until a new poll begins.

    So the command shows the same answers on which the verdict is based.

    :param hook: the hook to ask
    """

    def __init__(self, hook: OmsHook) -> None:
        self.hook = hook
        self.at = 0.0
        self._answers: dict[str, Answer[Any]] = {}

    def begin(self) -> None:
        """Begin a new poll."""
        self._answers.clear()

    def send(self, call: Call[T]) -> Answer[T]:
        """Send a call.

        :param call: the call
        :raises OmsError: the subclass that says what went wrong
        """
        answer = self._answers.get(call.key)
        if answer is None:
            answer = self._answers[call.key] = self.hook.send(call)
        self.at = answer.at
        return answer

    def run_flow(self, flow: Flow[T]) -> T:
        """Run a flow over this asker.

        :param flow: the flow
        """
        return run_flow(self, flow)


@dataclass(frozen=True)
class Found:
    """The project that was found.

    :param id: its id
    :param row: its row of ``ListProjects``; None if OMS has no such list (API generation v3), or doesn't list it
    """

    id: str
    row: Project | None = None


def find_project(text: str) -> Flow[Found]:
    """Find a project by its id or its name (``ListProjects``). An id wins over the same name of another project.

    :param text: id or name
    :raises OmsProjectNotFoundError: if there is no such project
    :raises OmsPermanentError: if several projects have the name
    :raises UsageError: for a text that can't be an id or a name
    """
    try:
        text = arguments.proper_name("PROJECT", text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    try:
        found = yield from project_by_id_or_name(text)
    except OmsUnsupportedActionError:  # OMS 3.3 knows ids only
        return Found(text)
    if found is not None and found.id is not None:
        return Found(found.id, found)
    if looks_like_id(text):  # it may have been deleted: the next call to OMS will say so
        return Found(text)
    raise OmsProjectNotFoundError(
        f"OMS shows this user no project with the id or the name {safe_text(text, 200)!r}. "
        "The command `projects` lists the projects. Check the spelling, and the user's role."
    )


@dataclass(frozen=True)
class ProjectFound(Milestone):
    """The project was found. This is a milestone, so that the command waits for the end of an outage as with any other
    milestone.

    :param text: its id or name
    """

    text: str
    kind = "project_found"
    finds_project = True

    def describe(self) -> str:
        return "an answer from OMS"


def _project_found(milestone: ProjectFound, poll: PollContext) -> Flow[Verdict]:
    """Find the project, or raise OMS's error."""
    found = yield from find_project(milestone.text)
    if found.row is not None and (name := value_or_none(found.row, Project.name)):
        poll.memory.projects[name] = found.id
    return poll.reached("Found.", Observation(project=found.id))


check.register(ProjectFound, _project_found)
