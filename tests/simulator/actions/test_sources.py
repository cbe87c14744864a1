"""The actions on data sources: Base64 passwords in, none out."""

from __future__ import annotations

import base64

import pytest
import requests

from airflow_provider_oms.simulator import Project

from ..conftest import post

SECRET = "s3cret-Ω"
CODED = base64.b64encode(SECRET.encode()).decode()
MYSQL = {"name": "shop", "ip": "10.0.0.1", "port": 3306, "username": "oms", "password": CODED, "tryKeepHb": True}
OCEANBASE = {"name": "sink one", "tenant": "t", "userName": "oms", "password": CODED, "drcPassword": CODED}


def test_create_list_and_delete(sim, call):
    mysql = call("CreateMySqlDataSource", **MYSQL)
    oceanbase = call("CreateOceanBaseDataSource", **OCEANBASE, type="OB_MYSQL_CE")
    assert sim.data_sources[mysql].password == SECRET
    assert sim.data_sources[oceanbase].drc_password == SECRET
    rows = call("ListDataSource")
    assert [row["type"] for row in rows] == ["MYSQL", "OB_MYSQL_CE"]
    assert rows[0]["userName"] == "oms"
    assert rows[0]["gmtCreate"] == "2027-01-15T08:00:00.000+00:00"
    assert [row["id"] for row in call("ListDataSource", searchKey="sink")] == [oceanbase]
    assert [row["id"] for row in call("ListDataSource", types=["MYSQL"])] == [mysql]
    call("DeleteDataSource", id=mysql)
    assert list(sim.data_sources) == [oceanbase]


def test_passwords_are_shown_nowhere(sim, call, caplog):
    with caplog.at_level("DEBUG"):
        call("CreateMySqlDataSource", **MYSQL)
        call("CreateOceanBaseDataSource", **OCEANBASE)
        listed = post(sim, "ListDataSource").text
    page = requests.get(sim.url, timeout=2).text
    for where in (listed, page, caplog.text, repr(sim.requests), repr(sim.data_sources)):
        assert SECRET not in where
        assert CODED not in where


@pytest.mark.parametrize(
    ("action", "body", "change", "words"),
    [
        ("CreateMySqlDataSource", MYSQL, {"password": "plain text!"}, "Base64"),
        ("CreateMySqlDataSource", MYSQL, {"password": None}, "password"),
        ("CreateMySqlDataSource", MYSQL, {"name": "x" * 33}, "32"),
        ("CreateMySqlDataSource", MYSQL, {"ip": None}, "ip"),
        ("CreateMySqlDataSource", MYSQL, {"port": 70000}, "port"),
        ("CreateMySqlDataSource", MYSQL, {"username": ""}, "username"),
        ("CreateOceanBaseDataSource", OCEANBASE, {"drcPassword": "???"}, "drcPassword"),
        ("CreateOceanBaseDataSource", OCEANBASE, {"userName": None}, "userName"),
    ],
)
def test_what_is_refused(sim, refused, action, body, change, words):
    detail = refused(action, **{**body, **change})
    assert detail["code"] == "PARAM_ERROR"
    assert words in detail["message"]
    assert sim.data_sources == {}


def test_a_page_has_at_most_ten(refused):
    assert refused("ListDataSource", pageSize=11)["code"] == "PARAM_ERROR"


def test_names_are_unique_and_used_ones_stay(sim, call, refused):
    source = call("CreateMySqlDataSource", **MYSQL)
    assert "already" in refused("CreateMySqlDataSource", **MYSQL)["message"]
    sim.add_project(Project(name="user", source_endpoint_id=source))
    assert "user" in refused("DeleteDataSource", id=source)["message"]
    assert "e_nope" in refused("DeleteDataSource", id="e_nope")["message"]
