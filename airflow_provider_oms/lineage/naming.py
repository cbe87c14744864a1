"""The names of datasets, by OpenLineage's specification. No name is better than a wrong one, which links unrelated
data.

Source: docs/develop/airflow-facts.md#openlineage-naming
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.models import ConnectInfo


class Dataset(NamedTuple):
    """A table, a view or a topic.

    :param namespace: its namespace: the scheme and the address
    :param name: its name in the namespace
    :param aliases: its other names, each as namespace and name
    """

    namespace: str
    name: str
    aliases: tuple[tuple[str, str], ...] = ()


class _Kind(NamedTuple):
    """How the tables of one kind of data source are named.

    :param scheme: the scheme of the namespace
    :param above: whether a name begins with the database or the service that holds the schemas
    :param alias: the scheme that other tools use for it
    """

    scheme: str
    above: bool = False
    alias: str | None = None


#: By OMS's types: docs/develop/oms-actions.md#data-sources. Other types have no name: for DataHub, RocketMQ, ADB, IDB
#: and the proxies of sharded tables, the specification has none, or OMS doesn't give the parts of the name.
_KINDS = {
    "MYSQL": _Kind("mysql"),
    "TIDB": _Kind("tidb", alias="mysql"),
    "OB_MYSQL": _Kind("oceanbase"),
    "OB_MYSQL_CE": _Kind("oceanbase"),
    "OB_ORACLE": _Kind("oceanbase"),
    "ORACLE": _Kind("oracle", above=True),
    "POSTGRESQL": _Kind("postgres", above=True),
    "DB2_LUW": _Kind("db2", above=True),
}
_KAFKA = "KAFKA"

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
#: Kafka's own rule for the names of topics.
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Place(NamedTuple):
    """The source or the target of a project, for the names of its objects.

    :param kind: OMS's type of the data source
    :param address: ``host:port``
    :param database: the database or service that holds the schemas, if names have such a level; None if it isn't known
    """

    kind: str
    address: str
    database: str | None = None

    def dataset(self, schema: str | None, name: str | None) -> Dataset | None:
        """Return the dataset of an object; None if its name isn't known.

        :param schema: OMS's ``databases.name`` or ``mappedName``
        :param name: its ``tables.name`` or ``mappedName``
        """
        if not name:
            return None
        if self.kind == _KAFKA:
            return Dataset(f"kafka://{self.address}", name) if _TOPIC.fullmatch(name) else None
        kind = _KINDS[self.kind]
        # A part with a dot in it would look like two parts.
        parts = [self.database, schema, name] if kind.above else [schema, name]
        if not all(part and "." not in part for part in parts):
            return None
        full = ".".join(str(part) for part in parts)
        aliases = ((f"{kind.alias}://{self.address}", full),) if kind.alias else ()
        return Dataset(f"{kind.scheme}://{self.address}", full, aliases)


def place_of(kind: str | None, info: ConnectInfo, databases: Mapping[str, str]) -> Place | None:
    """Return the place of a project's source or target; None if it isn't known.

    :param kind: ``sourceEndpointType`` or ``sinkEndpointType``
    :param info: ``sourceConnectInfo`` or ``sinkConnectInfo``
    :param databases: the database that holds the schemas at each address, because OMS doesn't give it
    """
    try:
        if kind == _KAFKA:
            first = re.split("[,;]", info.endpoint or "")[0].strip()  # as OpenLineage's own integrations do
            host, _, port = first.rpartition(":")
            address = _address(host.strip("[]"), int(port) if port.isascii() and port.isdecimal() else None)
        else:
            address = _address(info.host, info.port)
    except OmsMalformedAnswerError:
        return None
    if address is None or (kind != _KAFKA and kind not in _KINDS):
        return None
    return Place(str(kind), address, databases.get(address) or None)


def _address(host: str | None, port: int | None) -> str | None:
    """Return ``host:port`` if both are valid and mean the same on every machine; otherwise None."""
    if not host or port is None or not 0 < port < 65536:
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"{host}:{port}" if _HOST.fullmatch(host) and host.lower() != "localhost" else None
    if address.is_loopback or address.is_unspecified:  # on each machine it means that machine itself
        return None
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
