"""Run a daily job only once every change of its day has arrived in the target."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.sensors.oms import OmsCheckpointReachedSensor

log = logging.getLogger(__name__)

#: The day that a run is about, in the DAG's own time zone. Templates are in UTC otherwise.
DAY = "{{ data_interval_end.in_timezone(dag.timezone).start_of('day').subtract(days=1).to_date_string() }}"

DOC = """
### A daily job on complete data

The project is running and keeps the target up to date. `complete` opens once OMS's checkpoint has passed the midnight
of the DAG's time zone, so every change of the day has arrived, however late OMS is. Only then does `report` run.

It needs the connection `oms_default` and a running project named as the parameter `project` says. OMS moves the
checkpoint of a source that nobody writes to only if it may write heartbeats into it (`tryKeepHb` of the data source).
"""

with DAG(
    dag_id="example_oms_daily",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
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
        checkpoint="{{ data_interval_end.in_timezone(dag.timezone).start_of('day') }}",
    )
    # --8<-- [end:checkpoint_reached]

    @task(multiple_outputs=False)
    def report(day: str, observed: dict[str, Any]) -> dict[str, Any]:
        """Work with the data of that day."""
        log.info("Everything of %s is there: the checkpoint is %s (Unix seconds).", day, observed["checkpoint"])
        return {"day": day, **observed}

    report(DAY, complete.output)
