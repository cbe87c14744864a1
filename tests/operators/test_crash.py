"""A worker dies after each single request in turn; the retry completes, and nothing is created or done twice."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Project


class Died(BaseException):
    """The worker has died."""


@pytest.fixture
def deaths(monkeypatch):
    """Let the worker die after its n-th request; ``None`` for never."""
    state = {"after": None, "asked": 0}
    really = OmsClient._exchange

    def exchange(self, request, asked):
        answer = really(self, request, asked)
        state["asked"] += 1
        if state["after"] == state["asked"]:
            raise Died
        return answer

    monkeypatch.setattr(OmsClient, "_exchange", exchange)
    return state


@pytest.fixture
def databases(monkeypatch):
    """Define the Airflow connections of the two databases."""
    source = {"conn_type": "mysql", "host": "10.0.0.1", "port": 3306, "login": "mover", "password": "of mice"}
    target = {"conn_type": "mysql", "host": "10.0.0.2", "port": 2883, "login": "mover@t#c", "password": "and men"}
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps(source))
    monkeypatch.setenv("AIRFLOW_CONN_TARGET", json.dumps(target))


def tasks(deferrable):
    """Return the tasks of a migration, from data sources to a running project."""
    project = {
        "name": "shop",
        "type": "MIGRATION",
        "sourceEndpointName": "source",
        "sinkEndpointName": "target",
        "labelNames": ["nightly"],
        "transferMapping": operators.transfer_mapping({"shop": ["orders", "customers"]}),
        "enableStructTransfer": True,
        "enableFullTransfer": True,
        "enableIncrTransfer": True,
    }
    return [
        lambda: operators.OmsCreateMySqlDataSourceOperator(task_id="task", name="source", mysql_conn_id="source"),
        lambda: operators.OmsCreateOceanBaseDataSourceOperator(
            task_id="task", name="target", oceanbase_conn_id="target"
        ),
        lambda: operators.OmsCreateProjectOperator(task_id="task", project=project, create_labels=True, precheck=True),
        lambda: operators.OmsStartProjectOperator(task_id="task", project_name="shop", deferrable=deferrable),
        lambda: operators.OmsStartProjectsByLabelOperator(
            task_id="task", label_name="nightly", deferrable=deferrable
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_migration(runner, sim, deaths, databases, deferrable):
    crashes = 0
    for after in range(1, 100):
        deaths.update(after=after, asked=0)
        died = False
        for make in tasks(deferrable):
            try:
                run = runner.go(make())
            except Died:
                died = True
                run = runner.go(make())
            assert run.error is None
        assert len(sim.projects) == 1
        assert sorted(source.name for source in sim.data_sources.values()) == ["source", "target"]
        assert [label.name for label in sim.labels.values()] == ["nightly"]
        assert sim.project("shop").status == "RUNNING"
        done = [request.action for request in sim.requests if request.executed and request.outcome == "success"]
        for action in ("CreateMySqlDataSource", "CreateOceanBaseDataSource", "CreateProject", "CreateLabel"):
            assert done.count(action) == 1, (after, action)
        assert done.count("StartProject") == 1
        crashes += died
        # Start again with an empty simulator for the next place.
        _forget(sim)
        if not died:
            break
    assert crashes >= 12, "the worker died at too few places for this to mean anything"


@pytest.mark.parametrize("deferrable", [False, True])
def test_tearing_down(runner, sim, deaths, deferrable):
    crashes = 0
    for after in range(1, 100):
        project_id = sim.add_project(Project(name="shop", status="RUNNING"))
        deaths.update(after=after, asked=0)

        def make(project_id=project_id):
            return operators.OmsDeleteProjectOperator(
                task_id="task", project_id=project_id, stop_first=True, deferrable=deferrable
            )

        sim.clear_requests()
        died = False
        try:
            run = runner.go(make())
        except Died:
            died = True
            run = runner.go(make())
        assert run.error is None
        assert sim.projects == {}
        done = [request.action for request in sim.requests if request.outcome == "success"]
        assert done.count("ReleaseProject") == done.count("DeleteProject") == 1
        crashes += died
        if not died:
            break
    assert crashes >= 6


def _forget(sim):
    sim._store.projects.clear()
    sim._store.data_sources.clear()
    sim._store.labels.clear()
    sim.clear_requests()
