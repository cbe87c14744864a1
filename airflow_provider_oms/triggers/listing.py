"""One list of all projects an interval, for deferred gates that wait for many projects of one connection.

What it says is "not yet" and no more (:mod:`airflow_provider_oms.milestones.rows`). Where it can't be had, each gate
asks for its project as if there were no list.
"""

from __future__ import annotations

import asyncio
import logging

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsPermanentError, OmsUnreachableError
from airflow_provider_oms.client.operations import arun_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.milestones.rows import ROWS_A_PAGE, Listing, listing
from airflow_provider_oms.triggers.shared import ConnectionReplacedError, Share, SharedSession, T

log = logging.getLogger(__name__)

#: The largest part of the time that a list is fresh for over which the gates that it serves are spread.
LIST_SPREAD = 0.5

#: Seconds from one of them to the next, on average. They judge their rows in turn, so it need not be longer than that.
PLACE = 0.0001

#: Seconds until a list is asked for again that was refused, or is of no use.
LIST_AGAIN = 600.0


def is_listed(share: Share) -> bool:
    """Tell whether the list of projects serves a gate: it waits for one of many projects, and the list is of use.

    :param share: the gate's share in the OMS
    """
    oms = share.oms
    return (
        share.project is not None
        and len(oms.projects) > oms.list_above
        and asyncio.get_running_loop().time() >= oms.unlisted_until
    )


def spread_of(share: Share, fresh_for: float) -> float:
    """Return the seconds over which the polls of the gates that the list serves are spread.

    :param share: a gate's share in the OMS
    :param fresh_for: seconds that the list may be old
    """
    return min(fresh_for * LIST_SPREAD, share.oms.users * PLACE)


async def list_of_all(share: Share, session: SharedSession, fresh_for: float) -> Listing | None:
    """Return the list of all projects, which one gate asks for in the place of all; None where there is none to use.

    :param share: the gate's share in the OMS
    :param session: the session to ask over
    :param fresh_for: seconds that it may be old
    :raises OmsUnreachableError: when no connection to OMS comes about
    :raises ConnectionReplacedError: when another session has taken the place of this one
    """

    async def get(_: float) -> Listing:
        found = await arun_flow(_Pages(session, fresh_for), listing(actions.list_projects(page_size=ROWS_A_PAGE)))
        if problem := _useless(found, len(share.oms.projects)):
            _leave_alone(share, problem)
        return found

    try:
        found, _ = await session.once("all projects", get, fresh_for=fresh_for)
        await share.oms.turn()
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
    """Say why a list is of no use; empty where it is."""
    if found.rows and not any(row.get("steps") for row in found.rows.values()):
        return "OMS lists projects without their steps."
    if found.pages > projects:
        return f"It has {len(found.rows):,} projects, and gates wait for {projects} of them."
    return ""


def _leave_alone(share: Share, problem: str) -> None:
    now = asyncio.get_running_loop().time()
    if share.oms.unlisted_until < now:
        share.oms.unlisted_until = now + LIST_AGAIN
        log.info(
            "Gates of the Airflow connection %r each ask for their project, and not for the list of all: %s",
            share.oms.oms_conn_id,
            problem,
        )


class _Pages:
    """Asks for the pages of a list, which gates over many projects may have asked for, too."""

    def __init__(self, session: SharedSession, fresh_for: float) -> None:
        self._session = session
        self._fresh_for = fresh_for

    async def asend(self, call: Call[T]) -> Answer[T]:
        answer, _ = await self._session.ask(call, fresh_for=self._fresh_for)
        return answer
