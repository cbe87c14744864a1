"""Reads one list of all projects per interval, if deferred gates wait for many projects of one connection.

The list may only say "not yet" (:mod:`airflow_provider_oms.milestones.rows`). If it can't be read, each gate asks for
its own project, as without a list.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsPermanentError, OmsUnreachableError
from airflow_provider_oms.client.operations import arun_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.milestones.rows import ROWS_A_PAGE, Listing, listing
from airflow_provider_oms.triggers.reading import Reading
from airflow_provider_oms.triggers.shared import ConnectionReplacedError, Share, SharedSession

log = logging.getLogger(__name__)

#: The polls of the gates that use a list are spread over at most this part of the time for which the list is fresh.
LIST_SPREAD = 0.5

#: Average seconds between the polls of two such gates. They judge their rows in turn, so more isn't needed.
PLACE = 0.00005

#: Seconds until a list that was refused, or isn't useful, is asked for again.
LIST_AGAIN = 600.0


def is_listed(share: Share) -> bool:
    """Return whether a gate uses the list of projects: it waits for one project, many others are waited for, the list
    works.

    :param share: the gate's share of the session with the OMS
    """
    oms = share.oms
    return (
        share.project is not None
        and len(oms.projects) > oms.list_above
        and asyncio.get_running_loop().time() >= oms.unlisted_until
    )


def spread_of(share: Share, fresh_for: float) -> float:
    """Return the seconds over which the polls of the gates that use the list are spread.

    :param share: a gate's share of the session with the OMS
    :param fresh_for: the greatest age of the list, in seconds
    """
    return min(fresh_for * LIST_SPREAD, share.oms.users * PLACE)


async def list_of_all(
    share: Share, session: SharedSession, fresh_for: float, project_id: str | None = None
) -> Listing | None:
    """Return the list of all projects, for which one gate asks on behalf of all; None if it can't be read.

    While it is read, a gate whose row has changed in kind gets this row, without the others, as soon as it has arrived.

    :param share: the gate's share of the session with the OMS
    :param session: the session over which the list is read
    :param fresh_for: the greatest age of the list, in seconds
    :param project_id: the gate's project; None if it isn't known which project has the gate's name
    :raises OmsUnreachableError: if OMS can't be connected to
    :raises ConnectionReplacedError: if another session has replaced this one
    """

    async def get(_: float) -> Listing:
        reading = session.reading = Reading(session.read.kinds)
        ended: Listing | OmsError | None = None
        try:
            pages = _Pages(session, fresh_for, reading)
            ended = whole = await arun_flow(pages, listing(actions.list_projects(page_size=ROWS_A_PAGE)))
            session.read = reading
        except OmsError as error:
            ended = error
            raise
        finally:
            if session.reading is reading:
                session.reading = None
            reading.end(ended)
        if problem := _useless(whole, len(share.oms.projects)):
            _leave_alone(share, problem)
        return whole

    try:
        ahead = None
        if project_id is not None and session.reading is not None:
            ahead = await session.reading.of(project_id)
        found = ahead or (await session.once("all projects", get, fresh_for=fresh_for))[0]
        await share.oms.turn(first=project_id in session.read.changed or not found.whole)
    except OmsUnreachableError:
        raise
    except OmsPermanentError as error:
        _leave_alone(share, str(error))
        return None
    except OmsError:
        return None
    if session.replaced:
        raise ConnectionReplacedError
    return found


def _useless(found: Listing, projects: int) -> str:
    """Return why a list isn't useful; empty if it is."""
    if found.rows and not any(row.get("steps") for row in found.rows.values()):
        return "OMS lists projects without their steps."
    if found.pages > projects:
        return f"The list has {len(found.rows):,} projects, but gates wait for {projects} of them only."
    return ""


def _leave_alone(share: Share, problem: str) -> None:
    now = asyncio.get_running_loop().time()
    if share.oms.unlisted_until < now:
        share.oms.unlisted_until = now + LIST_AGAIN
        log.info(
            "Each gate of the Airflow connection %r asks for its own project, and not for the list of all: %s",
            share.oms.oms_conn_id,
            problem,
        )


class _Pages:
    """Asks for the pages of a list. A gate over many projects may ask for the same pages, so they are shared, too."""

    def __init__(self, session: SharedSession, fresh_for: float, reading: Reading) -> None:
        self._session = session
        self._fresh_for = fresh_for
        self._reading = reading

    async def asend(self, call: Call[Any]) -> Answer[Any]:
        answer, _ = await self._session.ask(call, fresh_for=self._fresh_for)
        self._reading.arrived(answer)
        return answer
