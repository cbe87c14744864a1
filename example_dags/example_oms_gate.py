"""Start a migration, wait until its data is complete and fresh, and only then begin the work that needs it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import OmsStartProjectOperator
from airflow_provider_oms.sensors.oms import OmsCheckpointLagSensor, OmsFullTransferSensor

log = logging.getLogger(__name__)

DOC = """
### Gate a job on a migration

`start` starts the OMS project, or does nothing if it already runs. `full_transfer` opens once all rows that existed
at the start have arrived, `lag` once the changes since then are at most `max_lag` seconds behind. `downstream` then
gets what the two gates observed.

The gates change nothing in OMS, so a task can be cleared or killed at any time. They fail when the project fails, and
`downstream` doesn't run then.

It needs the connection `oms_default` and a project named as the parameter `project` says. With
`[operators] default_deferrable` the gates wait in the triggerer, without a worker slot.
"""

with DAG(
    dag_id="example_oms_gate",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "demo_shop", "max_lag": 25},
    # By default a gate polls every 30 s. Here it polls more often, because the demo's migration takes 20 s.
    default_args={"poke_interval": 5, "retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:start]
    start = OmsStartProjectOperator(
        task_id="start",
        project_name="{{ params.project }}",
    )
    # --8<-- [end:start]
    # --8<-- [start:full_transfer]
    full_transfer = OmsFullTransferSensor(
        task_id="full_transfer",
        project_name="{{ params.project }}",
    )
    # --8<-- [end:full_transfer]
    # --8<-- [start:checkpoint_lag]
    lag = OmsCheckpointLagSensor(
        task_id="lag",
        project_name="{{ params.project }}",
        max_lag="{{ params.max_lag }}",
    )
    # --8<-- [end:checkpoint_lag]

    @task(multiple_outputs=False)
    def downstream(full_transfer: dict[str, Any], lag: dict[str, Any]) -> dict[str, Any]:
        """Do what needs the migrated data."""
        log.info("The full transfer was at %s %% at %s.", full_transfer["progress"], full_transfer["time"])
        log.info("The changes were %s s behind at %s.", lag["lag"], lag["time"])
        return {"full_transfer": full_transfer, "lag": lag}

    start >> full_transfer >> lag
    downstream(full_transfer.output, lag.output)
