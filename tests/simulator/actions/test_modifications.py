"""The actions that add objects to a running project and remove them, over HTTP."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Modification, Project

ORDERS = {"name": "shop", "tables": [{"name": "orders"}]}
BOTH = {"name": "shop", "tables": [{"name": "orders"}, {"name": "prices"}]}


@pytest.fixture
def project(sim) -> str:
    return sim.add_project(
        Project(
            name="shop",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=[{"schema": "shop", "table": "orders"}],
            modification=Modification(pending=5, modifying=10, merging=3),
        )
    )


def test_from_the_request_to_the_merged_table(sim, call, project):
    record = call("CreateProjectModifyRecords", id=project, databases=[BOTH])
    assert isinstance(record, int)

    def told():
        (row,) = call("ListProjectModifyRecords", id=project)
        (described,) = call("DescribeProject", id=project)
        assert described["status"] == call("DescribeProjectProgress", id=project)["status"]
        return row["status"], described["status"], described["isModifying"], described["isMerging"]

    assert told() == ("PENDING", "RUNNING", False, False)
    sim.clock.advance(5)
    assert told() == ("RUNNING", "RUNNING_MODIFYING", True, False)
    sim.clock.advance(10)
    assert told() == ("MERGING", "RUNNING_MERGING", False, True)
    (row,) = call("ListProjectModifyRecords", id=project)
    assert (row["id"], row["type"], row["errorDetail"]) == (record, "INCREASE_OBJECT", None)
    assert row["subProjectId"].startswith("np_")
    assert row["mergeRequestId"]
    assert row["databases"] == [{"name": "shop", "tables": [{"name": "prices"}]}]
    sim.clock.advance(3)
    assert told() == ("SUCCESS", "RUNNING", False, False)
    (described,) = call("DescribeProject", id=project)
    (database,) = described["transferMapping"]["databases"]
    assert [table["name"] for table in database["tables"]] == ["orders", "prices"]
    result = call("ListProjectFullVerifyResult", projectId=project)
    assert [row["sourceTableName"] for row in result["fullVerifyTableStatistics"]] == ["orders", "prices"]


def test_a_list_without_a_table_removes_it(sim, call, project):
    call("CreateProjectModifyRecords", id=project, transferMapping={"databases": [{"name": "b", "tables": []}]})
    (row,) = call("ListProjectModifyRecords", id=project)
    assert (row["type"], row["status"], row["updateRequestId"]) == ("DECREASE_OBJECT", "PENDING", None)
    sim.clock.advance(5)
    assert call("ListProjectModifyRecords", id=project)[0]["status"] == "MODIFYING"
    sim.clock.advance(10)
    (row,) = call("ListProjectModifyRecords", id=project)
    assert (row["status"], row["subProjectId"]) == ("SUCCESS", None)
    assert row["updateRequestId"]


def test_a_failed_addition_is_reported_retried_and_stopped(sim, call, refused, project):
    record = call("CreateProjectModifyRecords", id=project, databases=[BOTH])
    assert "PENDING" in refused("StopProjectModifyRecords", id=str(record))["message"]
    sim.clock.advance(6)
    sim.project(project).fail_modification(code="GHANA-MIGRAT000201", message="no space left", proposal="Make room.")
    (row,) = call("ListProjectModifyRecords", id=project)
    assert (row["errorDetail"]["message"], row["errorDetail"]["proposal"]) == ("no space left", "Make room.")
    assert "FAILED" in refused("CancelProjectModifyRecord", id=str(record))["message"]
    assert call("RetryProjectModifyRecords", id=record) is None
    assert call("ListProjectModifyRecords", id=project)[0]["errorDetail"] is None
    assert call("StopProjectModifyRecords", id=str(record)) is None
    assert call("ListProjectModifyRecords", id=project)[0]["status"] == "TERMINATED"
    assert call("DescribeProjectProgress", id=project)["status"] == "RUNNING"


def test_a_pending_one_is_canceled(call, refused, project):
    record = call("CreateProjectModifyRecords", id=project, databases=[BOTH])
    assert "PENDING; it needs to be FAILED" in refused("RetryProjectModifyRecords", id=record)["message"]
    call("CancelProjectModifyRecord", id=record)
    assert call("ListProjectModifyRecords", id=project)[0]["status"] == "CANCEL"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "databases"),
        ({"databases": []}, "databases"),
        ({"databases": ["shop"]}, "object"),
        ({"databases": [{"tables": []}]}, "name"),
        ({"databases": [ORDERS]}, "nothing"),
    ],
)
def test_what_is_refused(refused, project, given, words):
    assert words in refused("CreateProjectModifyRecords", id=project, **given)["message"]


def test_unknown_projects_and_records(refused):
    assert refused("CreateProjectModifyRecords", id="np_nope", databases=[ORDERS])["code"] == "GHANA-PROJECT000001"
    assert refused("ListProjectModifyRecords", id="np_nope")["code"] == "GHANA-PROJECT000001"
    for action in ("CancelProjectModifyRecord", "StopProjectModifyRecords", "RetryProjectModifyRecords"):
        assert "45" in refused(action, id="45")["message"]
        assert refused(action)["code"] == "PARAM_ERROR"


def test_records_of_several_projects_have_ids_of_their_own(sim, call):
    ids = set()
    for _ in range(3):
        project = sim.add_project(Project(status="RUNNING", step="INCR_TRANSFER"))
        ids.add(call("CreateProjectModifyRecords", id=project, databases=[BOTH]))
    assert len(ids) == 3
