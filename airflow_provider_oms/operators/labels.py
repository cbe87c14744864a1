"""Starts and stops all projects of a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsRejectedError, safe_text
from airflow_provider_oms.client.models import LabelOutcome
from airflow_provider_oms.client.numbers import counted
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.client.safe_text import safe_repr
from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.links.oms import push_console_url
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.kinds import ActionMilestone
from airflow_provider_oms.milestones.lookup import label_by_id, label_by_name
from airflow_provider_oms.milestones.subject import Subject, called
from airflow_provider_oms.milestones.transitions import Kind, name_of, plan
from airflow_provider_oms.operators.base import answer_was_lost, check_one_of, to_airflow_error
from airflow_provider_oms.operators.waits import OmsWaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

#: The XCom key under which the result is pushed before any waiting.
XCOM_KEY = "projects"


class OmsLabelOperator(OmsWaitingOperator):
    """Send one action for all projects of a label, once.

    The operator checks the label's projects first (``ListProjects``), and sends nothing if the action would change none
    of them. Like OMS, it skips projects in a status in which the action isn't allowed, and reports them. If OMS
    couldn't change a project although the action is allowed, the task fails and names the project; a retry checks
    again.

    Returns the projects' ids as XCom: ``{"label": ..., "moved": [...], "already": [...], "skipped": {id: status}}``,
    which is pushed under ``projects`` before any waiting, too. A deferred task waits for one project after another.

    :param label_id: the label's id (templated)
    :param label_name: the label's name instead; it is looked up with ``ListAllLabels`` (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :param wait_for_completion: with ``deferrable``, ``poke_interval`` and ``timeout`` (for each project): see
        :class:`~airflow_provider_oms.operators.waits.OmsWaitingOperator`
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("label_id", "label_name", "oms_conn_id")

    #: The action on each project, as in :mod:`airflow_provider_oms.milestones.transitions`.
    action: ClassVar[str]

    def __init__(self, *, label_id: str | None = None, label_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label_id = label_id
        self.label_name = label_name
        self._check_label(rendered=False)

    def describe(self, label: str) -> Call[LabelOutcome]:
        """Return the call that sends the action. Subclasses implement this.

        :param label: the label's id
        """
        raise NotImplementedError

    def carry_out(self, context: Context, hook: OmsHook) -> dict[str, Any]:
        """Send the action if it would change a project, and wait for its effect.

        :param context: Airflow's context
        :param hook: the open hook
        """
        label = self._find_label(hook)
        push_console_url(context, hook, None)
        before = self._sort(hook, label)
        to_move = before[Kind.SEND]
        since = self._send(hook, label, to_move) if to_move else None
        if not to_move:
            self.log.info("Nothing to do for %s: no project of label %s needs it.", name_of(self.action), label)
        done = {
            "label": label,
            "moved": sorted(to_move),
            "already": sorted(before[Kind.DONE]),
            "skipped": before[Kind.REFUSE],
        }
        if before[Kind.REFUSE]:
            self.log.warning("Skipped because of their status: %s", _list(before[Kind.REFUSE]))
        context["ti"].xcom_push(key=XCOM_KEY, value=done)
        return self._wait_for_all(hook, done, since)

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Resume after the trigger's event: wait for the next project.

        :param context: Airflow's context
        :param event: what the trigger sent
        :raises OmsMilestoneFailedError: when a project's status can't be reached any more, or only after somebody acts
        :raises OmsOperationError: when the status wasn't reached in time
        """
        return self._do(lambda hook: self._go_on_after(context, hook, event))

    def about(self) -> str:
        """Return the label, for messages; with the project that is waited for, if there is one."""
        label = f"label {safe_repr(self.label_name or self.label_id, 200)}"
        return f"{label}, {called(self._found, None)}" if self._found else label

    def subject(self) -> Subject:
        """Return what the operator's messages are about."""
        return super().subject()._replace(purpose=f"{name_of(self.action)} for a label")

    def _go_on_after(self, context: Context, hook: OmsHook, event: Any) -> dict[str, Any]:
        self.read_event(event)
        ti: Any = context["ti"]
        done = ti.xcom_pull(task_ids=self.task_id, key=XCOM_KEY, map_indexes=ti.map_index)
        if not isinstance(done, dict):
            raise OmsOperationError(f"The result so far isn't in XCom any more (key {XCOM_KEY}). A retry checks again.")
        return self._wait_for_all(hook, done, None)

    def _wait_for_all(self, hook: OmsHook, done: dict[str, Any], since: float | None) -> dict[str, Any]:
        if self.wait_for_completion and done["moved"]:
            arrived = self._sort(hook, done["label"])[Kind.DONE]
            for project_id in done["moved"]:
                if project_id not in arrived:
                    self.wait_for(hook, project_id, ActionMilestone(self.action, self.action, since=since))
        self.log.info("%s: %s moved.", name_of(self.action), counted(len(done["moved"]), "project"))
        return done

    def _send(self, hook: OmsHook, label: str, to_move: dict[str, str | None]) -> float | None:
        """Send the action once, and fail if it left a project unchanged that it should have changed."""
        at = None
        try:
            answer = hook.send(self.describe(label))
            at, refused = answer.at, set(answer.data.failed or [])
            taken = set(answer.data.succeeded or [])
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            left = self._sort(hook, label)[Kind.SEND]
            if set(left) & set(to_move):
                raise to_airflow_error(error, f"Not moved (yet): {_list(left)}. A retry checks first.") from None
            self.log.warning("%s The projects have changed nevertheless.", error)
            return None
        self.log.info(
            "OMS has taken %s for %s of label %s.", name_of(self.action), counted(len(taken), "project"), label
        )
        stuck = refused | (set(to_move) - taken)
        if stuck:
            # Another user may have changed them, or OMS may list only some of the projects that it changes.
            now = self._sort(hook, label)
            stuck = {one for one in stuck if one not in now[Kind.DONE] and (one in refused or one in now[Kind.SEND])}
        if stuck:
            raise OmsOperationError(
                f"{name_of(self.action)} of label {label}: OMS moved {counted(len(taken), 'project')}, but not these: "
                f"{safe_text(', '.join(sorted(stuck)))}. A retry checks first."
            )
        return at

    def _sort(self, hook: OmsHook, label: str) -> dict[Kind, dict[str, str | None]]:
        """Group the label's projects by what to do with each; the values are their statuses."""
        sorted_projects: dict[Kind, dict[str, str | None]] = {kind: {} for kind in Kind}
        for project in hook.list_projects(label_ids=[label]):
            if project.id:
                sorted_projects[plan(self.action, project.status).kind][project.id] = project.status
        return sorted_projects

    def _find_label(self, hook: OmsHook) -> str:
        """Return the label's id. Without this check, a label that doesn't exist would have no projects, so the task
        would succeed.

        :raises OmsOperationRefusedError: if OMS has no such label
        """
        self._check_label(rendered=True)
        if self.label_id is None:
            name = arguments.proper_name("label_name", self.label_name)
            found, problem = (
                run_flow(hook, label_by_name(name)),
                f"OMS has no label named {safe_text(repr(name), 200)}.",
            )
        else:
            label_id = arguments.identifier("label_id", self.label_id)
            found, problem = run_flow(hook, label_by_id(label_id)), f"OMS has no label with the id {label_id!r}."
        if found is None or found.id is None:
            raise OmsOperationRefusedError(problem)
        return found.id

    def _check_label(self, *, rendered: bool) -> None:
        check_one_of(self, label_id=arguments.identifier, label_name=arguments.proper_name, rendered=rendered)


class OmsStartProjectsByLabelOperator(OmsLabelOperator):
    """Start the projects of a label that are INIT (``StartProjectsByLabel``), and wait until they are RUNNING.

    Takes the arguments of :class:`OmsLabelOperator`.
    """

    action = "start"

    def describe(self, label: str) -> Call[LabelOutcome]:
        """Return the call that sends the action.

        :param label: the label's id
        """
        return actions.start_projects_by_label(label)


class OmsStopProjectsByLabelOperator(OmsLabelOperator):
    """Pause the projects of a label that are RUNNING (``StopProjectsByLabel``), and wait until they are SUSPEND.

    Takes the arguments of :class:`OmsLabelOperator`.
    """

    action = "stop"

    def describe(self, label: str) -> Call[LabelOutcome]:
        """Return the call that sends the action.

        :param label: the label's id
        """
        return actions.stop_projects_by_label(label)


def _list(projects: dict[str, str | None]) -> str:
    return safe_text(", ".join(f"{project} ({status})" for project, status in sorted(projects.items())))
