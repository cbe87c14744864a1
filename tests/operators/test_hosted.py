"""Every operator whose action the OMS in Alibaba Cloud has, over its signed form; the others refuse with a message."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.client.alibaba_cloud import ABSENT
from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Clock, Simulator

WAYS = pytest.mark.parametrize("way", [{"deferrable": False}, {"deferrable": True}], ids=["worker", "triggerer"])
SHOP = {"project_name": "shop"}
BODY = {
    "id": "np_bought",
    "workerGradeId": "w_1",
    "name": "shop",
    "type": "MIGRATION",
    "sourceEndpointName": "source",
    "sinkEndpointName": "target",
    "labelNames": ["nightly"],
    "transferMapping": operators.transfer_mapping({"shop": ["orders"]}),
    "enableStructTransfer": True,
    "enableFullTransfer": True,
    "enableFullVerify": True,
    "enableIncrTransfer": True,
}


@pytest.fixture
def sim(monkeypatch):
    """A hosted OMS whose clock advances only with the pauses."""
    with Simulator(api="alibaba_cloud", login="LTAI-x", password="secret", clock=Clock(speed=0)) as simulator:
        connection = {**simulator.connection_kwargs}
        connection["extra"] = {**connection["extra"], "retries": 0, "timeout": 60}
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(connection))
        database = {"conn_type": "mysql", "host": "db", "port": 3306, "login": "me@tenant#cluster", "password": "pa:ss"}
        for name in ("SOURCE", "TARGET", "KEY"):
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(database))
        yield simulator


def life(way):
    """A migration from its data sources to its end."""
    waits = {**SHOP, **way}
    return [
        (operators.OmsCreateMySqlDataSourceOperator, {"name": "source", "mysql_conn_id": "source"}),
        (
            operators.OmsCreateOceanBaseDataSourceOperator,
            {"name": "target", "oceanbase_conn_id": "target", "data_source_type": "OB_MYSQL_VPC"},
        ),
        (operators.OmsCreateProjectOperator, {"project": BODY, "create_labels": True}),
        (operators.OmsStartProjectsByLabelOperator, {"label_name": "nightly", **way}),
        (operators.OmsStartProjectOperator, waits),
        (operators.OmsModifyObjectsOperator, {**waits, "add": ["shop.prices"]}),
        (operators.OmsFullVerificationReportOperator, {**SHOP, "max_rows": 0, "max_sql": 0}),
        (operators.OmsStopProjectOperator, waits),
        (operators.OmsUpdateProjectConfigOperator, {**SHOP, "config": {"fullTransferConfig": {"throttleRps": 7}}}),
        (operators.OmsResumeProjectOperator, waits),
        (operators.OmsActionOperator, {"action": "ListWorkerInstances", "payload": {}}),
        (operators.OmsStopProjectsByLabelOperator, {"label_name": "nightly", **way}),
        (operators.OmsReleaseProjectOperator, waits),
        (operators.OmsDeleteProjectOperator, waits),
    ]


@WAYS
def test_a_migration_and_its_end(runner, sim, way):
    changed = []
    for cls, arguments in life(way):
        run = runner.run(cls, **arguments)
        assert run.error is None, (cls.__name__, run.error)
        changed += runner.changes()
        if cls is operators.OmsModifyObjectsOperator:
            statuses = [one.shown_status for one in sim.project("shop").state().modifications.records]
            assert statuses == ["SUCCESS"]
        if cls is operators.OmsStartProjectOperator:
            sim.clock.advance(3600)
    assert changed == [
        *("CreateMySqlDataSource", "CreateOceanBaseDataSource", "CreateLabel", "CreateProject", "StartProjectsByLabel"),
        *("CreateProjectModifyRecords", "StopProject", "UpdateProjectConfig", "ResumeProject", "StopProjectsByLabel"),
        *("ReleaseProject", "DeleteProject"),
    ]
    assert "np_bought" not in sim.projects


LACKING = {
    "OmsAdvanceProjectOperator": {**SHOP, "from_step": "FULL_VERIFIER"},
    "OmsCreateKafkaDataSourceOperator": {"name": "k", "kafka_conn_id": "source", "sasl_mechanism": "PLAIN"},
    "OmsCreateOceanBaseODPDataSourceOperator": {"name": "o", "oceanbase_conn_id": "source", "url": "http://gateway"},
    "OmsCreatePolarDBDataSourceOperator": {"name": "p", "polardb_conn_id": "source", "access_key_conn_id": "key"},
}


@pytest.mark.parametrize("name", LACKING)
def test_what_is_not_there_is_refused_with_a_message(runner, sim, name):
    sim.add_project({"name": "shop", "status": "RUNNING", "step": "FULL_VERIFIER", "step_progress": 100})
    run = runner.run(getattr(operators, name), **LACKING[name])
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "the OMS in Alibaba Cloud (api_version alibaba_cloud) doesn't have this action" in str(run.error)
    assert runner.changes() == []


def test_no_operator_is_missing():
    tried = {cls.__name__ for cls, _ in life({})} | set(LACKING)
    shared = {"OmsOperator", "OmsProjectOperator", "OmsProjectActionOperator", "OmsLabelOperator"}
    shared |= {"OmsDataSourceOperator", "OmsWaitingOperator"}
    assert tried | shared == {name for name in operators.__all__ if name.startswith("Oms")}
    assert {"AdvanceProject", "CreateKafkaDataSource"} <= ABSENT
