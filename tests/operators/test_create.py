"""Creating a project: once, checked before anything is sent, with names instead of ids."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.oms import OmsCreateProjectOperator, table, transfer_mapping
from airflow_provider_oms.simulator import DataSource, Fault, Project

MAPPING = transfer_mapping({"shop": ["orders"]})
#: What a create task says about an existing project in each state; None if it is accepted like a new one.
TAKEN = {
    "INIT": None,
    "RUNNING": "It is RUNNING.",
    "RUNNING_ALARMING": "It is RUNNING_ALARMING.",
    "SUSPEND": "It is SUSPEND. Resume it instead.",
    "FAILED": "It is FAILED. Resume it instead, once the cause is fixed.",
    "ODD": "It is ODD.",
}
REFUSED = ("FINISHED", "RELEASING", "RELEASED")


@pytest.fixture
def body(sim):
    """Return a body that OMS accepts, and its two data sources."""
    source = sim.add_data_source(DataSource(name="source", type="MYSQL"))
    sink = sim.add_data_source(DataSource(name="target", type="OB_MYSQL"))
    return {
        "name": "mover",
        "type": "MIGRATION",
        "sourceEndpointId": source,
        "sinkEndpointId": sink,
        "transferMapping": MAPPING,
        "enableFullTransfer": True,
    }


def test_once_and_twice(runner, sim, body):
    first = runner.run(OmsCreateProjectOperator, project=body)
    assert runner.asked() == ["ListProjects", "CreateProject"]
    assert first.error is None
    assert first.result == first.xcoms["project_id"] == sim.project("mover").id
    second = runner.run(OmsCreateProjectOperator, project=body)
    assert runner.asked() == ["ListProjects"]
    assert second.result == second.xcoms["project_id"] == first.result
    assert len(sim.projects) == 1


def in_state(sim, body, state):
    """Add the project that the body describes, in a state, and return its id."""
    ends = {"source_endpoint_id": body["sourceEndpointId"], "sink_endpoint_id": body["sinkEndpointId"]}
    return sim.add_project(Project(name="mover", status=state, **ends))


@pytest.mark.parametrize("state", TAKEN)
def test_a_project_that_is_there_is_taken_and_its_state_said(runner, sim, body, state, caplog, capfd):
    project_id = in_state(sim, body, state)
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert (run.error, run.result) == (None, project_id)
    assert runner.changes() == []
    said = caplog.text + capfd.readouterr().out
    assert f"project mover exists already, {project_id}. {TAKEN[state] or ''}".strip() in said
    assert ("It is" in said) == (TAKEN[state] is not None)


@pytest.mark.parametrize("state", REFUSED)
def test_a_project_that_can_not_be_started_any_more_is_not_taken(runner, sim, body, state):
    """It would be taken for the new one, and every gate after it would open at once."""
    project_id = in_state(sim, body, state)
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert f"Project mover ({project_id}) exists already. It is {state} and can't be started any more" in str(run.error)
    assert "project_id" not in run.xcoms
    assert runner.changes() == []


def test_a_deleted_namesake_is_no_project(runner, sim, body):
    in_state(sim, body, "DELETED")
    sim.set_answer("CreateProject", {"success": True, "data": "np_new"})
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert (run.error, run.result) == (None, "np_new")


def test_a_namesake_without_an_id_is_not_passed_over(runner, sim, body):
    """Without an id it isn't known whether it is the same, and no second one must be created."""
    sim.set_answer("ListProjects", {"success": True, "data": [{"name": "mover", "id": None}], "totalCount": 1})
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationError)
    assert "'mover' without an id" in str(run.error)
    assert runner.changes() == []


def test_a_name_that_contains_the_name_is_another(runner, sim, body):
    sim.add_project(Project(name="mover2"))
    assert runner.run(OmsCreateProjectOperator, project=body).error is None
    assert runner.changes() == ["CreateProject"]


@pytest.mark.parametrize("trait", ["type", "source", "target"])
def test_another_project_of_that_name(runner, sim, body, trait):
    there = Project(
        name="mover",
        type="SYNC" if trait == "type" else "MIGRATION",
        source_endpoint_id="e_other" if trait == "source" else body["sourceEndpointId"],
        sink_endpoint_id="e_other" if trait == "target" else body["sinkEndpointId"],
    )
    sim.add_project(there)
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert there.id in str(run.error)
    assert "Use another name" in str(run.error)
    assert runner.changes() == []


def test_a_project_whose_endpoints_oms_does_not_tell(runner, sim, body):
    """It isn't known to be the same, so it isn't accepted."""
    sim.add_project(Project(name="mover"))
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "unknown" in str(run.error)
    assert runner.asked() == ["ListProjects", "DescribeProject"]


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "cut_headers"])
def test_a_lost_answer(runner, sim, body, kind):
    sim.add_fault(Fault(kind, action="CreateProject", times=1))
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert (run.error, run.result) == (None, sim.project("mover").id)
    assert runner.asked() == ["ListProjects", "CreateProject", "ListProjects"]
    assert len(sim.projects) == 1


def test_a_request_that_never_arrived(runner, sim, body):
    sim.add_fault(Fault("reset_before", action="CreateProject", times=1))
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationError)
    assert "A retry checks first" in str(run.error)
    assert runner.changes() == ["CreateProject"]
    assert runner.run(OmsCreateProjectOperator, project=body).error is None
    assert len(sim.projects) == 1


def test_a_poll_that_fails_after_a_lost_answer(runner, sim, body):
    sim.add_fault(Fault("reset_after", action="CreateProject", times=1))
    sim.add_fault(Fault("status", status=503, action="ListProjects", after=1, times=1))
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationError)
    assert runner.changes() == ["CreateProject"]
    assert runner.run(OmsCreateProjectOperator, project=body).result == sim.project("mover").id
    assert len(sim.projects) == 1


def test_no_poll_no_project(runner, sim, body):
    sim.add_fault(Fault("status", status=503, action="ListProjects"))
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationError)
    assert sim.projects == {}


def test_oms_refuses(runner, sim, body):
    run = runner.run(OmsCreateProjectOperator, project={**body, "sourceEndpointId": "e_nowhere"})
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "The data source e_nowhere (sourceEndpointId) does not exist." in str(run.error)


def test_lineage_of_the_created_project_is_reported(runner, body, monkeypatch):
    extraction = pytest.importorskip("airflow_provider_oms.lineage.extraction")
    monkeypatch.setattr(extraction, "of_action", lambda *given: given)
    operator = OmsCreateProjectOperator(task_id="task", project=body)
    assert operator.get_openlineage_facets_on_complete(None) is None
    created = runner.go(operator).result
    assert operator.get_openlineage_facets_on_complete(None) == ("create", "oms_default", created)


def test_what_was_refused_for_its_sender_is_not_looked_for(runner, sim, body):
    """Nothing was lost, and nobody else can have created it first: a project of that name would be another one."""
    sim.add_fault(Fault("status", status=401, action="CreateProject"))
    run = runner.run(OmsCreateProjectOperator, project=body)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert runner.asked() == ["ListProjects", "CreateProject"]


class TestNames:
    """Names instead of ids."""

    @pytest.fixture
    def named(self, body):
        plain = {key: value for key, value in body.items() if key not in ("sourceEndpointId", "sinkEndpointId")}
        return {**plain, "sourceEndpointName": "source", "sinkEndpointName": "target"}

    def test_of_data_sources(self, runner, sim, body, named):
        run = runner.run(OmsCreateProjectOperator, project=named)
        assert run.error is None
        made = sim.project("mover").project
        assert (made.source_endpoint_id, made.sink_endpoint_id) == (body["sourceEndpointId"], body["sinkEndpointId"])
        sent = next(request.payload for request in sim.requests if request.action == "CreateProject")
        assert not {"sourceEndpointName", "sinkEndpointName", "labelNames"} & set(sent)

    def test_that_nobody_has(self, runner, named):
        run = runner.run(OmsCreateProjectOperator, project={**named, "sinkEndpointName": "tar"})
        assert isinstance(run.error, OmsOperationRefusedError)
        assert "no data source named 'tar' (sinkEndpointName)" in str(run.error)
        assert runner.changes() == []

    def test_that_two_have(self, runner, sim, named):
        sim.add_data_source(DataSource(name="target", type="OB_MYSQL"))
        run = runner.run(OmsCreateProjectOperator, project=named)
        assert "2 data sources named 'target'" in str(run.error)

    def test_of_labels(self, runner, sim, body):
        first, second = sim.add_label("nightly"), sim.add_label("shop")
        run = runner.run(OmsCreateProjectOperator, project={**body, "labelNames": ["shop"], "labelIds": [first]})
        assert run.error is None
        assert sim.project("mover").project.labels == [first, second]

    def test_of_a_label_that_is_not_there(self, runner, body):
        run = runner.run(OmsCreateProjectOperator, project={**body, "labelNames": ["shop"]})
        assert isinstance(run.error, OmsOperationRefusedError)
        assert "'shop' (labelNames)" in str(run.error)
        assert runner.changes() == []

    @pytest.mark.parametrize("kind", [None, "reset_after"])
    def test_of_a_label_that_is_to_be_created(self, runner, sim, body, kind):
        if kind:
            sim.add_fault(Fault(kind, action="CreateLabel", times=1))
        for _ in range(2):
            run = runner.run(
                OmsCreateProjectOperator, project={**body, "labelNames": ["shop"]}, create_labels=True
            )  # fmt: skip
            assert run.error is None
        assert [label.name for label in sim.labels.values()] == ["shop"]


class TestPrecheck:
    """OMS's check before a create."""

    def test_that_passes(self, runner, body):
        run = runner.run(OmsCreateProjectOperator, project=body, precheck=True)
        assert run.error is None
        asked = runner.asked()
        assert asked[:3] == ["ListProjects", "SubmitPreCheck", "GetPreCheckResult"]
        assert asked[-1] == "CreateProject"

    def test_of_a_project_that_is_there(self, runner, body):
        runner.run(OmsCreateProjectOperator, project=body)
        runner.run(OmsCreateProjectOperator, project=body, precheck=True)
        assert runner.asked() == ["ListProjects"]

    @pytest.mark.parametrize("status", ["preCheckStatus", "projectStatus"])
    def test_that_fails(self, runner, sim, body, status):
        items = [
            {"name": "Connectivity", "endpointType": "SOURCE", "status": "FINISHED"},
            {"name": "Binlog", "endpointType": "SOURCE", "status": "FAILED", "message": "binlog_format is STATEMENT"},
            {"name": "Tables", "endpointType": "DEST", "status": "FAILED", "message": "t1 exists", "skippable": True},
        ]
        answer = {"success": True, "data": {status: "FINISHED", "preCheckResults": items}}
        sim.set_answer("GetPreCheckResult", answer)
        run = runner.run(OmsCreateProjectOperator, project=body, precheck=True)
        assert isinstance(run.error, OmsOperationRefusedError)
        assert "Binlog (SOURCE): binlog_format is STATEMENT; Tables (DEST): t1 exists, may be skipped" in str(run.error)
        assert "Connectivity" not in str(run.error)
        assert "CreateProject" not in runner.asked()

    @pytest.mark.parametrize(
        "data",
        [
            {"preCheckStatus": "FAILED", "preCheckResults": None},
            {"preCheckStatus": "FINISHED", "preCheckResults": [{"name": "x", "status": "ODD"}]},
            {"preCheckStatus": "FINISHED", "preCheckResults": [{"name": "x"}]},
        ],
    )
    def test_fails_closed(self, runner, sim, body, data):
        sim.set_answer("GetPreCheckResult", {"success": True, "data": data})
        run = runner.run(OmsCreateProjectOperator, project=body, precheck=True)
        assert isinstance(run.error, OmsOperationRefusedError)
        assert sim.projects == {}

    @pytest.mark.parametrize("status", ["RUNNING", "PENDING", None, "ODD"])
    def test_that_never_ends(self, runner, sim, body, status):
        sim.set_answer("GetPreCheckResult", {"success": True, "data": {"preCheckStatus": status}})
        run = runner.run(OmsCreateProjectOperator, project=body, precheck=True, precheck_timeout=20)
        assert isinstance(run.error, OmsOperationError)
        assert "20 s (precheck_timeout)" in str(run.error)
        assert sim.projects == {}

    def test_with_an_oms_that_has_none(self, runner, sim, body):
        sim.add_fault(Fault("error", action="SubmitPreCheck", code="X", message="Unsupported action: SubmitPreCheck"))
        run = runner.run(OmsCreateProjectOperator, project=body, precheck=True)
        assert isinstance(run.error, OmsOperationRefusedError)
        assert "SubmitPreCheck" in str(run.error)
        assert sim.projects == {}


GOOD = {
    "name": "mover",
    "type": "MIGRATION",
    "sourceEndpointId": "e_1",
    "sinkEndpointId": "e_2",
    "transferMapping": MAPPING,
}
WRONG = [
    ({"name": None}, "name must be"),
    ({"name": "two words"}, "name must be text without blanks"),
    ({"type": "migration"}, "type must be MIGRATION or SYNC"),
    ({"sourceEndpointId": None}, "give sourceEndpointId or sourceEndpointName"),
    ({"sinkEndpointName": "x"}, "give sinkEndpointId or sinkEndpointName, not both"),
    ({"sinkEndpointId": " "}, "sinkEndpointId must be text"),
    ({"labelIds": 1}, "labelIds must be a list of texts"),
    ({"labelIds": {"a": 1}}, "labelIds must be a list of texts"),
    ({"labelNames": "None"}, "labelNames must be a list of texts"),
    ({"labelNames": ["nan"]}, "each of labelNames must be text that isn't empty"),
    ({"name": "None"}, "name must be text without blanks"),
    ({"sourceEndpointId": "null"}, "sourceEndpointId must be text that isn't empty"),
    ({"sinkEndpointId": "e 1"}, "sinkEndpointId must be an id of OMS"),
    ({"labelIds": ["a", "b", "c"], "labelNames": ["d", "e", "f"]}, "at most 5 labels; these are 6"),
    ({"transferMapping": None}, "transferMapping must be an object"),
    ({"transferMapping": {"mode": "ALL", "databases": [{"name": "x"}]}}, "transferMapping.mode must be SPECIFIC"),
    ({"transferMapping": {"mode": "SPECIFIC", "databases": []}}, "transferMapping.databases must list"),
    ({"transferMapping": {"mode": "SPECIFIC", "databases": [{}]}}, r"databases\[0\] must be an object with a name"),
    (
        {"transferMapping": {"mode": "SPECIFIC", "databases": [{"name": "x", "tables": ["t"]}]}},
        r"databases\[0\].tables must be a list of objects with names",
    ),
    ({"enableFullTransfer": "true"}, "enableFullTransfer must be true or false"),
    ({"fullTransferConfig": []}, "fullTransferConfig must be an object"),
    (
        {"incrTransferConfig": {"startTimestamp": 1}, "enableIncrTransfer": True, "enableFullTransfer": True},
        "incrTransferConfig.startTimestamp needs",
    ),
    ({"incrTransferConfig": {"storeLogKeptHour": 9000}}, "storeLogKeptHour must be a whole number from 1 to 8760"),
    ({"incrTransferConfig": {"incrSyncConcurrency": "64"}}, "incrSyncConcurrency must be a whole number"),
    ({"incrTransferConfig": {"recordTypeWhiteList": "INSERT"}}, "recordTypeWhiteList must be a list"),
    ({"enable_full_transfer": True}, "enable_full_transfer must be written enableFullTransfer"),
    ({"EnableFullTransfer": True}, "EnableFullTransfer must be written enableFullTransfer"),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
class TestWhatOmsWouldRefuse:
    """Errors that are found without asking OMS; the message names the key."""

    def test_while_the_dag_is_parsed(self, change, words):
        with pytest.raises(ValueError, match=words):
            OmsCreateProjectOperator(task_id="task", project={**GOOD, **change})

    def test_while_it_runs(self, runner, change, words):
        import re

        operator = OmsCreateProjectOperator(task_id="task", project="{{ body }}")
        operator.project = json.dumps({**GOOD, **change})
        run = runner.go(operator)
        assert isinstance(run.error, OmsOperationRefusedError)
        assert re.search(words, str(run.error))
        assert runner.asked() == []


@pytest.mark.parametrize(
    "config",
    [{"storeLogKeptHour": 1, "incrSyncConcurrency": 1}, {"storeLogKeptHour": 8760, "incrSyncConcurrency": 1024}],
)
def test_the_ends_of_a_range_are_in_it(runner, body, config):
    assert runner.run(OmsCreateProjectOperator, project={**body, "incrTransferConfig": config}).error is None


def test_every_problem_is_reported_at_once():
    with pytest.raises(ValueError, match=r"name must be.*type must be.*give sinkEndpointId") as caught:
        OmsCreateProjectOperator(task_id="task", project={"sourceEndpointId": "e_1"})
    assert "transferMapping" in str(caught.value)


def test_keys_that_are_not_known_are_sent(runner, sim, body):
    runner.run(OmsCreateProjectOperator, project={**body, "workerGradeId": "g_1"})
    assert next(r for r in sim.requests if r.action == "CreateProject").payload["workerGradeId"] == "g_1"


@pytest.mark.parametrize("text", ["{", "[]", "1", "null", ""])
def test_a_file_that_is_no_object(runner, text):
    operator = OmsCreateProjectOperator(task_id="task", project="body.json")
    operator.project = text
    assert isinstance(runner.go(operator).error, OmsOperationRefusedError)


def test_a_templated_file(runner, sim, body, tmp_path):
    from datetime import datetime

    from airflow.providers.common.compat.sdk import DAG

    (tmp_path / "body.json").write_text(json.dumps({**body, "name": "mover_{{ part }}"}))
    with DAG("d", schedule=None, start_date=datetime(2025, 1, 1), template_searchpath=str(tmp_path)):
        operator = OmsCreateProjectOperator(task_id="task", project="body.json")
    operator.render_template_fields({"part": "7"})
    assert runner.go(operator).error is None
    assert sim.project("mover_7")


@pytest.mark.parametrize("key", ["name of a table", "name of a database", "whereClause", "a key that isn't known"])
def test_a_text_in_the_body_that_ends_like_a_path_is_none(runner, sim, body, key):
    """Airflow would look for a template file of that name."""
    from datetime import datetime

    from airflow.providers.common.compat.sdk import DAG

    text = "{{ part }}.json"
    mapping = {
        "name of a table": transfer_mapping({"shop": [text]}),
        "name of a database": transfer_mapping({text: ["orders"]}),
        "whereClause": transfer_mapping({"shop": [table("orders", where=f"file = {text}")]}),
    }.get(key, MAPPING)
    given = {**body, "transferMapping": mapping, "note": text}
    with DAG("d", schedule=None, start_date=datetime(2025, 1, 1)):
        operator = OmsCreateProjectOperator(task_id="task", project=given, oms_conn_id="x.json")
    operator.render_template_fields({"part": "7"})
    assert operator.project["note"] == "7.json"
    assert "7.json" in json.dumps(operator.project["transferMapping"]) or key.startswith("a key")
    assert operator.oms_conn_id == "x.json"


def test_a_mapped_path_is_one(body, tmp_path):
    """As in ``expand(project=["one.json", "two.json"])``, whose items Airflow sets before it renders them."""
    from datetime import datetime

    from airflow.providers.common.compat.sdk import DAG

    (tmp_path / "one.json").write_text(json.dumps({**body, "name": "mover_{{ part }}"}))
    with DAG("d", schedule=None, start_date=datetime(2025, 1, 1), template_searchpath=str(tmp_path)):
        operator = OmsCreateProjectOperator(task_id="task", project=body)
    operator.project = " one.json"
    operator.render_template_fields({"part": "7"})
    assert json.loads(operator.project)["name"] == "mover_7"


@pytest.mark.parametrize(
    "text", ["nightly, weekly", '["nightly", "weekly"]', "['nightly', 'weekly']", "('nightly', 'weekly')"]
)
@pytest.mark.parametrize("key", ["labelIds", "labelNames"])
def test_labels_that_a_template_made_text_of(runner, sim, body, key, text):
    labels = {name: sim.add_label(name) for name in ("nightly", "weekly")}
    if key == "labelIds":
        for name, label in labels.items():
            text = text.replace(name, label)
    operator = OmsCreateProjectOperator(task_id="task", project={**body, key: "{{ labels }}"})
    operator.render_template_fields({"labels": text})
    assert runner.go(operator).error is None
    sent = next(request for request in sim.requests if request.action == "CreateProject").payload
    assert sent["labelIds"] == list(labels.values())
