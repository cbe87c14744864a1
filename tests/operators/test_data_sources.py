"""Data sources made from Airflow connections: each once, and never another one than requested."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.oms import (
    OmsCreateKafkaDataSourceOperator,
    OmsCreateMySqlDataSourceOperator,
    OmsCreateOceanBaseDataSourceOperator,
    OmsCreateOceanBaseODPDataSourceOperator,
    OmsCreatePolarDBDataSourceOperator,
)
from airflow_provider_oms.simulator import Fault

MYSQL = {
    "conn_type": "mysql",
    "host": "10.0.0.1",
    "port": 3307,
    "login": "mover",
    "password": "pa:ss",
    "schema": "shop",
}
OCEANBASE = {"conn_type": "mysql", "host": "10.0.0.2", "port": 2883, "login": "mover@tn#cl", "password": "wörd"}
DRC = {"conn_type": "generic", "login": "drc", "password": "drc pw"}
INNER = {"conn_type": "generic", "password": "inner pw"}
KEY = {"conn_type": "generic", "login": "the key", "password": "key secret"}


@pytest.fixture(autouse=True)
def connections(monkeypatch):
    given = {"SOURCE": MYSQL, "TARGET": OCEANBASE, "DRC": DRC, "INNER": INNER, "KEY": KEY}
    for name, fields in given.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(fields))


KINDS = {
    "mysql": (OmsCreateMySqlDataSourceOperator, {"name": "one", "mysql_conn_id": "source"}, "CreateMySqlDataSource"),
    "oceanbase": (
        OmsCreateOceanBaseDataSourceOperator,
        {"name": "one", "oceanbase_conn_id": "target"},
        "CreateOceanBaseDataSource",
    ),
    "kafka": (
        OmsCreateKafkaDataSourceOperator,
        {"name": "one", "kafka_conn_id": "source", "sasl_mechanism": "PLAIN"},
        "CreateKafkaDataSource",
    ),
    "odp": (
        OmsCreateOceanBaseODPDataSourceOperator,
        {"name": "one", "oceanbase_conn_id": "source", "url": "http://gateway", "access_key_conn_id": "key"},
        "CreateOceanBaseODPDataSource",
    ),
    "polardb": (
        OmsCreatePolarDBDataSourceOperator,
        {"name": "one", "polardb_conn_id": "source", "access_key_conn_id": "key"},
        "CreatePilarDBDataSource",
    ),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_once_and_twice(runner, sim, kind):
    cls, arguments, action = kind
    first = runner.run(cls, **arguments)
    assert runner.asked() == ["ListDataSource", action]
    assert list(sim.data_sources) == [first.result] == [first.xcoms["data_source_id"]]
    second = runner.run(cls, **arguments)
    assert runner.asked() == ["ListDataSource"]
    assert second.result == second.xcoms["data_source_id"] == first.result


def test_mysql_is_what_the_connection_says(runner, sim):
    runner.run(
        OmsCreateMySqlDataSourceOperator,
        name="one",
        mysql_conn_id="source",
        region="cn-anhui",
        description="the shop",
        try_keep_hb=True,
    )
    (made,) = sim.data_sources.values()
    assert (made.type, made.ip, made.port, made.username, made.password) == (
        "MYSQL",
        "10.0.0.1",
        3307,
        "mover",
        "pa:ss",
    )
    assert (made.schema, made.region, made.description, made.try_keep_hb) == ("shop", "cn-anhui", "the shop", True)


def test_mysql_without_a_port(runner, sim, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({**MYSQL, "port": None}))
    runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source", schema="other")
    (made,) = sim.data_sources.values()
    assert (made.port, made.schema) == (3306, "other")


def test_oceanbase_is_what_the_connections_say(runner, sim):
    runner.run(
        OmsCreateOceanBaseDataSourceOperator,
        name="one",
        oceanbase_conn_id="target",
        data_source_type="OB_MYSQL_CE",
        drc_conn_id="drc",
        inner_drc_conn_id="inner",
        ocp_name="ocp",
        config_url="http://10.0.0.3:8080/services",
    )
    (made,) = sim.data_sources.values()
    assert (made.type, made.tenant, made.cluster, made.username) == ("OB_MYSQL_CE", "tn", "cl", "mover")
    assert (made.ip, made.port, made.password) == ("10.0.0.2", 2883, "wörd")
    assert (made.drc_username, made.drc_password, made.ocp_name) == ("drc", "drc pw", "ocp")


def test_tenant_and_cluster_as_arguments(runner, sim):
    run = runner.run(
        OmsCreateOceanBaseDataSourceOperator, name="one", oceanbase_conn_id="target", tenant="t2", cluster="c2"
    )
    (made,) = sim.data_sources.values()
    assert run.error is None
    assert (made.tenant, made.cluster, made.username) == ("t2", "c2", "mover")


def made_by(runner, sim, kind, **more):
    cls, arguments, _ = KINDS[kind]
    run = runner.run(cls, **{**arguments, **more})
    assert run.error is None
    (made,) = sim.data_sources.values()
    return made


def test_kafka_is_what_the_connection_says(runner, sim):
    made = made_by(runner, sim, "kafka", enable_ssl=True, cert_ssl_id="cert_1", region="cn-anhui")
    assert (made.type, made.username, made.password, made.region) == ("KAFKA", "mover", "pa:ss", "cn-anhui")
    expected = {"endpoint": "10.0.0.1:3307", "enableSASL": True, "saslMechanism": "PLAIN"}
    assert made.attributes == {**expected, "enableSSL": True, "certSSLId": "cert_1"}


def test_kafka_with_several_brokers_and_no_login(runner, sim, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({"conn_type": "generic", "host": "a:1,b:2", "port": 7}))
    made = made_by(runner, sim, "kafka", sasl_mechanism=None)
    assert made.attributes == {"endpoint": "a:1,b:2", "enableSASL": False}


def test_kafka_with_a_ticket(runner, sim):
    """The login of the connection isn't sent then."""
    ticket = {"kdc_path": "kdc:88", "sasl_kerberos_principal": "me@R", "service_name": "kafka"}
    made = made_by(runner, sim, "kafka", sasl_mechanism="GSSAPI", **ticket)
    assert (made.attributes["kdcPath"], made.username, made.password) == ("kdc:88", None, None)


@pytest.mark.parametrize(
    ("fields", "arguments", "words"),
    [
        ({}, {"sasl_mechanism": None}, "takes only with SASL"),
        ({"login": None}, {}, "PLAIN needs username;"),
        ({"password": None, "login": None}, {}, "PLAIN needs username, password;"),
        ({}, {"sasl_mechanism": "GSSAPI", "kdc_path": "x"}, "needs sasl_kerberos_principal, service_name;"),
        ({"port": None}, {}, "or write its host as host:port"),
        ({"host": None}, {}, "has no host"),
    ],
)
def test_what_kafka_needs(runner, monkeypatch, fields, arguments, words):
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({**MYSQL, **fields}))
    cls, given, _ = KINDS["kafka"]
    run = runner.run(cls, **{**given, **arguments})
    assert isinstance(run.error, OmsOperationRefusedError)
    assert words in str(run.error)
    assert runner.asked() == []


def test_a_sasl_mechanism_that_oms_does_not_have():
    with pytest.raises(ValueError, match="sasl_mechanism must be one of GSSAPI, PLAIN"):
        OmsCreateKafkaDataSourceOperator(task_id="task", name="one", kafka_conn_id="source", sasl_mechanism="plain")


def test_odp_is_what_the_connections_say(runner, sim):
    made = made_by(
        runner, sim, "odp", drc_conn_id="drc", route="r", instance_id="odp-1", middleware_instance_id="000001"
    )
    assert (made.username, made.password) == ("mover", "pa:ss")
    assert (made.drc_username, made.drc_password) == ("drc", "drc pw")
    expected = {"url": "http://gateway", "obProxy": "10.0.0.1:3307", "route": "r", "instanceId": "odp-1"}
    assert made.attributes == {**expected, "middlewareInstanceId": "000001"}
    assert made.secrets == {"accessKey": "the key", "secretKey": "key secret"}


def test_polardb_is_what_the_connections_say(runner, sim):
    made = made_by(runner, sim, "polardb")
    assert (made.username, made.password) == ("mover", "pa:ss")
    assert made.attributes == {"intranetAddr": "10.0.0.1:3307"}
    assert made.secrets == {"accessKey": "the key", "secretKey": "key secret"}


@pytest.mark.parametrize("kind", ["kafka", "odp", "polardb"])
def test_another_one_of_that_name_of_every_kind(runner, sim, monkeypatch, kind):
    cls, arguments, _ = KINDS[kind]
    made_by(runner, sim, kind)
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({**MYSQL, "host": "10.9.9.9"}))
    run = runner.run(cls, **arguments)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "10.9.9.9" in str(run.error)
    assert runner.changes() == []


@pytest.mark.parametrize("kind", ["odp", "polardb"])
def test_a_type_that_no_document_names_is_none_that_is_something_else(runner, sim, kind):
    runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    cls, arguments, _ = KINDS[kind]
    run = runner.run(cls, **arguments)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "type is 'MYSQL' there" in str(run.error)


@pytest.mark.parametrize(("login", "missing"), [("mover", "tenant"), ("mover@tn", "cluster")])
def test_tenant_and_cluster_are_needed(runner, monkeypatch, login, missing):
    monkeypatch.setenv("AIRFLOW_CONN_TARGET", json.dumps({**OCEANBASE, "login": login}))
    run = runner.run(OmsCreateOceanBaseDataSourceOperator, name="one", oceanbase_conn_id="target")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert f"give {missing}" in str(run.error)
    assert runner.asked() == []


@pytest.mark.parametrize("field", ["host", "login", "password"])
def test_what_the_connection_must_have(runner, monkeypatch, field):
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({**MYSQL, field: None}))
    run = runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert f"connection 'source' has no {field}" in str(run.error)


@pytest.mark.parametrize(("field", "value"), [("host", "10.9.9.9"), ("port", 3399), ("login", "else"), ("schema", "x")])
def test_another_one_of_that_name(runner, sim, monkeypatch, field, value):
    runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({**MYSQL, field: value}))
    run = runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert str(value) in str(run.error)
    assert runner.changes() == []


def test_another_type_of_that_name(runner, sim):
    runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    run = runner.run(OmsCreateOceanBaseDataSourceOperator, name="one", oceanbase_conn_id="target")
    assert "type is 'MYSQL' there" in str(run.error)
    assert runner.changes() == []


def test_a_new_password_changes_nothing(runner, sim, monkeypatch):
    first = runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps({**MYSQL, "password": "new"}))
    assert runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source").result == first.result


def test_a_name_that_contains_the_name_is_another(runner, sim):
    runner.run(OmsCreateMySqlDataSourceOperator, name="one2", mysql_conn_id="source")
    runner.run(OmsCreateMySqlDataSourceOperator, name="one", mysql_conn_id="source")
    assert runner.changes() == ["CreateMySqlDataSource"]


@pytest.mark.parametrize("fault", ["reset_after", "truncate"])
def test_a_lost_answer(runner, sim, kind, fault, logged):
    cls, arguments, action = kind
    sim.add_fault(Fault(fault, action=action, times=1))
    run = runner.run(cls, **arguments)
    assert run.error is None
    assert list(sim.data_sources) == [run.result]
    assert runner.asked() == ["ListDataSource", action, "ListDataSource"]
    assert f"exists nevertheless: {run.result}." in logged()


def test_a_request_that_never_arrived(runner, sim, kind):
    cls, arguments, action = kind
    sim.add_fault(Fault("reset_before", action=action, times=1))
    run = runner.run(cls, **arguments)
    assert isinstance(run.error, OmsOperationError)
    assert runner.changes() == [action]
    assert runner.run(cls, **arguments).error is None
    assert len(sim.data_sources) == 1


def test_oms_can_not_reach_the_database(runner, sim, kind):
    cls, arguments, action = kind
    sim.add_fault(Fault("error", action=action, code="PARAM_ERROR", message="Connectivity test failed: timed out"))
    run = runner.run(cls, **arguments)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "Connectivity test failed: timed out" in str(run.error)


@pytest.mark.parametrize("name", ["", " ", "two words", "x" * 33, None])
def test_mysql_names(name):
    with pytest.raises(ValueError, match="name must"):
        OmsCreateMySqlDataSourceOperator(task_id="task", name=name)


def test_a_name_that_is_wrong_once_rendered(runner):
    operator = OmsCreateMySqlDataSourceOperator(task_id="task", name="{{ x }}", mysql_conn_id="source")
    operator.name = "two words"
    assert isinstance(runner.go(operator).error, OmsOperationRefusedError)


def test_descriptions():
    with pytest.raises(ValueError, match="description must"):
        OmsCreateMySqlDataSourceOperator(task_id="task", name="one", description="x" * 129)


#: What is wrong with a database's connection, and the message. If Airflow can't return a connection, this is no outage.
WRONG = {
    "none": (None, "there is no Airflow connection"),
    "a port that is text": ({"port": "main"}, "its port a number"),
    "a JSON that isn't whole": ("{", "Its JSON or URI must be complete"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_connection_that_is_wrong_is_named(runner, sim, kind, monkeypatch, wrong, airflow_db):
    cls, arguments, _ = kind
    conn_id = next(value for name, value in arguments.items() if name.endswith("_conn_id"))
    variable, (fields, words) = f"AIRFLOW_CONN_{conn_id.upper()}", WRONG[wrong]
    if fields is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, fields if isinstance(fields, str) else json.dumps({**MYSQL, **fields}))
    run = runner.run(cls, **arguments)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert words in str(run.error)
    assert repr(conn_id) in str(run.error)
    assert "pa:ss" not in str(run.error)
    assert runner.asked() == []


@pytest.mark.parametrize("rendered", ["None", "nan", "null", " none "])
def test_an_argument_that_was_rendered_to_nothing(runner, sim, kind, rendered):
    cls, arguments, _ = kind
    for name in set(cls.template_fields) - {"description", "oms_conn_id"}:
        operator = cls(task_id="task", **{**arguments, name: "{{ later }}"})
        setattr(operator, name, rendered)
        run = runner.go(operator)
        assert isinstance(run.error, OmsOperationRefusedError)
        assert f"{name} must be text" in str(run.error)
    assert sim.requests == []
