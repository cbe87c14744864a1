"""What Airflow knows about a task instance: its project, its connection, and what it waits for.

The project and the connection come from the arguments that Airflow has rendered for the task, which only the DAG
decides. They never come from an address, which anybody can type, nor from XCom, because more people may write XComs
than DAGs.
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
    """It isn't known which project a task is about. The text says why, for people."""


@dataclass(frozen=True)
class Subject:
    """Which project is meant.

    :param conn_id: the Airflow connection
    :param project_id: the project's id
    :param project_name: the project's name, instead of its id
    :param project_type: MIGRATION or SYNC
    """

    conn_id: str
    project_id: str | None = None
    project_name: str | None = None
    project_type: str = "MIGRATION"


@dataclass(frozen=True)
class TaskSeen:
    """A task instance.

    :param dag_id: the DAG's id
    :param run_id: the run's id
    :param task_id: the task's id
    :param map_index: the index of a mapped task's instance; -1 for a task that isn't mapped
    :param operator: its class
    :param state: its state, in Airflow's words; None before it has one
    :param began: when it began to wait
    :param ended: when it ended
    :param fields: its rendered arguments; None before it has run, or if Airflow has removed them
    :param waits_for: the gate's settings that it has stored in XCom, as JSON; None for a task that isn't a gate
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
        """Return which project the task is about.

        :raises NoProjectError: if that isn't known
        """
        return subject_of(self.fields)

    def gate(self) -> Gate | None:
        """Return the gate's settings; None for a task that isn't a gate, or whose settings can't be read.

        Only the milestone in them is used. Which project it is about is decided by :meth:`subject`.
        """
        try:
            stored = json.loads(self.waits_for or "null")
            return Gate.from_dict(stored) if isinstance(stored, Mapping) else None
        except (ValueError, TypeError):
            return None


def subject_of(fields: Mapping[str, Any] | None) -> Subject:
    """Return which project a task's rendered arguments name.

    :param fields: the arguments
    :raises NoProjectError: if they name no project, or more than one
    """
    if fields is None:
        raise NoProjectError(
            "Airflow has no rendered arguments of this task: it hasn't run yet, or they were removed "
            "([core] max_num_rendered_ti_fields_per_task)."
        )
    conn_id = fields.get("oms_conn_id")
    if not conn_id or not isinstance(conn_id, str):
        raise NoProjectError("This task has no connection to an OMS.")
    given = {name: fields[name] for name in ("project_id", "project_name") if fields.get(name) is not None}
    if not given and (name := _name_in(fields.get("project"))):
        given = {"project_name": name}
    if len(given) != 1:
        raise NoProjectError("This task isn't about a single project.")
    try:
        if "project_id" in given:
            given["project_id"] = arguments.identifier("project_id", given["project_id"])
        else:
            given["project_name"] = arguments.proper_name("project_name", given["project_name"])
    except ValueError as error:
        raise NoProjectError(f"This task doesn't name a project: {error}.") from None
    kind = fields.get("project_type")
    return Subject(conn_id, **given, project_type=kind if kind in ("MIGRATION", "SYNC") else "MIGRATION")


def _name_in(body: Any) -> str | None:
    """Return the name in the body of a project that a task creates. Airflow stores a large body only in part."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    name = body.get("name") if isinstance(body, Mapping) else None
    return name if name and isinstance(name, str) else None


def read_task(dag_id: str, run_id: str, task_id: str, map_index: int) -> TaskSeen | None:
    """Read a task instance from Airflow's database; None if it doesn't exist. It blocks.

    :param dag_id: the DAG's id
    :param run_id: the run's id
    :param task_id: the task's id
    :param map_index: the index of a mapped task's instance; -1 for a task that isn't mapped
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
        # As it was stored: text. XComModel.deserialize_value would parse the JSON in it.
        waits_for = session.scalar(select(XComModel.value).filter_by(**key, key=WAITS_FOR_KEY))
        # In reschedule mode each poke has its own start, so the first one counts.
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
