"""The page behind Airflow's own login and access rights, over HTTP to a simulated OMS."""

from __future__ import annotations

import json
import threading
from urllib.parse import quote

import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_oms.links.address import PREFIX, task_path
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import CheckpointLagMilestone
from airflow_provider_oms.pages import known as kept
from tests.pages.conftest import DAG_ID, HOSTILE

CONNECTION = f"{PREFIX}/connections/oms_default"


class PerDag(SimpleAuthManager):
    """Airflow's simple auth manager, changed so that users see only DAGs whose ids begin with their names."""

    def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
        allowed = super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)
        return allowed and details is not None and str(details.id).startswith(user.get_name())


@pytest.fixture(autouse=True)
def auth(monkeypatch, airflow_db):
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "x" * 64)
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", f"{PerDag.__module__}.{PerDag.__qualname__}")
    return create_auth_manager()


def token(auth, name, role):
    return auth.generate_jwt(SimpleAuthManagerUser(username=name, role=role))


@pytest.fixture
def viewer(auth):
    return token(auth, DAG_ID, "viewer")


@pytest.fixture
def operator(auth):
    return token(auth, DAG_ID, "op")


@pytest.fixture
def stranger(auth):
    return token(auth, "others", "viewer")


def page(run_id, task_id, map_index=-1):
    return task_path(DAG_ID, run_id, task_id, map_index)


def paths(run_id):
    return [f"{PREFIX}/", page(run_id, "lag"), CONNECTION]


def test_a_gate_and_its_project(clients, viewer, run_id, oms):
    with clients(viewer) as client:
        answer = client.get(page(run_id, "lag"))
    assert answer.status_code == 200
    for words in ("shop", "RUNNING", "Incremental sync", "np_shop", "the forward checkpoint within", "success"):
        assert words in answer.text, words
    assert "All projects of this connection" not in answer.text  # a viewer may not read connections


def test_an_action_and_a_mapped_gate(clients, viewer, run_id, oms):
    with clients(viewer) as client:
        for path in (page(run_id, "start"), page(run_id, "each", 0)):
            answer = client.get(path)
            assert (answer.status_code, "np_shop" in answer.text) == (200, True)


def test_a_task_about_no_project(clients, viewer, run_id, oms):
    with clients(viewer) as client:
        answer = client.get(page(run_id, "source"))
    assert answer.status_code == 200
    assert "about a single project" in answer.text
    assert oms.requests == []


def test_without_a_login(clients, run_id, oms):
    with clients() as client:
        for path in paths(run_id):
            assert client.get(path).status_code == 401, path
    assert oms.requests == []


def test_a_login_that_is_forged(clients, viewer, run_id, oms):
    head, body, signature = viewer.split(".")
    with clients(f"{head}.{body}.{signature[::-1]}") as client:
        for path in paths(run_id):
            assert client.get(path).status_code in (401, 403), path
    assert oms.requests == []


def test_the_viewer_of_another_dag(clients, stranger, run_id, oms):
    with clients(stranger) as client:
        answer = client.get(page(run_id, "lag"))
    assert answer.status_code == 403
    assert "np_shop" not in answer.text
    assert oms.requests == []


def test_an_xcom_chooses_no_project(clients, viewer, run_id, oms):
    """More users may write XComs through Airflow's API than may edit DAGs."""
    forged = Gate(CheckpointLagMilestone(max_lag=77), project_id="np_paused", oms_conn_id="other").as_dict()
    key = {"dag_id": DAG_ID, "run_id": run_id, "task_id": "lag", "map_index": -1}
    with create_session() as session:
        row = session.scalars(select(XComModel).filter_by(**key, key="oms_waits_for")).one()
        before, row.value = row.value, json.dumps(forged)
    try:
        with clients(viewer) as client:
            text = client.get(page(run_id, "lag")).text
    finally:
        with create_session() as session:
            session.scalars(select(XComModel).filter_by(**key, key="oms_waits_for")).one().value = before
    assert ("np_shop" in text, "np_paused" in text) == (True, False)
    assert "np_paused" not in str([request.payload for request in oms.requests])


def test_the_dag_of_the_path_is_the_one_that_counts(clients, stranger, run_id, oms):
    with clients(stranger) as client:
        assert client.get(page(run_id, "lag") + "?dag_id=others").status_code == 403
    assert oms.requests == []


def test_a_connection_that_somebody_may_not_read(clients, viewer, oms):
    with clients(viewer) as client:
        assert client.get(CONNECTION).status_code == 403
        assert "oms_default" not in client.get(f"{PREFIX}/").text
    assert oms.requests == []


def test_a_connection_that_is_no_oms(clients, operator, oms, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": 1}))
    with clients(operator) as client:
        for conn_id in ("other", "nothing", quote("../oms_default", safe="")):
            assert client.get(f"{PREFIX}/connections/{conn_id}").status_code == 404, conn_id


@pytest.mark.parametrize("query", ["?project_id=np_paused&project_name=paused", "?oms_conn_id=other&conn_id=other"])
def test_the_address_chooses_neither_project_nor_connection(clients, viewer, run_id, oms, query):
    with clients(viewer) as client:
        text = client.get(page(run_id, "lag") + query).text
    assert "np_shop" in text
    assert "np_paused" not in text


@pytest.mark.parametrize(
    "path", ["dags/pages/runs/none/tasks/lag/-1", "dags/pages/runs/none/tasks/lag/x", "no", "static/app.py"]
)
def test_what_is_not_there(clients, viewer, oms, path, airflow_db):
    with clients(viewer) as client:
        assert client.get(f"{PREFIX}/{path}").status_code == 404


def test_all_projects_of_a_connection(clients, operator, run_id, oms):
    with clients(operator) as client:
        assert "All projects of this connection" in client.get(page(run_id, "lag")).text
        oms.clear_requests()
        text = client.get(CONNECTION).text
        assert CONNECTION in client.get(f"{PREFIX}/").text
    assert [request.action for request in oms.requests] == ["ListProjects"]
    # Projects that need a person come first.
    assert text.index("np_failed") < text.index("np_shop")
    assert text.index("np_paused") < text.index("np_shop")


def test_filter_and_sort(clients, operator, oms):
    with clients(operator) as client:
        found = client.get(CONNECTION, params={"q": "night"}).text
        named = client.get(CONNECTION, params={"sort": "name"}).text
    assert ("np_odd" in found, "np_shop" in found) == (True, False)
    assert named.index("np_failed") < named.index("np_paused") < named.index("np_shop")
    assert len(oms.requests) == 1


def test_what_oms_says_is_text(clients, operator, oms):
    with clients(operator) as client:
        text = client.get(CONNECTION).text
        searched = client.get(CONNECTION, params={"q": HOSTILE}).text
    assert "<script>alert" not in text + searched
    assert text.count("&lt;script&gt;alert(1)") == 2  # a name and an error
    assert "&lt;script&gt;alert(1)" in searched


def test_the_password_stays_here(clients, operator, run_id, oms):
    with clients(operator) as client:
        answers = [client.get(path) for path in paths(run_id)]
        oms.down()
        answers += [client.get(path) for path in paths(run_id)]
    for answer in answers:
        everything = answer.text + str(dict(answer.headers))
        for secret in (oms.password, oms.login, oms.connection_kwargs["host"]):
            assert not secret or f">{secret}" not in everything
        assert "Basic " not in everything


def test_many_who_look_cause_one_set_of_requests(clients, viewer, run_id, oms):
    with clients(viewer) as client:
        threads = [threading.Thread(target=client.get, args=(page(run_id, "lag"),)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.get(page(run_id, "start"))
    asked = [request.action for request in oms.requests]
    # A project is the same by its name and by its id.
    assert asked.count("DescribeProjectProgress") == asked.count("DescribeProjectSteps") == 1


def test_oms_away(clients, viewer, run_id, oms, monkeypatch):
    with clients(viewer) as client:
        oms.down()
        assert "hint" not in client.get(page(run_id, "start")).text
        oms.up()
        monkeypatch.setattr(kept, "INTERVAL", 0.0)
        assert "Incremental sync" in client.get(page(run_id, "start")).text
        oms.down()
        text = client.get(page(run_id, "start")).text
        assert "Incremental sync" in text
        assert "This is what was known" in text
        oms.up()
        assert "This is what was known" not in client.get(page(run_id, "start")).text


def test_what_a_browser_may_do_with_it(clients, viewer, run_id, oms):
    with clients(viewer) as client:
        for path in (*paths(run_id), f"{PREFIX}/nothing", f"{PREFIX}/static/page.js"):
            answer = client.get(path)
            policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
            assert policy["default-src"] == "'none'"
            assert set(policy.values()) == {"'none'", "'self'"}
            assert answer.headers["x-content-type-options"] == "nosniff"
            if "static" not in path:
                assert answer.headers["cache-control"] == "no-store"
                assert "style=" not in answer.text
                assert " on" + "click" not in answer.text
                assert "http://" not in answer.text.replace(f"http://127.0.0.1:{oms.connection_kwargs['port']}", "")


def test_nothing_is_written(clients, operator, run_id, oms):
    with clients(operator) as client:
        for path in paths(run_id):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert client.request(method, path).status_code == 405
