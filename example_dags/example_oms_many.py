"""Start many projects and wait for each in a mapped task group; then report which have failed, and why."""

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

There is a group of tasks for each project, which starts the project and waits for it, independently of the others.
Airflow's page shows each group by the project's name (`map_index_template`). Deferred gates take no worker slot.

`report` runs once all groups have ended. If projects have failed, it fails and names each of them with the reason.
Otherwise the run would be a success, because Airflow decides by the last task.
"""

PROJECTS = ["shop_1", "shop_2", "shop_3"]


def keep_the_reason(context: Any) -> None:
    """Push the reason of a failure for `report`, because a failed task returns nothing."""
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
        """Start one project and wait for it."""
        start = OmsStartProjectOperator(task_id="start", project_name=name)
        # Without fail_on_suspend the gate would wait until somebody resumes a paused project.
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
