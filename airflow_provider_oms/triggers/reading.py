"""A list of projects while it is read: hands out each row as soon as its page has arrived.

A gate needs only the row of its own project, so it needn't wait for the other pages: a row may only say "not yet"
(:mod:`airflow_provider_oms.milestones.rows`), whatever the rest of the list is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_oms.client.models import Project
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.rows import Listing

_Found = tuple[Project, Answer[None]]


class Kinds:
    """Finds the rows that have changed in kind since the list before: another status, a step that began or is done.

    Their gates continue first, because they may open. This decides nothing: each gate judges its row.
    """

    def __init__(self) -> None:
        self._before: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        self._changed: set[str] = set()

    def begin(self) -> None:
        """Note that a list begins."""
        self._before, self._now = self._now, {}
        self._changed.clear()

    def see(self, rows: Iterable[Project]) -> None:
        """Compare the rows of a page.

        :param rows: the rows
        """
        for row in rows:
            if row.id:
                kind = _kind_of(row.raw)
                if self._before.get(row.id, kind) != kind:
                    self._changed.add(row.id)
                self._now[row.id] = kind

    def has_changed(self, project_id: str | None) -> bool:
        """Return whether a project's row has changed in kind.

        :param project_id: the project; None if it isn't known
        """
        return project_id in self._changed


def _kind_of(row: Mapping[str, Any]) -> list[Any]:
    """Return what of a row changes only now and then, whatever its types are."""
    kind = [row.get("status")]
    steps = row.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            kind += step.get("status"), step.get("progress") == 100
    return kind


class Reading:
    """A list that is being read.

    :param began: when it was asked for (the loop's clock)
    """

    def __init__(self, began: float) -> None:
        self.began = began
        #: The rows that have arrived, with the time of their page, by the project's id.
        self._rows: dict[str, _Found] = {}
        self._waiting: defaultdict[str, list[asyncio.Future[_Found | None]]] = defaultdict(list)

    async def of(self, project_id: str) -> Listing | None:
        """Return a list of one project, as soon as its row has arrived; None if the list has ended without it.

        :param project_id: the project
        """
        found = self._rows.get(project_id)
        if found is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[project_id].append(waiting)
            found = await waiting
        if found is None:
            return None
        row, read = found
        return Listing({project_id: row}, read, whole=False)

    def arrived(self, page: Answer[Any]) -> None:
        """Hand out the rows of a page.

        :param page: the page
        """
        read: Answer[None] = page._replace(data=None)
        for row in page.data.rows:
            if row.id:
                self._rows[row.id] = row, read
                _tell(self._waiting.pop(row.id, ()), (row, read))

    def end(self) -> None:
        """Note that no further page comes. Whoever still waits uses the whole list, or asks for it again."""
        for waiting in self._waiting.values():
            _tell(waiting, None)
        self._waiting.clear()


def _tell(waiting: list[asyncio.Future[_Found | None]] | tuple[()], found: _Found | None) -> None:
    for one in waiting:
        if not one.done():  # otherwise its gate was cancelled
            one.set_result(found)
