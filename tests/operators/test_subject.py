"""Every message of an operator says which project it is about, what was to be done, and over which connection."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Fault, Project
from tests.connections import connect

NIGHT = {"oms_conn_id": "oms_night", "task_id": "task"}


@pytest.fixture
def night(sim, monkeypatch):
    """Another connection to the simulated OMS."""
    connect(monkeypatch, sim, "oms_night")
    return sim


def about(error, begins, action):
    said = str(error)
    assert said.startswith(begins), said
    assert said.endswith(f" ({action}, Airflow connection 'oms_night')"), said
    return said


@pytest.mark.parametrize("by", [{"project_name": "shop"}, {"project_id": "np_1"}])
@pytest.mark.parametrize(
    ("cls", "action"),
    [(operators.OmsStartProjectOperator, "StartProject"), (operators.OmsDeleteProjectOperator, "DeleteProject")],
)
def test_one_that_is_refused(night, runner, cls, action, by):
    night.add_project(Project(id="np_1", name="shop", status="SUSPEND", step="FULL_TRANSFER"))
    run = runner.go(cls(**by, **NIGHT))
    called = "Project 'shop' (np_1): " if "project_name" in by else "Project np_1: "
    assert "this one is SUSPEND" in about(run.error, f"{called}{action} needs a project", action)


@pytest.mark.parametrize("deferrable", [False, True])
def test_one_that_waits(night, runner, deferrable):
    night.add_project(Project(id="np_1", name="shop", status="RUNNING", stop_delay=1e9))
    settings = {"deferrable": deferrable, "timeout": 20}
    run = runner.go(operators.OmsStopProjectOperator(project_name="shop", **settings, **NIGHT))
    about(
        run.error, "Project 'shop' (np_1): Still waiting after 20 s (timeout). The project is RUNNING.", "StopProject"
    )


def test_one_that_finds_no_project(night, runner):
    run = runner.go(operators.OmsStopProjectOperator(project_name="gone", **NIGHT))
    about(run.error, "Project 'gone': OMS shows this user no project named 'gone'.", "StopProject")


def test_one_that_oms_does_not_answer(night, runner):
    night.add_fault(Fault(kind="status", status=503))
    run = runner.go(operators.OmsFullVerificationReportOperator(project_id="np_1", **NIGHT))
    about(run.error, "Project np_1: ListProjectFullVerifyResult of project np_1: ", "ListProjectFullVerifyResult")


def test_one_about_a_label(night, runner):
    run = runner.go(operators.OmsStopProjectsByLabelOperator(label_name="weekly", **NIGHT))
    about(run.error, "Label 'weekly': OMS has no label named 'weekly'.", "StopProject for a label")


def test_one_about_nothing_in_particular(night, runner):
    run = runner.go(operators.OmsActionOperator(action="NoSuchAction", **NIGHT))
    about(run.error, "NoSuchAction: ", "NoSuchAction")


def test_a_refused_login_says_whose_it_is_and_where_it_is_written(night, runner, monkeypatch):
    wrong = {**night.connection_kwargs, "password": "wr0ng-one"}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_NIGHT", json.dumps(wrong))
    run = runner.go(operators.OmsStopProjectOperator(project_id="np_1", **NIGHT))
    said = about(run.error, "Project np_1: ", "StopProject")
    assert "(OMS user 'admin', Airflow connection 'oms_night')" in said
    assert "wr0ng-one" not in said


@pytest.mark.parametrize("error", ["Trigger timeout", "Trigger failure"])
def test_what_airflow_itself_says_of_a_deferral_s_end(error):
    operator = operators.OmsStartProjectOperator(project_id="np_1", **NIGHT)
    with pytest.raises(AirflowException) as ended:
        operator.resume_execution("__fail__", {"error": error}, {})
    about(ended.value, "Project np_1: ", "StartProject")
