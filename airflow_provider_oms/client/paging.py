"""Paged lists: decides, for both clients and the milestones, when a list is complete.

It isn't certain what ``totalCount`` counts: OceanBase's pages say rows in one place and pages in another, and in a
proxied sample it is 0 although there is one row. So a list ends only if two signs agree (a short page, and as many rows
as ``totalCount``) or at an empty page. A list that ends with another number of rows or pages than ``totalCount`` is an
error, because a verdict must not be based on an incomplete list. Source: docs/develop/oms-wire.md#paging

It is unknown whether a list can shift while it is read. If it does, a row that moves to a page that was already read is
missed, and another row comes twice. So rows are identified where possible, and a list that shifted is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from airflow_provider_oms.client.envelope import Envelope
from airflow_provider_oms.client.errors import ErrorDetails, OmsMalformedAnswerError, OmsTimeoutError
from airflow_provider_oms.client.numbers import counted
from airflow_provider_oms.client.protocol import Answer, Call, asked
from airflow_provider_oms.client.redaction import NO_SECRETS, Secrets

T = TypeVar("T")

#: More rows than any OMS has projects, and any project has tables.
MAX_ROWS = 100_000
MAX_PAGES = 2_000

#: How often a list that shifts is read before the call fails.
READINGS = 3

#: The longest that a list may take, as a multiple of the connection's ``timeout``.
LONGEST_LIST = 10.0


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page: its rows, and OMS's ``totalCount``; None if OMS gives none."""

    rows: list[T]
    total: int | None


Pages = Generator[Call[Page[T]], Answer[Page[T]], None]


class _Shifted(Exception):
    """The list shifted between two pages; the message says how this was noticed."""


@dataclass
class _Tally:
    """What has been counted in the pages read so far."""

    reading: int
    rows: int = 0
    pages: int = 0
    total: int | None = None
    #: How long OMS took to answer, as a multiple of the connection's ``timeout``.
    spent: float = 0.0

    def is_kept(self) -> bool:
        """Return whether the number of rows or of pages equals OMS's ``totalCount``; also True if OMS gave none."""
        return self.total is None or self.total in (self.rows, self.pages)


def following(pages: Pages[T], answer: Answer[Page[T]]) -> Call[Page[T]] | None:
    """Send an answer to a running :meth:`PagedCall.pages` and return the next call; None if the list is complete.

    :param pages: the running generator
    :param answer: the answer to its last call
    """
    try:
        return pages.send(answer)
    except StopIteration:
        return None


def _themselves(rows: list[Any]) -> Iterable[Any]:
    return rows


@dataclass(frozen=True)
class PagedCall(Generic[T]):
    """A call of an action that answers in pages.

    :param action: OMS's name of the action
    :param payload: the JSON body without the number and the size of the page
    :param read: returns the rows of a page's envelope
    :param page_size: rows per page
    :param subject: what the call is about, for error messages
    :param items_of: returns the items that OMS counts, if these aren't the rows themselves
    :param identify: returns what identifies an item, None if nothing does; without this function a shift isn't noticed
    :param project_id: the project that each page must be about, if it names one
    :param secrets: the secrets to remove from the answer
    """

    action: str
    payload: Mapping[str, Any] = field(repr=False)
    read: Callable[[Envelope, str], list[T]] = field(repr=False)
    page_size: int
    subject: str = ""
    items_of: Callable[[list[T]], Iterable[Any]] = field(default=_themselves, repr=False)
    identify: Callable[[Any], Hashable | None] | None = field(default=None, repr=False)
    project_id: str | None = field(default=None, repr=False)
    secrets: Secrets = field(default=NO_SECRETS, repr=False)

    def page(self, number: int, reading: int = 0) -> Call[Page[T]]:
        """Return the call for one page.

        :param number: the number of the page, counted from 1
        :param reading: how often the list was read before; an answer to an earlier reading isn't used again
        """
        payload = {**self.payload, "pageNumber": number, "pageSize": self.page_size}
        return Call(
            self.action,
            payload,
            self._read_page,
            subject=self.subject,
            project_id=self.project_id,
            secrets=self.secrets,
            reading=reading,
        )

    def _read_page(self, envelope: Envelope, source: str) -> Page[T]:
        # A proxied sample has 0 together with one row, so 0 counts as not given.
        return Page(self.read(envelope, source), envelope.total_count or None)

    def pages(self) -> Pages[T]:
        """Ask for one page after another until the list is complete: yields the calls and is sent the answers.

        A row that comes twice is an error here, because earlier rows have already been returned.

        :raises OmsMalformedAnswerError: when the pages aren't a complete list
        :raises OmsTimeoutError: when they take too long
        """
        try:
            yield from self._read_once(_Tally(0))
        except _Shifted as problem:
            raise self._broken(str(problem)) from None

    def whole(self) -> Generator[Call[Page[T]], Answer[Page[T]], list[T]]:
        """Ask for every page and return all rows: yields the calls and is sent the answers.

        A list that shifts while it is read is read again, up to :data:`READINGS` times.

        :raises OmsMalformedAnswerError: when the pages aren't a complete list
        :raises OmsTimeoutError: when they take too long
        """
        spent, how = 0.0, ""
        for reading in range(READINGS):
            tally, rows = _Tally(reading, spent=spent), []
            pages = self._read_once(tally)
            call: Call[Page[T]] | None = next(pages)
            try:
                while call is not None:
                    answer = yield call
                    rows += answer.data.rows
                    call = following(pages, answer)
                return rows
            except _Shifted as problem:
                spent, how = tally.spent, str(problem)
        raise self._broken(f"{how}, each of the {READINGS} times it was read")

    def _read_once(self, tally: _Tally) -> Pages[T]:
        known: set[Hashable] = set()
        last: list[T] = []
        while tally.pages < MAX_PAGES:
            answer = yield self.page(tally.pages + 1, tally.reading)
            tally.spent += answer.spent
            if tally.spent > LONGEST_LIST:
                raise OmsTimeoutError(
                    f"the list took longer than {LONGEST_LIST:g} times the connection's timeout; "
                    f"{counted(tally.rows, 'row')} "
                    "were read.",
                    ErrorDetails(asked=asked(self.action, self.subject)),
                )
            page = answer.data
            items = list(self.items_of(page.rows))
            if len(items) > self.page_size:
                held = counted(len(items), "row")
                raise self._broken(f"page {tally.pages + 1} holds {held}, {self.page_size} were asked for")
            # A page beyond the last one need not repeat totalCount.
            if tally.pages and page.total != tally.total and (items or page.total is not None):
                raise _Shifted(
                    f"page {tally.pages + 1} gives {_told(page.total)}, the page before gave {_told(tally.total)}"
                )
            if not items:
                tally.total = tally.total or page.total
                if not tally.is_kept():
                    raise self._broken(f"it ended after {counted(tally.rows, 'row')} although there are {tally.total}")
                return
            tally.total = page.total
            self._note(items, known, tally.pages + 1)
            if self.identify is None and page.rows == last:
                raise self._broken(f"page {tally.pages + 1} has the same rows as page {tally.pages}")
            last = page.rows
            tally.rows, tally.pages = tally.rows + len(items), tally.pages + 1
            if tally.rows > MAX_ROWS:
                raise self._broken(f"it has more than {MAX_ROWS:,} rows")
            if len(items) < self.page_size and tally.rows == tally.total:
                return
        raise self._broken(f"it has more than {MAX_PAGES:,} pages")

    def _note(self, items: list[Any], known: set[Hashable], number: int) -> None:
        """Remember the rows of a page; raise if one was on an earlier page. A row twice on one page is not a shift."""
        here = set(map(self.identify, items)) - {None} if self.identify else set()
        if here & known:
            raise _Shifted(f"a row of page {number} was also on an earlier page")
        known |= here

    def _broken(self, how: str) -> OmsMalformedAnswerError:
        return OmsMalformedAnswerError(
            f"the list that OMS sent isn't complete: {how}.", ErrorDetails(asked=asked(self.action, self.subject))
        )


def _told(total: int | None) -> str:
    return "no total" if total is None else f"a total of {total}"
