"""The names of datasets, compared with OpenLineage's own naming if that is installed."""

from __future__ import annotations

import pytest

from airflow_provider_oms.client.models import ConnectInfo
from airflow_provider_oms.lineage.naming import place_of
from tests.lineage.projects import end

ABOVE = {"10.0.0.5:3306": "ORCL"}


def named(kind, schema="shop", name="orders", databases=ABOVE, **info):
    place = place_of(kind, ConnectInfo(end(**info)), databases)
    return place and place.dataset(schema, name)


@pytest.mark.parametrize(
    ("kind", "namespace", "name"),
    [
        ("MYSQL", "mysql://10.0.0.5:3306", "shop.orders"),
        ("TIDB", "tidb://10.0.0.5:3306", "shop.orders"),
        ("OB_MYSQL", "oceanbase://10.0.0.5:3306", "shop.orders"),
        ("OB_MYSQL_CE", "oceanbase://10.0.0.5:3306", "shop.orders"),
        ("OB_ORACLE", "oceanbase://10.0.0.5:3306", "shop.orders"),
        ("ORACLE", "oracle://10.0.0.5:3306", "ORCL.shop.orders"),
        ("POSTGRESQL", "postgres://10.0.0.5:3306", "ORCL.shop.orders"),
        ("DB2_LUW", "db2://10.0.0.5:3306", "ORCL.shop.orders"),
    ],
)
def test_each_kind(kind, namespace, name):
    assert named(kind)[:2] == (namespace, name)


@pytest.mark.parametrize(
    ("kind", "their_class", "parts"),
    [
        ("MYSQL", "MySQL", ("shop", "orders")),
        ("OB_MYSQL", "OceanBase", ("shop", "orders")),
        ("ORACLE", "Oracle", ("ORCL", "shop", "orders")),
        ("POSTGRESQL", "Postgres", ("ORCL", "shop", "orders")),
        ("DB2_LUW", "DB2", ("ORCL", "shop", "orders")),
    ],
)
def test_openlineage_s_own_naming_says_the_same(kind, their_class, parts):
    theirs = pytest.importorskip("openlineage.client.naming.dataset")
    if not hasattr(theirs, their_class):
        pytest.skip(f"this OpenLineage has no naming of {their_class}")
    wanted = getattr(theirs, their_class)("10.0.0.5", "3306", *parts)
    assert named(kind)[:2] == (wanted.get_namespace(), wanted.get_name())


def test_tidb_is_known_to_others_as_the_mysql_that_it_speaks():
    assert named("TIDB").aliases == (("mysql://10.0.0.5:3306", "shop.orders"),)


@pytest.mark.parametrize("kind", ["ORACLE", "POSTGRESQL", "DB2_LUW"])
@pytest.mark.parametrize("databases", [{}, {"10.0.0.6:3306": "ORCL"}, {"10.0.0.5:3306": ""}])
def test_without_the_database_above_the_schemas_there_is_no_name(kind, databases):
    assert named(kind, databases=databases) is None


@pytest.mark.parametrize(
    "kind", ["ADB", "DATAHUB", "ROCKETMQ", "IDB", "DBP_OP_ROUTE", "HBASE", "OB_MYSQL_VPC", "", None]
)
def test_a_kind_that_has_no_name(kind):
    assert named(kind) is None


NO_HOSTS = ["10.0.0.5,10.0.0.6", "u:p@10.0.0.5", "http://h", "h/x", "a b", "h" * 300, "-h", "h\u202e", "", "  ", None]
ELSEWHERE = ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0"]  # noqa: S104 - nobody listens there


@pytest.mark.parametrize("host", NO_HOSTS + ELSEWHERE)
def test_a_host_that_says_nothing(host):
    assert named("MYSQL", host=host) is None


@pytest.mark.parametrize("port", [None, 0, -1, 65536, "x", "", 3306.5, True])
def test_a_port_that_says_nothing(port):
    assert named("MYSQL", port=port) is None


@pytest.mark.parametrize(
    ("host", "namespace"),
    [
        ("db1.example.com", "mysql://db1.example.com:3306"),
        ("fd00::5", "mysql://[fd00::5]:3306"),
        ("DB_1", "mysql://DB_1:3306"),
    ],
)
def test_hosts(host, namespace):
    assert named("MYSQL", host=host).namespace == namespace


@pytest.mark.parametrize(
    ("schema", "name"), [(None, "orders"), ("shop", None), ("", "orders"), ("shop", ""), ("a.b", "c"), ("a", "b.c")]
)
def test_a_name_that_could_be_two(schema, name):
    assert named("MYSQL", schema, name) is None


class TestKafka:
    def at(self, endpoint, name="orders"):
        return named("KAFKA", name=name, host=None, port=None, connExtraAttributes={"endpoint": endpoint})

    def test_a_topic(self):
        assert self.at("k1.example.com:9092")[:2] == ("kafka://k1.example.com:9092", "orders")

    @pytest.mark.parametrize("endpoint", ["k1:9092,k2:9092", "k1:9092;k2:9092", " k1:9092 , k2:9092"])
    def test_of_several_brokers_the_first_as_everybody_else_does(self, endpoint):
        assert self.at(endpoint).namespace == "kafka://k1:9092"

    @pytest.mark.parametrize(
        "endpoint", [None, "", "k1", "k1:", ":9092", "u:p@k1:9092", "k1:x", "localhost:9092", 7, ["k1:9092"]]
    )
    def test_brokers_that_say_nothing(self, endpoint):
        assert self.at(endpoint) is None

    def test_what_can_be_no_topic(self):
        assert self.at("k1:9092", "a b") is None
