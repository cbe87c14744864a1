"""Changing the requested values of a project's configuration, and nothing else."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.operators.oms import OmsUpdateProjectConfigOperator
from airflow_provider_oms.simulator import Project

PRESENT = {
    "commonTransferConfig": {"tableCategory": "ALL", "mqPartition": None},
    "fullTransferConfig": {"fullTransferSpeedMode": "NORMAL", "fullVerifySpeedMode": "STEADY"},
    "incrTransferConfig": {"incrSyncConcurrency": 64, "recordTypeWhiteList": ["INSERT"]},
}


@pytest.fixture
def project(sim):
    return sim.project(sim.add_project(Project(name="p", status="SUSPEND", config=PRESENT)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            {"fullTransferConfig": {"fullTransferSpeedMode": "FAST"}},
            {"fullTransferConfig": {"fullTransferSpeedMode": "FAST", "fullVerifySpeedMode": "STEADY"}},
        ),
        (
            {"fullTransferConfig": {"throttleRps": 5}},
            {"fullTransferConfig": {**PRESENT["fullTransferConfig"], "throttleRps": 5}},
        ),
        (
            {"incrTransferConfig": {"incrSyncConcurrency": None}},
            {"incrTransferConfig": {"recordTypeWhiteList": ["INSERT"]}},
        ),
        (
            {"structTransferConfig": {"autoProcessedToNextStep": False}},
            {"structTransferConfig": {"autoProcessedToNextStep": False}},
        ),
    ],
)
def test_the_rest_stays(runner, project, asked, expected):
    run = runner.run(OmsUpdateProjectConfigOperator, project_id=project.id, config=asked)
    assert run.error is None
    assert run.result == asked
    assert runner.asked() == ["DescribeProject", "UpdateProjectConfig"]
    assert project.config == {**PRESENT, "commonTransferConfig": {"tableCategory": "ALL"}, **expected}
    again = runner.run(OmsUpdateProjectConfigOperator, project_id=project.id, config=asked)
    assert (again.error, again.result) == (None, {})
    assert runner.asked() == ["DescribeProject"]


def test_only_what_differs_is_reported(runner, project):
    asked = {"fullTransferConfig": {"fullTransferSpeedMode": "FAST", "fullVerifySpeedMode": "STEADY"}}
    run = runner.run(OmsUpdateProjectConfigOperator, project_id=project.id, config=asked)
    assert run.result == {"fullTransferConfig": {"fullTransferSpeedMode": "FAST"}}


def test_nothing_to_do_is_fine_while_the_project_runs(runner, sim):
    project_id = sim.add_project(Project(name="p", status="RUNNING", config=PRESENT))
    asked = {"fullTransferConfig": {"fullTransferSpeedMode": "NORMAL"}}
    assert runner.run(OmsUpdateProjectConfigOperator, project_id=project_id, config=asked).error is None


def test_keys_that_a_proxy_rewrote(runner, sim, project):
    row = {"id": project.id, "status": "SUSPEND", "fullTransferConfig": {"FullTransferSpeedMode": "NORMAL"}}
    sim.set_answer("DescribeProject", {"success": True, "data": [row]})
    asked = {"fullTransferConfig": {"throttleRps": 5}}
    runner.run(OmsUpdateProjectConfigOperator, project_id=project.id, config=asked)
    assert project.config == {"fullTransferConfig": {"fullTransferSpeedMode": "NORMAL", "throttleRps": 5}}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "config must map"),
        (None, "config must map"),
        ({"fullConfig": {"a": 1}}, "no section 'fullConfig'"),
        ({"fullTransferConfig": {}}, "must map items to values"),
        ({"fullTransferConfig": "FAST"}, "must map items to values"),
    ],
)
def test_mistakes(runner, config, words):
    with pytest.raises(ValueError, match=words):
        OmsUpdateProjectConfigOperator(task_id="task", project_id="np_1", config=config)
    operator = OmsUpdateProjectConfigOperator(task_id="task", project_id="np_1", config="{{ config }}")
    operator.config = config
    assert isinstance(runner.go(operator).error, OmsOperationRefusedError)
    assert runner.asked() == []
