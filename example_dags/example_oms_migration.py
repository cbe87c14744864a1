"""Create a migration with its data sources, start it, and wait until it is verified."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import (
    OmsCreateMySqlDataSourceOperator,
    OmsCreateOceanBaseDataSourceOperator,
    OmsCreateProjectOperator,
    OmsStartProjectOperator,
    table,
    transfer_mapping,
)
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor, OmsFullVerificationSensor

log = logging.getLogger(__name__)

DOC = """
### From data sources to a verified copy

Each task checks first and does nothing when its work is already done, so any of them can be cleared, retried or run
twice without a second data source or project.

It needs the connections `oms_default`, `shop_mysql` (host, login and password of the source) and `shop_oceanbase`
(the target; its login is `user@tenant#cluster`). The passwords stay in the connections.
"""

# --8<-- [start:tables]
#: Two tables as they are, and the old part of a third under another name.
TABLES = transfer_mapping(
    {
        "shop": [
            "orders",
            "customers",
            table("log", rename="log_old", where="id < 1000000"),
        ]
    }
)
# --8<-- [end:tables]

with DAG(
    dag_id="example_oms_migration",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_migration"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:mysql]
    source = OmsCreateMySqlDataSourceOperator(
        task_id="source",
        name="shop_mysql",
        mysql_conn_id="shop_mysql",
        try_keep_hb=True,
    )
    # --8<-- [end:mysql]
    # --8<-- [start:oceanbase]
    target = OmsCreateOceanBaseDataSourceOperator(
        task_id="target",
        name="shop_oceanbase",
        oceanbase_conn_id="shop_oceanbase",
    )
    # --8<-- [end:oceanbase]
    # --8<-- [start:create]
    create = OmsCreateProjectOperator(
        task_id="create",
        project={
            "name": "{{ params.project }}",
            "type": "MIGRATION",
            "sourceEndpointName": "shop_mysql",
            "sinkEndpointName": "shop_oceanbase",
            "transferMapping": TABLES,
            "enableStructTransfer": True,
            "enableFullTransfer": True,
            "enableFullVerify": True,
            "enableIncrTransfer": True,
            "enableReverseIncrTransfer": True,
        },
    )
    # --8<-- [end:create]
    start = OmsStartProjectOperator(task_id="start", project_id="{{ ti.xcom_pull(task_ids='create') }}")
    full_transfer = OmsFullTransferSensor(task_id="full_transfer", project_id="{{ ti.xcom_pull(task_ids='create') }}")
    # Fails, naming the tables, when a row differs.
    # --8<-- [start:full_verification]
    verified = OmsFullVerificationSensor(
        task_id="verified",
        project_id="{{ ti.xcom_pull(task_ids='create') }}",
    )
    # --8<-- [end:full_verification]

    @task(multiple_outputs=False)
    def downstream(observed: dict[str, Any]) -> dict[str, Any]:
        """Work with the copy, which keeps following the source."""
        log.info("Project %s was verified at %s.", observed["project"], observed["time"])
        return observed

    [source, target] >> create >> start >> full_transfer >> verified
    downstream(verified.output)
