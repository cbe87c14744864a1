"""Start all the projects of a label, wait for each of them, and pause them again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import OmsStartProjectsByLabelOperator, OmsStopProjectsByLabelOperator
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor

LABEL = "{{ params.label }}"

DOC = """
### A wave of projects

The projects that are copied together have a label in OMS. `start` starts those that were never started, and returns
their ids; `full_transfer` is mapped over the ids, one gate for each project. When all are copied, `stop` pauses them
until their next window. That must be less than 12 hours: OceanBase warns that a project paused for longer may not be
recoverable.
"""

with DAG(
    dag_id="example_oms_label",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"label": "wave_1"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:start]
    start = OmsStartProjectsByLabelOperator(task_id="start", label_name=LABEL)

    @task
    def projects(done: dict[str, Any]) -> list[str]:
        """Return the ids of the projects that run now."""
        return [*done["moved"], *done["already"]]

    full_transfer = OmsFullTransferSensor.partial(
        task_id="full_transfer",
    ).expand(project_id=projects(start.output))
    # --8<-- [end:start]
    # --8<-- [start:stop]
    stop = OmsStopProjectsByLabelOperator(task_id="stop", label_name=LABEL)
    # --8<-- [end:stop]

    full_transfer >> stop
