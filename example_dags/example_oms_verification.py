"""Wait for the verification of a copy; if tables differ, report them and stop."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import OmsFullVerificationReportOperator
from airflow_provider_oms.sensors.oms import OmsFullVerificationSensor

log = logging.getLogger(__name__)

PROJECT = "{{ params.project }}"

DOC = """
### A verified copy, or a report

`verified` opens when full verification found every table consistent; then `go_on` runs. When it fails, `report`
returns the tables that differ, with counts, and the run ends as failed. Without `path` the report is an XCom; it
contains no rows of your data as long as `max_rows` and `max_sql` are 0.
"""

with DAG(
    dag_id="example_oms_verification",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_migration"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    verified = OmsFullVerificationSensor(task_id="verified", project_name=PROJECT)
    # --8<-- [start:report]
    report = OmsFullVerificationReportOperator(
        task_id="report",
        project_name=PROJECT,
        max_tables=20,
        trigger_rule="one_failed",
    )
    # --8<-- [end:report]

    @task
    def go_on() -> None:
        """Work with a copy that is known to be consistent."""
        log.info("Every table is consistent.")

    verified >> [report, go_on()]
