"""Run a daily job only once every change of its day has arrived in the target."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.sensors.oms import OmsCheckpointReachedSensor

log = logging.getLogger(__name__)

DOC = """
### A daily job on complete data

The project is running and keeps the target up to date. `complete` opens once OMS's checkpoint has passed the end of the
run's data interval, so that every change of the day is there, however late OMS is. Only then does `report` run.

It needs the connection `oms_default` and a running project named as the parameter `project` says. OMS moves the
checkpoint of a source that nobody writes to only if it may write heartbeats into it (`tryKeepHb` of the data source).
"""

with DAG(
    dag_id="example_oms_daily",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_running"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:checkpoint_reached]
    complete = OmsCheckpointReachedSensor(
        task_id="complete",
        project_name="{{ params.project }}",
        checkpoint="{{ data_interval_end }}",
    )
    # --8<-- [end:checkpoint_reached]

    @task
    def report(observed: dict[str, Any]) -> dict[str, Any]:
        """Work with the day's data."""
        log.info("Everything up to %s (Unix seconds) is there.", observed["checkpoint"])
        return observed

    report(complete.output)
