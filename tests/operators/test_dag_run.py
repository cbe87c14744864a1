"""A whole migration in a real DAG run, deferred and not, because the other tests have simulated task instances."""

from __future__ import annotations

import json
import runpy

import pytest

from airflow_provider_oms.simulator import Project, Simulator

#: A file in Airflow's DAGs folder, because Airflow 3 runs no other.
DAG_FILE = """
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators import oms as operators

BODY = {
    "name": "c",
    "type": "MIGRATION",
    "sourceEndpointId": "{{ ti.xcom_pull('source') }}",
    "sinkEndpointName": "target",
    "labelNames": ["nightly"],
    "transferMapping": operators.transfer_mapping({"shop": ["orders"]}),
    "enableIncrTransfer": True,
}
WAITS = {"deferrable": DEFERRABLE, "poke_interval": 1, "timeout": 60}

with DAG("migration_" + str(DEFERRABLE).lower(), schedule=None, start_date=datetime(2025, 1, 1)) as dag:
    source = operators.OmsCreateMySqlDataSourceOperator(task_id="source", name="src", mysql_conn_id="database")
    target = operators.OmsCreateOceanBaseDataSourceOperator(
        task_id="target", name="target", oceanbase_conn_id="database"
    )
    create = operators.OmsCreateProjectOperator(task_id="create", project=BODY, precheck=True)
    start = operators.OmsStartProjectsByLabelOperator(task_id="start", label_name="nightly", **WAITS)
    stop = operators.OmsStopProjectsByLabelOperator(task_id="stop", label_name="nightly", **WAITS)
    resume = operators.OmsResumeProjectOperator(
        task_id="resume", project_id="{{ ti.xcom_pull('create', key='project_id') }}", **WAITS
    )
    delete = operators.OmsDeleteProjectOperator.partial(task_id="delete", stop_first=True, **WAITS).expand(
        project_name=["a", "b", "c"]
    )
    source >> target >> create >> start >> stop >> resume >> delete
"""


@pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])
def test_a_migration_and_its_end(airflow_db, monkeypatch, deferrable):
    quick = [Project(name=name, stop_delay=0.2, release_delay=0.2, labels=["nightly"]) for name in ("a", "b")]
    database = {"conn_type": "mysql", "host": "10.0.0.1", "port": 3306, "login": "m@t#c", "password": "p"}
    file = airflow_db / "dags" / f"oms_operators_{deferrable}.py"
    file.write_text(DAG_FILE.replace("DEFERRABLE", str(deferrable)))
    try:
        with Simulator(quick) as sim:
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
            monkeypatch.setenv("AIRFLOW_CONN_DATABASE", json.dumps(database))
            run = runpy.run_path(str(file))["dag"].test()
            assert {str(ti.state) for ti in run.get_task_instances()} == {"success"}
            assert sim.projects == {}
            done = [request.action for request in sim.requests if request.outcome == "success"]
    finally:
        file.unlink()
    assert done.count("CreateProject") == 1
    assert done.count("StartProjectsByLabel") == done.count("StopProjectsByLabel") == 1
    assert done.count("DeleteProject") == 3
