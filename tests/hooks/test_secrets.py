"""No password is in the frames of an error, because some log handlers show the variables of all frames."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest

from airflow_provider_oms.cli.asking import check_connection
from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.hooks import oms
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.operators.data_source_base import read_database
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor
from airflow_provider_oms.triggers import shared
from tests.frames import shown_with_frames
from tests.modes import context

PASSWORD, TOKEN = "Pa55-of-oms", "Pa55-of-sts"
SECRETS = [PASSWORD, TOKEN, b64encode(f"admin:{PASSWORD}".encode()).decode().rstrip("=")]
FIELDS = {
    "conn_type": "oms",
    "host": "oms",
    "login": "admin",
    "password": PASSWORD,
    "extra": {"security_token": TOKEN},
}

#: Connections that can't be used, by what is wrong with them.
UNUSABLE = {
    "host": json.dumps({**FIELDS, "host": "o ms"}),
    "no host": json.dumps({**FIELDS, "host": ""}),
    "a number for a host": json.dumps({**FIELDS, "host": 7}),
    "login in the host": json.dumps({**FIELDS, "host": f"http://admin:{PASSWORD}@oms"}),
    "schema": json.dumps({**FIELDS, "schema": "ftp"}),
    "port": json.dumps({**FIELDS, "port": "many"}),
    "api_version": json.dumps({**FIELDS, "extra": {"security_token": TOKEN, "api_version": "v9"}}),
    "timeout": json.dumps({**FIELDS, "extra": {"security_token": TOKEN, "timeout": "long"}}),
    "extra": json.dumps({**FIELDS, "extra": [TOKEN]}),
    "half of its JSON": json.dumps(FIELDS)[:-4],
    "a URI": f"oms://admin:{PASSWORD}@oms:port",
    "half a character": json.dumps({**FIELDS, "password": f"{PASSWORD}\udc80"}),
    "AccessKey": json.dumps({**FIELDS, "password": f"{PASSWORD} ", "extra": {"api_version": "alibaba_cloud"}}),
}


async def _in_triggerer():
    async with shared.shared_oms("oms_default") as share:
        await share.session()


async def _over_async():
    async with OmsHook() as hook:
        await hook.alist_all_labels()


def _gate(**settings):
    return OmsFullTransferSensor(task_id="gate", project_id="np_1", timeout=0, **settings)


#: The ways in which a connection is read.
WAYS = {
    "hook": lambda: OmsHook().list_all_labels(),
    "console link": lambda: OmsHook().console_url(),
    "twin": lambda: asyncio.run(OmsHook().alist_all_labels()),
    "async with": lambda: asyncio.run(_over_async()),
    "triggerer": lambda: asyncio.run(_in_triggerer()),
    "gate": lambda: _gate().execute(context()),
    "gate that defers": lambda: _gate(deferrable=True).execute(context()),
    "task.sensor": lambda: _gate().poll_once(),
    "operator": lambda: operators.OmsStartProjectOperator(task_id="task", project_id="np_1").execute(context()),
    "command line": lambda: (check_connection("oms_default"), OmsHook().list_all_labels()),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", UNUSABLE)
def test_a_connection_that_cannot_be_used(monkeypatch, sim, wrong, way):
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", UNUSABLE[wrong])
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is for other tests to say
        WAYS[way]()
    shown = shown_with_frames(caught.value)
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("wrong", UNUSABLE)
def test_what_test_connection_says(monkeypatch, wrong):
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", UNUSABLE[wrong])
    ok, said = OmsHook().test_connection()
    assert not ok
    assert not [secret for secret in SECRETS if secret in said]


class TaskTimeout(BaseException):
    """Like Airflow's own, which a signal raises at any place in the task."""


@pytest.mark.parametrize("error", [RuntimeError, TypeError, KeyError, MemoryError, TaskTimeout])
@pytest.mark.parametrize("way", ["hook", "twin", "triggerer", "gate", "operator", "command line"])
def test_a_backend_that_breaks_in_the_middle(monkeypatch, sim, error, way):
    """Its frames and its message contain the whole connection."""

    def read(connection, extra):
        said = f"what are {connection.password} and {extra}?"
        raise error(said if issubclass(error, Exception) else "time is up")

    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(FIELDS))
    monkeypatch.setattr(oms, "read_settings", read)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        WAYS[way]()
    shown = shown_with_frames(caught.value)
    assert not [secret for secret in SECRETS if secret in shown]


SENT = {"ip": "10.0.0.1", "port": 3306, "username": "mover"}


@pytest.mark.parametrize(
    "arguments",
    [
        {**SENT, "password": PASSWORD},  # OMS refuses the login
        {**SENT, "password": f"{PASSWORD}\udc80"},  # the password can't be sent in a header
        {"password": PASSWORD, "region": "no ip"},  # Python refuses the password
    ],
)
@pytest.mark.parametrize("twin", [False, True])
def test_a_password_among_the_arguments_of_a_call(sim, arguments, twin):
    sim.set_answer("CreateMySqlDataSource", {"success": False, "message": "No."})
    hook = OmsHook()

    async def create():
        await hook.acreate_mysql_data_source("source", **arguments)

    with pytest.raises((OmsError, TypeError)) as caught:
        asyncio.run(create()) if twin else hook.create_mysql_data_source("source", **arguments)
    shown = shown_with_frames(caught.value)
    assert PASSWORD not in shown
    assert b64encode(PASSWORD.encode()).decode() not in shown


@pytest.mark.parametrize("wrong", ["half of its JSON", "a URI"])
def test_the_connection_of_a_database_that_cannot_be_read(monkeypatch, wrong):
    monkeypatch.setenv("AIRFLOW_CONN_DATABASE", UNUSABLE[wrong])
    with pytest.raises(OmsError) as caught:
        read_database("database")
    shown = shown_with_frames(caught.value)
    assert not [secret for secret in SECRETS if secret in shown]


def test_the_check_sees_what_is_in_frames():
    """Otherwise the tests above could pass without checking anything."""
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads(PASSWORD)
    assert PASSWORD in shown_with_frames(caught.value)
