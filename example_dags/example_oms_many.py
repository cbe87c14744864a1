"""Start many projects and wait for each, in one mapped group of tasks a project; then say which failed, and why."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, task, task_group

from airflow_provider_oms.operators.oms import OmsStartProjectOperator
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor

log = logging.getLogger(__name__)

DOC = """
### Many projects

A group of tasks for each project: it is started, and waited for, independently of the others. Airflow's page shows
each by the project's name (`map_index_template`). Deferred gates take no worker slot.

`report` runs once all have ended, and fails, naming each project that failed, and why. Without that the run would be a
success: what counts for Airflow is how its last task ends.
"""

PROJECTS = ["shop_1", "shop_2", "shop_3"]


def keep_the_reason(context: Any) -> None:
    """Leave why a task failed for `report`: what a failed task returns nobody gets."""
    context["ti"].xcom_push(key="reason", value=str(context.get("exception") or "see the log of this task"))


with DAG(
    dag_id="example_oms_many",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:

    @task_group(
        default_args={
            "map_index_template": "{{ ti.task.project_name }}",
            "on_failure_callback": keep_the_reason,
        }
    )
    def migration(name: str) -> None:
        """What is done for each project by itself."""
        start = OmsStartProjectOperator(task_id="start", project_name=name)
        # A paused project is waited for, unless a person has to hear of it.
        copied = OmsFullTransferSensor(task_id="copied", project_name=name, fail_on_suspend=True)
        start >> copied

    @task(trigger_rule="all_done")
    def report(names: list[str], ti: Any = None) -> list[str]:
        """Return the projects that are copied.

        :raises AirflowFailException: naming those that aren't
        """
        failed = []
        for index, name in enumerate(names):
            if ti.xcom_pull(task_ids="migration.copied", map_indexes=index) is None:
                reasons = [
                    ti.xcom_pull(task_ids=f"migration.{one}", key="reason", map_indexes=index)
                    for one in ("start", "copied")
                ]
                failed.append(f"{name}: {next(filter(None, reasons), 'no reason is known')}")
        if failed:
            raise AirflowFailException(f"Not copied: {len(failed)} of {len(names)} projects. {' '.join(failed)}")
        log.info("All rows have arrived: %s", ", ".join(names))
        return names

    migration.expand(name=PROJECTS) >> report(PROJECTS)
