"""The actions on the result of a full verification."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Project, Table

from ..conftest import post

TABLES = [
    Table("shop", "good"),
    Table("shop", "bad", result_type="INCONSISTENT", mismatched=2, source_only=1),
    Table("other", "gone", dest_schema="dest", result_type="TARGET_TABLE_NOT_EXIST", status="ERROR"),
]


@pytest.fixture
def project(sim) -> str:
    return sim.add_project(
        Project(status="RUNNING", step="FULL_VERIFIER", durations={"FULL_VERIFIER": 3}, verification=list(TABLES))
    )


def results(call, project, **given):
    data = call("ListProjectFullVerifyResult", projectId=project, **given)
    rows = data["fullVerifyTableStatistics"]
    return data["differentNumber"], {row["sourceTableName"]: (row["status"], row["resultType"]) for row in rows}


def test_tables_are_verified_one_after_another(sim, call, project):
    assert results(call, project) == (0, dict.fromkeys(("good", "bad", "gone"), ("RUNNING", "RUNNING")))
    sim.clock.advance(1.1)
    assert results(call, project)[1]["good"] == ("FINISHED", "CONSISTENT")
    sim.clock.advance(2)
    assert results(call, project) == (
        3,
        {
            "good": ("FINISHED", "CONSISTENT"),
            "bad": ("FINISHED", "INCONSISTENT"),
            "gone": ("ERROR", "TARGET_TABLE_NOT_EXIST"),
        },
    )


def test_filters_and_pages(sim, call, project):
    sim.clock.advance(3)
    assert set(results(call, project, status=["ERROR"])[1]) == {"gone"}
    assert set(results(call, project, sourceSchemas=["shop"])[1]) == {"good", "bad"}
    assert set(results(call, project, destSchemas=["dest"])[1]) == {"gone"}
    answer = post(sim, "ListProjectFullVerifyResult", projectId=project, pageNumber=2, pageSize=2).json()
    assert answer["totalCount"] == 3
    assert len(answer["data"]["fullVerifyTableStatistics"]) == 1
    assert answer["data"]["differentNumber"] == 3


def test_it_takes_project_id_and_not_id(refused, project):
    assert "projectId" in refused("ListProjectFullVerifyResult", id=project)["message"]


def test_before_the_verification_there_is_nothing(sim, call):
    assert results(call, sim.add_project(Project())) == (None, {})


def test_differing_rows_and_corrections(sim, call, refused, project):
    sim.clock.advance(3)
    given = {"projectId": project, "schema": "shop", "table": "bad"}
    rows = call("ListFullVerifyInconsistenciesResult", **given)
    assert [row["type"] for row in rows] == ["MASTER_ONLY", "MISMATCHED", "MISMATCHED"]
    assert set(rows[0]) == {"failedRecordDetails", "failedRecordUniqueKeys", "type"}
    assert set(rows[0]["failedRecordDetails"][0]) == {"columnName", "sourceValue", "destValue"}
    assert len(call("ListFullVerifyCorrectionsResult", **given)) == 3
    assert call("ListFullVerifyCorrectionsResult", **{**given, "table": "good"}) == []
    assert "shop.nope" in refused("ListFullVerifyInconsistenciesResult", **{**given, "table": "nope"})["message"]


def test_rows_of_ones_own(sim, call):
    row = {"type": "IMAGE_ONLY", "failedRecordDetails": [], "failedRecordUniqueKeys": [], "correction": "DELETE 1"}
    table = Table("s", "t", result_type="INCONSISTENT", dest_only=1, differing=[row])
    project = sim.add_project(Project(status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=[table]))
    given = {"projectId": project, "schema": "s", "table": "t"}
    assert call("ListFullVerifyCorrectionsResult", **given) == ["DELETE 1"]
    assert "correction" not in call("ListFullVerifyInconsistenciesResult", **given)[0]


class TestVerifiedAgain:
    @pytest.fixture
    def project(self, sim):
        tables = [{"schema": "shop", "table": name} for name in ("a", "b")]
        tables[1].update(result_type="INCONSISTENT", mismatched=3)
        given = {"status": "RUNNING", "step": "FULL_VERIFIER", "step_progress": 100, "durations": {"FULL_VERIFIER": 10}}
        return sim.project(sim.add_project(Project(name="shop", verification=tables, **given)))

    @staticmethod
    def rows(call, project):
        data = call("ListProjectFullVerifyResult", projectId=project.id)
        return [
            (row["status"], row["progress"], row["resultType"], row["mismatchedCount"])
            for row in data["fullVerifyTableStatistics"]
        ]

    @pytest.mark.parametrize(
        ("stale", "under_way"),
        [
            ("verdict", [("RUNNING", "0.40", "CONSISTENT", 0), ("RUNNING", "0.00", "INCONSISTENT", 3)]),
            ("row", [("FINISHED", "1.0", "CONSISTENT", 0), ("FINISHED", "1.0", "INCONSISTENT", 3)]),
            (None, [("RUNNING", "0.40", "RUNNING", 0), ("RUNNING", "0.00", "RUNNING", 0)]),
        ],
    )
    def test_what_stands_in_the_rows_meanwhile(self, sim, call, project, stale, under_way):
        before = self.rows(call, project)
        project.reverify(stale)
        sim.clock.advance(2)
        assert self.rows(call, project) == under_way
        sim.clock.advance(8)
        assert self.rows(call, project) == before

    def test_a_table_that_was_repaired(self, sim, call, project):
        project.set_table("shop", "b", result_type="CONSISTENT", mismatched=0)
        project.reverify()
        sim.clock.advance(10)
        assert self.rows(call, project)[1] == ("FINISHED", "1.0", "CONSISTENT", 0)
        assert call("ListProjectFullVerifyResult", projectId=project.id)["differentNumber"] == 0


@pytest.mark.parametrize("status", ["RUNNING", "ERROR", "SUSPEND"])
def test_a_table_that_is_not_through(sim, call, status):
    project = sim.add_project(Project(status="RUNNING", step="FULL_VERIFIER", step_progress=100))
    sim.project(project).set_table("test", "t1", status=status, progress="0.4", error_details=["why"])
    (row,) = call("ListProjectFullVerifyResult", projectId=project)["fullVerifyTableStatistics"]
    assert (row["status"], row["progress"], row["errorDetails"]) == (status, "0.4", ["why"])
