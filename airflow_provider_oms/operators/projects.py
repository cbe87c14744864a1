"""Starts, stops, resumes, releases and deletes projects: the actions that change a project's status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsProjectNotFoundError, OmsRejectedError
from airflow_provider_oms.client.operations import Sender
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.fleet import SELECTORS, Fleet
from airflow_provider_oms.milestones.kinds import ActionMilestone
from airflow_provider_oms.milestones.status import DELETED
from airflow_provider_oms.milestones.subject import Subject
from airflow_provider_oms.milestones.transitions import Kind, Move, may_be_stopped, name_of, plan
from airflow_provider_oms.operators.base import OmsProjectOperator, answer_was_lost, status_of, to_airflow_error
from airflow_provider_oms.operators.lineage import TellsLineage
from airflow_provider_oms.operators.many import ManyProjects
from airflow_provider_oms.operators.waits import OmsWaitingOperator
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_CALLS: dict[str, Callable[[str], Call[None]]] = {
    "start": actions.start_project,
    "stop": actions.stop_project,
    "resume": actions.resume_project,
    "release": actions.release_project,
    "delete": actions.delete_project,
}


class OmsProjectActionOperator(OmsWaitingOperator, OmsProjectOperator):
    """Check a project and, if there is something left to do, send one action, once.

    Running the task twice, or again after a crash, does no harm: nothing is done for a project that is already in the
    status to which the action leads. If the action isn't allowed, the task fails without retries, and names the
    project's status and the statuses in which the action is allowed. Returns the project's id as XCom, which is pushed
    under ``project_id`` before any waiting, too.

    For many projects, give one of ``project_ids``, ``project_names``, ``label_id``, ``label_name`` and ``search_key``.
    Each of these projects is checked, a few at a time, and sent the action if it needs it. If the action isn't possible
    for one project, the others are still done; the task fails in the end, and names the project and the reason. It
    returns ``{"total": ..., "done": [...], "already": [...], "refused": {name: reason}}``, which is pushed under
    ``projects`` before any waiting, too.

    :param project_id: the project's id (templated)
    :param project_name: the project's name instead; it is looked up with ``ListProjects`` (templated)
    :param project_ids: the ids of many projects (templated)
    :param project_names: the names of many projects (templated)
    :param label_id: the id of a label; all projects with it (templated)
    :param label_name: the name of a label instead of its id (templated)
    :param search_key: part of a name, or an id; all projects that ``ListProjects`` finds with it (templated)
    :param min_projects: how many projects there must be at least; release and delete ignore it, because projects that
        are released or deleted already may no longer be listed
    :param oms_conn_id: the Airflow connection (templated)
    :param wait_for_completion: with ``deferrable``, ``poke_interval`` and ``timeout``: see :class:`OmsWaitingOperator`
    :raises ValueError: if an argument is invalid; the message names it
    """

    #: The action, as in :mod:`airflow_provider_oms.milestones.transitions`.
    action: ClassVar[str]
    stop_first = False

    template_fields: Sequence[str] = (*OmsProjectOperator.template_fields, *SELECTORS)
    template_fields_renderers: ClassVar[dict[str, str]] = {"project_ids": "json", "project_names": "json"}

    def __init__(
        self,
        *,
        project_ids: Sequence[str] | str | None = None,
        project_names: Sequence[str] | str | None = None,
        label_id: str | None = None,
        label_name: str | None = None,
        search_key: str | None = None,
        min_projects: int = 1,
        **kwargs: Any,
    ) -> None:
        self.project_ids = project_ids
        self.project_names = project_names
        self.label_id = label_id
        self.label_name = label_name
        self.search_key = search_key
        self.min_projects = arguments.whole("min_projects", min_projects, least=1)
        super().__init__(**kwargs)

    def fleet(self) -> Fleet | None:
        """Return the settings for many projects, from the rendered arguments; None for an operator on one project.

        :raises ValueError: if an argument is invalid; the message names it
        """
        given = {name: value for name in SELECTORS if (value := getattr(self, name)) is not None}
        return Fleet(**given, on_failure="wait_for_others") if given else None

    def _check_project(self, *, rendered: bool) -> None:
        given = [name for name in SELECTORS if getattr(self, name) is not None]
        if not given:
            super()._check_project(rendered=rendered)
        elif len(given) > 1 or self.project_id is not None or self.project_name is not None:
            raise ValueError(f"give exactly one of {', '.join(('project_id', 'project_name', *SELECTORS))}")
        elif rendered or is_literal(getattr(self, given[0])):
            self.fleet()

    def carry_out(self, context: Context, hook: OmsHook) -> Any:
        """Check the project, or each of many, and do what is left to do.

        :param context: Airflow's context
        :param hook: the open hook
        """
        self._check_project(rendered=True)
        if (fleet := self.fleet()) is not None:
            return ManyProjects(self, context, hook).begin(fleet)
        project_id = self.find_project(hook)
        if project_id is None:
            self._without_project()
            return None
        self.announce(context, hook, project_id)
        return self._go_on(hook, project_id, status_of(hook, project_id))

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Resume after the trigger's event.

        :param context: Airflow's context
        :param event: what the trigger sent
        :raises OmsMilestoneFailedError: when the status can't be reached any more, or only after somebody acts
        :raises OmsOperationError: when the status wasn't reached in time
        """
        if self.fleet() is not None:
            return self._do(lambda hook: self._go_on_with_many(context, hook, event))
        return self._do(lambda hook: self._go_on_after(hook, event))

    def subject(self) -> Subject:
        """Return what the operator's messages are about."""
        return super().subject()._replace(purpose=name_of(self.action))

    def about(self) -> str:
        """Return the project, or the projects, for messages."""
        try:
            fleet = self.fleet()
        except ValueError:  # the invalid argument, which the message names
            return "projects"
        return super().about() if fleet is None else fleet.describe()

    def _go_on_with_many(self, context: Context, hook: OmsHook, event: Any) -> dict[str, Any]:
        self.read_end(event)
        self.need_same_oms(hook, event)
        return ManyProjects(self, context, hook).go_on()

    def _go_on_after(self, hook: OmsHook, event: Any) -> str:
        project_id, status = self.read_event(event)
        self.need_same_oms(hook, event)
        return self._go_on(hook, project_id, status, resumed=True)

    def _go_on(self, hook: OmsHook, project_id: str, status: str | None, *, resumed: bool = False) -> str:
        """Send one action after another until nothing is left to do."""
        while True:
            move = plan(self.action, status, stop_first=self.stop_first)
            if move.kind is Kind.DONE:
                if not resumed:
                    self._say_nothing_to_do(project_id, status)
                return project_id
            if move.kind is Kind.REFUSE:
                raise OmsOperationRefusedError(move.reason)
            since: float | None = None
            if move.kind is Kind.SEND:
                since, moved_to = self.send_once(hook, project_id, move)
                if moved_to is not None:
                    status, resumed = moved_to, False
                    continue
            if move.action == self.action and not self.wait_for_completion:
                return project_id
            milestone = ActionMilestone(self.action, move.action, self.stop_first, since)
            status, resumed = self.wait_for(hook, project_id, milestone), True

    def _say_nothing_to_do(self, project_id: str, status: str | None) -> None:
        name = name_of(self.action)
        if status == DELETED:
            self.log.warning(
                "Nothing to do for %s: OMS has no project %s: it was deleted, or it never existed; OMS's answer is the "
                "same for both. Check the id.",
                name,
                project_id,
            )
        else:
            self.log.info("Nothing to do for %s: project %s is %s already.", name, project_id, status)

    def send_once(self, hook: Sender, project_id: str, move: Move) -> tuple[float | None, str | None]:
        """Send an action once.

        :param hook: the hook or client that sends it
        :param project_id: the project
        :param move: the action
        :return: when OMS accepted the action, or else the status to which the project has changed without it
        :raises OmsError: if OMS has refused the action
        :raises OmsOperationError: if it isn't known whether OMS has accepted the action
        """
        try:
            answer = hook.send(_CALLS[move.action](project_id))
        except OmsProjectNotFoundError:
            return None, DELETED
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            # The answer was lost, or another user has acted in the meantime, so the project's current status decides.
            status = status_of(hook, project_id)
            if plan(self.action, status, stop_first=self.stop_first) == move:
                raise to_airflow_error(error, f"The project is still {status}. A retry checks first.") from None
            self.log.warning("%s Project %s is %s now.", error, project_id, status)
            return None, status
        self.log.info("OMS has taken %s of project %s.", name_of(move.action), project_id)
        return answer.at, None

    def _without_project(self) -> None:
        """Succeed with a warning, or refuse, if no project has the name."""
        move = plan(self.action, DELETED, stop_first=self.stop_first)
        if move.kind is not Kind.DONE:
            raise OmsOperationRefusedError(
                f"OMS shows this user no project named {self.project_name!r}. Check the name, and the user's role."
            )
        self.log.warning(
            "Nothing to do for %s: OMS shows this user no project named %r.", name_of(self.action), self.project_name
        )


class _StoppingOnKill(OmsProjectActionOperator):
    """An action that starts or resumes a project."""

    def __init__(self, *, stop_on_kill: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stop_on_kill = arguments.flag("stop_on_kill", stop_on_kill)
        if stop_on_kill and any(getattr(self, name) is not None for name in SELECTORS):
            raise ValueError("stop_on_kill stops one project, so it can't be used with many")

    def on_kill(self) -> None:
        """With ``stop_on_kill``, stop the project when somebody ends or clears the task while it waits on a worker."""
        if not self.stop_on_kill:
            return
        try:
            with OmsHook(self.oms_conn_id) as hook:
                project_id = self.find_project(hook)
                if project_id is not None and may_be_stopped(status_of(hook, project_id)):
                    hook.stop_project(project_id)
                    self.log.info("Killed: project %s is being stopped (stop_on_kill).", project_id)
        except Exception as error:
            self.log.warning("Killed, but the project could not be stopped: %s", error)


class OmsStartProjectOperator(TellsLineage, _StoppingOnKill):
    """Start a project (``StartProject``), and wait until it is RUNNING or has FINISHED.

    The project must be INIT. Nothing is done if it is RUNNING or FINISHED already. Takes the arguments of
    :class:`OmsProjectActionOperator`, too.

    :param stop_on_kill: stop the project when the task is killed while it waits on a worker. A deferred task that is
        cleared or killed doesn't stop the project, because a restart of the triggerer looks the same to it
    """

    action = "start"

    def _go_on(self, hook: OmsHook, project_id: str, status: str | None, *, resumed: bool = False) -> str:
        self._worked_on = project_id
        return super()._go_on(hook, project_id, status, resumed=resumed)


class OmsResumeProjectOperator(_StoppingOnKill):
    """Resume a paused or failed project (``ResumeProject``), and wait until it is RUNNING or has FINISHED.

    The project must be SUSPEND or FAILED (resuming is how OMS retries a failed step). Nothing is done if it is RUNNING
    or FINISHED already. If it is still FAILED two minutes after it was resumed, the task fails. Takes the arguments of
    :class:`OmsProjectActionOperator`, too.

    :param stop_on_kill: stop the project when the task is killed while it waits on a worker; a deferred task doesn't
    """

    action = "resume"


class OmsStopProjectOperator(OmsProjectActionOperator):
    """Pause a project (``StopProject``), and wait until it is SUSPEND.

    The project must be running. Nothing is done if it is SUSPEND already. OceanBase warns that a project paused for
    more than 12 hours may not be recoverable. Takes the arguments of :class:`OmsProjectActionOperator`.
    """

    action = "stop"


class _Ending(OmsProjectActionOperator):
    """An action that ends a project."""

    def __init__(self, *, stop_first: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stop_first = arguments.flag("stop_first", stop_first)


class OmsReleaseProjectOperator(_Ending):
    """Release a project's resources (``ReleaseProject``), and wait until it is RELEASED. It can't be undone.

    The project must be SUSPEND, FAILED or FINISHED. Nothing is done if it is RELEASED, DELETED or no longer exists.
    Takes the arguments of
    :class:`OmsProjectActionOperator`, too.

    :param stop_first: stop a running project first, and wait until it is SUSPEND
    """

    action = "release"


class OmsDeleteProjectOperator(_Ending):
    """Delete a project (``DeleteProject``), and wait until it no longer exists. It can't be undone.

    The project must be INIT or RELEASED. Nothing is done if it is DELETED or no longer exists. Takes the arguments of
    :class:`OmsProjectActionOperator`, too.

    :param stop_first: stop the project first if it is running, and release it first if it isn't released
    """

    action = "delete"
