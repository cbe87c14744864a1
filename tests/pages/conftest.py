"""The page in a FastAPI application with Airflow's own authentication, and tasks from a real DAG run."""

from __future__ import annotations

import runpy
from contextlib import contextmanager

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_oms.links.address import FIRST_AIRFLOW, PREFIX
from airflow_provider_oms.simulator import Clock, Project, Simulator

if tuple(int(part) for part in airflow_version.split(".")[:2]) < FIRST_AIRFLOW:
    collect_ignore = ["test_app.py"]

DAG_FILE = """
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors

with DAG("{dag_id}", schedule=None, start_date=datetime(2025, 1, 1)) as dag:
    sensors.OmsCheckpointLagSensor(task_id="lag", project_name="{project}", max_lag=3600, deferrable=False)
    operators.OmsStartProjectOperator(task_id="start", project_id="{project_id}", wait_for_completion=False)
    operators.OmsCreateMySqlDataSourceOperator(task_id="source", name="src", mysql_conn_id="oms_default")
    sensors.OmsProjectStatusSensor.partial(task_id="each", target_statuses=["RUNNING"], deferrable=False).expand(
        project_id=["{project_id}"]
    )
"""

DAG_ID = "pages"

HOSTILE = "<script>alert(1)</script>&\"'"


def projects():
    return [
        Project(id="np_shop", name="shop", status="RUNNING", step="INCR_TRANSFER", initial_lag=60),
        Project(id="np_paused", name="paused", status="SUSPEND", step="FULL_TRANSFER", step_progress=40),
        Project(id="np_odd", name=HOSTILE, status="RUNNING", step="FULL_TRANSFER", step_progress=10, labels=["night"]),
        Project(id="np_failed", name="broken", status="RUNNING", step="FULL_TRANSFER", step_progress=99),
    ]


class Clients:
    """HTTP clients with the cookies of different users."""

    def __init__(self, root):
        self._root = root

    @contextmanager
    def __call__(self, token=None):
        from starlette.testclient import TestClient

        cookies = {"_token": token} if token else {}
        with TestClient(self._root, cookies=cookies, follow_redirects=False) as client:
            yield client


@pytest.fixture(scope="session")
def run_id(airflow_db):
    """A run of a DAG whose tasks are about projects."""
    file = airflow_db / "dags" / "pages.py"
    file.write_text(DAG_FILE.format(dag_id=DAG_ID, project="shop", project_id="np_shop"))
    with Simulator(projects(), clock=Clock(speed=0)) as sim, pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        patched.setenv("AIRFLOW__OMS__PROGRESS_PAGE", "True")
        try:
            return runpy.run_path(str(file))["dag"].test().run_id
        finally:
            file.unlink()


@pytest.fixture
def oms(monkeypatch):
    """The OMS that the page asks."""
    with Simulator(projects(), clock=Clock(speed=0)) as sim:
        sim.project("broken").fail(code="E-1", message=HOSTILE)
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        yield sim


@pytest.fixture
def root(monkeypatch):
    """An application with the page mounted as in Airflow."""
    from fastapi import FastAPI

    from airflow_provider_oms.pages.plugin import LazyApp

    made = FastAPI()
    made.mount(PREFIX, LazyApp())
    return made


@pytest.fixture
def clients(root):
    return Clients(root)
