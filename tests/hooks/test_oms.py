"""The hook over real HTTP: its methods and their asynchronous twins, and its errors when a connection doesn't work."""

from __future__ import annotations

import inspect
import json
import socket

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsPermanentError, OmsUnreachableError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import ProjectStatusMilestone
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
from airflow_provider_oms.tasks.polling import poll_once


def describing_functions():
    """The names of all functions that describe an action."""
    return [
        name
        for name, function in vars(actions).items()
        if inspect.isfunction(function) and "Call[" in str(function.__annotations__.get("return"))
        if not name.startswith("_")
    ]


def test_every_action_has_a_method_and_a_twin_with_its_signature_and_docstring():
    assert len(describing_functions()) >= 33
    for name in describing_functions():
        for method in (getattr(OmsHook, name), getattr(OmsHook, f"a{name}")):
            assert method.__doc__ == getattr(actions, name).__doc__
            assert ":param" in method.__doc__ or name in ("list_all_labels", "describe_regions")


def test_a_call_and_a_list_over_http(sim):
    for number in range(120):
        sim.add_project(Project(id=f"np_{number}", name=f"p{number}"))
    with OmsHook() as hook:
        assert hook.describe_project_progress("np_7").status == "INIT"
        assert sorted(project.id for project in hook.list_projects()) == sorted(f"np_{n}" for n in range(120))
        assert hook.call("DescribeProjectProgress", {"id": "np_7"})["projectId"] == "np_7"


@pytest.mark.asyncio
async def test_the_twins_over_http(sim):
    sim.add_project(Project(id="np_1", name="one"))
    assert (await OmsHook().adescribe_project_progress("np_1")).status == "INIT"
    async with OmsHook() as hook:
        assert [project.id async for project in hook.alist_projects("one")] == ["np_1"]
        assert (await hook.acall("DescribeProjectProgress", {"id": "np_1"}))["projectId"] == "np_1"


def test_a_changed_password_is_read_again(sim, monkeypatch):
    good = sim.connection_json
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**json.loads(good), "password": "old"}))
    with OmsHook() as hook:
        hook.get_conn()
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", good)
        assert hook.list_all_labels() == []
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**json.loads(good), "password": "worse"}))
        hook.close()
        with pytest.raises(OmsAuthenticationError):
            hook.list_all_labels()


@pytest.mark.parametrize("changes", [{}, {"login": "somebody"}], ids=["another OMS", "another user"])
def test_a_call_that_one_oms_refused_is_not_sent_to_another(sim, monkeypatch, changes):
    """The connection was changed, and the old login revoked. A gate would take one OMS's answer for the other's."""
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    gate, memory = Gate(ProjectStatusMilestone(("DELETED",)), "np_1"), Memory()
    with Simulator(clock=Clock(speed=0), **changes) as other, OmsHook() as hook:
        assert poll_once(hook, gate, memory).state == "waiting"
        fields = json.loads(other.connection_json)
        if changes:  # the same address, where that user sees no project
            fields["port"] = json.loads(sim.connection_json)["port"]
            sim.set_answer("DescribeProjectProgress", {"success": False, "code": "GHANA-PROJECT000001"})
            sim._service._credentials = f"{other.login}:{other.password}".encode()
        else:
            sim._service._credentials = b"nobody:else"
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(fields))
        meanwhile = poll_once(hook, gate, memory)
        assert meanwhile.state == "waiting"
        assert "was changed to another OMS or user meanwhile" in meanwhile.message
        assert not other.requests
        then = poll_once(hook, gate, memory)
        assert then.state == "failed"
        assert "It was observed at" in then.message
        assert hook.list_all_labels() == []


def test_an_action_that_one_oms_refused_is_not_sent_to_another(sim, monkeypatch):
    with Simulator(clock=Clock(speed=0)) as other, OmsHook() as hook:
        for one in (sim, other):
            one.add_project(Project(id="np_1", name="one", status="RUNNING"))
        assert hook.describe_project_progress("np_1").status == "RUNNING"
        sim._service._credentials = b"nobody:else"
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", other.connection_json)
        with pytest.raises(OmsUnreachableError, match="was changed to another OMS"):
            hook.stop_project("np_1")
        assert other.project("np_1").status == "RUNNING"


def test_a_connection_that_is_not_there_is_named(monkeypatch, airflow_db):
    with pytest.raises(OmsPermanentError, match="no Airflow connection 'nowhere'"):
        OmsHook("nowhere").list_all_labels()


# test_connection


def fields_of(sim, **changes):
    return {**sim.connection_kwargs, **changes}


def try_connection(monkeypatch, fields):
    """Do what the form's button does: Airflow puts the connection into the environment, and calls its hook."""
    connection = Connection(conn_id="tried", **fields)
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", connection.get_uri())
    return OmsHook("tried").test_connection()


def unused_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.mark.parametrize("api_version", ["v2", "v3"])
def test_a_working_connection(sim, monkeypatch, api_version):
    works, message = try_connection(monkeypatch, fields_of(sim, extra=json.dumps({"api_version": api_version})))
    assert works, message
    assert sim.url in message


@pytest.mark.parametrize("api_version", ["v2", "v3"])
def test_a_wrong_password_is_reported(sim, monkeypatch, api_version):
    extra = json.dumps({"api_version": api_version})
    works, message = try_connection(monkeypatch, fields_of(sim, password="wr0ng-one", extra=extra))
    assert not works
    assert "login" in message
    assert "expire" in message
    assert "wr0ng-one" not in message
    assert f"(OMS user {sim.login!r}, Airflow connection 'tried')" in message


def test_alibaba_cloud(monkeypatch):
    with Simulator(api="alibaba_cloud", login="LTAI-x", password="s", security_token="sts-token") as cloud:
        fields = fields_of(cloud)
        extra = {"api_version": "alibaba_cloud", "security_token": "sts-token"}
        works, message = try_connection(monkeypatch, {**fields, "extra": json.dumps(extra)})
        assert works, message
        for wrong, said in (
            ({"password": "wr0ng"}, "Check the password"),
            ({"login": "LTAI-y"}, "Check the login"),
            ({"extra": json.dumps({"api_version": "alibaba_cloud"})}, "refused the security token"),
        ):
            works, message = try_connection(monkeypatch, {**fields, "extra": json.dumps(extra), **wrong})
            assert not works
            assert said in message
            assert "sts-token" not in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"port": unused_port}, "nothing listens"),
        ({"host": "oms.invalid"}, "is unknown"),
        ({"schema": "https"}, "doesn't speak https"),
        ({"host": ""}, "no host"),
    ],
    ids=["wrong port", "unknown host", "https to http", "no host"],
)
def test_a_wrong_address_is_reported(sim, monkeypatch, changes, said, pauses):
    changes = {name: value() if callable(value) else value for name, value in changes.items()}
    works, message = try_connection(monkeypatch, fields_of(sim, **changes))
    assert not works
    assert said in message


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(kind="html"), "isn't JSON from OMS"),
        (Fault(kind="status", status=404), "there is no OMS API at this address"),
        (Fault(kind="redirect", location="http://elsewhere/login"), "redirects to http://elsewhere/login"),
        (Fault(kind="status", status=503), "overloaded or failing"),
        (Fault(kind="error", code="X-1", message="no such thing"), "no such thing"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
def test_a_wrong_service_is_reported(sim, monkeypatch, fault, said, pauses):
    sim.add_fault(fault)
    works, message = try_connection(monkeypatch, fields_of(sim))
    assert not works
    assert said in message


def test_an_untrusted_certificate_is_reported(monkeypatch, tls_server_context, pauses):
    with Simulator(ssl_context=tls_server_context) as secure:
        works, message = try_connection(monkeypatch, fields_of(secure, schema="https"))
        assert not works
        assert "certificate" in message
        assert "verify" in message
        works, message = try_connection(monkeypatch, fields_of(secure, schema="https", extra='{"verify": false}'))
        assert works, message
        works, message = try_connection(monkeypatch, fields_of(secure, schema="http"))
        assert not works
        assert "https" in message
