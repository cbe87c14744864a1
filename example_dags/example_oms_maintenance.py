"""Pause a project during maintenance of its source, change its configuration, and wait until it has caught up."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import (
    OmsActionOperator,
    OmsResumeProjectOperator,
    OmsStopProjectOperator,
    OmsUpdateProjectConfigOperator,
)
from airflow_provider_oms.sensors.oms import OmsCheckpointLagSensor, OmsProjectStatusSensor

log = logging.getLogger(__name__)

PROJECT = "{{ params.project }}"

DOC = """
### A maintenance window

`stop` pauses the project, and `paused` opens once OMS shows it as paused. Then `throttle` changes its configuration,
which is possible only while it is paused, and `work` does the maintenance. `resume` is the teardown of `stop`, so it
runs however the tasks between them have ended, but not if `stop` itself has failed. `caught_up` opens once the target
is up to date again.

OceanBase warns that a project paused for more than 12 hours may not be recoverable, so `work` has a time-out.
`UpdateProjectConfig` needs OMS Enterprise 4.2.4 or later; without it remove `throttle`.
"""

with DAG(
    dag_id="example_oms_maintenance",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_running"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    stop = OmsStopProjectOperator(task_id="stop", project_name=PROJECT, wait_for_completion=False)
    # --8<-- [start:project_status]
    paused = OmsProjectStatusSensor(
        task_id="paused",
        project_name=PROJECT,
        target_statuses=["SUSPEND"],
    )
    # --8<-- [end:project_status]
    # --8<-- [start:update_config]
    throttle = OmsUpdateProjectConfigOperator(
        task_id="throttle",
        project_name=PROJECT,
        config={"fullTransferConfig": {"throttleRps": 2000}},
    )
    # --8<-- [end:update_config]

    @task(execution_timeout=timedelta(hours=6))
    def work() -> None:
        """Do the maintenance of the source."""
        log.info("Here the source is maintained.")

    # --8<-- [start:resume]
    resume = OmsResumeProjectOperator(
        task_id="resume",
        project_name=PROJECT,
    ).as_teardown(setups=stop)
    # --8<-- [end:resume]
    # --8<-- [start:action]
    components = OmsActionOperator(
        task_id="components",
        action="DescribeProjectComponents",
        payload={"id": "{{ ti.xcom_pull(task_ids='stop') }}"},
        reads_only=True,
    )
    # --8<-- [end:action]
    caught_up = OmsCheckpointLagSensor(task_id="caught_up", project_name=PROJECT, max_lag=60)

    worked = work()
    stop >> paused >> throttle >> worked >> resume
    [worked, resume] >> caught_up
    resume >> components
