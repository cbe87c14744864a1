"""The kinds of data sources: which parameters OMS needs for each kind, and where their values come from.

The value of an action's parameter comes from a field of an Airflow connection, as described here, or from the
operator's argument with the same name. The argument wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.exceptions import OmsOperationRefusedError

#: The values of an action's parameters, by the parameter's name.
Values = dict[str, Any]


class Part(NamedTuple):
    """A field of an Airflow connection.

    :param name: the field
    :param needed: whether OMS needs it
    :param default: the value to use if the field is empty
    """

    name: str
    needed: bool = True
    default: Any = None


HOST, PORT, LOGIN, PASSWORD = Part("host"), Part("port"), Part("login"), Part("password")
SCHEMA = Part("schema", needed=False)


def _as_it_is(values: Values, operator: Any) -> Values:
    return values


@dataclass(frozen=True)
class DataSourceKind:
    """The description of one kind of data source.

    :param create: describes the action that creates it
    :param type: its type in ``ListDataSource``, with a star for any ending; None if that isn't documented
    :param connections: by the operator's argument that names an Airflow connection: the action's parameters that come
        from this connection, each with its field. A connection whose argument isn't given is skipped
    :param compared: keys of the request whose values must match those of an existing data source, if OMS shows them
    :param arrange: turns the values that were read into the action's parameters, or raises an error
    """

    create: Callable[..., Call[str]]
    type: str | None
    connections: Mapping[str, Mapping[str, Part]]
    compared: tuple[str, ...] = ()
    arrange: Callable[[Values, Any], Values] = field(default=_as_it_is)


def _address(values: Values) -> str | None:
    """Remove host and port from the values, and return them as one address. A host may be a list of addresses."""
    host, port = values.pop("host", None), values.pop("port", None)
    return host if not host or port is None or any(mark in host for mark in ":,") else f"{host}:{port}"


def _oceanbase(values: Values, operator: Any) -> Values:
    """Split the login, which may name tenant and cluster: ``user@tenant#cluster``."""
    values["username"], _, rest = values["username"].partition("@")
    tenant, _, cluster = rest.partition("#")
    values["tenant"], values["cluster"] = values.get("tenant") or tenant, values.get("cluster") or cluster
    for name in ("tenant", "cluster"):
        if not values[name]:
            raise OmsOperationRefusedError(
                f"OMS needs the {name} of an OceanBase data source: give {name}, or write the login of connection "
                f"{operator.oceanbase_conn_id!r} as user@tenant#cluster."
            )
    return values


#: The SASL mechanism that uses a Kerberos ticket instead of a password. Source:
#: docs/develop/oms-actions.md#more-data-sources
_KERBEROS = "GSSAPI"
SASL_MECHANISMS = (_KERBEROS, "PLAIN", "SCRAM_SHA_256", "SCRAM_SHA_512")


def check_sasl_mechanism(mechanism: str) -> None:
    """Check that OMS supports a SASL mechanism.

    :param mechanism: the mechanism
    :raises ValueError: if OMS doesn't support it
    """
    if mechanism not in SASL_MECHANISMS:
        raise ValueError(f"sasl_mechanism must be one of {', '.join(SASL_MECHANISMS)}; it is {mechanism!r}")


def _kafka(values: Values, operator: Any) -> Values:
    """Set the addresses of the brokers, and check that the values for the SASL mechanism are given."""
    values["endpoint"] = _address(values)
    if ":" not in values["endpoint"]:
        raise OmsOperationRefusedError(
            f"Airflow connection {operator.kafka_conn_id!r} has no port, which OMS needs, or write its host as "
            "host:port."
        )
    mechanism = values.get("sasl_mechanism")
    needed: tuple[str, ...] = ("kdc_path", "sasl_kerberos_principal", "service_name") if mechanism == _KERBEROS else ()
    if mechanism is not None:
        check_sasl_mechanism(mechanism)
    if mechanism in (None, _KERBEROS):
        unused = [name for name in ("username", "password") if values.pop(name, None)]
        if unused and mechanism is None:
            raise OmsOperationRefusedError(
                f"Airflow connection {operator.kafka_conn_id!r} has a login, which Kafka takes only with SASL: give "
                "sasl_mechanism, or a connection without login and password."
            )
    else:
        needed = ("username", "password")
    if lacking := [name for name in needed if not values.get(name)]:
        raise OmsOperationRefusedError(
            f"Kafka's SASL mechanism {mechanism} needs {', '.join(lacking)}; username and password come from Airflow "
            f"connection {operator.kafka_conn_id!r}."
        )
    return {**values, "enable_sasl": mechanism is not None}


def _odp(values: Values, operator: Any) -> Values:
    values["odp"] = _address(values)
    return values


def _polardb(values: Values, operator: Any) -> Values:
    values["intranet_addr"] = _address(values)
    return values


_OPTIONAL_ADDRESS = {"host": HOST._replace(needed=False), "port": PORT._replace(needed=False)}
_ACCESS_KEY = {"access_key": LOGIN, "secret_key": PASSWORD}
_DRC = {"drc_username": LOGIN, "drc_password": PASSWORD}

# Sources of all: docs/develop/oms-actions.md#data-sources, docs/develop/oms-actions.md#more-data-sources
MYSQL = DataSourceKind(
    actions.create_mysql_data_source,
    type="MYSQL",
    connections={
        "mysql_conn_id": {
            "ip": HOST,
            "port": Part("port", default=3306),
            "username": LOGIN,
            "password": PASSWORD,
            "schema": SCHEMA,
        }
    },
    compared=("ip", "port", "userName", "schema"),
)
OCEANBASE = DataSourceKind(
    actions.create_oceanbase_data_source,
    type="OB_*",
    connections={
        "oceanbase_conn_id": {"ip": HOST, "port": PORT, "username": LOGIN, "password": PASSWORD, "schema": SCHEMA},
        "drc_conn_id": _DRC,
        "inner_drc_conn_id": {"inner_drc_password": PASSWORD},
    },
    compared=("ip", "port", "userName", "schema", "tenant", "cluster"),
    arrange=_oceanbase,
)
KAFKA = DataSourceKind(
    actions.create_kafka_data_source,
    type="KAFKA",
    connections={
        "kafka_conn_id": {
            "host": HOST,
            "port": PORT._replace(needed=False),
            "username": LOGIN._replace(needed=False),
            "password": PASSWORD._replace(needed=False),
        }
    },
    compared=("endpoint", "userName", "saslMechanism"),
    arrange=_kafka,
)
OCEANBASE_ODP = DataSourceKind(
    actions.create_oceanbase_odp_data_source,
    type=None,
    connections={
        "oceanbase_conn_id": {**_OPTIONAL_ADDRESS, "username": LOGIN, "password": PASSWORD},
        "access_key_conn_id": _ACCESS_KEY,
        "drc_conn_id": _DRC,
    },
    compared=("url", "obProxy", "userName", "route", "instanceId", "middlewareInstanceId"),
    arrange=_odp,
)
POLARDB = DataSourceKind(
    actions.create_polardb_data_source,
    type=None,
    connections={
        "polardb_conn_id": {**_OPTIONAL_ADDRESS, "username": LOGIN, "password": PASSWORD},
        "access_key_conn_id": _ACCESS_KEY,
    },
    compared=("intranetAddr", "userName"),
    arrange=_polardb,
)
