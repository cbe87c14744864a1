"""Decides who may see a page, by Airflow's own permissions, in the same way as Airflow's own pages.

Without a login the answer is 401, without the permission 403, before anything is looked up.
"""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails, DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_connection, requires_access_dag
from airflow.models.connection import Connection
from airflow.utils.session import create_session
from fastapi import Depends
from sqlalchemy import select

from airflow_provider_oms.hooks.oms import OmsHook

#: The permission to read the task instances of the DAG in the path.
MAY_READ_TASK = Depends(requires_access_dag("GET", DagAccessEntity.TASK_INSTANCE))

#: The permission to read the connection in the path.
MAY_READ_CONNECTION = Depends(requires_access_connection("GET"))

#: The user who is logged in.
User = GetUserDep


def _may_read(user: Any, conn_id: str) -> bool:
    details: dict[str, Any] = {"conn_id": conn_id}
    if hasattr(Connection, "get_team_name"):  # teams came with Airflow 3.2
        details["team_name"] = Connection.get_team_name(conn_id)
    return bool(
        get_auth_manager().is_authorized_connection(method="GET", details=ConnectionDetails(**details), user=user)
    )


async def may_read_connection(user: Any, conn_id: str) -> bool:
    """Return whether a user may read a connection.

    :param user: the user
    :param conn_id: the connection's id
    """
    return await asyncio.to_thread(_may_read, user, conn_id)


async def readable_connections(user: Any) -> list[str]:
    """List the connections to an OMS that a user may read.

    These are the connections in Airflow's database, and the default connection wherever it is stored. Airflow can't
    list other connections in environment variables or a secrets backend, but their pages can be opened.

    :param user: the user
    """

    def readable() -> list[str]:
        with create_session() as session:
            found = set(session.scalars(select(Connection.conn_id).where(Connection.conn_type == OmsHook.conn_type)))
        if OmsHook.default_conn_name not in found and is_oms(OmsHook.default_conn_name):
            found.add(OmsHook.default_conn_name)
        return sorted(conn_id for conn_id in found if _may_read(user, conn_id))

    return await asyncio.to_thread(readable)


def is_oms(conn_id: str) -> bool:
    """Return whether a connection with this id exists and is of the type ``oms``. It blocks.

    :param conn_id: the connection's id
    """
    try:
        return bool(Connection.get_connection_from_secrets(conn_id).conn_type == OmsHook.conn_type)
    except Exception:  # Airflow's versions raise different errors if it doesn't exist, or can't be read
        return False
