"""Telling OMS where a database is, and who may read or write it: data sources out of Airflow connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsRejectedError, safe_text
from airflow_provider_oms.client.models import DataSource
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.client.redaction import NO_SECRETS, Secrets
from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.hooks.connection import connection_problem, read_port
from airflow_provider_oms.links.oms import push_console_url
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.operators.base import OmsOperator, answer_was_lost
from airflow_provider_oms.operators.secrecy import hide
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection, Context

    from airflow_provider_oms.hooks.oms import OmsHook

_MYSQL_PORT = 3306
_LONGEST_NAME = 32
_LONGEST_DESCRIPTION = 128


class OmsDataSourceOperator(OmsOperator):
    """Create a data source in OMS, once.

    It looks the name up first (``ListDataSource``). One of the same type, host, port, user and schema is left alone and
    its id returned; one that differs is refused. OMS shows no passwords, so these aren't compared. A create whose
    answer was lost is resolved by looking the name up again, never by sending it twice.

    Host, port, user and password come from an Airflow connection. The password travels in Base64, as OMS wants it, and
    is in no log, rendered template, XCom or exception. Returns (XCom) the data source's id, which is pushed under
    ``data_source_id``, too.

    :param name: the data source's name in OMS (templated)
    :param schema: the database that it is confined to; default is that of the Airflow connection (templated)
    :param region: the region where it is (templated)
    :param description: at most 128 characters (templated)
    :param oms_conn_id: the Airflow connection of OMS (templated)
    :raises ValueError: naming the argument that is wrong
    """

    template_fields: Sequence[str] = ("name", "schema", "region", "description", "oms_conn_id")

    def __init__(
        self,
        *,
        name: str,
        schema: str | None = None,
        region: str | None = None,
        description: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.schema = schema
        self.region = region
        self.description = description
        for argument in ("name", "description"):
            if is_literal(getattr(self, argument)):
                self._check_text(argument)

    def describe(self) -> tuple[Call[str], dict[str, Any]]:
        """Return the call that creates it, and what must be the same in one that exists."""
        raise NotImplementedError

    def carry_out(self, context: Context, hook: OmsHook) -> str:
        """Look, and create what isn't there."""
        self._check_text("name")
        self._check_text("description")
        for argument in self.template_fields:
            if (value := getattr(self, argument)) and argument != "description" and arguments.is_nothing(value):
                raise ValueError(f"{argument} must be text that isn't empty; it is {value!r}")
        call, traits = self.describe()
        found = self._find(hook, call, traits)
        if found is None:
            found = self._create(hook, call, traits)
        else:
            self.log.info(
                "Nothing to do: data source %s is there already, %s. Its password can't be compared.", self.name, found
            )
        context["ti"].xcom_push(key="data_source_id", value=found)
        push_console_url(context, hook, None)
        return found

    def _create(self, hook: OmsHook, call: Call[str], traits: Mapping[str, Any]) -> str:
        try:
            created = hook.send(call).data
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            found = self._find(hook, call, traits)
            if found is None:
                raise
            self.log.warning("%s Data source %s is there all the same: %s.", error.problem, self.name, found)
            return found
        self.log.info("OMS has created data source %s: %s.", self.name, created)
        return created

    def _find(self, hook: OmsHook, call: Call[str], traits: Mapping[str, Any]) -> str | None:
        """Return the id of the data source of that name, None when there is none.

        :raises OmsOperationRefusedError: when it is another one, or there are several
        """
        found = find_data_sources(hook, self.name, call.secrets)
        if not found:
            return None
        if len(found) > 1:
            raise OmsOperationRefusedError(f"OMS shows this user {len(found)} data sources named {self.name!r}.")
        different = [
            f"{trait} is {safe_text(told, 200)!r} there and {safe_text(wanted, 200)!r} here"
            for trait, wanted in traits.items()
            if wanted is not None and (told := _told(found[0], trait)) is not None and not _same(told, wanted)
        ]
        if different:
            raise OmsOperationRefusedError(
                f"OMS has another data source named {self.name!r}: {'; '.join(different)}. Use another name, or fix "
                "or delete that one in the OMS console."
            )
        return str(found[0].id)

    def _check_text(self, argument: str) -> None:
        value = getattr(self, argument)
        if argument == "description":
            if value is not None and (not isinstance(value, str) or len(value) > _LONGEST_DESCRIPTION):
                raise ValueError(f"description must be text of at most {_LONGEST_DESCRIPTION} characters")
            return
        arguments.proper_name("name", value)


class OmsCreateMySqlDataSourceOperator(OmsDataSourceOperator):
    """Create a MySQL data source out of an Airflow connection (``CreateMySqlDataSource``), once.

    Its name must have no blanks and at most 32 characters. Takes the arguments of :class:`OmsDataSourceOperator`, too.

    :param mysql_conn_id: the Airflow connection of the database (templated)
    :param try_keep_hb: let OMS write heartbeats into the database, so that an idle source keeps a small lag. A lag or
        checkpoint gate on a source without writes never opens without them
    """

    template_fields: Sequence[str] = (*OmsDataSourceOperator.template_fields, "mysql_conn_id")

    def __init__(self, *, mysql_conn_id: str = "mysql_default", try_keep_hb: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mysql_conn_id = mysql_conn_id
        self.try_keep_hb = None if try_keep_hb is None else arguments.flag("try_keep_hb", try_keep_hb)

    def _check_text(self, argument: str) -> None:
        super()._check_text(argument)
        if argument == "name" and (len(self.name) > _LONGEST_NAME or len(self.name.split()) != 1):
            raise ValueError(f"name must have no blanks and at most {_LONGEST_NAME} characters; it is {self.name!r}")

    def describe(self) -> tuple[Call[str], dict[str, Any]]:
        """Return the call that creates it, and what must be the same in one that exists."""
        database = read_database(self.mysql_conn_id)
        host, port = _need("host", database), read_port(database.port) or _MYSQL_PORT
        user, schema = _need("login", database), self.schema or database.schema or None
        call = actions.create_mysql_data_source(
            self.name,
            ip=host,
            port=port,
            username=user,
            password=_need("password", database),
            schema=schema,
            region=self.region,
            description=self.description,
            try_keep_hb=self.try_keep_hb,
        )
        traits = {"type": "MYSQL", "ip": host, "port": port, "userName": user, "schema": schema}
        return call, traits


class OmsCreateOceanBaseDataSourceOperator(OmsDataSourceOperator):
    """Create an OceanBase data source out of Airflow connections (``CreateOceanBaseDataSource``), once.

    The tenant and the cluster may stand in the connection's login, as OceanBase writes them (``user@tenant#cluster``).
    Takes the arguments of :class:`OmsDataSourceOperator`, too.

    :param oceanbase_conn_id: the Airflow connection of the database; any type with host, port, login and password will
        do (templated)
    :param tenant: the tenant (templated)
    :param cluster: the tenant's cluster (templated)
    :param data_source_type: OB_MYSQL, OB_MYSQL_CE or OB_ORACLE; OMS Community Edition needs none (templated)
    :param drc_conn_id: an Airflow connection with the user that reads incremental logs, and its password (templated)
    :param inner_drc_conn_id: one with the password of ``__oceanbase_inner_drc_user`` (templated)
    :param ocp_name: the OceanBase Cloud Platform that it belongs to (templated)
    :param config_url: the cluster's ``obconfig_url`` (templated)
    """

    template_fields: Sequence[str] = (
        *OmsDataSourceOperator.template_fields,
        "oceanbase_conn_id",
        "tenant",
        "cluster",
        "data_source_type",
        "drc_conn_id",
        "inner_drc_conn_id",
        "ocp_name",
        "config_url",
    )

    def __init__(
        self,
        *,
        oceanbase_conn_id: str,
        tenant: str | None = None,
        cluster: str | None = None,
        data_source_type: str | None = None,
        drc_conn_id: str | None = None,
        inner_drc_conn_id: str | None = None,
        ocp_name: str | None = None,
        config_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.oceanbase_conn_id = oceanbase_conn_id
        self.tenant = tenant
        self.cluster = cluster
        self.data_source_type = data_source_type
        self.drc_conn_id = drc_conn_id
        self.inner_drc_conn_id = inner_drc_conn_id
        self.ocp_name = ocp_name
        self.config_url = config_url

    def describe(self) -> tuple[Call[str], dict[str, Any]]:
        """Return the call that creates it, and what must be the same in one that exists."""
        database = read_database(self.oceanbase_conn_id)
        host, password = _need("host", database), _need("password", database)
        port = cast("int", read_port(_need("port", database)))
        user, tenant, cluster = _split_login(_need("login", database))
        tenant, cluster = self.tenant or tenant, self.cluster or cluster
        for name, value in (("tenant", tenant), ("cluster", cluster)):
            if not value:
                raise OmsOperationRefusedError(
                    f"OMS needs the {name} of an OceanBase data source: give {name}, or write the login of connection "
                    f"{self.oceanbase_conn_id!r} as user@tenant#cluster."
                )
        drc = read_database(self.drc_conn_id) if self.drc_conn_id else None
        inner = read_database(self.inner_drc_conn_id) if self.inner_drc_conn_id else None
        drc_password = _need("password", drc) if drc else None
        inner_password = _need("password", inner) if inner else None
        schema = self.schema or database.schema or None
        call = actions.create_oceanbase_data_source(
            self.name,
            tenant=str(tenant),
            cluster=str(cluster),
            ip=host,
            port=port,
            username=user,
            password=password,
            data_source_type=self.data_source_type,
            schema=schema,
            region=self.region,
            description=self.description,
            ocp_name=self.ocp_name,
            config_url=self.config_url,
            drc_username=_need("login", drc) if drc else None,
            drc_password=drc_password,
            inner_drc_password=inner_password,
        )
        traits = {
            "type": self.data_source_type or "OB_*",
            "ip": host,
            "port": port,
            "userName": user,
            "schema": schema,
            "tenant": tenant,
            "cluster": cluster,
        }
        return call, traits


def find_data_sources(hook: OmsHook, name: str, secrets: Secrets = NO_SECRETS) -> list[DataSource]:
    """Return the data sources of exactly that name (``ListDataSource``).

    :param hook: the hook to ask
    :param name: the whole name
    :param secrets: what the answer must not bring back
    """
    rows = run_flow(hook, replace(actions.list_data_source(name), secrets=secrets).whole())
    return [row for row in rows if row.name == name and row.id]


def read_database(conn_id: str) -> Connection:
    """Read the Airflow connection of a database, and have its password masked in all its forms.

    :param conn_id: the connection
    :raises OmsError: when Airflow has no such connection, or can't read it
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except Exception as error:
        raise connection_problem(conn_id, error) from None
    hide(connection.password)
    return connection


def _need(field: str, connection: Connection) -> Any:
    value = getattr(connection, field)
    if value in (None, ""):
        raise OmsOperationRefusedError(f"Airflow connection {connection.conn_id!r} has no {field}, which OMS needs.")
    return value


def _split_login(login: str) -> tuple[str, str | None, str | None]:
    """Split ``user@tenant#cluster``."""
    user, _, rest = login.partition("@")
    tenant, _, cluster = rest.partition("#")
    return user, tenant or None, cluster or None


def _told(source: DataSource, trait: str) -> Any:
    if trait == "ip":
        return source.host
    if trait == "userName":
        return source.get("userName") or source.get("username")
    return source.get(trait)


def _same(told: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and wanted.endswith("*"):
        return str(told).upper().startswith(wanted[:-1])
    return str(told) == str(wanted)
