"""``verify``: the result of full verification."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Fault, Project

KEYS = [
    *("project", "name", "consistent", "message", "progress"),
    *("different_rows", "tables", "different_tables", "differences"),
]


@pytest.mark.parametrize(
    ("project", "code", "consistent"),
    [
        ("good", 0, True),
        ("bad", 1, False),
        ("copying", 4, None),
        ("new", 4, None),
        ("broken", 4, None),
        ("no_verifier", 4, None),
    ],
)
def test_every_ending(oms, cli, project, code, consistent):
    oms.add_project(Project(name="no_verifier", status="RUNNING", step="INCR_TRANSFER", enable_full_verify=False))
    result = cli("verify", project, "--json")
    assert result.code == code, result
    assert result.json["consistent"] is consistent
    assert list(result.json) == KEYS
    assert cli("verify", project).code == code


def test_the_tables_that_differ(oms, cli):
    told = cli("verify", "bad", "--json").json
    assert (told["tables"], told["different_tables"], told["different_rows"]) == (2, 1, 10)
    assert told["differences"] == [
        {
            "schema": "shop",
            "table": "prices",
            "target_schema": "shop",
            "result": "INCONSISTENT",
            "message": told["differences"][0]["message"],
            "source_only": 0,
            "target_only": 0,
            "mismatched": 10,
            "consistent": 90,
        }
    ]


@pytest.mark.parametrize("columns", [40, 60, 200])
def test_a_person_sees_them_at_every_width(oms, cli, columns):
    text = " ".join(cli("verify", "bad", columns=columns).out.split())
    assert "shop.prices" in text
    assert "INCONSISTENT" in text
    assert "found differences: 10 rows; 1 of 2 tables" in text
    assert "clear this task" not in text
    assert "shop.orders" not in text


def test_no_answer_is_no_consistency(oms, cli):
    oms.add_fault(Fault("status", action="ListProjectFullVerifyResult", status=503))
    assert cli("verify", "good", "--json").code == 5
    oms.clear_faults()
    oms.set_answer("ListProjectFullVerifyResult", {"success": True, "data": None})
    assert cli("verify", "good", "--json").json["consistent"] is None


def test_a_refusal_is_no_consistency(oms, cli):
    oms.add_fault(Fault("error", action="ListProjectFullVerifyResult", code="PARAM_ERROR", message="no"))
    assert cli("verify", "good").code == 5


def test_consistent_so_far_is_not_consistent(oms, cli):
    steps = cli("status", "good", "--json").json["steps"]
    running = [
        {"name": step["name"], "status": "RUNNING" if step["name"] == "FULL_VERIFIER" else "FINISHED", "progress": 99}
        for step in steps
    ]
    oms.set_answer("DescribeProjectSteps", {"success": True, "data": running})
    result = cli("verify", "good", "--json")
    assert (result.code, result.json["consistent"]) == (4, None)
    assert result.json["tables"] > 0
    assert result.json["differences"] == []
    assert "isn't done" in result.json["message"]


def test_where_nothing_was_verified_a_refusal_is_nothing_new(oms, cli):
    oms.add_fault(Fault("error", action="ListProjectFullVerifyResult", code="PARAM_ERROR", message="no"))
    result = cli("verify", "copying", "--json")
    assert (result.code, result.json["consistent"], result.json["tables"]) == (4, None, 0)
