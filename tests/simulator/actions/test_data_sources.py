"""The actions on data sources: passwords are sent in Base64, and are in no answer."""

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
    page = requests.get(sim.url, timeout=60).text
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


KAFKA = {"name": "k", "region": "cn", "endpoint": "127.0.0.1:9092"}
SASL = {"enableSASL": True, "saslMechanism": "PLAIN", "username": "u", "password": base64.b64encode(b"hush").decode()}
ODP = {
    "name": "o",
    "url": "http://odp",
    "userName": "u",
    "password": base64.b64encode(b"hush").decode(),
    "accessKey": "hush-key",
    "obProxy": "p",
    "route": "r",
}
POLAR = {
    "name": "p",
    "username": "u",
    "password": base64.b64encode(b"hush").decode(),
    "accessKey": "hush-a",
    "secretKey": "hush-s",
    "intranetAddr": "10.0.0.1",
}


@pytest.mark.parametrize(
    ("action", "body", "kind", "attributes"),
    [
        ("CreateKafkaDataSource", KAFKA, "KAFKA", {"endpoint": "127.0.0.1:9092"}),
        ("CreateKafkaDataSource", KAFKA | SASL, "KAFKA", {"enableSASL": True, "saslMechanism": "PLAIN"}),
        ("CreateOceanBaseODPDataSource", ODP, "DBP_OP_ROUTE", {"url": "http://odp", "obProxy": "p", "route": "r"}),
        ("CreatePolarDBDataSource", POLAR, "POLARDB", {"intranetAddr": "10.0.0.1"}),
        ("CreatePilarDBDataSource", POLAR, "POLARDB", {"intranetAddr": "10.0.0.1"}),
    ],
)
def test_other_kinds_keep_their_secrets(sim, call, action, body, kind, attributes):
    source = call(action, **body)
    (row,) = call("ListDataSource")
    assert (row["id"], row["type"]) == (source, kind)
    assert attributes.items() <= row["connExtraAttributes"].items()
    kept = sim.data_sources[source]
    given = {key: value for key, value in body.items() if key in ("accessKey", "secretKey")}
    assert kept.secrets == given
    assert kept.password == ("hush" if "password" in body else None)
    for where in (repr(kept), repr(row), repr(sim.requests), requests.get(sim.url, timeout=60).text):
        assert "hush" not in where
        assert base64.b64encode(b"hush").decode() not in where


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("CreateKafkaDataSource", {**KAFKA, "endpoint": ""}, "endpoint"),
        ("CreateKafkaDataSource", {**KAFKA, **SASL, "saslMechanism": "NONE"}, "saslMechanism"),
        ("CreateKafkaDataSource", {**KAFKA, **SASL, "password": "clear!"}, "Base64"),
        ("CreateKafkaDataSource", {**KAFKA, "enableSASL": True, "saslMechanism": "GSSAPI"}, "kdcPath"),
        ("CreateOceanBaseODPDataSource", {**ODP, "url": None}, "url"),
        ("CreateOceanBaseODPDataSource", {**ODP, "userName": None}, "userName"),
        ("CreatePolarDBDataSource", {**POLAR, "password": None}, "password"),
    ],
)
def test_what_other_kinds_refuse(sim, refused, action, body, words):
    assert words in refused(action, **body)["message"]
    assert sim.data_sources == {}
