"""Authentication, hand-written answers, unknown actions, old endpoints."""

from __future__ import annotations

import base64

import pytest
import requests

from airflow_provider_oms.simulator import Project, Simulator

from .conftest import post


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic !!!", "Bearer x", basic("admin:wrong"), basic("other:oms-simulator"), basic("admin")],
)
def test_wrong_credentials(sim, header):
    headers = {} if header is None else {"Authorization": header}
    project = sim.add_project(Project())
    response = requests.post(f"{sim.url}/api/v2?Action=StartProject", json={"id": project}, headers=headers, timeout=60)
    assert response.status_code == 401
    assert response.json()["success"] is False
    assert sim.requests[-1].outcome == "unauthorized"
    assert sim.project(project).status == "INIT"
    assert requests.get(f"{sim.url}/api/omsp/v2/sync/x/progress", headers=headers, timeout=60).status_code == 401


def test_a_password_with_odd_letters():
    with Simulator(login="üser", password="a:b ö") as sim:
        headers = {"Authorization": basic("üser:a:b ö")}
        response = requests.post(f"{sim.url}/api/v2?Action=ListAllLabels", headers=headers, timeout=60)
        assert response.json()["success"] is True


def test_an_unknown_action(refused):
    assert refused("NoSuchAction")["message"] == "Unsupported action: NoSuchAction"


def test_an_older_version():
    with Simulator(actions_unsupported={"AdvanceProject"}) as sim:
        answer = post(sim, "AdvanceProject", id="x").json()
        assert answer["errorDetail"]["message"] == "Unsupported action: AdvanceProject"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object(sim, body):
    response = requests.post(
        f"{sim.url}/api/v2?Action=ListProjects", data=body, auth=(sim.login, sim.password), timeout=60
    )
    assert (response.status_code, response.json()["code"]) == (200, "PARAM_ERROR")


def test_no_action(sim):
    response = requests.post(f"{sim.url}/api/v2", json={}, auth=(sim.login, sim.password), timeout=60)
    assert "Action" in response.json()["errorDetail"]["message"]


def test_pascal_case():
    with Simulator([Project(id="np_1")], casing="pascal") as sim:
        answer = post(sim, "DescribeProjectProgress", id="np_1").json()
        assert answer["Success"] is True
        assert answer["Data"]["FullTransferProgress"] == 0
        assert post(sim, "NoSuchAction").json()["ErrorDetail"]["Message"].startswith("Unsupported")


def test_hand_written_answers(sim, call):
    project = sim.add_project(Project())
    action = "DescribeProjectProgress"
    sim.set_answer(action, {"success": True, "data": [{"status": "ODD"}]})
    assert post(sim, action, id=project).json() == {"success": True, "data": [{"status": "ODD"}]}
    sim.set_answer(action, "not json", project_id=project)
    assert post(sim, action, id=project).text == "not json"
    assert post(sim, action, id="other").json()["success"] is True
    sim.set_answer(action, b"\xff\x00", project_id=project)
    assert post(sim, action, id=project).content == b"\xff\x00"
    asked = []
    sim.set_answer(action, lambda payload: asked.append(payload), project_id=project)
    sim.set_answer(action, None)
    assert call(action, id=project)["status"] == "INIT"
    assert asked == [{"id": project}]
    sim.set_answer(action, None, project_id=project)
    assert call(action, id=project)["status"] == "INIT"


def test_a_hand_written_function_that_fails_is_seen(sim, caplog):
    sim.set_answer("ListAllLabels", lambda payload: 1 / 0)
    response = post(sim, "ListAllLabels")
    assert response.status_code == 500
    assert "ZeroDivisionError" in response.text


def get(sim: Simulator, kind: str, project: str) -> dict:
    url = f"{sim.url}/api/omsp/v2/{kind}/{project}/progress"
    return requests.get(url, auth=(sim.login, sim.password), timeout=60).json()


def test_the_old_endpoints(sim):
    sim.add_project(Project(id="p_m", status="RUNNING", step="INCR_TRANSFER"))
    sim.add_project(Project(id="p_s", type="SYNC"))
    answer = get(sim, "migrations", "p_m")
    assert answer["data"]["currentStep"] == "INCR_SYNC"
    assert answer["data"]["importance"] == "MEDIUM"
    assert get(sim, "sync", "p_s")["data"]["structSyncProgress"] == 0
    assert get(sim, "sync", "p_m")["code"] == "GHANA-PROJECT000001"
    assert get(sim, "migrations", "nope")["code"] == "GHANA-PROJECT000001"
    assert [record.action for record in sim.requests][:3] == ["MigrationProgress", "SyncProgress", "SyncProgress"]


def test_only_one_generation():
    with Simulator([Project(id="p_m")], api="v3") as sim:
        assert get(sim, "migrations", "p_m")["success"] is True
        assert post(sim, "ListAllLabels").status_code == 404
    with Simulator(api="v2") as sim:
        assert post(sim, "ListAllLabels").status_code == 200
        url = f"{sim.url}/api/omsp/v2/sync/x/progress"
        assert requests.get(url, auth=(sim.login, sim.password), timeout=60).status_code == 404


@pytest.mark.parametrize("given", [{"casing": "snake"}, {"api": "v9"}, {"date_header": "moon"}])
def test_wrong_settings_are_named(given):
    with pytest.raises(ValueError, match=next(iter(given.values()))):
        Simulator(**given)
