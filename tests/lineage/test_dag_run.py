"""DAG runs with Airflow's OpenLineage provider, whose file of events is read back."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.simulator import Clock, DataSource, Fault, Project, Simulator, Table
from airflow_provider_oms.tasks.airflow_version import airflow_version
from tests.dag_process import run_dag
from tests.docs.pages import DOCS, blocks
from tests.lineage.projects import SECRETS, column, database, end, table

pytest.importorskip("airflow.providers.openlineage")
from tests.lineage.reading import as_shown, check

SOURCE, SINK = "mysql://10.0.0.5:3306", "oceanbase://ob.example.com:2883"

DAG_FILE = """
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors

BODY = {
    "name": "made",
    "type": "MIGRATION",
    "sourceEndpointId": "e_src",
    "sinkEndpointId": "e_dst",
    "transferMapping": operators.transfer_mapping({"shop": ["orders"]}, rename_schemas={"shop": "shop_ob"}),
}
HOW = {"deferrable": DEFERRABLE, "poke_interval": 1, "timeout": 60}

with DAG("lineage_" + str(DEFERRABLE).lower(), schedule=None, start_date=datetime(2025, 1, 1)) as dag:
    create = operators.OmsCreateProjectOperator(task_id="create", project=BODY)
    start = operators.OmsStartProjectOperator(task_id="start", project_name="made", **HOW)
    gate = sensors.OmsFullTransferSensor(task_id="gate", project_name="shop", **HOW)
    back = sensors.OmsCheckpointLagSensor(
        task_id="back", project_name="shop", max_lag=1e9, direction="reverse", **HOW
    )
    report = operators.OmsFullVerificationReportOperator(task_id="report", project_name="shop", max_rows=1)
    failing = sensors.OmsStepSensor(task_id="failing", project_name="shop", step="NO_SUCH_STEP", **HOW)
    untold = sensors.OmsFullTransferSensor(task_id="untold", project_name="odd", **HOW)
    create >> start >> gate >> back >> report
"""

MAPPING = {
    "mode": "SPECIFIC",
    "databases": [
        database(
            "shop",
            [table("orders", columns=[column("id"), column("cust", "customer")]), table("lines", "order_lines")],
            "shop_ob",
        )
    ],
}


@pytest.fixture
def oms(monkeypatch):
    """An OMS with a completed project, whose answers contain every secret that they can contain."""
    found = [
        Table("shop", "orders", "shop_ob", consistent=7),
        Table("shop", "lines", "shop_ob", "INCONSISTENT", consistent=3, mismatched=1),
    ]
    row = {"sourceConnectInfo": end(), "sinkConnectInfo": end("ob.example.com", 2883)}
    shop = Project(
        id="np_4w1qs2dh",
        name="shop",
        status="RUNNING",
        step="REVERSE_INCR_TRANSFER",
        verification=found,
        transfer_mapping=MAPPING,
        shown={"row": row, "progress": {"fullTransferProgress": 100}},
    )
    odd = Project(id="np_odd", name="odd", status="RUNNING", step="INCR_TRANSFER")
    with Simulator([shop, odd], password="the-oms-s3cr3t", clock=Clock(speed=20)) as sim:
        sim.add_data_source(DataSource("src", id="e_src", ip="10.0.0.5", password=SECRETS[0], username=SECRETS[3]))
        target = DataSource("dst", id="e_dst", type="OB_MYSQL", ip="ob.example.com", port=2883, password=SECRETS[1])
        sim.add_data_source(target)
        sim.add_fault(Fault("status", status=500, body=SECRETS[1], action="DescribeProject", project_id="np_odd"))
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        yield sim


@pytest.fixture
def run(airflow_db, tmp_path):
    """Run a DAG, and return the states of its tasks and the events."""

    def run(text, **environment):
        file, written = airflow_db / "dags" / f"oms_{tmp_path.name}.py", tmp_path / "events.jsonl"
        transport = {"type": "file", "log_file_path": str(written), "append": True}
        settings = {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport), **environment}
        done = run_dag("tests.lineage.runner", file, text, settings)
        told = [line for line in done.stdout.splitlines() if line.startswith("STATES ")]
        assert told, done.stdout[-3000:] + done.stderr[-3000:]
        return json.loads(told[0].removeprefix("STATES ")), written.read_text(), done.stdout + done.stderr

    return run


@pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])
def test_what_tasks_tell(oms, run, deferrable):
    states, written, output = run(DAG_FILE.replace("DEFERRABLE", str(deferrable)))
    assert states.pop("failing") == "failed"
    assert set(states.values()) == {"success"}, output[-5000:]
    events = [json.loads(line) for line in written.splitlines()]
    ours = [event for event in events if "." in event["job"]["name"]]
    for event in ours:
        check(event)

    # Start events have no lineage, nor have events of failed tasks.
    for event in ours:
        if event["eventType"] != "COMPLETE":
            assert (event["inputs"], event["outputs"]) == ([], []), event["job"]["name"]
            assert "oms_milestone" not in event["run"]["facets"]
    ended = {event["job"]["name"].split(".")[1]: event for event in ours if event["eventType"] == "COMPLETE"}
    assert set(ended) == set(states)
    assert [event["eventType"] for event in ours if event["job"]["name"].endswith(".failing")][-1] == "FAIL"

    named = {task: (_names(event["inputs"]), _names(event["outputs"])) for task, event in ended.items()}
    orders, lines = "shop.orders", "shop.lines"
    made = ([(SOURCE, orders)], [(SINK, "shop_ob.orders")])
    moved = ([(SOURCE, orders), (SOURCE, lines)], [(SINK, "shop_ob.orders"), (SINK, "shop_ob.order_lines")])
    assert named["create"] == named["start"] == made
    assert named["gate"] == moved
    assert named["back"] == (moved[1], moved[0])
    assert named["report"] == (moved[0] + moved[1], [])
    assert named["untold"] == ([], [])
    assert "The lineage of project np_odd has no tables." in output

    # The page shows two of the facets.
    shown = {block.title: json.loads(block.text) for block in blocks(DOCS / "lineage.md", "json") if block.title}
    assert shown == {f"{task}, done": as_shown(ended[task]) for task in ("gate", "report")}

    # The column lineage, where OMS lists the columns.
    for task, column_of in (("gate", {"id": "id", "customer": "cust"}), ("back", {"id": "id", "cust": "customer"})):
        with_columns, without = ended[task]["outputs"]
        fields = with_columns["facets"]["columnLineage"]["fields"]
        assert {name: [each["field"] for each in field["inputFields"]] for name, field in fields.items()} == {
            name: [source] for name, source in column_of.items()
        }
        assert "columnLineage" not in without.get("facets", {})

    # What the gate observed.
    seen = {task: event["run"]["facets"]["oms_milestone"] for task, event in ended.items()}
    shop = oms.project("shop").id
    assert seen["gate"]["project"] == shop
    assert seen["gate"]["oms"] == oms.url
    assert (seen["gate"]["task"], seen["gate"]["progress"]) == ("full_transfer", 100)
    assert seen["gate"]["description"].startswith("the full transfer at 100 %")
    assert seen["back"]["lag"] >= 0
    assert seen["untold"]["project"] == "np_odd"
    assert (seen["create"]["task"], seen["start"]["task"]) == ("create", "start")
    assert all("/schemas/OmsMilestoneRunFacet-1-0-0.json#" in facet["_schemaURL"] for facet in seen.values())

    # The result of the verification.
    facets = {dataset["name"]: dataset["inputFacets"] for dataset in ended["report"]["inputs"]}
    rows = {name: facet["dataQualityMetrics"]["rowCount"] for name, facet in facets.items()}
    assert rows == {orders: 7, lines: 4, "shop_ob.orders": 7, "shop_ob.order_lines": 4}
    verdicts = {
        name: [one["success"] for one in facet["dataQualityAssertions"]["assertions"]]
        for name, facet in facets.items()
        if "dataQualityAssertions" in facet
    }
    assert verdicts == {"shop_ob.orders": [True], "shop_ob.order_lines": [False]}

    # One request for each task that has succeeded.
    asked = [request for request in oms.requests if request.action == "DescribeProject"]
    assert len(asked) == len(ended)
    if airflow_version() < (3, 1):  # dag.test() of 3.0 logs texts that it is asked to mask: docs/versions.md
        output = "\n".join(line for line in output.splitlines() if "MaskSecret(" not in line)
    for secret in (*SECRETS, "the-oms-s3cr3t"):
        assert secret not in written
        assert secret not in output


def _names(datasets):
    return [(dataset["namespace"], dataset["name"]) for dataset in datasets]
