"""Start many projects and wait for all of them, with one mapped task for each step."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import OmsStartProjectOperator
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor

log = logging.getLogger(__name__)

DOC = """
### Many projects

One mapped task a project: each is started, and waited for, by itself, and a failure names the project that failed.
Deferred gates take no worker slot, and gates on the same project share their requests to OMS.

`copied` runs once all are done, and gets a list of what the gates saw.
"""

PROJECTS = ["np_shop_1", "np_shop_2", "np_shop_3"]

with DAG(
    dag_id="example_oms_many",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    start = OmsStartProjectOperator.partial(task_id="start").expand(project_id=PROJECTS)
    full_transfer = OmsFullTransferSensor.partial(task_id="full_transfer").expand(project_id=PROJECTS)

    @task
    def copied(observed: Iterable[dict[str, Any]]) -> list[str]:
        """Do what needs all of them."""
        projects = [one["project"] for one in observed]
        log.info("All rows have arrived: %s", ", ".join(projects))
        return projects

    start >> full_transfer
    copied(full_transfer.output)
