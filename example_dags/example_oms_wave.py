"""Start all projects that share a label, with one gate for all of them at each milestone."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_oms.operators.oms import OmsStartProjectOperator
from airflow_provider_oms.sensors.oms import OmsCutoverReadySensor, OmsFullTransferSensor

log = logging.getLogger(__name__)

LABEL = "{{ params.label }}"

DOC = """
### A wave

The projects that are migrated together have a label in OMS. `start` checks each project and starts those that were
never started. `copied` opens once all of them are copied, `ready` once a switchover of all of them would be safe at
the same moment. There are three tasks, however many projects there are; if a project gets the label later, the gates
wait for it, too. With `on_failure` `copied` waits for the outcome of all projects before it fails; `ready` fails at
the first project that can't become ready.
"""

with DAG(
    dag_id="example_oms_wave",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"label": "wave_7"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:wave]
    start = OmsStartProjectOperator(task_id="start", label_name=LABEL)
    copied = OmsFullTransferSensor(task_id="copied", label_name=LABEL, on_failure="wait_for_others")
    ready = OmsCutoverReadySensor(task_id="ready", label_name=LABEL, max_lag=60, min_projects=2)
    # --8<-- [end:wave]

    @task
    def report(wave: dict[str, Any]) -> list[str]:
        """Return the projects that are ready, and how far each is behind."""
        ready = [f"{one['name']}: {one['lag']:.0f} s behind" for one in wave["projects"]]
        log.info("%d of %d are ready for the cut-over.", wave["reached"], wave["total"])
        return ready

    start >> copied >> ready >> report(ready.output)
