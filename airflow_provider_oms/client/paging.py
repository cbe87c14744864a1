"""Lists that OMS hands out in pages: when a list is whole, decided once for both clients and the milestones.

What ``totalCount`` counts isn't certain: OceanBase's pages say rows in one place and pages in another, and a proxied
sample has 0 with a row. So a list ends only where two signs agree (a short page and as many rows as were promised) or
at an empty page; and one that ends with another number of rows or pages than promised is an error, since a verdict over
half a list is worse than none. Source: docs/develop/oms-wire.md#paging

Whether a list shifts while it is read is unknown: a row that moves to a page that was read already would be missed, and
another one come twice. So rows are identified where they can be, and a list that shifted is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from airflow_provider_oms.client.envelope import Envelope
from airflow_provider_oms.client.errors import ErrorDetails, OmsMalformedAnswerError, OmsTimeoutError
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.client.redaction import NO_SECRETS, Secrets

T = TypeVar("T")

#: Nobody has so many projects, or tables in a project.
MAX_ROWS = 100_000
MAX_PAGES = 2_000

#: How often a list that shifts is read before it is given up.
READINGS = 3

#: The longest that a list may take, as a multiple of the connection's ``timeout``.
LONGEST_LIST = 10.0


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page: its rows and how many OMS says there are in all, None where it doesn't tell."""

    rows: list[T]
    total: int | None


Pages = Generator[Call[Page[T]], Answer[Page[T]], None]


class _Shifted(Exception):
    """The pages are not of one list; says how."""


@dataclass
class _Tally:
    """What the pages of a list have come to so far."""

    reading: int = 0
    rows: int = 0
    pages: int = 0
    total: int | None = None
    #: How long OMS took for them, as a multiple of the connection's ``timeout``.
    spent: float = 0.0

    def is_kept(self) -> bool:
        """Tell whether there are as many rows, or pages, as OMS promised, or it promised nothing."""
        return self.total is None or self.total in (self.rows, self.pages)


def following(pages: Pages[T], answer: Answer[Page[T]]) -> Call[Page[T]] | None:
    """Hand an answer to a running :meth:`PagedCall.pages` and return the next call, None when the list is whole."""
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
    :param payload: the JSON body without the page
    :param read: turns an envelope into the rows of its page
    :param page_size: rows asked for in a page
    :param subject: what it is about, for error messages
    :param items_of: returns what OMS counts, where that isn't the rows themselves
    :param identify: returns what tells one of these from all others, None where nothing does; without it a list that
        shifts can't be noticed
    :param project_id: the project that each page has to be about, where it names one
    :param secrets: what the answer must not bring back
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
        """Describe the call of one page, counted from 1.

        :param number: the page
        :param reading: how often the list was read before; an older answer doesn't do for a new reading
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
        # 0 is what a proxied sample has beside a row, so it promises nothing.
        return Page(self.read(envelope, source), envelope.total_count or None)

    def pages(self) -> Pages[T]:
        """Ask for page after page until the list is whole: yields the calls, is sent the answers.

        What is told twice is an error here, since who takes the rows as they come can't give them back.

        :raises OmsMalformedAnswerError: when the pages don't make a whole list
        :raises OmsTimeoutError: when they take too long
        """
        try:
            yield from self._read_once(_Tally())
        except _Shifted as problem:
            raise self._broken(str(problem)) from None

    def whole(self) -> Generator[Call[Page[T]], Answer[Page[T]], list[T]]:
        """Ask for every page and return all the rows: yields the calls, is sent the answers.

        A list that shifts while it is read is read again, a few times.

        :raises OmsMalformedAnswerError: when the pages don't make a whole list
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
                    f"the list took longer than {LONGEST_LIST:g} times the connection's timeout; {tally.rows} rows "
                    "were read.",
                    ErrorDetails(asked=self.page(1).asked),
                )
            page = answer.data
            items = list(self.items_of(page.rows))
            if len(items) > self.page_size:
                raise self._broken(f"page {tally.pages + 1} holds {len(items)} rows, {self.page_size} were asked for")
            # A page beyond the last one needn't repeat what was promised.
            if tally.pages and page.total != tally.total and (items or page.total is not None):
                raise _Shifted(
                    f"page {tally.pages + 1} says there are {_told(page.total)}, the one before {_told(tally.total)}"
                )
            if not items:
                tally.total = tally.total or page.total
                if not tally.is_kept():
                    raise self._broken(f"it ended after {tally.rows} rows although there are {tally.total}")
                return
            tally.total = page.total
            self._note(items, known, tally.pages + 1)
            if self.identify is None and page.rows == last:
                raise self._broken(f"page {tally.pages + 1} is page {tally.pages} again")
            last = page.rows
            tally.rows, tally.pages = tally.rows + len(items), tally.pages + 1
            if tally.rows > MAX_ROWS:
                raise self._broken(f"it has more than {MAX_ROWS:,} rows")
            if len(items) < self.page_size and tally.rows == tally.total:
                return
        raise self._broken(f"it has more than {MAX_PAGES:,} pages")

    def _note(self, items: list[Any], known: set[Hashable], number: int) -> None:
        """Remember which rows there were; raise for one that an earlier page had. Twice on one page, nothing moved."""
        here = set(map(self.identify, items)) - {None} if self.identify else set()
        if here & known:
            raise _Shifted(f"a row of page {number} was there before")
        known |= here

    def _broken(self, how: str) -> OmsMalformedAnswerError:
        return OmsMalformedAnswerError(
            f"the list that OMS sent isn't whole: {how}.", ErrorDetails(asked=self.page(1).asked)
        )


def _told(total: int | None) -> str:
    return "no total" if total is None else f"{total} in all"
