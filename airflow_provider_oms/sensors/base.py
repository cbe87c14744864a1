"""What all gates share: their arguments, and the ways to wait (poke, reschedule, deferrable)."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError
from airflow_provider_oms.links.oms import project_links
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.fleet import ON_FAILURE, SELECTORS, Fleet
from airflow_provider_oms.milestones.gate import (
    DEFAULT_CONN_ID,
    DEFAULT_FAILURE_GRACE,
    DEFAULT_OUTAGE_TOLERANCE,
    DEFAULT_POKE_INTERVAL,
    Gate,
)
from airflow_provider_oms.milestones.kinds import Milestone
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from airflow_provider_oms.tasks.templates import is_literal

# What a gate only needs when it runs is imported then, because DAG files are parsed again and again.
if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_oms.milestones.subject import Subject
    from airflow_provider_oms.sensors.worker import GateOnWorker


#: A valid value for each templated field. It replaces a template while the other arguments are checked.
RENDERED: dict[str, Any] = {
    "project_id": "np",
    "project_name": "name",
    "project_type": "MIGRATION",
    "oms_conn_id": DEFAULT_CONN_ID,
    "step": "STEP",
    "until": "done",
    "progress": 100,
    "max_lag": 25,
    "direction": "forward",
    "checkpoint": "2026-01-01",
    "target_statuses": ["RUNNING"],
    "tables": ["schema.table"],
    "verification_project": "name",
    "project_ids": ["np"],
    "project_names": ["name"],
    "label_id": "l",
    "label_name": "label",
    "search_key": "name",
}


#: The arguments that name a single project.
_ONE = ("project_id", "project_name")


class OmsGateSensor(BaseSensorOperator):
    """A gate: it opens when a project has reached a milestone, and changes nothing in OMS.

    For one project, give ``project_id`` or ``project_name``. The gate returns what it observed, as XCom: ``project``,
    ``status``, ``step``, ``progress``, ``checkpoint`` (Unix seconds), ``lag`` (seconds), ``time``, ``note``, ``name``
    and ``checkpoint_time``.

    For many projects, give one of ``project_ids``, ``project_names``, ``label_id``, ``label_name`` and ``search_key``.
    The gate opens when every one of them has reached the milestone, and returns ``total``, ``reached``, ``failed``,
    ``time``, ``note``, and in ``projects`` what it observed of each. If XCom has no room for all, ``left_out`` says how
    many are missing there. Lists may be text: JSON, a Python list, or parts between commas.

    If the gate fails or times out, the message names the project, what was waited for, and the Airflow connection.

    :param project_id: the project's id (templated)
    :param project_name: the project's name instead, which is unique for an OMS user; it is looked up once with
        ``ListProjects`` (templated)
    :param project_type: ``MIGRATION`` or ``SYNC``; only connections with ``api_version`` v3 need it (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :param deferrable: wait in the triggerer instead of on a worker; default is ``[operators] default_deferrable``
    :param start_from_trigger: make the first poll in the triggerer, too, so that no worker is needed until the gate
        opens. This needs Airflow 3.3 or later and ``deferrable``; templates may only use the run's dates, its id and
        ``dag_run``
    :param poke_interval: seconds (or timedelta) between two polls
    :param fail_on_suspend: fail when the project is paused, instead of waiting for somebody to resume it
    :param allow_modifying: ignore that objects are being added to the project or removed from it. By default, gates
        about complete data wait until that is done; the step gate and the status gate never do
    :param failure_grace: seconds (or timedelta) that OMS has to recover from a failure by itself
    :param outage_tolerance: seconds (or timedelta) without a usable answer from OMS until the gate fails
    :param project_ids: the ids of many projects (templated)
    :param project_names: the names of many projects (templated)
    :param label_id: the id of a label; all projects with it, which are looked up at each poll (templated)
    :param label_name: the name of a label instead of its id; a label that doesn't exist fails the gate (templated)
    :param search_key: part of a name, or an id; all projects that ``ListProjects`` finds with it (templated)
    :param min_projects: how many projects there must be at least; the gate doesn't open with fewer
    :param on_failure: when a failed project fails the gate: ``fail``: at once; ``wait_for_others``: once no other
        project waits any more
    :raises ValueError: if an argument is invalid; the message names it
    """

    # What the gate is about. How it waits can't be a template, because that must be known when the DAG is parsed.
    template_fields: Sequence[str] = ("project_id", "project_name", "project_type", "oms_conn_id", *SELECTORS)
    template_fields_renderers: ClassVar[dict[str, str]] = {"project_ids": "json", "project_names": "json"}
    ui_color = "#d9ecff"
    operator_extra_links = project_links()

    def __init__(
        self,
        *,
        project_id: str | None = None,
        project_name: str | None = None,
        project_type: str = "MIGRATION",
        oms_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        start_from_trigger: bool = False,
        poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
        fail_on_suspend: bool = False,
        allow_modifying: bool = False,
        failure_grace: timedelta | float = DEFAULT_FAILURE_GRACE,
        outage_tolerance: timedelta | float = DEFAULT_OUTAGE_TOLERANCE,
        project_ids: Sequence[str] | str | None = None,
        project_names: Sequence[str] | str | None = None,
        label_id: str | None = None,
        label_name: str | None = None,
        search_key: str | None = None,
        min_projects: int = 1,
        on_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.project_id = project_id
        self.project_name = project_name
        self.project_type = project_type
        self.oms_conn_id = oms_conn_id
        self.deferrable = arguments.flag("deferrable", deferrable)
        self.start_from_trigger = arguments.flag("start_from_trigger", start_from_trigger)
        self.fail_on_suspend = fail_on_suspend
        self.allow_modifying = allow_modifying
        self.failure_grace = failure_grace
        self.outage_tolerance = outage_tolerance
        self.project_ids = project_ids
        self.project_names = project_names
        self.label_id = label_id
        self.label_name = label_name
        self.search_key = search_key
        self.min_projects = min_projects
        self.on_failure = on_failure
        self._on_worker: GateOnWorker | None = None
        self._opened: dict[str, Any] | None = None
        self._check_waiting()

    @abstractmethod
    def milestone(self) -> Milestone:
        """Return the milestone that the gate waits for, from the rendered arguments. Subclasses implement this."""

    def note(self) -> str | None:
        """Return a remark for the log about how the arguments were read; None if there is none."""
        return None

    def gate(self) -> Gate:
        """Return the gate's settings, from the rendered arguments.

        :raises ValueError: if an argument is invalid; the message names it
        """
        return Gate(
            milestone=self.milestone(),
            project_id=self.project_id,
            project_name=self.project_name,
            project_type=self.project_type,
            oms_conn_id=self.oms_conn_id,
            poke_interval=self.poke_interval,
            fail_on_suspend=self.fail_on_suspend,
            allow_modifying=self.allow_modifying,
            failure_grace=self.failure_grace,  # type: ignore[arg-type]  # Gate takes a timedelta, too
            outage_tolerance=self.outage_tolerance,  # type: ignore[arg-type]
            fleet=self.fleet(),
        )

    def fleet(self) -> Fleet | None:
        """Return the settings for many projects, from the rendered arguments; None for a gate about one project.

        :raises ValueError: if an argument is invalid; the message names it
        """
        given = {name: value for name in SELECTORS if (value := getattr(self, name)) is not None}
        if not given:
            if self.min_projects != 1 or self.on_failure != ON_FAILURE[0]:
                raise ValueError(f"min_projects and on_failure can only be used with {', '.join(SELECTORS)}")
            return None
        return Fleet(**given, min_projects=self.min_projects, on_failure=self.on_failure)

    def check_arguments(self) -> None:
        """Check the arguments that aren't templates, while the DAG is parsed. The constructors of subclasses call this.

        :raises ValueError: if an argument is invalid; the message names it
        """
        if self.start_from_trigger:
            from airflow_provider_oms.sensors.start_from_trigger import start_trigger_args

            self.start_trigger_args = start_trigger_args(self, OmsGateSensor)
        hidden = [name for name in self.template_fields if not is_literal(getattr(self, name))]
        # A subclass outside this package may have a templated field of its own, which may render to anything.
        if not RENDERED.keys() >= set(hidden):
            given = [name for name in (*_ONE, *SELECTORS) if getattr(self, name) is not None]
            if len(given) != 1:
                raise ValueError(f"give exactly one of {', '.join((*_ONE, *SELECTORS))}")
            return
        gate = self._gate_once_rendered(hidden)
        needed = gate.milestone.needs_memory()
        if needed and self.reschedule and not self.deferrable and not has_task_state_store():
            raise ValueError(
                f"{needed} needs a memory between two pokes, which mode='reschedule' only has from Airflow 3.3 on. "
                "Use deferrable=True or mode='poke'."
            )

    def _gate_once_rendered(self, hidden: Sequence[str]) -> Gate:
        """Return the gate with a valid value in place of each template."""
        # This bypasses Airflow's own __setattr__, which would remove the upstream tasks of a reference to an XCom.
        written = {name: self.__dict__[name] for name in hidden}
        self.__dict__.update((name, RENDERED[name]) for name in hidden)
        try:
            return self.gate()
        finally:
            self.__dict__.update(written)

    def poll_once(self) -> PokeReturnValue:
        """Poll once from other Python code, such as a ``@task.sensor`` function. Nothing is remembered for a later
        poll.

        :return: whether the gate is open, and what it observed
        :raises OmsMilestoneFailedError: when the milestone can't be reached, or only after somebody acts
        :raises ValueError: if an argument is invalid or needs a memory; the message names it
        """
        gate = self.gate()
        if needed := gate.milestone.needs_memory():
            raise ValueError(f"{needed} needs a memory between two polls, which poll_once() doesn't have")
        from airflow_provider_oms.sensors.worker import poll_alone

        return poll_alone(gate, self.log)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once. Airflow calls this in the modes poke and reschedule.

        :param context: Airflow's context
        :raises OmsMilestoneFailedError: when the milestone can't be reached, or only after somebody acts
        """
        return self._gate_on_worker(context).poll(context)

    def execute(self, context: Context) -> Any:
        """Wait until the gate opens, and return what it observed.

        :param context: Airflow's context
        :raises OmsMilestoneFailedError: when the milestone can't be reached, or only after somebody acts
        :raises AirflowSensorTimeout: when the gate was still closed after its time-out
        """
        try:
            running = self._gate_on_worker(context)
        except ValueError as error:  # a rendered argument is invalid
            # soft_fail doesn't apply, because the gate hasn't polled.
            message = f"{error}. Correct the DAG, then clear this task."
            raise OmsMilestoneFailedError(self._subject().explain(message)) from None
        try:
            self._opened = self._wait_in_triggerer(context) if self.deferrable else super().execute(context)
            return self._opened
        except (AirflowSensorTimeout, AirflowSkipException) as error:
            raise self._explained(error, running) from error
        finally:
            self._on_worker = None
            running.hook.close()

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after a deferral. If Airflow itself ended it, what was waited for is added to Airflow's message.

        :param next_method: the method that resumes
        :param next_kwargs: its arguments
        :param context: Airflow's context
        :raises AirflowException: if the gate didn't open; the class and the message say why
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as error:
            skipped = isinstance(error, AirflowSkipException)
            cause = error.__cause__ if skipped and isinstance(error.__cause__, AirflowException) else error
            if next_method != "execute_complete":
                ended = type(cause)(self._subject().explain(str(cause)))
                raise self._to_airflow_error(ended) from error  # 2.11 would fail despite never_fail
            raise (self._to_airflow_error(cause) if skipped else cause) from error

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Resume after the trigger's event: end, or defer again once a project's name is resolved.

        :param context: Airflow's context
        :param event: what the trigger sent
        :raises OmsMilestoneFailedError: when the milestone can't be reached, or only after somebody acts
        :raises AirflowSensorTimeout: when the gate was still closed at its deadline
        """
        from airflow_provider_oms.triggers.deferral import check_event, defer_again, is_resolved, subject_of

        subject = subject_of(event) or self._subject()
        try:
            if is_resolved(event):
                self.log.info("Resolved. %s", event.get("message"))
                defer_again(self, event)
            status, message, observed = check_event(event)
            if self.start_from_trigger:  # otherwise the first poll has stored the link
                self._leave_link(context, observed.get("project"))
            if status == "timeout":
                raise AirflowSensorTimeout(self._still_waiting(message))
            if status == "failed":
                raise OmsMilestoneFailedError(message)
        except OmsOperationError as error:  # soft_fail doesn't apply, because a retry starts the gate again
            raise OmsOperationError(subject.explain(str(error))) from None
        except (OmsMilestoneFailedError, AirflowSensorTimeout) as error:
            ended = type(error)(subject.explain(str(error)))
            self.log.error("%s", ended)
            raise self._to_airflow_error(ended) from None
        self.log.log(logging.WARNING if observed.get("note") else logging.INFO, "Reached. %s", message)
        self._opened = observed
        return observed

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Return the lineage of a gate that has opened: what it observed, and which tables the project moves where.

        Airflow's OpenLineage provider calls this if it is installed (the extra ``[openlineage]``).

        :param task_instance: Airflow's task instance, which isn't used
        """
        if self._opened is None:
            return None
        from airflow_provider_oms.lineage.extraction import of_gate

        return of_gate(self.gate, self._opened)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> None:
        """Return no lineage. Without this method, Airflow would call the one for a gate that has opened.

        :param task_instance: Airflow's task instance, which isn't used
        """

    def _leave_link(self, context: Context, project_id: str | None) -> None:
        from airflow_provider_oms.hooks.oms import OmsHook
        from airflow_provider_oms.links.oms import push_console_url, push_progress_url

        with OmsHook(self.oms_conn_id) as hook:
            push_console_url(context, hook, project_id)
        push_progress_url(context, self.gate().as_dict())

    def _gate_on_worker(self, context: Context) -> GateOnWorker:
        from airflow_provider_oms.sensors.worker import GateOnWorker

        self._on_worker = self._on_worker or GateOnWorker(self, context)
        return self._on_worker

    def _wait_in_triggerer(self, context: Context) -> Any:
        """Poll once on the worker, and defer if the gate must wait."""
        from airflow_provider_oms.triggers.deferral import defer_until_reached

        running = self._gate_on_worker(context)
        try:
            polled = self.poke(context)
        except OmsMilestoneFailedError as error:
            raise self._to_airflow_error(error) from error
        if not polled.is_done:
            defer_until_reached(self, running.gate, running.memory, self.timeout)
        return polled.xcom_value

    def _to_airflow_error(self, error: AirflowException) -> AirflowException:
        """Return the exception for a gate that doesn't open. It is the same in every mode and version of Airflow."""
        for name in ("soft_fail", "never_fail"):
            if getattr(self, name) and not isinstance(error, AirflowSkipException):
                return AirflowSkipException(f"Skipping due to {name}. {error}")
        return error

    def _explained(self, error: AirflowException, running: GateOnWorker) -> AirflowException:
        """Return the exception for a wait that ended on a worker, with what was waited for, which Airflow doesn't say.

        Airflow applies never_fail to a failure only; here it applies to a time-out as well.
        """
        if isinstance(error, AirflowSkipException):
            if isinstance(error.__cause__, AirflowException):
                return self._to_airflow_error(error.__cause__)
            if not (self.soft_fail and str(error).startswith("Sensor has timed out")):
                return error  # a skip that isn't about the time-out
        message = self._still_waiting(running.last.message)
        return self._to_airflow_error(
            AirflowSensorTimeout(running.gate.subject(running.last.observed).explain(message))
        )

    def _still_waiting(self, message: str) -> str:
        from airflow_provider_oms.milestones.durations import duration

        return f"Still waiting after {duration(self.timeout)} (timeout). {message}"

    def _subject(self) -> Subject:
        """Return what messages are about, with what the arguments say about it."""
        try:
            return self.gate().subject()
        except ValueError:
            from airflow_provider_oms.milestones.subject import Subject, called

            known = self.project_id or self.project_name
            return Subject(called(self.project_id, self.project_name) if known else "", "", str(self.oms_conn_id))

    def _check_waiting(self) -> None:
        if self.deferrable and (self.exponential_backoff or self.max_wait is not None):
            raise ValueError("exponential_backoff and max_wait can't be used with deferrable=True; set poke_interval")
