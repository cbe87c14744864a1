"""Adds tables to a project while it runs, and removes tables from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsRejectedError
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.changes import ADDITION, REMOVAL, Change, Table, changes_in, named, tables_in
from airflow_provider_oms.milestones.kinds import ObjectsMilestone
from airflow_provider_oms.milestones.transitions import Kind, plan
from airflow_provider_oms.operators.base import OmsProjectOperator, answer_was_lost, to_airflow_error
from airflow_provider_oms.operators.object_list import changed, databases_of, tables_of
from airflow_provider_oms.operators.waits import OmsWaitingOperator
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.client.models import Project
    from airflow_provider_oms.hooks.oms import OmsHook

_ONE_AT_A_TIME = "OMS takes one change of a project's objects at a time."


class OmsModifyObjectsOperator(OmsWaitingOperator, OmsProjectOperator):
    """Add tables to a project, or remove tables from it, while it runs (``CreateProjectModifyRecords``).

    This needs OMS Enterprise 4.2.2 or later, or Alibaba Cloud. The operator checks the project first
    (``DescribeProject``, ``ListProjectModifyRecords``): a table that is in the project isn't added again, a table that
    is being added is waited for, and nothing is sent if nothing is left to do. OMS copies added tables in a separate
    task, which it then merges into the project. The operator waits until that is done. If OMS reports that the change
    has failed, the task fails with OMS's reason.

    OMS's action takes the **whole** list of a project's tables, so the operator sends the current list with the change
    applied. If OMS begins another change than the requested one, the task fails at once and names that change.

    Returns the project's id as XCom; ``project_id``, ``added`` and ``removed`` are pushed before any waiting, too.

    :param add: tables to add: ``["schema.table"]``, ``{"schema": ["table"]}``, in which a table may be a result of
        ``table()``, or a result of ``transfer_mapping()`` (templated)
    :param remove: tables or views to remove: ``["schema.table"]`` or ``{"schema": ["table"]}`` (templated)
    :param retry_failed: repeat an addition or removal of these tables that has failed (``RetryProjectModifyRecords``);
        without it the task fails with OMS's reason
    :param project_id: the project's id (templated)
    :param project_name: the project's name instead; it is looked up with ``ListProjects`` (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :param wait_for_completion: with ``deferrable``, ``poke_interval`` and ``timeout``: see :class:`OmsWaitingOperator`
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("project_id", "project_name", "add", "remove", "oms_conn_id")
    template_fields_renderers = {"add": "json", "remove": "json"}

    oms_action = "CreateProjectModifyRecords"

    def __init__(
        self,
        *,
        add: Sequence[str] | Mapping[str, Any] | str | None = None,
        remove: Sequence[str] | Mapping[str, Sequence[str]] | str | None = None,
        retry_failed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.add = add
        self.remove = remove
        self.retry_failed = arguments.flag("retry_failed", retry_failed)
        if is_literal(add) and is_literal(remove):
            self._wanted()

    def carry_out(self, context: Context, hook: OmsHook) -> str:
        """Check the project, and send the change that is still needed.

        :param context: Airflow's context
        :param hook: the open hook
        :raises OmsOperationRefusedError: if OMS can't or doesn't make the change
        """
        databases, add, remove = self._wanted()
        project_id = self.need_project(hook)
        self.announce(context, hook, project_id)
        project = hook.describe_project(project_id)
        present = tables_in(project)
        if present is None:
            raise OmsOperationRefusedError(
                "The project doesn't list its tables one by one (mode SPECIFIC), or OMS doesn't show the list, so "
                "single tables can't be added or removed."
            )
        missing, surplus = add - present, remove & present
        context["ti"].xcom_push(key="added", value=sorted(map(list, missing)))
        context["ti"].xcom_push(key="removed", value=sorted(map(list, surplus)))
        changes = run_flow(hook, changes_in(project_id))
        ours = [change for change in changes if change.pending and _is_part_of(change, missing, surplus)]
        for change in ours:
            self._repeat_if_failed(hook, project_id, change)
            missing, surplus = missing - (change.tables or frozenset()), surplus - (change.tables or frozenset())
        if missing or surplus or any(_undoes(change, add, remove) for change in changes):
            _refuse_while_changing(changes)
            listed = [database.raw for database in project.transfer_mapping.databases]
            self._send(hook, project, project_id, changed(listed, databases, missing, surplus), missing, surplus)
        elif not any(change.pending and change.tables and change.may_concern(add | remove) for change in changes):
            self.log.info("Nothing to do: the tables of project %s are already as requested.", project_id)
            return project_id
        if self.wait_for_completion:
            self.wait_for(hook, project_id, ObjectsMilestone(tuple(add), tuple(remove), "merged"))
        return project_id

    def execute_complete(self, context: Context, event: Any = None) -> str:
        """Resume after the trigger's event.

        :param context: Airflow's context
        :param event: what the trigger sent
        :raises OmsMilestoneFailedError: if the change has failed, or can't be completed any more
        :raises OmsOperationError: if the change wasn't complete in time
        """
        return str(self._do(lambda hook: self.read_event(event)[0]))

    def _wanted(self) -> tuple[list[dict[str, Any]], frozenset[Table], frozenset[Table]]:
        """Return the tables to add in OMS's own keys, and the names of the tables to add and to remove."""
        databases = databases_of("add", self.add)
        add, remove = tables_of(databases), frozenset(arguments.tables("remove", self.remove or ()))
        if not add and not remove:
            raise ValueError("add or remove must name at least one table")
        if both := add & remove:
            raise ValueError(f"add and remove both name {named(both)}")
        return databases, add, remove

    def _repeat_if_failed(self, hook: OmsHook, project_id: str, change: Change) -> None:
        if not change.failed:
            self.log.info("Project %s: the %s already.", project_id, change.describe())
            return
        if not self.retry_failed:
            raise OmsOperationRefusedError(
                f"The {change.describe()}. Fix the cause, then repeat it in OMS or with "
                "retry_failed=True, or stop it there; then clear this task."
            )
        record_id = str(change.record.id)
        try:
            hook.retry_project_modify_records(record_id)
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            after = [one for one in run_flow(hook, changes_in(project_id)) if one.record.id == change.record.id]
            if not after or after[0].failed:
                raise to_airflow_error(error, "It is still FAILED. A retry checks first.") from None
        self.log.info("OMS repeats the change of project %s: record %s.", project_id, record_id)

    def _send(
        self,
        hook: OmsHook,
        project: Project,
        project_id: str,
        databases: list[dict[str, Any]],
        missing: frozenset[Table],
        surplus: frozenset[Table],
    ) -> None:
        """Send the whole list once, and check which changes OMS begins."""
        move = plan("add_objects" if missing else "remove_objects", project.status)
        if move.kind is Kind.REFUSE:
            raise OmsOperationRefusedError(move.reason)
        if not databases:
            raise OmsOperationRefusedError("The project would have no table left. Release it instead.")
        before = {change.record.id for change in run_flow(hook, changes_in(project_id))}
        lost: OmsError | None = None
        try:
            hook.send(actions.create_project_modify_records(project_id, databases))
        except OmsError as error:
            if not answer_was_lost(error):
                raise
            lost = error
        made = [change for change in run_flow(hook, changes_in(project_id)) if change.record.id not in before]
        if lost is not None and not made:
            raise to_airflow_error(lost, "OMS shows no change of the objects. A retry checks first.") from None
        for change in made:
            if unasked := (change.tables or frozenset()) - (missing if change.record.type == ADDITION else surplus):
                raise OmsOperationRefusedError(
                    f"OMS has begun a change that was not requested, of {named(unasked)}: the "
                    f"{change.describe()}. Cancel or stop it in the OMS console at once."
                )
        told = "; ".join(change.describe() for change in made) or "it lists no record of it"
        self.log.info("OMS has taken the new list of objects of project %s: %s.", project_id, told)


def _is_part_of(change: Change, missing: Collection[Table], surplus: Collection[Table]) -> bool:
    """Decide whether a change does a part of what was requested, and nothing else."""
    wanted = set(missing if change.record.type == ADDITION else surplus)
    return bool(change.tables) and change.tables <= wanted  # type: ignore[operator]  # it isn't None


def _undoes(change: Change, add: Collection[Table], remove: Collection[Table]) -> bool:
    """Return whether an unfinished change adds what is to be removed, or removes what is to be added."""
    against = {ADDITION: remove, REMOVAL: add}.get(change.record.type or "", ())
    return change.pending and bool(change.tables) and change.may_concern(against)


def _refuse_while_changing(changes: Sequence[Change]) -> None:
    """Refuse a change while another is unfinished. Each sends the whole list, so one could undo the other."""
    pending = [change for change in changes if change.pending]
    if not pending:
        return
    told = f"{_ONE_AT_A_TIME} The {'; the '.join(change.describe() for change in pending)}."
    if any(change.failed for change in pending):
        raise OmsOperationRefusedError(f"{told} Repeat or stop the failed change in OMS, then clear this task.")
    raise OmsOperationError(f"{told} A retry of this task may find it finished.")
