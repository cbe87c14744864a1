"""What all operators share: the connection, the project, and how an error of OMS ends a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, BaseOperator

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    OmsError,
    OmsProjectNotFoundError,
    OmsUnreachableError,
    broken_off,
    without_frames,
)
from airflow_provider_oms.client.operations import Sender, run_flow
from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.links.oms import OmsConsoleLink, project_links, push_console_url, push_progress_url
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.lookup import no_project_named, project_by_name
from airflow_provider_oms.milestones.status import DELETED
from airflow_provider_oms.milestones.subject import Subject, called
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class OmsOperator(BaseOperator):
    """An action on OMS.

    After a temporary error (OMS is down, or too slow) the task fails so that Airflow retries it. After a permanent
    error it fails without retries.

    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("oms_conn_id",)
    ui_color = "#ffe9d2"
    operator_extra_links = (OmsConsoleLink(),)

    #: OMS's name of the action that the operator sends.
    oms_action = ""

    def __init__(self, *, oms_conn_id: str = OmsHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.oms_conn_id = oms_conn_id
        self._found: str | None = None  # the project's id, once it is known

    def execute(self, context: Context) -> Any:
        """Open a hook and carry out the operation.

        :param context: Airflow's context
        :raises OmsOperationError: if the operation failed and a retry may help
        :raises OmsOperationRefusedError: if the operation failed and a retry would not help
        """
        return self._do(lambda hook: self.carry_out(context, hook))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after a deferral. If Airflow itself ended it, what was waited for is added to Airflow's message.

        :param next_method: the method that resumes
        :param next_kwargs: its arguments
        :param context: Airflow's context
        :raises AirflowException: if the task fails; the class and the message say why
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as error:
            if next_method == "execute_complete":
                raise
            raise type(error)(self.subject().explain(str(error))) from error

    def subject(self) -> Subject:
        """Return what the operator's messages are about."""
        return Subject(self.about(), self.oms_action, str(self.oms_conn_id))

    def about(self) -> str:
        """Return the object in OMS that messages name, such as ``project 'shop' (np_1)``; empty if there is none."""
        return ""

    def _do(self, work: Callable[[OmsHook], Any]) -> Any:
        """Do something with an open hook. Every error is raised with what it is about."""
        with OmsHook(self.oms_conn_id) as hook:
            try:
                return work(hook)
            except OmsError as error:
                failed: BaseException = to_airflow_error(error)
            except ValueError as error:  # a rendered argument is invalid
                failed = OmsOperationRefusedError(str(error))
            except AirflowException as error:
                failed = error
            except BaseException as error:  # a time-out of the task, or a bug
                failed = broken_off(error)
        if isinstance(failed, OmsMilestoneFailedError | OmsOperationError | OmsOperationRefusedError):
            failed = type(failed)(self.subject().explain(str(failed)))
        raise without_frames(failed)

    def carry_out(self, context: Context, hook: OmsHook) -> Any:
        """Carry out the operation. Subclasses implement this.

        :param context: Airflow's context
        :param hook: the open hook
        """
        raise NotImplementedError


class OmsProjectOperator(OmsOperator):
    """An action on a project. Give ``project_id`` or ``project_name``.

    The project's id is pushed to XCom (key ``project_id``) before anything is sent.

    :param project_id: the project's id (templated)
    :param project_name: the project's name instead, which is unique for an OMS user; it is looked up with
        ``ListProjects`` (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("project_id", "project_name", "oms_conn_id")
    operator_extra_links = project_links()

    def __init__(self, *, project_id: str | None = None, project_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.project_name = project_name
        self._check_project(rendered=False)

    def about(self) -> str:
        """Return the project's name and id, for messages."""
        return called(self._found or self.project_id, self.project_name)

    def find_project(self, hook: OmsHook) -> str | None:
        """Return the project's id; None if OMS shows this user no project with the name.

        :param hook: the open hook
        :raises OmsError: if several projects have the name
        """
        self._check_project(rendered=True)
        if self.project_id is not None:
            return arguments.identifier("project_id", self.project_id)
        found = run_flow(hook, project_by_name(arguments.proper_name("project_name", self.project_name)))
        self._found = found.id if found else None
        return self._found

    def need_project(self, hook: OmsHook) -> str:
        """Return the project's id.

        :param hook: the open hook
        :raises OmsError: if no project, or more than one, has the name
        """
        found = self.find_project(hook)
        if found is None:
            raise no_project_named(str(self.project_name))
        return found

    def announce(self, context: Context, hook: OmsHook, project_id: str) -> None:
        """Store the project's id and the links in XCom.

        :param context: Airflow's context
        :param hook: the open hook
        :param project_id: the project's id
        """
        context["ti"].xcom_push(key="project_id", value=project_id)
        push_console_url(context, hook, project_id)
        push_progress_url(context)

    def _check_project(self, *, rendered: bool) -> None:
        check_one_of(self, project_id=arguments.identifier, project_name=arguments.proper_name, rendered=rendered)


def check_one_of(operator: Any, *, rendered: bool, **readers: Callable[[str, Any], object]) -> None:
    """Check that exactly one of several arguments is given, and that it is valid.

    :param operator: the operator
    :param rendered: whether its templates are rendered
    :param readers: the function that reads each argument
    :raises ValueError: if an argument is invalid; the message names it
    """
    given = [name for name in readers if getattr(operator, name) is not None]
    if len(given) != 1:
        raise ValueError(f"give {' or '.join(readers)}, and not both")
    value = getattr(operator, given[0])
    if rendered or is_literal(value):
        readers[given[0]](given[0], value)


def status_of(hook: Sender, project_id: str) -> str | None:
    """Return a project's status (``DescribeProjectProgress``); DELETED if OMS doesn't have the project.

    :param hook: the hook to ask
    :param project_id: the project
    """
    try:
        return hook.send(actions.describe_project_progress(project_id)).data.status
    except OmsProjectNotFoundError:
        return DELETED


def answer_was_lost(error: OmsError) -> bool:
    """Return whether OMS may have carried out a call that had no usable answer.

    :param error: the error of the call
    """
    return error.temporary and not isinstance(error, OmsUnreachableError)


def to_airflow_error(error: OmsError, remark: str = "") -> AirflowException:
    """Return the exception with which an error of OMS fails a task.

    :param error: the error
    :param remark: a sentence that is added to the message
    """
    kind = OmsOperationError if error.temporary else OmsOperationRefusedError
    return kind(f"{error} {remark}".rstrip())
