"""What Airflow knows of a task instance: which project it is about, over which connection, and what it waits for.

A project and its connection are taken from the arguments as Airflow has rendered them for the task, which only its DAG
decides; never from an address, which anybody can type, nor from XCom, which more people may write than DAGs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.gate import Gate


class NoProjectError(Exception):
    """Airflow doesn't tell which project a task is about. The text says why, for people."""


@dataclass(frozen=True)
class Subject:
    """Which project is meant.

    :param conn_id: the Airflow connection
    :param project_id: the project
    :param project_name: its name, instead of the id
    :param project_type: MIGRATION or SYNC
    """

    conn_id: str
    project_id: str | None = None
    project_name: str | None = None
    project_type: str = "MIGRATION"


@dataclass(frozen=True)
class TaskSeen:
    """A task instance.

    :param dag_id: its DAG
    :param run_id: its run
    :param task_id: its task
    :param map_index: which of a mapped task's instances; -1 for a task that isn't mapped
    :param operator: its class
    :param state: its state, in Airflow's words; None before there is one
    :param began: when it began to wait
    :param ended: when it ended
    :param fields: its rendered arguments; None before it has run, or where Airflow keeps them no more
    :param waits_for: what it has left in XCom of what it waits for, as JSON; None for a task that is no gate
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    operator: str = ""
    state: str | None = None
    began: datetime | None = None
    ended: datetime | None = None
    fields: Mapping[str, Any] | None = None
    waits_for: str | None = None

    def subject(self) -> Subject:
        """Return which project it is about.

        :raises NoProjectError: when that isn't known
        """
        return subject_of(self.fields)

    def gate(self) -> Gate | None:
        """Return what it waits for; None for a task that is no gate, or has left nothing that can be read.

        Only what is waited for counts in it: which project that is, :meth:`subject` says.
        """
        try:
            stored = json.loads(self.waits_for or "null")
            return Gate.from_dict(stored) if isinstance(stored, Mapping) else None
        except (ValueError, TypeError):
            return None


def subject_of(fields: Mapping[str, Any] | None) -> Subject:
    """Return which project the rendered arguments of a task name.

    :param fields: the arguments
    :raises NoProjectError: when they name none
    """
    if fields is None:
        raise NoProjectError(
            "Airflow has no rendered arguments of this task: it hasn't run yet, or they were removed since "
            "([core] max_num_rendered_ti_fields_per_task)."
        )
    conn_id = fields.get("oms_conn_id")
    if not conn_id or not isinstance(conn_id, str):
        raise NoProjectError("This task has no connection to an OMS.")
    given = {name: fields[name] for name in ("project_id", "project_name") if fields.get(name) is not None}
    if not given and (name := _name_in(fields.get("project"))):
        given = {"project_name": name}
    if len(given) != 1:
        raise NoProjectError("This task is about no single project.")
    try:
        if "project_id" in given:
            given["project_id"] = arguments.identifier("project_id", given["project_id"])
        else:
            given["project_name"] = arguments.proper_name("project_name", given["project_name"])
    except ValueError as error:
        raise NoProjectError(f"This task names no project: {error}.") from None
    kind = fields.get("project_type")
    return Subject(conn_id, **given, project_type=kind if kind in ("MIGRATION", "SYNC") else "MIGRATION")


def _name_in(body: Any) -> str | None:
    """Return the name in the body of a project that a task creates. Airflow keeps large ones only in part."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    name = body.get("name") if isinstance(body, Mapping) else None
    return name if name and isinstance(name, str) else None


def read_task(dag_id: str, run_id: str, task_id: str, map_index: int) -> TaskSeen | None:
    """Read a task instance from Airflow's database; None when there is none. It blocks.

    :param dag_id: its DAG
    :param run_id: its run
    :param task_id: its task
    :param map_index: which of a mapped task's instances; -1 for a task that isn't mapped
    """
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.taskreschedule import TaskReschedule
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    from airflow_provider_oms.links.oms import WAITS_FOR_KEY

    key: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
    with create_session() as session:
        ti = session.scalar(select(TaskInstance).filter_by(**key))
        if ti is None:
            return None
        fields = session.scalar(select(RenderedTaskInstanceFields.rendered_fields).filter_by(**key))
        # As it was left: text. XComModel.deserialize_value would read the JSON in it.
        waits_for = session.scalar(select(XComModel.value).filter_by(**key, key=WAITS_FOR_KEY))
        # In reschedule mode each poke begins anew.
        first = session.scalar(select(func.min(TaskReschedule.start_date)).where(TaskReschedule.ti_id == ti.id))
        return TaskSeen(
            **key,
            operator=ti.operator or "",
            state=str(ti.state) if ti.state else None,
            began=first or ti.start_date,
            ended=ti.end_date,
            fields=fields,
            waits_for=waits_for if isinstance(waits_for, str) else None,
        )
