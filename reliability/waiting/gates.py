"""Gates of every kind that wait during an upgrade. Every version of Airflow in that test reads this file."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators.oms import OmsStopProjectOperator
from airflow_provider_oms.sensors import oms as sensors

WAYS = {"project_name": "shop", "poke_interval": 2, "timeout": 3600}
DEFERRED = {**WAYS, "deferrable": True}

with DAG(
    "waiting",
    start_date=datetime(2026, 1, 1),
    schedule="@once",
    catchup=False,
    max_active_tasks=32,
    # A scheduler that starts fails the tasks that the previous one had queued.
    default_args={"retries": 2, "retry_delay": timedelta(seconds=3)},
):
    sensors.OmsStepSensor(task_id="step", step="FULL_TRANSFER", **DEFERRED)
    sensors.OmsFullTransferSensor(task_id="full_transfer", **DEFERRED)
    sensors.OmsCheckpointLagSensor(task_id="lag", max_lag=30, hold_for=4, **DEFERRED)
    sensors.OmsCheckpointReachedSensor(task_id="checkpoint", checkpoint="2027-01-15T08:10:00Z", **DEFERRED)
    sensors.OmsFullVerificationSensor(task_id="verification", **DEFERRED)
    sensors.OmsProjectStatusSensor(
        task_id="status", target_statuses=["SUSPEND"], **{**DEFERRED, "project_name": "quiet"}
    )
    sensors.OmsCutoverReadySensor(task_id="cutover", max_lag=30, **DEFERRED)
    # Its connection is stored in Airflow's database, encrypted.
    sensors.OmsFullTransferSensor(task_id="stored_connection", oms_conn_id="oms_stored", **DEFERRED)
    sensors.OmsFullTransferSensor(task_id="fails", **DEFERRED | {"project_name": "broken", "failure_grace": 0})
    sensors.OmsFullTransferSensor(task_id="reschedule", mode="reschedule", **WAYS)
    OmsStopProjectOperator(task_id="operator", **DEFERRED | {"project_name": "slow"})
