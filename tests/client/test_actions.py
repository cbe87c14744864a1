"""The request of every action, byte by byte where it matters, and the result for its answer."""

import contextlib
import json
from base64 import b64decode

import pytest
from client_support import CLIENTS, RawServer, ask, http

from airflow_provider_oms.client import actions, models
from airflow_provider_oms.client.errors import OmsError, OmsInvalidRequestError, OmsMalformedAnswerError
from airflow_provider_oms.client.fields import Model
from airflow_provider_oms.client.operations import AsyncOperations, Operations
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.sync import OmsClient

SETTINGS = ClientSettings("http://oms:8089", login="Ümit", password="pä:ss", retries=0)
AUTHORIZATION = "Basic w5xtaXQ6cMOkOnNz"  # printf 'Ümit:pä:ss' | base64
V2 = "http://oms:8089/api/v2?Action="

#: method, arguments, keyword arguments, action, body
SENT = [
    ("call", ["SomethingNew", {"a": None}], {}, "SomethingNew", {"a": None}),
    ("call", ["SomethingNew"], {"reads_only": True}, "SomethingNew", {}),
    ("describe_project_progress", ["np_1"], {}, "DescribeProjectProgress", {"id": "np_1"}),
    ("describe_project_progress", ["np_1", "SYNC"], {}, "DescribeProjectProgress", {"id": "np_1"}),
    ("describe_project_steps", ["np_1"], {}, "DescribeProjectSteps", {"id": "np_1"}),
    ("describe_project", ["np_1"], {}, "DescribeProject", {"id": "np_1"}),
    ("describe_project_components", ["np_1"], {}, "DescribeProjectComponents", {"id": "np_1"}),
    (
        "describe_project_step_metric",
        ["np_1", "FULL_TRANSFER", "RPS", 100, 3700],
        {"max_point_num": 20},
        "DescribeProjectStepMetric",
        {
            "projectId": "np_1",
            "stepName": "FULL_TRANSFER",
            "metricType": "RPS",
            "aggregator": "AVG",
            "beginTimestamp": 100,
            "endTimestamp": 3700,
            "maxPointNum": 20,
        },
    ),
    ("list_projects", [], {}, "ListProjects", {"pageNumber": 1, "pageSize": 100}),
    (
        "list_projects",
        ["orders"],
        {
            "project_type": "MIGRATION",
            "statuses": ("RUNNING", "FAILED"),
            "label_ids": ["l_1"],
            "source_endpoint_types": ["MYSQL"],
            "sink_endpoint_types": ["OB_MYSQL"],
            "visible_sub_project": False,
            "sort_field": "gmtModified",
            "order": "descend",
            "page_size": 7,
        },
        "ListProjects",
        {
            "searchKey": "orders",
            "type": "MIGRATION",
            "status": ["RUNNING", "FAILED"],
            "labelIds": ["l_1"],
            "sourceEndpointTypes": ["MYSQL"],
            "sinkEndpointTypes": ["OB_MYSQL"],
            "visibleSubProject": False,
            "sortField": "gmtModified",
            "order": "descend",
            "pageNumber": 1,
            "pageSize": 7,
        },
    ),
    ("create_project", [{"name": "p", "x": [1]}], {}, "CreateProject", {"name": "p", "x": [1]}),
    ("start_project", ["np_1"], {}, "StartProject", {"id": "np_1"}),
    ("stop_project", ["np_1"], {}, "StopProject", {"id": "np_1"}),
    ("resume_project", ["np_1"], {}, "ResumeProject", {"id": "np_1"}),
    ("release_project", ["np_1"], {}, "ReleaseProject", {"id": "np_1"}),
    ("delete_project", ["np_1"], {}, "DeleteProject", {"id": "np_1"}),
    ("advance_project", ["np_1"], {}, "AdvanceProject", {"id": "np_1"}),
    (
        "update_project_config",
        ["np_1", {"fullTransferConfig": {"throttleRps": 9}, "id": "another"}],
        {},
        "UpdateProjectConfig",
        {"id": "np_1", "fullTransferConfig": {"throttleRps": 9}},
    ),
    (
        "reset_incr_start_timestamp",
        ["np_1", 1700000000],
        {"reverse": True},
        "ResetIncrStartTimestamp",
        {"id": "np_1", "reverse": True, "startTimestamp": 1700000000},
    ),
    (
        "create_project_modify_records",
        ["np_1", ({"name": "shop", "tables": [{"name": "t"}]},)],
        {},
        "CreateProjectModifyRecords",
        {"id": "np_1", "databases": [{"name": "shop", "tables": [{"name": "t"}]}]},
    ),
    ("list_project_modify_records", ["np_1"], {}, "ListProjectModifyRecords", {"id": "np_1"}),
    ("cancel_project_modify_record", ["45"], {}, "CancelProjectModifyRecord", {"id": "45"}),
    ("stop_project_modify_records", ["45"], {}, "StopProjectModifyRecords", {"id": "45"}),
    ("retry_project_modify_records", ["45"], {}, "RetryProjectModifyRecords", {"id": "45"}),
    ("start_projects_by_label", ["l_1"], {}, "StartProjectsByLabel", {"id": "l_1"}),
    ("stop_projects_by_label", ["l_1"], {}, "StopProjectsByLabel", {"id": "l_1"}),
    ("submit_pre_check", [{"name": "p"}], {}, "SubmitPreCheck", {"name": "p"}),
    ("get_pre_check_result", ["pc_1"], {}, "GetPreCheckResult", {"id": "pc_1"}),
    (
        "list_project_full_verify_result",
        ["np_1"],
        {"source_schemas": ["a"], "dest_schemas": ["b"], "statuses": ["FINISHED"]},
        "ListProjectFullVerifyResult",
        {
            "projectId": "np_1",
            "sourceSchemas": ["a"],
            "destSchemas": ["b"],
            "status": ["FINISHED"],
            "pageNumber": 1,
            "pageSize": 100,
        },
    ),
    (
        "list_full_verify_inconsistencies_result",
        ["np_1", "a", "t"],
        {},
        "ListFullVerifyInconsistenciesResult",
        {"projectId": "np_1", "schema": "a", "table": "t", "pageNumber": 1, "pageSize": 100},
    ),
    (
        "list_full_verify_corrections_result",
        ["np_1", "a", "t"],
        {"page_size": 5},
        "ListFullVerifyCorrectionsResult",
        {"projectId": "np_1", "schema": "a", "table": "t", "pageNumber": 1, "pageSize": 5},
    ),
    (
        "create_mysql_data_source",
        ["src"],
        {"ip": "db", "port": 3306, "username": "u", "password": "geheim", "schema": "s", "try_keep_hb": False},
        "CreateMySqlDataSource",
        {
            "name": "src",
            "ip": "db",
            "port": 3306,
            "username": "u",
            "password": "Z2VoZWlt",
            "schema": "s",
            "tryKeepHb": False,
        },
    ),
    (
        "create_oceanbase_data_source",
        ["dst"],
        {
            "tenant": "t",
            "cluster": "c",
            "ip": "db",
            "port": 2883,
            "username": "u",
            "password": "geheim",
            "data_source_type": "OB_MYSQL_CE",
            "ocp_name": "o",
            "config_url": "http://c",
            "drc_username": "d",
            "drc_password": "geheim2",
            "inner_drc_password": "",
        },
        "CreateOceanBaseDataSource",
        {
            "name": "dst",
            "type": "OB_MYSQL_CE",
            "tenant": "t",
            "cluster": "c",
            "ip": "db",
            "port": 2883,
            "userName": "u",
            "password": "Z2VoZWlt",
            "ocpName": "o",
            "configUrl": "http://c",
            "drcUserName": "d",
            "drcPassword": "Z2VoZWltMg==",
            "innerDrcPassword": "",
        },
    ),
    (
        "create_kafka_data_source",
        ["k"],
        {
            "endpoint": "k1:9092,k2:9092",
            "region": "r",
            "enable_ssl": True,
            "cert_ssl_id": "9",
            "enable_sasl": True,
            "sasl_mechanism": "SCRAM_SHA_256",
            "username": "u",
            "password": "geheim",
        },
        "CreateKafkaDataSource",
        {
            "name": "k",
            "endpoint": "k1:9092,k2:9092",
            "region": "r",
            "enableSSL": True,
            "certSSLId": "9",
            "enableSASL": True,
            "saslMechanism": "SCRAM_SHA_256",
            "username": "u",
            "password": "Z2VoZWlt",
        },
    ),
    (
        "create_kafka_data_source",
        ["k"],
        {
            "endpoint": "k1:9092",
            "enable_sasl": True,
            "sasl_mechanism": "GSSAPI",
            "kdc_path": "kdc",
            "sasl_kerberos_principal": "p",
            "service_name": "kafka",
        },
        "CreateKafkaDataSource",
        {
            "name": "k",
            "endpoint": "k1:9092",
            "enableSASL": True,
            "saslMechanism": "GSSAPI",
            "kdcPath": "kdc",
            "saslKerberosPrincipal": "p",
            "serviceName": "kafka",
        },
    ),
    (
        "create_oceanbase_odp_data_source",
        ["o"],
        {
            "url": "http://gateway",
            "username": "u@t#c",
            "password": "geheim",
            "access_key": "ak",
            "secret_key": "geheimer",
            "odp": "odp:2883",
            "route": "MiddleWareCluster-ODP",
            "instance_id": "odp-1",
            "middleware_instance_id": "000001",
            "description": "d",
            "drc_username": "d",
            "drc_password": "geheim",
        },
        "CreateOceanBaseODPDataSource",
        {
            "name": "o",
            "url": "http://gateway",
            "userName": "u@t#c",
            "password": "Z2VoZWlt",
            "accessKey": "ak",
            "secretKey": "geheimer",
            "obProxy": "odp:2883",
            "route": "MiddleWareCluster-ODP",
            "instanceId": "odp-1",
            "middlewareInstanceId": "000001",
            "description": "d",
            "drcUserName": "d",
            "drcPassword": "Z2VoZWlt",
        },
    ),
    (
        "create_polardb_data_source",
        ["p"],
        {
            "username": "u",
            "password": "geheim",
            "access_key": "ak",
            "secret_key": "geheimer",
            "intranet_addr": "db:3306",
            "region": "cn-anhui",
        },
        "CreatePilarDBDataSource",
        {
            "name": "p",
            "username": "u",
            "password": "Z2VoZWlt",
            "accessKey": "ak",
            "secretKey": "geheimer",
            "intranetAddr": "db:3306",
            "region": "cn-anhui",
        },
    ),
    ("list_data_source", ["e_1"], {}, "ListDataSource", {"searchKey": "e_1", "pageNumber": 1, "pageSize": 10}),
    (
        "list_data_source",
        [],
        {"types": ["MYSQL"]},
        "ListDataSource",
        {"types": ["MYSQL"], "pageNumber": 1, "pageSize": 10},
    ),
    ("delete_data_source", ["e_1"], {}, "DeleteDataSource", {"id": "e_1"}),
    ("create_label", ["blue"], {}, "CreateLabel", {"name": "blue"}),
    ("list_all_labels", [], {}, "ListAllLabels", {}),
    ("describe_regions", [], {}, "DescribeRegions", {}),
    (
        "update_store",
        ["k", "r", {"a": 1}],
        {},
        "UpdateStore",
        {"dimension": "NAME", "key": "k", "cmRegion": "r", "config": {"a": 1}},
    ),
    (
        "update_full_import",
        ["k", "r", {}],
        {"allow_delete": False},
        "UpdateFullImport",
        {"dimension": "NAME", "key": "k", "cmRegion": "r", "config": {}, "allowDelete": False},
    ),
    (
        "update_incr_sync",
        ["k", "r", {}, "IP"],
        {},
        "UpdateIncrSync",
        {"dimension": "IP", "key": "k", "cmRegion": "r", "config": {}},
    ),
    (
        "update_full_verification",
        ["k", "r", {}],
        {},
        "UpdateFullVerification",
        {"dimension": "NAME", "key": "k", "cmRegion": "r", "config": {}},
    ),
]

READS = {name for name in dir(Operations) if name.startswith(("describe_", "list_", "get_"))}
METHODS = {name for name in vars(Operations) if not name.startswith("_")}


def send(name, *args, **kwargs):
    """Call a method of the client; if it returns an iterator, exhaust it."""
    with OmsClient(SETTINGS) as client:
        result = getattr(client, name)(*args, **kwargs)
        return list(result) if hasattr(result, "__next__") else result


def test_the_table_is_whole():
    assert {case[0] for case in SENT} == METHODS
    assert {name for name in vars(AsyncOperations) if not name.startswith("_")} == {f"a{name}" for name in METHODS}


@pytest.mark.parametrize(("name", "args", "kwargs", "action", "body"), SENT)
def test_the_request(name, args, kwargs, action, body, requests_mock):
    requests_mock.post(f"{V2}{action}", json={"success": True, "data": None, "totalCount": 0})

    with contextlib.suppress(OmsMalformedAnswerError):  # null isn't a valid answer of every action
        send(name, *args, **kwargs)

    sent = requests_mock.request_history[0]
    assert (sent.method, sent.url) == ("POST", f"{V2}{action}")
    assert json.loads(sent.body) == body
    assert sent.headers["Authorization"] == AUTHORIZATION
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Accept"] == "application/json"
    assert "Cookie" not in sent.headers
    assert len(requests_mock.request_history) == 1


@pytest.mark.parametrize(("name", "args", "kwargs", "action", "body"), SENT)
def test_whether_it_may_be_sent_again(name, args, kwargs, action, body):
    call = getattr(actions, name)(*args, **kwargs)

    call = call.page(1) if hasattr(call, "page") else call
    assert call.reads_only is (name in READS or kwargs.get("reads_only", False))


@pytest.mark.parametrize(("name", "args", "kwargs", "action", "body"), SENT)
def test_a_call_shows_no_payload(name, args, kwargs, action, body):
    call = getattr(actions, name)(*args, **kwargs)

    for shown in (repr(call), str(call), repr(call.page(1)) if hasattr(call, "page") else call.asked):
        assert action in shown
        assert "geheim" not in shown
        assert "Z2VoZWlt" not in shown


@pytest.mark.parametrize(
    ("project_type", "path"),
    [("MIGRATION", "/api/omsp/v2/migrations/p_1-x/progress"), ("SYNC", "/api/omsp/v2/sync/p_1-x/progress")],
)
def test_the_requests_of_v3(project_type, path, requests_mock):
    requests_mock.get(f"http://oms:8089{path}", json={"success": True, "data": {"status": "RUNNING"}})

    with OmsClient(ClientSettings("http://oms:8089", "Ümit", "pä:ss", api_version="v3")) as client:
        progress = client.describe_project_progress("p_1-x", project_type)

    assert progress.status == "RUNNING"
    sent = requests_mock.last_request
    assert (sent.method, sent.url, sent.body) == ("GET", f"http://oms:8089{path}", None)
    assert sent.headers["Authorization"] == AUTHORIZATION


def test_a_path_before_the_api(requests_mock):
    requests_mock.post("https://proxy:443/oms/api/v2?Action=ListAllLabels", json={"success": True, "data": []})

    with OmsClient(ClientSettings("https://proxy:443/oms")) as client:
        assert client.list_all_labels() == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "project_id",
    ["../np_1", "np_1/../../x", "np_1?x=1", "np_1#x", "np_1%2f", "a b", "np_1\n", "np_1\r\nX: y", "ñp", "a" * 129],
)
def test_ids_that_would_change_the_url(project_id, client):
    with RawServer(http(b"{}")) as server:
        settings = ClientSettings(server.url, api_version="v3", retries=0)
        with pytest.raises(OmsInvalidRequestError, match="isn't a project id"):
            ask(client, settings, actions.describe_project_progress(project_id))

        assert server.requests == []


ABOUT_A_PROJECT = [case for case in SENT if case[1][:1] == ["np_1"]]


@pytest.mark.parametrize(("name", "args"), [(case[0], case[1]) for case in ABOUT_A_PROJECT])
@pytest.mark.parametrize("project_id", ["", "  ", None, 7, ["np_1"]])
def test_ids_that_are_none(project_id, name, args):
    with pytest.raises(OmsInvalidRequestError, match="project_id must be the id of a project"):
        getattr(actions, name)(project_id, *args[1:])


@pytest.mark.parametrize("action", ["", "List&x=1", "List Projects", "../x", "Ünsinn", "List\n"])
def test_actions_that_are_none(action):
    with pytest.raises(OmsInvalidRequestError, match="action must be the name of an OMS action"):
        actions.call(action)


@pytest.mark.parametrize("project_type", ["VERIFY", "migration", "", None])
def test_project_types_that_are_none(project_type):
    with pytest.raises(OmsInvalidRequestError, match="project_type must be MIGRATION or SYNC"):
        actions.describe_project_progress("np_1", project_type)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"x"])
def test_payloads_that_are_no_json(value, client):
    with pytest.raises(OmsInvalidRequestError, match="SomethingNew: the request can't be written as JSON"):
        ask(client, ClientSettings("http://127.0.0.1:1"), actions.call("SomethingNew", {"a": value}))


def test_passwords_of_data_sources():
    call = actions.create_mysql_data_source("n", ip="i", port=1, username="u", password="pässwörd 密码")

    assert b64decode(call.payload["password"]).decode() == "pässwörd 密码"


def test_a_password_that_is_no_text_is_not_shown():
    with pytest.raises(OmsInvalidRequestError, match="can't be written as UTF-8") as caught:
        actions.create_mysql_data_source("n", ip="i", port=1, username="u", password="geheim\udc80")

    assert "geheim" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("case", SENT, ids=lambda case: case[0])
def test_both_clients_send_the_same(case):
    """Over a socket: the request line, the headers that OMS reads, and the body."""
    name, args, kwargs, _, _ = case
    call = getattr(actions, name)(*args, **kwargs)
    call = call.page(1) if hasattr(call, "page") else call
    observed = []
    with RawServer(http(b'{"success": false}')) as server:
        for client in CLIENTS:
            settings = ClientSettings(server.url, "Ümit", "pä:ss", retries=0)
            with pytest.raises(OmsError):
                ask(client, settings, call)
            head, _, body = server.requests[-1].partition(b"\r\n\r\n")
            first, *rest = head.decode().split("\r\n")
            headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in rest)}
            kept = ("host", "authorization", "content-type", "content-length", "accept", "user-agent", "cookie")
            observed.append((first, {key: headers.get(key) for key in kept}, body))

    assert observed[0] == observed[1]
    assert observed[0][1]["authorization"] == AUTHORIZATION


# The results for the answers

STEP = {"order": 1, "name": "FULL_TRANSFER", "status": "RUNNING", "progress": 50}


@pytest.mark.parametrize(
    ("call", "data", "type_", "length"),
    [
        (actions.describe_project_progress("p"), {"status": "INIT"}, models.ProjectProgress, None),
        (actions.describe_project_progress("p"), [{"status": "INIT"}], models.ProjectProgress, None),
        (actions.describe_project("p"), [{"id": "p"}], models.Project, None),
        (actions.describe_project("p"), {"id": "p"}, models.Project, None),
        (actions.describe_project_steps("p"), [STEP, STEP], models.Step, 2),
        (actions.describe_project_steps("p"), STEP, models.Step, 1),
        (actions.describe_project_steps("p"), None, None, 0),
        (actions.describe_project_components("p"), {"storeList": []}, models.ProjectComponents, None),
        (actions.describe_project_step_metric("p", "s", "m", 1, 2), {"metrics": None}, models.StepMetric, None),
        (actions.get_pre_check_result("c"), {"preCheckStatus": "RUNNING"}, models.PreCheckResult, None),
        (actions.start_projects_by_label("l"), {"total": 0}, models.LabelOutcome, None),
        (actions.list_all_labels(), [{"id": "l", "name": "n"}], models.Label, 1),
        (actions.describe_regions(), [{"id": 1}], models.Region, 1),
        (actions.list_project_modify_records("p"), [{"id": 45, "status": "RUNNING"}], models.ModifyRecord, 1),
        (actions.create_project_modify_records("p", []), 45, str, None),
        (actions.create_project({}), "np_1", str, None),
        (actions.create_project({}), 17, str, None),
        (actions.call("X"), [1, None], list, None),
    ],
)
def test_the_answer(call, data, type_, length, requests_mock):
    requests_mock.post(f"{V2}{call.action}", json={"success": True, "data": data})

    with OmsClient(SETTINGS) as client:
        read = client.send(call).data

    if length is None:
        assert isinstance(read, type_)
        if isinstance(read, Model):
            assert read.raw == (data[0] if isinstance(data, list) else data)
    else:
        assert len(read) == length
        assert all(isinstance(row, type_) for row in read)


@pytest.mark.parametrize(
    ("call", "data", "wanted"),
    [
        (actions.describe_project_progress("p"), None, "one object"),
        (actions.describe_project_progress("p"), [], "one object"),
        (actions.describe_project_progress("p"), [{}, {}], "one object"),
        (actions.describe_project_progress("p"), "RUNNING", "a list of objects"),
        (actions.describe_project_progress("p"), [["RUNNING"]], "a list of objects"),
        (actions.describe_project_steps("p"), [STEP, None], "a list of objects"),
        (actions.describe_project_steps("p"), True, "a list of objects"),
        (actions.create_project({"name": "p"}), None, "an id"),
        (actions.create_project({"name": "p"}), "", "an id"),
        (actions.create_project({"name": "p"}), " \t", "an id"),
        (actions.create_project({"name": "p"}), True, "an id"),
        (actions.create_project({"name": "p"}), {"id": "np_1"}, "an id"),
        (actions.create_label("l"), 1.5, "an id"),
    ],
)
def test_answers_that_cannot_be(call, data, wanted, requests_mock):
    requests_mock.post(f"{V2}{call.action}", json={"success": True, "data": data})

    with OmsClient(SETTINGS) as client, pytest.raises(OmsMalformedAnswerError) as caught:
        client.send(call)

    assert str(caught.value) == f"{call.asked}: OMS reported success, but what it sent is not {wanted}."


def test_records_that_are_not_all_of_them_are_not_believed(requests_mock):
    rows = [{"id": 45, "status": "SUCCESS"}]
    requests_mock.post(f"{V2}ListProjectModifyRecords", json={"success": True, "data": rows, "totalCount": 2})

    with pytest.raises(OmsMalformedAnswerError, match="what it sent is not a list of all 2 rows"):
        send("list_project_modify_records", "np_1")


def test_corrections_are_texts(requests_mock):
    requests_mock.post(
        f"{V2}ListFullVerifyCorrectionsResult", json={"success": True, "data": ["DELETE ..."], "totalCount": 1}
    )
    assert send("list_full_verify_corrections_result", "p", "s", "t") == ["DELETE ..."]

    requests_mock.post(f"{V2}ListFullVerifyCorrectionsResult", json={"success": True, "data": [{"sql": "x"}]})
    with pytest.raises(OmsMalformedAnswerError, match="a list of SQL statements"):
        send("list_full_verify_corrections_result", "p", "s", "t")
