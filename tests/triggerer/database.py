"""A DAG run in Airflow's database, whose tasks are deferred as by Airflow itself, and their later states.

Airflow 2.11 defers in the worker (``TaskInstance.defer_task``); in 3.3 the worker sends a message, which the API server
handles. Both are Airflow's own code, called with the exception that the sensor raised.
"""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow import __version__
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunType

AIRFLOW_3 = not __version__.startswith("2.")

RUN_ID = "manual__1"


@dataclass(frozen=True)
class Row:
    """A task instance.

    :param state: its state
    :param next_method: the method with which it is resumed
    :param changed: when the row was last written, in Unix seconds
    """

    state: str
    next_method: str | None
    changed: float


class Run:
    """A run of a DAG.

    :param dag: the DAG
    :param home: Airflow's home, with the database
    :param state: the run's state
    """

    def __init__(self, dag: Any, home: Path, state: DagRunState = DagRunState.RUNNING) -> None:
        from airflow.models.trigger import Trigger

        self.dag = dag
        self.file = home / "airflow.db"
        with create_session() as session:
            Trigger.clean_unused(session=session)  # earlier tests have left these
        (_create_3 if AIRFLOW_3 else _create_2)(dag, state)

    def defer(self, deferrals: dict[str, Any]) -> None:
        """Set tasks to DEFERRED, each with the TaskDeferred that it has raised."""
        (_defer_3 if AIRFLOW_3 else _defer_2)(self.dag, deferrals)

    def start(self) -> dict[str, bool]:
        """Start all tasks as Airflow 3.3's scheduler does; return which of them start in the triggerer."""
        from airflow.models.serialized_dag import SerializedDagModel
        from airflow.models.taskinstance import TaskInstance

        with create_session() as session:
            dag = SerializedDagModel.get_dag(self.dag.dag_id, session=session)
            deferred = {}
            for task in session.query(TaskInstance).filter(TaskInstance.dag_id == self.dag.dag_id):
                task.task = dag.get_task(task.task_id)
                deferred[task.task_id] = task.defer_task(session=session)
            return deferred

    def rows(self) -> dict[str, Row]:
        """Return the task instances by task id."""
        columns = "task_id, state, next_method, updated_at"
        found = self._read(f"SELECT {columns} FROM task_instance WHERE dag_id = ?", self.dag.dag_id)  # noqa: S608
        return {task: Row(state, method, _unix(changed)) for task, state, method, changed in found}

    def unclaimed(self) -> int:
        """Return how many tasks wait in the database for a triggerer."""
        ((count,),) = self._read("SELECT count(*) FROM trigger WHERE triggerer_id IS NULL")
        return int(count)

    def trigger_rows(self) -> list[str]:
        """Return the stored kwargs of each trigger, both as they are in the database and decrypted."""
        from airflow.models.trigger import Trigger

        with create_session() as session:
            return [f"{row.classpath} {row.encrypted_kwargs} {row.kwargs}" for row in session.query(Trigger)]

    def events(self) -> dict[str, Any]:
        """Return the events with which the tasks are resumed, by task id."""
        from airflow.models.taskinstance import TaskInstance

        with create_session() as session:
            tasks = session.query(TaskInstance).filter(TaskInstance.dag_id == self.dag.dag_id)
            return {task.task_id: _decoded(task.next_kwargs).get("event") for task in tasks}

    def delete(self) -> None:
        """Delete the run from the database, so that no other triggerer finds its tasks."""
        from airflow.models.taskinstance import TaskInstance
        from airflow.models.trigger import Trigger

        with create_session() as session:
            session.query(TaskInstance).filter(TaskInstance.dag_id == self.dag.dag_id).delete()
            Trigger.clean_unused(session=session)

    def _read(self, query: str, *values: Any) -> list[Any]:
        # An engine of our own, for short queries that never block the triggerer.
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(query, values).fetchall()


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _decoded(stored: Any) -> dict[str, Any]:
    try:
        from airflow.sdk.serde import deserialize
    except ImportError:  # before 3.2 the column itself decodes its value
        return dict(stored or {})
    return dict(deserialize(stored or {}))


def _create_2(dag: Any, state: DagRunState) -> None:
    from airflow.models.serialized_dag import SerializedDagModel

    now = datetime.now(UTC)
    with create_session() as session:
        dag.sync_to_db(session=session)
        SerializedDagModel.write_dag(dag, session=session)
        dag.create_dagrun(
            run_id=RUN_ID,
            state=state,
            execution_date=now,
            data_interval=(now - timedelta(days=1), now),
            run_type=DagRunType.MANUAL,
            session=session,
        )


def _create_3(dag: Any, state: DagRunState) -> None:
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.types import DagRunTriggeredByType

    try:
        from airflow.serialization.definitions.dag import SerializedDAG
        from airflow.serialization.serialized_objects import DagSerialization as Serialization
    except ImportError:  # before 3.2 one class is both
        from airflow.serialization.serialized_objects import SerializedDAG
        from airflow.serialization.serialized_objects import SerializedDAG as Serialization

    bundle, now = "oms-tests", datetime.now(UTC)
    with create_session() as session:
        session.merge(DagBundleModel(name=bundle))
        session.flush()
        # As the DAG processor does; 3.0 can't write a DAG in another way.
        dag.relative_fileloc = Path(dag.fileloc).name
        data = Serialization.to_dict(dag)
        written = LazyDeserializedDAG(data=data)
        SerializedDAG.bulk_write_to_db(bundle, None, [written], session=session)
        SerializedDagModel.write_dag(written, bundle, session=session)
        session.flush()
        Serialization.from_dict(data).create_dagrun(
            run_id=RUN_ID,
            logical_date=now,
            data_interval=(now - timedelta(days=1), now),
            run_after=now,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=state,
            session=session,
        )


def _running(dag: Any, task_ids: Iterable[str], session: Any) -> dict[str, Any]:
    """Return task instances in the state in which a worker runs them."""
    from airflow.models.taskinstance import TaskInstance

    mine = (TaskInstance.dag_id == dag.dag_id, TaskInstance.task_id.in_(list(task_ids)))
    tasks = session.query(TaskInstance).filter(*mine).all()
    for task in tasks:
        task.state, task.try_number, task.start_date = TaskInstanceState.RUNNING, 1, datetime.now(UTC)
    session.commit()
    return {task.task_id: task for task in tasks}


def _defer_2(dag: Any, deferrals: dict[str, Any]) -> None:
    with create_session() as session:
        tasks = _running(dag, deferrals, session)
        for task_id, deferral in deferrals.items():
            tasks[task_id].task = dag.get_task(task_id)
            tasks[task_id].defer_task(exception=deferral, session=session)


def _defer_3(dag: Any, deferrals: dict[str, Any]) -> None:
    import structlog
    from airflow.api_fastapi.execution_api.datamodels.taskinstance import TIDeferredStatePayload
    from airflow.api_fastapi.execution_api.routes.task_instances import (
        _create_ti_state_update_query_and_update_state as route,
    )
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk.execution_time.task_runner import _defer_task
    from sqlalchemy import update

    log = structlog.get_logger(__name__)
    with create_session() as session:
        ids = {task_id: task.id for task_id, task in _running(dag, deferrals, session).items()}
        for task_id, deferral in deferrals.items():
            # The message that the worker sends, and how the API server's route handles it.
            task = SimpleNamespace(dag_id=dag.dag_id, task_id=task_id, run_id=RUN_ID, task=dag.get_task(task_id))
            message, _ = _defer_task(deferral, task, log)
            sent = TIDeferredStatePayload(**message.model_dump(exclude={"type"}))
            received = TIDeferredStatePayload.model_validate_json(sent.model_dump_json())
            given = {
                "ti_patch_payload": received,
                "task_instance_id": ids[task_id],
                "ti_id_str": str(ids[task_id]),
                "query": update(TaskInstance).where(TaskInstance.id == ids[task_id]),
                "updated_state": TaskInstanceState.DEFERRED,
                "session": session,
                "dag_bag": None,
                "dag_id": dag.dag_id,
            }
            # The arguments and the result of this internal function differ between versions.
            query, state, *_ = route(**{name: given[name] for name in inspect.signature(route).parameters})
            assert state == TaskInstanceState.DEFERRED
            session.execute(query)
            session.commit()
