"""A list of projects while it is read: hands out at once the rows that have changed in kind since the list before.

Such a row has another status, or a step of it has another status or has come to 100 %, so that the gate of its project
may open. It needn't wait for the other pages, nor for the gates before it. This decides nothing: the gate judges the
row, which may only say "not yet" (:mod:`airflow_provider_oms.milestones.rows`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.fields import value_of
from airflow_provider_oms.client.models import Project
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.rows import Listing

#: What of each row changes only now and then, by the project's id.
Kinds = Mapping[str, list[Any]]


class Reading:
    """A list that is being read.

    :param before: the kinds of the list before; of a project that isn't in it, nothing is known to have changed
    """

    def __init__(self, before: Kinds) -> None:
        self._before = before
        self.kinds: dict[str, list[Any]] = {}
        #: The rows that have changed, each as a list of its own, by the project's id.
        self.changed: dict[str, Listing] = {}
        self._waiting: defaultdict[str, list[asyncio.Future[Listing | None]]] = defaultdict(list)

    async def of(self, project_id: str) -> Listing | None:
        """Return the list: as soon as a changed row of a project has arrived, a list of this row only.

        :param project_id: the project
        :return: None if the reading was broken off, so that the list must be asked for again
        :raises OmsError: if OMS doesn't return the list
        """
        if (found := self.changed.get(project_id)) is not None:
            return found
        waiting: asyncio.Future[Listing | None] = asyncio.get_running_loop().create_future()
        self._waiting[project_id].append(waiting)
        return await waiting

    def arrived(self, page: Answer[Any]) -> None:
        """Find the changed rows of a page, and hand them out.

        :param page: the page
        """
        rows: Iterable[Project] = page.data.rows
        for row in rows:
            if row.id:
                kind = self.kinds[row.id] = _kind_of(row.raw)
                if self._before.get(row.id, kind) != kind:
                    found = self.changed[row.id] = Listing({row.id: row}, page._replace(data=None), whole=False)
                    _tell(self._waiting.pop(row.id, ()), found)

    def end(self, found: Listing | OmsError | None) -> None:
        """Hand out the list to those who still wait.

        :param found: the list; the error if OMS doesn't return it; None if the reading was broken off
        """
        for waiting in self._waiting.values():
            _tell(waiting, found)
        self._waiting.clear()


def _kind_of(row: Mapping[str, Any]) -> list[Any]:
    """Return what of a row changes only now and then, whatever its types are."""
    kind = [value_of(row, "status")]
    steps = value_of(row, "steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            kind += value_of(step, "status"), value_of(step, "progress") == 100
    return kind


def _tell(waiting: Iterable[asyncio.Future[Listing | None]], found: Listing | OmsError | None) -> None:
    for one in waiting:
        if one.done():  # its gate was cancelled
            continue
        if isinstance(found, OmsError):
            one.set_exception(type(found)(found.problem, found.details))  # as in SharedSession.once
        else:
            one.set_result(found)
