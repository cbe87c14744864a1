"""The hosted form, read by Alibaba Cloud's official SDK, an independent client."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_oms.simulator import Clock, DataSource, Fault, Modification, Project, Simulator
from airflow_provider_oms.simulator.hosted import ACTIONS

from .conftest import START

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-cloud" / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="needs the environment of Alibaba Cloud's SDK: python3 scripts/cloud.py"
)

KEY, SECRET = "LTAI-simulated", "not-a-secret"


@pytest.fixture
def sim():
    with Simulator(clock=Clock(speed=0, start=START), api="alibaba_cloud", login=KEY, password=SECRET) as made:
        made.add_data_source(DataSource("a", id="e_a"))
        made.add_data_source(DataSource("b", id="e_b", type="OB_MYSQL"))
        yield made


def sdk(sim, *calls, **client):
    """Send calls with the SDK, and return the results."""
    config: dict[str, Any] = {"access_key_id": KEY, "access_key_secret": SECRET, "protocol": "http"}
    config |= {"endpoint": f"{sim.host}:{sim.port}", "connect_timeout": 60_000, "read_timeout": 60_000}
    given = json.dumps({"client": {**config, **client}, "calls": calls})
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    clean.pop("PYTHONPATH", None)
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("sdk_calls.py")],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def running(sim, **given) -> str:
    return sim.add_project(
        Project(
            name="shop",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=[{"schema": "shop", "table": f"t{number}"} for number in range(12)],
            **given,
        )
    )


CREATE = {
    "Id": "np_bought",
    "WorkerGradeId": "w_1",
    "Name": "bought",
    "Type": "MIGRATION",
    "SourceEndpointId": "e_a",
    "SinkEndpointId": "e_b",
    "TransferMapping": {
        "Mode": "SPECIFIC",
        "Databases": [
            {"Name": "shop", "MappedName": "shop_", "Tables": [{"Name": "orders", "WhereClause": "a='ü&+ %'"}]}
        ],
    },
    "EnableStructTransfer": True,
    "EnableFullTransfer": True,
    "EnableFullVerify": True,
    "EnableIncrTransfer": True,
    "EnableReverseIncrTransfer": False,
    "CommonTransferConfig": {"TableCategory": "ALL"},
}
PASSWORD = base64.b64encode(b"hush").decode()


def test_it_reads_the_answer_to_every_action(sim):
    shop = running(sim, labels=["red"], modification=Modification(pending=100))
    sim.project(shop).add_objects({"shop": ["extra"]})
    (label,) = sim.labels
    window = {"BeginTimestamp": int(START) - 3600, "EndTimestamp": int(START)}
    record = 344_000_001
    calls = [
        ["CreateProject", CREATE],
        ["ListProjects", {"PageNumber": 1, "PageSize": 10, "Status": ["RUNNING"], "LabelIds": [label], "Order": "asc"}],
        ["DescribeProject", {"Id": shop}],
        ["DescribeProjectProgress", {"Id": shop}],
        ["DescribeProjectSteps", {"Id": shop}],
        ["DescribeProjectComponents", {"Id": shop}],
        ["DescribeProjectStepMetric", {"ProjectId": shop, "StepName": "INCR_TRANSFER", "MetricType": "RPS", **window}],
        ["ListProjectFullVerifyResult", {"ProjectId": shop, "PageNumber": 2, "PageSize": 10, "Status": "FINISHED"}],
        ["ListProjectModifyRecords", {"Id": shop}],
        ["CancelProjectModifyRecord", {"Id": str(record)}],
        ["RetryProjectModifyRecords", {"Id": str(record)}],
        ["StopProjectModifyRecords", {"Id": str(record)}],
        ["CreateProjectModifyRecords", {"Id": shop, "Databases": [{"Name": "shop", "Tables": [{"Name": "t1"}]}]}],
        ["ListAllLabels", {}],
        ["CreateLabel", {"Name": "blue"}],
        ["StopProjectsByLabel", {"Id": label}],
        ["StartProjectsByLabel", {"Id": label}],
        ["StartProject", {"Id": "np_bought"}],
        ["StopProject", {"Id": "np_bought"}],
        ["ResumeProject", {"Id": "np_bought"}],
        ["UpdateProjectConfig", {"Id": "np_bought", "FullTransferConfig": {"ThrottleRps": 1}}],
        ["ReleaseProject", {"Id": "np_bought"}],
        ["DeleteProject", {"Id": "np_bought"}],
        ["CreateMySqlDataSource", {"Name": "m", "Ip": "10.0.0.1", "Port": 3306, "UserName": "u", "Password": PASSWORD}],
        [
            "CreateOmsMysqlDataSource",
            {"Name": "n", "Ip": "10.0.0.1", "Port": "3306", "Username": "u", "Password": PASSWORD},
        ],
        [
            "CreateRdsPostgreSQLDataSource",
            {"Name": "p", "InstanceId": "pg-1", "DatabaseName": "d", "UserName": "u", "Password": PASSWORD},
        ],
        ["CreateOceanBaseDataSource", {"Name": "o", "UserName": "u", "Password": PASSWORD, "Type": "OB_MYSQL_VPC"}],
        ["ListDataSource", {"PageNumber": "1", "PageSize": "10"}],
        ["DeleteDataSource", {"Id": "e_nope"}],
        ["ListWorkerInstances", {"PageNumber": 1}],
        ["ReleaseWorkerInstance", {"Id": "w_free"}],
        ["GetUploadOssUrl", {"Type": "PROJECT", "EffectiveTimeMinutes": 5}],
    ]
    assert {action for action, _ in calls} == ACTIONS
    results = dict(zip([action for action, _ in calls], sdk(sim, *calls), strict=True))
    assert [name for name, result in results.items() if "error" in result] == []
    assert {name: result["complaints"] for name, result in results.items() if result["complaints"]} == {}
    bodies = {name: result["body"] for name, result in results.items()}

    refused = {name: body["ErrorDetail"]["Message"] for name, body in bodies.items() if body.get("Success") is False}
    assert set(refused) == {
        "DeleteDataSource",
        "DeleteProject",
        "ReleaseProject",
        "ResumeProject",
        "RetryProjectModifyRecords",
        "StopProjectModifyRecords",
        "UpdateProjectConfig",
    }
    assert "e_nope" in refused["DeleteDataSource"]

    created = sim.project("np_bought")
    assert bodies["CreateProject"]["Data"] == "np_bought"
    assert created.project.worker_grade_id == "w_1"
    (database,) = created.project.mapping["databases"]
    assert database["tables"] == [{"name": "orders", "whereClause": "a='ü&+ %'"}]
    assert created.config["commonTransferConfig"]["tableCategory"] == "ALL"

    (row,) = bodies["ListProjects"]["Data"]
    assert (row["Name"], bodies["ListProjects"]["TotalCount"]) == ("shop", 1)
    assert row["Labels"] == [{"Id": label, "Name": "red"}]
    incr = next(step for step in row["Steps"] if step["Name"] == "INCR_TRANSFER")
    progress = bodies["DescribeProjectProgress"]["Data"]
    assert incr["StepInfo"]["incrTimestampCheckpoint"] == progress["IncrSyncCheckpoint"]
    assert (progress["Status"], progress["CurrentStep"]) == ("RUNNING", "FULL_VERIFIER")
    assert bodies["DescribeProject"]["Data"]["Name"] == "shop"
    assert [step["Status"] for step in bodies["DescribeProjectSteps"]["Data"]][:3] == ["FINISHED"] * 3
    tables = bodies["ListProjectFullVerifyResult"]["Data"]["FullVerifyTableStatistics"]
    assert [table["SourceTableName"] for table in tables] == ["t10", "t11"]
    (pending,) = bodies["ListProjectModifyRecords"]["Data"]
    assert (pending["Id"], pending["Status"], pending["Type"]) == (record, "PENDING", "INCREASE_OBJECT")
    assert bodies["StopProjectsByLabel"]["Data"]["SucceedProjectIds"] == [shop]
    assert {source["Name"] for source in bodies["ListDataSource"]["Data"]} == {"a", "b", "m", "n", "p", "o"}
    assert sim.data_sources[bodies["CreateOmsMysqlDataSource"]["Data"]["EndpointId"]].password == "hush"
    assert bodies["GetUploadOssUrl"]["Data"]["OssKey"]


@pytest.mark.parametrize(
    ("client", "server", "error", "status"),
    [
        ({"access_key_id": "LTAI-other"}, {}, "InvalidAccessKeyId.NotFound", 404),
        ({"access_key_secret": "other"}, {}, "SignatureDoesNotMatch", 400),
        ({}, {"now": lambda: time.time() + 3600}, "IllegalTimestamp", 400),
        ({}, {"now": lambda: time.time() - 3600}, "IllegalTimestamp", 400),
        ({}, {"forbidden": {"ListProjects"}}, "Forbidden.RAM", 403),
        ({}, {"token": "sts"}, "InvalidSecurityToken.MismatchWithAccessKey", 400),
        ({"security_token": "sts"}, {}, "InvalidSecurityToken.MismatchWithAccessKey", 400),
    ],
)
def test_it_says_who_may_not_come_in(sim, client, server, error, status):
    for name, value in server.items():
        setattr(sim.gateway, name, value)
    (result,) = sdk(sim, ["ListProjects", {}], **client)
    assert (result["error"], result["status"]) == (error, status)
    assert {(asked.outcome, asked.executed) for asked in sim.requests} == {(error, False)}


def test_a_temporary_key(sim):
    sim.gateway.token = "sts"
    (result,) = sdk(sim, ["ListProjects", {}], security_token="sts")
    assert result["body"]["Success"] is True


def test_it_is_throttled(sim):
    sim.add_fault(Fault("gateway", times=1))
    first, second = sdk(sim, ["ListProjects", {}], ["ListProjects", {}])
    assert (first["error"], first["status"]) == ("Throttling.User", 400)
    assert second["body"]["Success"] is True
