"""An Airflow connection, read: the one place that knows what its fields mean."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from airflow_provider_oms.client.errors import OmsInvalidRequestError
from airflow_provider_oms.client.settings import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    ClientSettings,
    build_base_url,
    read_api_version,
)

log = logging.getLogger(__name__)

DEFAULT_CONSOLE_URL = "{base_url}/oms-v2/migration"

#: Alibaba Cloud's console of the product: docs/develop/oms-alibaba-cloud.md#console
CLOUD_CONSOLE_URL = "https://oceanbase.console.aliyun.com"


class ConnectionFields(Protocol):
    """The fields of an Airflow connection that count here."""

    conn_id: str
    host: str | None
    port: int | None
    schema: str | None
    login: str | None
    password: str | None


def read_settings(connection: ConnectionFields, extra: Mapping[str, Any]) -> ClientSettings:
    """Turn a connection into the settings of a client.

    :param connection: the connection
    :param extra: its extra, as a dictionary
    :raises OmsInvalidRequestError: naming the connection and the field that is wrong
    """
    try:
        api_version = read_api_version(str(extra.get("api_version") or "v2"))
        settings = ClientSettings(
            base_url=build_base_url(connection.host, connection.port, connection.schema, api_version),
            login=connection.login or "",
            password=connection.password or "",
            verify=_verify(extra.get("verify")),
            timeout=float(_number("timeout", extra.get("timeout"), DEFAULT_TIMEOUT)),
            retries=int(_number("retries", extra.get("retries"), DEFAULT_RETRIES)),
            api_version=api_version,
            security_token=str(extra.get("security_token") or "").strip() or None,
        )
    except OmsInvalidRequestError as error:
        raise OmsInvalidRequestError(f"Airflow connection {connection.conn_id!r}: {error.problem}") from None
    if settings.verify is False and settings.base_url.startswith("https:"):
        log.warning("Airflow connection %r: verify is false, so nobody checks who answers.", connection.conn_id)
    return settings


def console_url(settings: ClientSettings, extra: Mapping[str, Any], project_id: str | None) -> str:
    """Return the page of the OMS console to show for a project.

    OceanBase documents no link to a single project, so the default is the list of projects.

    :param settings: where OMS is
    :param extra: the connection's extra; ``console_url`` in it is a template
    :param project_id: the project
    """
    default = CLOUD_CONSOLE_URL if settings.api_version == "alibaba_cloud" else DEFAULT_CONSOLE_URL
    template = str(extra.get("console_url") or default)
    return template.replace("{base_url}", settings.base_url).replace("{project_id}", project_id or "")


def _verify(value: Any) -> bool | str:
    """Read ``verify``: the form and a URI give text, JSON gives booleans as well."""
    if value is None or isinstance(value, bool):
        return value is not False
    text = str(value).strip()
    return {"": True, "true": True, "false": False}.get(text.lower(), text)


def _number(name: str, value: Any, default: float) -> float:
    if value is None or value == "":
        return default
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not 0 <= number < 1e6 or (name == "retries" and number != int(number)):
            raise ValueError
    except (TypeError, ValueError):
        raise OmsInvalidRequestError(f"{name} in its extra must be a number, not {value!r}.") from None
    return number
