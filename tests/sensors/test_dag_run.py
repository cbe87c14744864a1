"""A gate by a name that only the trigger looks up, in ``dag.test()``, which runs triggers in the same process."""

from __future__ import annotations

import json
import runpy

from airflow_provider_oms.simulator import Fault, Project

#: A file in Airflow's DAGs folder, because Airflow 3 runs no other.
DAG_FILE = """
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.sensors.oms import OmsFullTransferSensor

with DAG("gate_by_name", schedule=None, start_date=datetime(2025, 1, 1)) as dag:
    OmsFullTransferSensor(task_id="gate", project_name="shop", deferrable=True, poke_interval=1)
"""


def test_a_name_that_is_resolved_in_the_trigger(airflow_db, sim, monkeypatch):
    file = airflow_db / "dags" / "oms_gate_by_name.py"
    file.write_text(DAG_FILE)
    fields = {**json.loads(sim.connection_json), "extra": {"retries": 0}}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(fields))
    sim.add_project(Project(id="np_1", name="shop", status="RUNNING"))
    rest = [50, 50, 100]

    def progress(payload):
        done = rest.pop(0) if len(rest) > 1 else rest[0]
        data = {"status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": done}
        return {"success": True, "data": {"projectId": payload["id"], **data}}

    sim.set_answer("DescribeProjectProgress", progress)
    sim.add_fault(Fault("status", status=503, action="ListProjects", times=1))  # the poll on the worker
    try:
        run = runpy.run_path(str(file))["dag"].test()
    finally:
        file.unlink()
    assert {str(ti.state) for ti in run.get_task_instances()} == {"success"}
    assert [one.outcome for one in sim.requests if one.action == "ListProjects"] == ["fault:status", "success"]
    assert rest == [100]
