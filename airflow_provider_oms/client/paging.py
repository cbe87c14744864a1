"""Lists that OMS hands out in pages: when a list is whole, decided once for both clients and the milestones.

What ``totalCount`` counts isn't certain: OceanBase's pages say rows in one place and pages in another, and a proxied
sample has 0 with a row. So a list ends only where two signs agree (a short page and as many rows as were promised) or
at an empty page; and one that ends with fewer rows than promised is an error, since a verdict over half a list is
worse than none. Source: docs/develop/oms-wire.md#paging
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from airflow_provider_oms.client.errors import ErrorDetails, OmsMalformedAnswerError
from airflow_provider_oms.client.protocol import Answer, Call, Envelope

T = TypeVar("T")

#: A million rows at the usual page size; nobody has so many projects or tables.
MAX_PAGES = 10_000


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page: its rows and how many OMS says there are in all."""

    rows: list[T]
    total: int | None


Pages = Generator[Call[Page[T]], Answer[Page[T]], None]


def following(pages: Pages[T], answer: Answer[Page[T]]) -> Call[Page[T]] | None:
    """Hand an answer to a running :meth:`PagedCall.pages` and return the next call, None when the list is whole."""
    try:
        return pages.send(answer)
    except StopIteration:
        return None


@dataclass(frozen=True)
class PagedCall(Generic[T]):
    """A call of an action that answers in pages.

    :param action: OMS's name of the action
    :param payload: the JSON body without the page
    :param read: turns an envelope into the rows of its page
    :param page_size: rows asked for in a page
    :param subject: what it is about, for error messages
    :param size_of: counts what OMS counts, where that isn't the rows themselves
    """

    action: str
    payload: Mapping[str, Any] = field(repr=False)
    read: Callable[[Envelope, str], list[T]] = field(repr=False)
    page_size: int
    subject: str = ""
    size_of: Callable[[list[T]], int] = field(default=len, repr=False)

    def page(self, number: int) -> Call[Page[T]]:
        """Describe the call of one page, counted from 1."""
        payload = {**self.payload, "pageNumber": number, "pageSize": self.page_size}
        return Call(self.action, payload, self._read_page, subject=self.subject)

    def _read_page(self, envelope: Envelope, source: str) -> Page[T]:
        return Page(self.read(envelope, source), envelope.total_count)

    def pages(self) -> Pages[T]:
        """Ask for page after page until the list is whole: yields the calls, is sent the answers.

        :raises OmsMalformedAnswerError: when the pages don't make a whole list
        """
        observed, last = 0, None
        for number in range(1, MAX_PAGES + 1):
            page = (yield self.page(number)).data
            size = self.size_of(page.rows)
            if size and page.rows == last:
                raise self._broken(f"page {number} is page {number - 1} again")
            observed, last = observed + size, page.rows
            if size == 0:
                if page.total and observed < page.total:
                    raise self._broken(f"it ended after {observed} rows although there are {page.total}")
                return
            if size < self.page_size and observed == page.total:
                return
        raise self._broken(f"it has more than {MAX_PAGES} pages")

    def whole(self) -> Generator[Call[Page[T]], Answer[Page[T]], list[T]]:
        """Ask for every page and return all the rows: yields the calls, is sent the answers.

        :raises OmsMalformedAnswerError: when the pages don't make a whole list
        """
        rows: list[T] = []
        pages = self.pages()
        call: Call[Page[T]] | None = next(pages)
        while call is not None:
            answer = yield call
            rows += answer.data.rows
            call = following(pages, answer)
        return rows

    def _broken(self, how: str) -> OmsMalformedAnswerError:
        asked = self.page(1).asked
        return OmsMalformedAnswerError(f"the list that OMS sent isn't whole: {how}.", ErrorDetails(asked=asked))
