"""Stop, release and delete a project that is no longer needed."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators.oms import (
    OmsDeleteProjectOperator,
    OmsReleaseProjectOperator,
    OmsStopProjectOperator,
)

DOC = """
### Tear-down

Releasing frees the project's resources in OMS and can't be undone; the migrated data stays. Each task waits until OMS
shows its effect, and does nothing if the project is already past it, so the DAG may be run twice.

`OmsDeleteProjectOperator(..., stop_first=True)` does all three in one task.
"""

with DAG(
    dag_id="example_oms_teardown",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_old"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:stop]
    stop = OmsStopProjectOperator(task_id="stop", project_name="{{ params.project }}")
    # --8<-- [end:stop]
    # --8<-- [start:release]
    release = OmsReleaseProjectOperator(task_id="release", project_name="{{ params.project }}")
    # --8<-- [end:release]
    # --8<-- [start:delete]
    delete = OmsDeleteProjectOperator(task_id="delete", project_name="{{ params.project }}")
    # --8<-- [end:delete]

    stop >> release >> delete
