"""Reads an Airflow connection. No other module interprets its fields."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, TypeVar

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_oms.client.errors import (
    OmsError,
    OmsInvalidRequestError,
    OmsPermanentError,
    OmsUnreachableError,
    broken_off,
)
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.client.settings import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    ClientSettings,
    build_base_url,
    read_api_version,
)

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Seconds after which a waiting gate reads its Airflow connection again.
RECHECK = 180.0

DEFAULT_CONSOLE_URL = "{base_url}/oms-v2/migration"

#: The page of the product in Alibaba Cloud's console: docs/develop/oms-alibaba-cloud.md#console
CLOUD_CONSOLE_URL = "https://oceanbase.console.aliyun.com"


class ConnectionFields(Protocol):
    """The fields of an Airflow connection that this package uses."""

    conn_id: str
    host: str | None
    port: Any
    extra: str | None
    schema: str | None
    login: str | None
    password: str | None


def connection_problem(oms_conn_id: str, error: Exception) -> OmsError:
    """Return the error for a connection that Airflow didn't return; it is temporary if Airflow's API was unreachable.

    Airflow also reports a connection as missing if it can't parse the environment variable that holds it.

    Raise the result outside of the ``except`` block. Some log handlers show the variables of the frames of an error and
    of the errors before it, and a connection among them would show its password and its extra.

    :param oms_conn_id: the Airflow connection
    :param error: the error that was raised when the connection was read
    """
    if isinstance(error, OmsError):
        return type(error)(error.problem, error.details)
    variable = f"AIRFLOW_CONN_{str(oms_conn_id).upper()}"
    if isinstance(error, AirflowNotFoundException) and variable not in os.environ:
        return OmsPermanentError(f"there is no Airflow connection {oms_conn_id!r}. Create it.")
    wrong = isinstance(error, TypeError | AttributeError | ValueError) and not _is_validation(error)
    if wrong or isinstance(error, AirflowNotFoundException):
        where = f" in {variable}" if variable in os.environ else ""
        # The error's own text isn't shown, because it may repeat a password.
        return OmsInvalidRequestError(
            f"Airflow can't read the connection {oms_conn_id!r}{where}. Its JSON or URI must be complete, its "
            "port a number and its extra a JSON object. Correct it."
        )
    return OmsUnreachableError(f"Airflow couldn't read the connection {oms_conn_id!r} ({type(error).__name__}).")


def unreadable(oms_conn_id: str, error: BaseException) -> BaseException:
    """Return the error to raise if a connection wasn't read: :func:`connection_problem`, or the interruption itself.

    :param oms_conn_id: the Airflow connection
    :param error: what was raised when the connection was read; it may be a task's time-out or a cancellation
    """
    return connection_problem(oms_conn_id, error) if isinstance(error, Exception) else broken_off(error)


class NoConnection:
    """Replaces a client if the Airflow connection can't be read: every call raises that error.

    :param error: the error to raise
    """

    def __init__(self, error: OmsError) -> None:
        self._error = error

    def send(self, call: Call[T]) -> Answer[T]:
        """Raise the error.

        :param call: the call, which isn't sent
        :raises OmsError: always; it says what is wrong with the Airflow connection
        """
        raise self._error

    async def asend(self, call: Call[T]) -> Answer[T]:
        """Raise the error; the twin of :meth:`send`.

        :param call: the call, which isn't sent
        :raises OmsError: always; it says what is wrong with the Airflow connection
        """
        raise self._error


def read_settings(connection: ConnectionFields, extra: Mapping[str, Any]) -> ClientSettings:
    """Turn a connection into the settings of a client.

    :param connection: the connection
    :param extra: its extra, as a dictionary
    :raises OmsInvalidRequestError: if a field is invalid; the message names the connection and the field
    """
    try:
        extra = _object(connection.extra, extra)
        api_version = read_api_version(str(extra.get("api_version") or "v2"))
        host, scheme = _text(connection, "host"), _text(connection, "schema")
        settings = ClientSettings(
            base_url=build_base_url(host, read_port(connection.port), scheme, api_version),
            login=_text(connection, "login") or "",
            password=_text(connection, "password") or "",
            verify=_verify(extra.get("verify")),
            timeout=float(_number("timeout", extra.get("timeout"), DEFAULT_TIMEOUT)),
            retries=int(_number("retries", extra.get("retries"), DEFAULT_RETRIES)),
            api_version=api_version,
            security_token=str(extra.get("security_token") or "").strip() or None,
            source=f"Airflow connection {connection.conn_id!r}",
        )
    except OmsInvalidRequestError as error:
        raise OmsInvalidRequestError(f"Airflow connection {connection.conn_id!r}: {error.problem}") from None
    if settings.verify is False and settings.base_url.startswith("https:"):
        log.warning(
            "Airflow connection %r: verify is false, so the identity of the server isn't checked.", connection.conn_id
        )
    return settings


def only_password_differs(one: ClientSettings, other: ClientSettings) -> bool:
    """Return whether two settings differ in the password only.

    A new password may be stored in Airflow before it is changed in OMS, so a session keeps the old password as long
    as OMS accepts it.

    :param one: the settings in use
    :param other: the current settings of the Airflow connection
    """
    return one == replace(other, password=one.password)


def read_ca_bundle(settings: ClientSettings) -> str | None:
    """Return a value that changes with the content of the CA bundle; None if there is no bundle. It blocks.

    :param settings: the settings with the path of the bundle
    """
    bundle = settings.ca_bundle
    if not isinstance(bundle, str):
        return None
    path = Path(bundle)
    try:
        if path.is_dir():
            told = sorted((one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in path.iterdir())
            return repr(told)
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def console_url(settings: ClientSettings, extra: Mapping[str, Any], project_id: str | None) -> str:
    """Return the page of the OMS console to show for a project.

    OceanBase documents no link to a single project, so the default is the list of projects.

    :param settings: the settings of the client
    :param extra: the connection's extra; ``console_url`` in it is a template
    :param project_id: the project; None for a page that isn't about one
    """
    default = CLOUD_CONSOLE_URL if settings.hosted else DEFAULT_CONSOLE_URL
    template = str(extra.get("console_url") or default)
    return template.replace("{base_url}", settings.base_url).replace("{project_id}", project_id or "")


def _is_validation(error: Exception) -> bool:
    """Return whether it is a pydantic error, which comes from the communication between Airflow's processes."""
    return type(error).__module__.startswith("pydantic")


def _object(written: Any, extra: Any) -> Mapping[str, Any]:
    """Return the extra. Airflow turns text that isn't JSON into an empty extra, which would hide its content."""
    if not extra and isinstance(written, str) and written.strip():
        try:
            extra = json.loads(written)
        except ValueError:
            extra = written
    if extra is None or isinstance(extra, Mapping):
        return extra or {}
    raise OmsInvalidRequestError('its extra must be a JSON object, such as {"timeout": 10}.')


def _text(connection: ConnectionFields, name: str) -> str | None:
    value = getattr(connection, name)
    if value is None or isinstance(value, str):
        return value
    raise OmsInvalidRequestError(f"its {name} must be text, not {type(value).__name__}.")


def read_port(value: Any) -> int | None:
    """Read a port. It may be given as text, as secrets backends do.

    :param value: the connection's port
    :raises OmsInvalidRequestError: when it is not a port
    """
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else "?"
    if value is None or text == "":
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise OmsInvalidRequestError(f"its port must be a number from 1 to 65535, not {value!r}.")


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
