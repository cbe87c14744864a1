"""The page about events: its DAG files are saved and loaded, and run as far as a manual run goes."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Clock, Project, Simulator
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from demo.runner import load_dag, set_argument
from tests.docs.pages import DOCS, files
from tests.example_dags.conftest import Outcome

PAGE = files(DOCS / "events.md")

pytestmark = pytest.mark.skipif(not has_task_state_store(), reason="events need Airflow 3.3")


@pytest.fixture
def load(airflow_db):
    def load(name):
        file = airflow_db / f"dags/{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(PAGE[f"dags/{name}.py"])
        return load_dag(file, name)

    return load


def test_every_file_of_the_page_is_tried():
    assert set(PAGE) == {"dags/after_the_copy.py", "dags/wake_somebody.py"}


def test_a_dag_that_a_milestone_starts_begins_with_a_gate(load, monkeypatch):
    dag = load("after_the_copy")
    set_argument(dag, "poke_interval", 1.0)
    with Simulator(clock=Clock(speed=0)) as sim:
        sim.add_project(Project(name="shop", status="RUNNING", step="INCR_TRANSFER"))
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        assert Outcome(dag.test()).states() == {"copied": {"success"}}


def test_a_dag_that_an_alarm_starts_says_nothing_when_it_is_run_by_hand(load):
    outcome = Outcome(load("wake_somebody").test())
    assert outcome.states() == {"tell": {"success"}}
    assert outcome.returned("tell") == []
