"""What the operators for all kinds of data sources share. A data source has a database's address and login."""

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

#: Types in ``ListDataSource`` that certainly aren't the type of a kind whose own type isn't documented.
#: Source: docs/develop/oms-actions.md#more-data-sources
_OTHER_TYPES = (
    *("MYSQL", "OB_ORACLE", "OB_MYSQL", "OB_MYSQL_CE", "ORACLE", "TIDB", "KAFKA", "ADB", "DATAHUB", "ROCKETMQ"),
    *("DB2_LUW", "POSTGRESQL"),
)


class OmsDataSourceOperator(OmsOperator):
    """Create a data source in OMS, once.

    The operator looks up the name first (``ListDataSource``). If a data source with the same name, type, address and
    user exists, its id is returned; if the existing one differs, the task fails. OMS doesn't show passwords, so these
    aren't compared. If the answer to a create was lost, the name is looked up again; a create is never sent twice.

    Addresses, users and passwords come from Airflow connections. A password is sent in Base64, as OMS expects it, and
    is in no log, rendered template, XCom or exception. Returns the data source's id as XCom, which is pushed under
    ``data_source_id``, too.

    :param name: the data source's name in OMS (templated)
    :param region: the region in which the database is (templated)
    :param description: at most 128 characters (templated)
    :param oms_conn_id: the Airflow connection of OMS (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("name", "region", "description", "oms_conn_id")

    #: The description of the kind of data source.
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
        """Return the call that creates the data source, and the properties that must match if it exists already."""
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
        """Return the data source's name, for messages."""
        return f"data source {safe_repr(self.name, 200)}"

    def carry_out(self, context: Context, hook: OmsHook) -> str:
        """Create the data source, unless it exists.

        :param context: Airflow's context
        :param hook: the open hook
        :raises OmsOperationRefusedError: if it exists but differs
        """
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
                "Nothing to do: data source %s exists already, %s. Its password can't be compared.", self.name, found
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
            self.log.warning("%s Data source %s exists nevertheless: %s.", error.problem, self.name, found)
            return found
        self.log.info("OMS has created data source %s: %s.", self.name, created)
        return created

    def _find(self, hook: OmsHook, call: Call[str], traits: Mapping[str, Any]) -> str | None:
        """Return the id of the data source with the name; None if there is none.

        :raises OmsOperationRefusedError: if it differs, or if several have the name
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
                f"OMS has another data source named {self.name!r}: {'; '.join(different)}. Use another name, or "
                "correct or delete that data source in the OMS console."
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
    """Return the data sources with exactly this name (``ListDataSource``).

    :param hook: the hook to ask
    :param name: the whole name
    :param secrets: the secrets to remove from the answer
    """
    rows = run_flow(hook, replace(actions.list_data_source(name), secrets=secrets).whole())
    return [row for row in rows if row.name == name and row.id]


def read_database(conn_id: str) -> Connection:
    """Read the Airflow connection of a database, and make Airflow mask its password in every form.

    :param conn_id: the connection's id
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

    :raises OmsOperationRefusedError: if it is empty although OMS needs it
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
    # The properties of one kind may be in connExtraAttributes; this isn't documented.
    return source.part("connExtraAttributes").get(trait) if told is None else told


def _same(told: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and wanted.endswith("*"):
        return str(told).upper().startswith(wanted[:-1])
    return str(told) == str(wanted)
