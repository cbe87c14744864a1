"""Add a table to a running migration, and continue once it is copied and merged."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import OmsModifyObjectsOperator
from airflow_provider_oms.sensors.oms import OmsCheckpointLagSensor, OmsObjectsSensor

log = logging.getLogger(__name__)

PROJECT = "{{ params.project }}"

DOC = """
### Add a table

`add_prices` adds a table to a running project: OMS copies it in a separate task, then merges it into the project. The
operator does nothing if the table is already in the project, so the task can be cleared at any time. `objects` opens
once the tables are in the project, copied and merged, whoever added them; `caught_up` opens once the project is at
most 60 s behind. Then the job may use the tables.
"""

with DAG(
    dag_id="example_oms_objects",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_running"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:modify_objects]
    add_prices = OmsModifyObjectsOperator(task_id="add_prices", project_name=PROJECT, add=["shop.prices"])
    # --8<-- [end:modify_objects]

    # --8<-- [start:objects]
    objects = OmsObjectsSensor(task_id="objects", project_name=PROJECT, tables=["shop.orders", "shop.prices"])
    # --8<-- [end:objects]

    caught_up = OmsCheckpointLagSensor(task_id="caught_up", project_name=PROJECT, max_lag=60)

    @task
    def job() -> None:
        log.info("Orders and prices are here.")

    add_prices >> objects >> caught_up >> job()
