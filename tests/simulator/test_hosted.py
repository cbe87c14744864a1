"""The form of Alibaba Cloud: authentication, reading parameters, writing answers."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import requests

from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator, hosted
from airflow_provider_oms.simulator.signature import SignedRequest, sign

from .conftest import START

KEY, SECRET = "LTAI-simulated", "not-a-secret"


@pytest.fixture
def sim():
    with Simulator(clock=Clock(speed=0, start=START), api="alibaba_cloud", login=KEY, password=SECRET) as made:
        yield made


def signed_headers(sim, action, body, **changed) -> dict[str, str]:
    headers = {
        "host": f"{sim.host}:{sim.port}",
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-action": action,
        "x-acs-version": "2019-09-01",
        "x-acs-date": datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    headers = {name: value for name, value in headers.items() if value is not None}
    names = tuple(sorted(headers))
    found = sign(SignedRequest("POST", "/", "", headers, body), names, SECRET)
    credential = f"Credential={KEY},SignedHeaders={';'.join(names)},Signature={found}"
    return headers | {"Authorization": f"ACS3-HMAC-SHA256 {credential}"}


def post(sim, action, form=(), **changed) -> requests.Response:
    body = urlencode(form).encode()
    return requests.post(sim.url, data=body, headers=signed_headers(sim, action, body, **changed), timeout=60)


def test_a_call_and_its_answer(sim):
    project = sim.add_project(Project(name="shop", status="RUNNING", step="INCR_TRANSFER"))
    response = post(sim, "DescribeProjectProgress", {"Id": project})
    answer = response.json()
    assert response.status_code == 200
    assert (answer["Success"], answer["Data"]["ProjectId"], answer["Data"]["Status"]) == (True, project, "RUNNING")
    (asked,) = sim.requests
    assert (asked.action, asked.project_id, asked.payload) == ("DescribeProjectProgress", project, {"id": project})


def test_oms_says_no_as_ever(sim):
    response = post(sim, "StartProject", {"Id": "np_nope"})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["Success"], answer["Code"]) == (False, "GHANA-PROJECT000001")
    assert "np_nope" in answer["ErrorDetail"]["Message"]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"x_acs_action": None}, 400, "MissingParameter"),
        ({"x_acs_signature_nonce": None}, 400, "MissingParameter"),
        ({"x_acs_version": "2019-09-02"}, 404, "InvalidVersion"),
        ({"x_acs_date": "yesterday"}, 400, "InvalidTimeStamp.Format"),
        ({"x_acs_date": "2020-01-01T00:00:00Z"}, 400, "IllegalTimestamp"),
        ({"x_acs_content_sha256": "0" * 64}, 400, "SignatureDoesNotMatch"),
        ({"x_acs_action": "AdvanceProject"}, 404, "InvalidAction.NotFound"),
        ({"x_acs_action": "DescribeRegions"}, 404, "InvalidAction.NotFound"),
        ({"x_acs_security_token": "t"}, 400, "InvalidSecurityToken.MismatchWithAccessKey"),
    ],
)
def test_who_may_not_come_in(sim, changed, status, code):
    response = post(sim, "ListProjects", **changed)
    assert (response.status_code, response.json()["Code"]) == (status, code)
    assert response.json()["RequestId"]
    assert SECRET not in response.text
    assert not sim.requests[0].executed


@pytest.mark.parametrize(
    ("off", "code"), [(-901, "IllegalTimestamp"), (-900, None), (900, None), (901, "IllegalTimestamp")]
)
def test_a_date_may_be_off_by_fifteen_minutes(sim, off, code):
    sim.gateway.now = lambda: START
    date = datetime.fromtimestamp(START + off, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert post(sim, "ListAllLabels", x_acs_date=date).json()["Code"] == code


def test_a_request_works_once(sim):
    headers = signed_headers(sim, "ListAllLabels", b"")
    codes = [requests.post(sim.url, headers=headers, timeout=60).json()["Code"] for _ in range(2)]
    assert codes == [None, "SignatureNonceUsed"]


def test_http_basic_and_the_other_endpoints_are_not_served(sim):
    response = requests.post(sim.url, auth=(KEY, SECRET), timeout=60)
    assert response.json()["Code"] == "MissingParameter"
    response = requests.post(f"{sim.url}/api/v2?Action=ListProjects", auth=(KEY, SECRET), json={}, timeout=60)
    assert response.status_code == 404
    with Simulator() as other:
        assert post(other, "ListProjects").status_code == 404


def test_a_key_that_is_not_known_is_said_before_a_wrong_signature(sim):
    headers = signed_headers(sim, "ListProjects", b"")
    headers["Authorization"] = headers["Authorization"].replace(KEY, "LTAI-other")
    response = requests.post(sim.url, headers=headers, timeout=60)
    assert (response.status_code, response.json()["Code"]) == (404, "InvalidAccessKeyId.NotFound")


def test_rights(sim):
    sim.gateway.forbidden = {"StopProject"}
    assert post(sim, "StopProject", {"Id": "np_x"}).status_code == 403
    assert post(sim, "StartProject", {"Id": "np_x"}).status_code == 200


@pytest.mark.parametrize(
    ("given", "code", "status"), [({}, "Throttling.User", 400), ({"code": "X", "status": 503}, "X", 503)]
)
def test_the_gateway_says_no_on_demand(sim, given, code, status):
    sim.add_fault(Fault("gateway", times=1, **given))
    response = post(sim, "ListProjects")
    assert (response.status_code, response.json()["Code"]) == (status, code)
    assert post(sim, "ListProjects").status_code == 200


def test_the_other_faults_speak_pascal_case_here(sim):
    sim.add_fault(Fault("error", code="GHANA-OPERAT000001"))
    assert post(sim, "ListProjects").json()["ErrorDetail"]["Code"] == "GHANA-OPERAT000001"


def test_parameters():
    form = {
        "PageNumber": "2",
        "NeedRelatedInfo": "True",
        "EnableFullTransfer": "false",
        "SearchKey": "true",
        "Status": '["RUNNING"]',
        "TransferMapping": '{"Databases": [{"Name": "a", "Tables": [{"WhereClause": "X=1"}]}]}',
        "Name": "42",
    }
    assert hosted.payload("ListProjects", urlencode(form).encode()) == {
        "pageNumber": 2,
        "needRelatedInfo": True,
        "enableFullTransfer": False,
        "searchKey": "true",
        "status": ["RUNNING"],
        "transferMapping": {"databases": [{"name": "a", "tables": [{"whereClause": "X=1"}]}]},
        "name": "42",
    }
    assert hosted.payload("ListProjectFullVerifyResult", b"Status=FINISHED") == {"status": "FINISHED"}


@pytest.mark.parametrize(
    "form", [{"PageNumber": "one"}, {"EnableFullTransfer": "yes"}, {"LabelIds": "l_1"}, {"TransferMapping": "{"}]
)
def test_parameters_that_cannot_be_read(sim, form):
    (key,) = form
    response = post(sim, "ListProjects", form)
    assert (response.status_code, response.json()["Code"]) == (400, f"Invalid{key}")


def test_the_connection_says_which_form(sim):
    assert sim.connection_kwargs["extra"] == {"api_version": "alibaba_cloud"}
    sim.gateway.token = "sts"
    assert json.loads(sim.connection_json)["extra"] == {"api_version": "alibaba_cloud", "security_token": "sts"}


@pytest.mark.parametrize(
    ("form", "words"),
    [({}, "id"), ({"Id": "np_1"}, "workerGradeId"), ({"Id": "np_shop", "WorkerGradeId": "w"}, "configured already")],
)
def test_a_project_must_have_been_bought(sim, form, words):
    sim.add_project(Project(id="np_shop"))
    assert words in post(sim, "CreateProject", form).json()["ErrorDetail"]["Message"]


def test_a_worker_in_use_is_not_released(sim):
    sim.add_project(Project(name="shop", worker_grade_id="w_1"))
    answer = post(sim, "ListWorkerInstances", {"PageNumber": 1}).json()
    assert [(row["Id"], row["ProjectName"]) for row in answer["Data"]] == [("w_1", "shop"), ("w_free", None)]
    answer = post(sim, "ListWorkerInstances", {"OnlyBindable": "true"}).json()
    assert [row["Id"] for row in answer["Data"]] == ["w_free"]
    assert "shop" in post(sim, "ReleaseWorkerInstance", {"Id": "w_1"}).json()["ErrorDetail"]["Message"]
    assert post(sim, "ReleaseWorkerInstance", {"Id": "w_free"}).json()["Success"]
