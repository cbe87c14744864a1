"""The DAGs of a campaign, made from the plan in the file ``RELIABILITY_PLAN``. Airflow reads this file."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors

PLAN = json.loads(Path(os.environ["RELIABILITY_PLAN"]).read_text(encoding="utf-8"))

COMMON = {
    "start_date": datetime(2026, 1, 1),
    "schedule": "@once",
    "catchup": False,
    "max_active_tasks": 64,
    "default_args": {"retries": PLAN["retries"], "retry_delay": timedelta(seconds=3)},
}

with DAG("reliability_gates", **COMMON):
    for gate in PLAN["gates"]:
        ways = {"deferrable": True, "poke_interval": PLAN["poke_interval"], **gate.get("ways", {})}
        getattr(sensors, gate["sensor"])(task_id=gate["task_id"], timeout=3600, **ways, **gate["arguments"])

with DAG("reliability_lifecycles", **COMMON):
    for number, name in enumerate(PLAN["lifecycles"]):
        # Every second one waits on a worker, so that there are tasks to kill.
        ways = {"project_name": name, "oms_conn_id": "oms_lifecycles", "deferrable": number % 2 == 0}
        quick = {**ways, "poke_interval": 2}
        create = operators.OmsCreateProjectOperator(
            task_id=f"{name}.create",
            oms_conn_id="oms_lifecycles",
            project={
                "name": name,
                "type": "MIGRATION",
                "sourceEndpointName": "shop_mysql",
                "sinkEndpointName": "shop_oceanbase",
                "enableStructTransfer": True,
                "enableFullTransfer": True,
                "enableIncrTransfer": True,
                "transferMapping": operators.transfer_mapping({"shop": ["orders"]}),
            },
        )
        (
            create
            >> operators.OmsStartProjectOperator(task_id=f"{name}.start", **quick)
            >> sensors.OmsFullTransferSensor(task_id=f"{name}.gate", timeout=3600, **quick)
            >> operators.OmsStopProjectOperator(task_id=f"{name}.stop", **quick)
            >> operators.OmsReleaseProjectOperator(task_id=f"{name}.release", **quick)
            >> operators.OmsDeleteProjectOperator(task_id=f"{name}.delete", **quick)
        )

for event in PLAN.get("events", []):
    # This module can be imported only where Airflow has asset watchers.
    from airflow_provider_oms.assets import FullTransfer, oms_asset

    about = {"project_id": event["project"], "poke_interval": PLAN["poke_interval"]}
    copied = oms_asset(event["name"], milestone=FullTransfer(event["progress"]), **about)
    with DAG(event["name"], **{**COMMON, "schedule": [copied]}):
        sensors.OmsFullTransferSensor(
            task_id="gate", progress=event["progress"], deferrable=True, timeout=3600, **about
        )
