"""Telling OMS where a database is, and who may read or write it: what all kinds of data sources share."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsRejectedError, safe_text
from airflow_provider_oms.client.models import DataSource
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.client.redaction import NO_SECRETS, Secrets
from airflow_provider_oms.client.safe_text import safe_repr
from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.hooks.connection import connection_problem, read_port
from airflow_provider_oms.links.oms import push_console_url
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.operators.base import OmsOperator, answer_was_lost
from airflow_provider_oms.operators.data_source_kinds import DataSourceKind, Part
from airflow_provider_oms.operators.secrecy import hide, hide_secrets
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection, Context

    from airflow_provider_oms.hooks.oms import OmsHook

_LONGEST_DESCRIPTION = 128

#: Types of ``ListDataSource`` that are known to be something else than a kind whose own type no document names.
#: Source: docs/develop/oms-actions.md#more-data-sources
_OTHER_TYPES = (
    *("MYSQL", "OB_ORACLE", "OB_MYSQL", "OB_MYSQL_CE", "ORACLE", "TIDB", "KAFKA", "ADB", "DATAHUB", "ROCKETMQ"),
    *("DB2_LUW", "POSTGRESQL"),
)


class OmsDataSourceOperator(OmsOperator):
    """Create a data source in OMS, once.

    It looks the name up first (``ListDataSource``). One of the same type, address and user is left alone and its id
    returned; one that differs is refused. OMS shows no passwords, so these aren't compared. A create whose answer was
    lost is resolved by looking the name up again, never by sending it twice.

    Addresses, users and passwords come from Airflow connections. A password travels in Base64, as OMS wants it, and is
    in no log, rendered template, XCom or exception. Returns (XCom) the data source's id, which is pushed under
    ``data_source_id``, too.

    :param name: the data source's name in OMS (templated)
    :param region: the region where it is (templated)
    :param description: at most 128 characters (templated)
    :param oms_conn_id: the Airflow connection of OMS (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("name", "region", "description", "oms_conn_id")

    #: What is particular about one kind.
    kind: ClassVar[DataSourceKind]

    def __init__(
        self,
        *,
        name: str,
        region: str | None = None,
        description: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.region = region
        self.description = description
        for argument in ("name", "description"):
            if is_literal(getattr(self, argument)):
                self._check_text(argument)

    def describe(self) -> tuple[Call[str], dict[str, Any]]:
        """Return the call that creates it, and what must be the same in one that exists."""
        values: dict[str, Any] = {}
        for argument, parts in self.kind.connections.items():
            if (conn_id := getattr(self, argument)) is not None:
                connection = read_database(conn_id)
                values |= {parameter: _read(connection, part) for parameter, part in parts.items()}
        for parameter in inspect.signature(self.kind.create).parameters:
            if parameter != "name" and (value := getattr(self, parameter, None)) is not None:
                values[parameter] = value
        call = self.kind.create(self.name, **self.kind.arrange(values, self))
        hide_secrets(call.payload)
        wanted = {key: _in_request(call.payload, key) for key in self.kind.compared}
        return call, {"type": call.payload.get("type") or self.kind.type, **wanted}

    def about(self) -> str:
        """Name the data source."""
        return f"data source {safe_repr(self.name, 200)}"

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
        if self.kind.type is None and found[0].type in _OTHER_TYPES:
            different.insert(0, f"type is {found[0].type!r} there")
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
        problem = connection_problem(conn_id, error)
    else:
        hide(connection.password)
        return connection
    raise problem


def _read(connection: Connection, part: Part) -> Any:
    """Return a field of a connection.

    :raises OmsOperationRefusedError: when it is empty and OMS needs it
    """
    value = getattr(connection, part.name)
    if value not in (None, ""):
        return read_port(value) if part.name == "port" else value
    if part.needed and part.default is None:
        raise OmsOperationRefusedError(
            f"Airflow connection {connection.conn_id!r} has no {part.name}, which OMS needs."
        )
    return part.default


def _in_request(payload: Mapping[str, Any], key: str) -> Any:
    return payload.get(key) or (payload.get("username") if key == "userName" else None)


def _told(source: DataSource, trait: str) -> Any:
    if trait == "ip":
        return source.host
    if trait == "userName":
        return source.get("userName") or source.get("username")
    told = source.get(trait)
    # What is particular about a kind may stand apart: no document says.
    return source.part("connExtraAttributes").get(trait) if told is None else told


def _same(told: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and wanted.endswith("*"):
        return str(told).upper().startswith(wanted[:-1])
    return str(told) == str(wanted)
