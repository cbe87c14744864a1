"""The actions on settings and on metrics."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Project


def test_a_configuration_is_replaced_as_a_whole(sim, call, refused):
    project = sim.add_project(Project(status="RUNNING"))
    config = {"fullTransferConfig": {"throttleRps": 100}}
    assert "RUNNING" in refused("UpdateProjectConfig", id=project, **config)["message"]
    sim.project(project).pause()
    call("UpdateProjectConfig", id=project, **config, incrTransferConfig={"incrSyncConcurrency": 8})
    call("UpdateProjectConfig", id=project, **config)
    (row,) = call("DescribeProject", id=project)
    assert row["fullTransferConfig"] == {"throttleRps": 100}
    assert row["incrTransferConfig"] is None
    assert "object" in refused("UpdateProjectConfig", id=project, fullTransferConfig=3)["message"]


def test_reset_of_the_start_timestamp(sim, call, refused):
    project = sim.add_project(Project(status="RUNNING", step="FULL_VERIFIER"))
    at = int(sim.clock.now()) - 5000
    assert refused("ResetIncrStartTimestamp", id=project, startTimestamp=at)["code"] == "GHANA-OPEROR000001"
    sim.project(project).pause()
    assert call("ResetIncrStartTimestamp", id=project, startTimestamp=at, reverse=False) == 1
    assert call("DescribeProjectProgress", id=project)["incrSyncCheckpoint"] == at
    assert "startTimestamp" in refused("ResetIncrStartTimestamp", id=project, startTimestamp="x")["message"]


@pytest.mark.parametrize("action", ["UpdateStore", "UpdateFullImport", "UpdateIncrSync", "UpdateFullVerification"])
def test_component_updates_return_tickets(sim, call, refused, action):
    body = {"dimension": "NAME", "key": "k", "cmRegion": "r", "config": {"a": 1}}
    assert [call(action, **body), call(action, **body)] == [1, 2]
    assert sim.component_updates[1]["config"] == {"a": 1}
    assert refused(action, **{**body, "dimension": "COLOUR"})["code"] == "PARAM_ERROR"
    assert refused(action, **{**body, "config": None})["code"] == "PARAM_ERROR"


def test_metrics(sim, call, refused):
    project = sim.add_project(Project(status="RUNNING", step="INCR_TRANSFER", initial_lag=42))
    now = int(sim.clock.now())
    given = {
        "projectId": project,
        "stepName": "INCR_TRANSFER",
        "metricType": "DELAY",
        "beginTimestamp": now - 3600,
        "endTimestamp": now,
        "maxPointNum": 5,
    }
    points = call("DescribeProjectStepMetric", **given)["metrics"][0]["dataPoints"]
    assert [point["timestamp"] - now for point in points] == [-3600, -2700, -1800, -900, 0]
    assert points[-1]["value"] == 42
    for change in ({"metricType": "COLOUR"}, {"beginTimestamp": now}, {"aggregator": "MAX"}):
        assert refused("DescribeProjectStepMetric", **{**given, **change})["code"] == "PARAM_ERROR"


@pytest.mark.parametrize(
    ("more", "rate"),
    [
        ({}, 500),  # the project catches up ten times as fast as the source changes
        ({"initial_lag": 1.0}, 50),
        ({"idle_source": True}, 0),
        ({"changes": 3, "catch_up_rate": 2}, 6),
        ({"step": "FULL_TRANSFER", "rows": 6000, "durations": {"FULL_TRANSFER": 60}}, 100),
    ],
)
def test_how_many_rows_a_second(sim, call, more, rate):
    project = sim.add_project(Project(**{"status": "RUNNING", "step": "INCR_TRANSFER", **more}))
    window = {"beginTimestamp": int(sim.clock.now()) - 3600, "endTimestamp": int(sim.clock.now())}
    step = more.get("step", "INCR_TRANSFER")
    said = call("DescribeProjectStepMetric", projectId=project, stepName=step, metricType="RPS", **window)
    assert said["metrics"][0]["dataPoints"][-1]["value"] == rate


def test_regions(call):
    assert call("DescribeRegions")[0]["region"] == "cn-local"
