"""Start a daily job when its day has arrived in the target, however late OMS is. For Airflow 3.3 and later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Asset, task

from airflow_provider_oms.assets import complete_until, completed, oms_complete_until_asset
from airflow_provider_oms.sensors.oms import OmsCheckpointReachedSensor

log = logging.getLogger(__name__)

DOC = """
### A daily job that data starts

This DAG needs neither a schedule nor a waiting task: the triggerer watches the checkpoint of the project
`shop_running`. Once it has passed midnight in Shanghai, the asset `oms_shop_complete` gets an event, and this DAG a
run. Airflow can lose events or deliver them twice, so the run begins with a gate, which asks OMS itself. `report`
processes each day for which the run was started, and records each day in the asset `oms_shop_reported`, with the day
as its partition key.

It needs the connection `oms_default` and a running project of that name. A run that is started by hand fails, because
it isn't about any day.
"""

# --8<-- [start:asset]
complete = oms_complete_until_asset(
    "oms_shop_complete", project_name="shop_running", every="1d", timezone="Asia/Shanghai"
)
# --8<-- [end:asset]

reported = Asset("oms_shop_reported")

# --8<-- [start:dag]
with DAG(
    dag_id="example_oms_event_driven",
    schedule=[complete],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    user_defined_macros={"complete_until": complete_until},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    gate = OmsCheckpointReachedSensor(
        task_id="complete",
        project_name="shop_running",
        checkpoint="{{ complete_until(triggering_asset_events) }}",
    )

    @task(outlets=[reported])
    def report(observed: dict[str, Any], triggering_asset_events: Any = None, outlet_events: Any = None) -> list[str]:
        """Work with the data of each day."""
        days = []
        for one in completed(triggering_asset_events):
            log.info("From %s to %s everything is there (event %s).", one.begin, one.end, one.id)
            days.append(f"{one.begin:%Y-%m-%d}")
        outlet_events[reported].add_partitions(days)
        return days

    report(gate.output)
# --8<-- [end:dag]
