"""The OMS hook: one method per action, each with an asynchronous twin, over an Airflow connection."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsAuthenticationError,
    OmsError,
    OmsProjectNotFoundError,
    OmsRejectedError,
    OmsUnreachableError,
)
from airflow_provider_oms.client.operations import AsyncOperations, Operations
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.hooks import form
from airflow_provider_oms.hooks.connection import (
    RECHECK,
    console_url,
    only_password_differs,
    read_settings,
    unreadable,
)
from airflow_provider_oms.hooks.options import max_concurrent_requests

if TYPE_CHECKING:
    from airflow_provider_oms.client.aio import AsyncOmsClient
    from airflow_provider_oms.client.settings import ClientSettings
    from airflow_provider_oms.client.sync import OmsClient

T = TypeVar("T")


class OmsHook(BaseHook, Operations, AsyncOperations):
    """Talk to OceanBase Migration Service (OMS).

    Every action of OMS is a method, such as ``hook.describe_project_progress("np_...")``. Each has an asynchronous twin
    for triggers and similar code, such as ``await hook.adescribe_project_progress("np_...")``. :meth:`call` and
    :meth:`acall` are for actions that have no method. Methods that list return an iterator over the rows of all pages.
    Every method raises an :class:`~airflow_provider_oms.client.errors.OmsError` if the call fails.

    Use the hook as a context manager, or close it, so that its connections are closed. For many asynchronous calls open
    it with ``async with``, so that they share a session.

    :param oms_conn_id: the Airflow connection
    """

    conn_name_attr = "oms_conn_id"
    default_conn_name = "oms_default"
    conn_type = "oms"
    hook_name = "OceanBase Migration Service"

    def __init__(self, oms_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.oms_conn_id = oms_conn_id
        self._client: OmsClient | None = None
        self._read_at = 0.0
        self._extra: dict[str, Any] = {}
        self._async_client: AsyncOmsClient | None = None

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the names and placeholders of the connection form's fields, for Airflow below 3.2."""
        return form.ui_field_behaviour()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the additional fields of the connection form, for Airflow below 3.2."""
        return form.form_widgets()

    # Synchronous

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The hook may be used again; it then reads the Airflow connection again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def get_conn(self) -> OmsClient:
        """Return the synchronous client.

        :raises OmsError: if Airflow has no such connection, or the connection is invalid
        """
        if self._client is None:
            from airflow_provider_oms.client.sync import OmsClient

            settings = self._read_connection()
            self._client = OmsClient(settings)
        return self._client

    def origin(self) -> str:
        """Return which OMS the hook asks, and as which user: :attr:`ClientSettings.origin`.

        A waiting gate calls this before each poll, because the connection may have been changed to another OMS. The
        connection is read again every few minutes. If that fails, or only its password is new, the client is kept.

        :raises OmsError: if Airflow has no such connection, or the connection is invalid
        """
        client = self.get_conn()
        if time.monotonic() - self._read_at < RECHECK:
            return client.settings.origin
        try:
            settings = self._read_connection()
        except OmsError as error:
            self._read_at = time.monotonic()
            self.log.warning("The earlier settings of the Airflow connection stay in use: %s", error)
            return client.settings.origin
        if not only_password_differs(client.settings, settings):
            self.log.warning(
                "The Airflow connection %r has changed, so a new session with OMS is opened.", self.oms_conn_id
            )
            self.close()
        return self.get_conn().settings.origin

    def send(self, call: Call[T]) -> Answer[T]:
        """Send a call from :mod:`airflow_provider_oms.client.actions`.

        If OMS refuses the login, the Airflow connection is read again, because its password may have been changed. If
        it points to another OMS now, or has another login, the call isn't sent there: whoever asks takes all answers
        for those of one OMS.

        :param call: the call that a function of that module returned
        :raises OmsError: the subclass that says what went wrong
        """
        client = self.get_conn()
        try:
            return client.send(call)
        except OmsAuthenticationError:
            self.close()
            fresh = self.get_conn()
            if fresh.settings == client.settings:
                raise
            same = fresh.settings.origin == client.settings.origin
        if not same:
            raise OmsUnreachableError(
                f"the Airflow connection {self.oms_conn_id!r} was changed to another OMS or user meanwhile, and the "
                "earlier one refused the login; the next attempt uses the new settings.",
                ErrorDetails(asked=call.asked),
            )
        return fresh.send(call)

    def console_url(self, project_id: str | None = None) -> str:
        """Return the page of the OMS console to show for a project.

        :param project_id: the project; None for a page that isn't about one
        """
        client = self.get_conn()  # reads the connection only once, also from a secrets backend
        return console_url(client.settings, self._extra, project_id)

    def test_connection(self) -> tuple[bool, str]:
        """Send OMS a call that changes nothing (``ListAllLabels``; on v3 the progress of a project that can't exist).

        :return: whether OMS answered, and a message with the reason if it didn't
        """
        try:
            with self:
                client = self.get_conn()
                if client.settings.api_version == "v3":
                    return self._test_v3(client)
                client.list_all_labels()
        except OmsError as error:
            return False, str(error)
        return True, f"OMS answers at {client.settings.base_url} and knows this user."

    def _test_v3(self, client: OmsClient) -> tuple[bool, str]:
        said = f"OMS answers at {client.settings.base_url}"
        try:
            client.send(actions.describe_project_progress("np_connection_test"))
        except (OmsProjectNotFoundError, OmsRejectedError) as error:
            if error.details.status is not None and not isinstance(error, OmsProjectNotFoundError):
                raise
            return True, f"{said}; as expected it knows no project np_connection_test."
        return True, f"{said}."

    def _read_connection(self) -> ClientSettings:
        try:
            settings, self._extra = self._read_fields()
        except BaseException as error:
            problem = unreadable(self.oms_conn_id, error)
        else:
            self._read_at = time.monotonic()
            return settings
        raise problem

    def _read_fields(self) -> tuple[ClientSettings, dict[str, Any]]:
        """Read the Airflow connection; see :func:`connection_problem` for why this is a separate function."""
        connection = self.get_connection(self.oms_conn_id)
        extra = connection.extra_dejson
        return self._mind_secrets(read_settings(connection, extra)), extra or {}

    # Asynchronous

    async def __aenter__(self) -> Self:
        self._async_client = await (await self.get_async_conn()).__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        client, self._async_client = self._async_client, None
        if client is not None:
            await client.aclose()

    async def get_async_conn(self) -> AsyncOmsClient:
        """Return an asynchronous client that isn't open yet, without blocking the event loop.

        :raises OmsError: if Airflow has no such connection, or the connection is invalid
        """
        from airflow_provider_oms.client.aio import AsyncOmsClient

        return AsyncOmsClient(await self.get_async_settings())

    async def get_async_settings(self) -> ClientSettings:
        """Read the Airflow connection without blocking the event loop: docs/develop/airflow-facts.md#async-connection

        :raises OmsError: if Airflow has no such connection, or the connection is invalid
        """
        try:
            settings = await self._read_fields_async()
        except BaseException as error:
            problem = unreadable(self.oms_conn_id, error)
        else:
            return replace(settings, max_concurrent_requests=max_concurrent_requests())
        raise problem

    async def _read_fields_async(self) -> ClientSettings:
        """Read the Airflow connection; the twin of :meth:`_read_fields`."""
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        connection = await get_async_connection(self.oms_conn_id)
        return read_settings(connection, await get_async_extra_dejson(connection))

    async def asend(self, call: Call[T]) -> Answer[T]:
        """Send a call; the twin of :meth:`send`. Outside ``async with`` it opens a session for this call only.

        :param call: as for :meth:`send`
        :raises OmsError: the subclass that says what went wrong
        """
        if self._async_client is not None:
            return await self._async_client.asend(call)
        async with await self.get_async_conn() as client:
            return await client.asend(call)

    @staticmethod
    def _mind_secrets(settings: ClientSettings) -> ClientSettings:
        """Make Airflow mask the encoded password and the token, too; it masks the plain password by itself."""
        from airflow.providers.common.compat.sdk import mask_secret

        if settings.password:
            mask_secret(settings.authorization.removeprefix("Basic "))
        if settings.security_token:
            mask_secret(settings.security_token)
        return settings
