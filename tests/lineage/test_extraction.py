"""The request for an event, and the event if OMS doesn't answer. Nothing here fails a task."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import CheckpointLagMilestone, FullTransferMilestone
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor
from airflow_provider_oms.simulator import Fault, Project
from tests import modes
from tests.lineage.projects import SECRETS, database, row, table

pytest.importorskip("airflow.providers.openlineage")
from airflow_provider_oms.lineage import extraction

SEEN = {"project": "np_1", "status": "RUNNING", "progress": 100, "note": None}


@pytest.fixture
def oms(sim, monkeypatch):
    """A simulated OMS with a project, whose answer to DescribeProject a test sets."""
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**json.loads(sim.connection_json), "extra": "{}"}))
    sim.add_project(Project(id="np_1", name="shop", status="RUNNING"))
    return sim


def answers(oms, *databases, **more):
    oms.set_answer("DescribeProject", lambda payload: {"success": True, "data": [row(*databases, **more)]})


def told(observed=SEEN, milestone=None):
    return extraction.of_gate(lambda: Gate(milestone or FullTransferMilestone(), project_id="np_1"), observed)


def asked(oms):
    return [request.action for request in oms.requests]


def facet(lineage):
    return lineage.run_facets["oms_milestone"]


def test_one_request_has_both_sides(oms):
    answers(oms, database("shop", [table("orders")]))
    lineage = told()
    assert [each.name for each in (*lineage.inputs, *lineage.outputs)] == ["shop.orders", "shop.orders"]
    assert asked(oms) == ["DescribeProject"]
    assert facet(lineage).oms == oms.url
    assert not any(secret in repr(lineage) for secret in SECRETS)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, body=SECRETS[0]),
        Fault("status", status=401, body=SECRETS[0]),
        Fault("html"),
        Fault("reset_before"),
        Fault("truncate"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status or ''}",
)
def test_what_oms_does_not_answer_is_asked_once(oms, caplog, fault):
    oms.add_fault(fault)
    lineage = told()
    assert (lineage.inputs, lineage.outputs) == ([], [])
    assert facet(lineage).status == "RUNNING"
    assert len(oms.requests) == 1
    assert "The lineage of project np_1 has no tables." in caplog.text
    assert SECRETS[0] not in caplog.text


@pytest.mark.parametrize("data", [None, [], {}, [{"id": "np_2"}], {"id": "np_1", "transferMapping": {"mode": []}}, "x"])
def test_an_answer_that_can_not_be(oms, data):
    oms.set_answer("DescribeProject", lambda payload: {"success": True, "data": data})
    lineage = told()
    assert (lineage.inputs, lineage.outputs) == ([], [])
    assert facet(lineage).project == "np_1"


def test_a_connection_that_is_gone(monkeypatch, caplog):
    monkeypatch.delenv("AIRFLOW_CONN_OMS_DEFAULT", raising=False)
    monkeypatch.setattr(extraction, "OmsHook", _no_connection)
    assert told().inputs == []
    assert "has no tables" in caplog.text


def _no_connection(conn_id):
    from airflow_provider_oms.client.errors import OmsPermanentError

    raise OmsPermanentError(f"there is no Airflow connection {conn_id!r}. Create it.")


def test_oms_3_3_has_no_such_action_and_is_not_asked(oms, monkeypatch, caplog):
    fields = {**json.loads(oms.connection_json), "extra": json.dumps({"api_version": "v3"})}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(fields))
    assert told().inputs == []
    assert asked(oms) == []
    assert "lineage" not in caplog.text


def test_without_a_project_nothing_is_asked(oms):
    lineage = told({"total": 3, "reached": 3, "projects": []})
    assert (lineage.inputs, facet(lineage).project) == ([], None)
    assert asked(oms) == []


def test_a_gate_for_a_project_that_is_gone_says_no_more(oms, caplog):
    assert told({"project": "np_9", "status": "DELETED"}).inputs == []
    assert "lineage" not in caplog.text


def test_the_way_back(oms):
    answers(oms, database("shop", [table("orders")], "shop_ob"))
    lineage = told(milestone=CheckpointLagMilestone(25, "reverse"))
    assert ([each.name for each in lineage.inputs], [each.name for each in lineage.outputs]) == (
        ["shop_ob.orders"],
        ["shop.orders"],
    )


def test_an_event_has_so_many_tables_and_says_how_many_are_missing(oms, monkeypatch):
    monkeypatch.setattr(extraction, "MAX_TABLES", 3)
    answers(oms, database("shop", [table(f"t{number}") for number in range(5)]))
    lineage = told()
    assert (len(lineage.inputs), facet(lineage).tables_left_out) == (3, 2)


class TestColumns:
    def merged(self, oms, *tables):
        answers(oms, database("shop", list(tables)))
        (output,) = told().outputs
        return output.facets

    def test_several_tables_in_one(self, oms):
        columns = [{"columnName": "id", "mappedName": "id"}]
        both = [table(name, "all", columns=columns) for name in ("a", "b")]
        fields = self.merged(oms, *both)["columnLineage"].fields
        assert [(each.name, each.field) for each in fields["id"].inputFields] == [("shop.a", "id"), ("shop.b", "id")]

    def test_where_those_of_one_are_not_told_none_are(self, oms):
        assert self.merged(oms, table("a", "all", columns=[{"columnName": "id"}]), table("b", "all")) == {}


def test_what_nobody_thought_of_is_no_error_of_the_task(oms, monkeypatch, caplog):
    monkeypatch.setattr(extraction, "moves_of", lambda *given: 1 / 0)
    assert told() is None
    assert "No lineage: ZeroDivisionError." in caplog.text


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"h:1": 7}'])
def test_databases_that_are_none(oms, monkeypatch, caplog, text):
    monkeypatch.setenv("AIRFLOW__OMS__LINEAGE_DATABASES", text)
    answers(oms, database("shop", [table("orders")]), source="ORACLE")
    lineage = told()
    assert (lineage.inputs, len(lineage.outputs)) == ([], 1)
    assert "[oms] lineage_databases must be a JSON object" in caplog.text


def test_the_database_above_the_schemas_is_said_by_a_person(oms, monkeypatch):
    monkeypatch.setenv("AIRFLOW__OMS__LINEAGE_DATABASES", '{"10.0.0.5:3306": "ORCL"}')
    answers(oms, database("shop", [table("orders")]), source="ORACLE")
    (source,) = told().inputs
    assert (source.namespace, source.name) == ("oracle://10.0.0.5:3306", "ORCL.shop.orders")


def test_a_gate_that_has_not_opened_says_nothing(oms):
    gate = OmsFullTransferSensor(task_id="gate", project_id="np_1", timeout=0)
    assert modes.poke(gate).state == "waiting"
    assert gate.get_openlineage_facets_on_complete(None) is None
    assert gate.get_openlineage_facets_on_failure(None) is None
    assert "DescribeProject" not in asked(oms)
