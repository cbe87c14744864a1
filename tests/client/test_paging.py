"""A list in pages is read completely, or an error is raised. ``totalCount`` alone never ends a list."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_oms.client import actions, paging
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, OmsTimeoutError
from airflow_provider_oms.client.models import TableVerification
from airflow_provider_oms.client.operations import AsyncOperations, Operations
from airflow_provider_oms.client.protocol import HttpAnswer, read_answer

ABSENT = object()


class Pages:
    """Answers as an OMS with a number of rows.

    :param rows: how many rows there are
    :param total: returns the totalCount of a page
    :param cap: the largest number of rows on a page
    :param stuck: whether it ignores pageNumber
    :param ends: the number of the last row that it sends, whatever totalCount says
    """

    def __init__(self, rows, total=lambda size: ABSENT, cap=1000, stuck=False, ends=None):
        self.rows, self.total, self.cap, self.stuck, self.ends = rows, total, cap, stuck, ends
        self.asked = []

    def answer(self, call):
        number, asked = call.payload["pageNumber"], call.payload["pageSize"]
        self.asked.append(number)
        size = min(asked, self.cap)
        first = 0 if self.stuck else (number - 1) * size
        rows = [{"id": f"np_{n}"} for n in range(self.rows)][first : first + size]
        if self.ends is not None:
            rows = [row for row in rows if int(row["id"][3:]) < self.ends]
        return self.wrap(call, rows, self.total(asked))

    @staticmethod
    def wrap(call, rows, total):
        envelope = {"success": True, "data": rows}
        if total is not ABSENT:
            envelope["totalCount"] = total
        return read_answer(call, HttpAnswer(200, {}, json.dumps(envelope).encode(), 0.0))


class Blocking(Pages, Operations):
    send = Pages.answer


class Waiting(Pages, AsyncOperations):
    async def asend(self, call):
        return self.answer(call)


def ids(kind, pages, **given):
    """List with the methods of one client, and return the ids and the requested page numbers."""
    client: Any
    if kind == "sync":
        client = Blocking(**pages)
        return [project.id for project in client.list_projects(**given)], client.asked
    client = Waiting(**pages)

    async def main():
        return [project.id async for project in client.alist_projects(**given)]

    return asyncio.run(main()), client.asked


def rows(count):
    return lambda size: count


def pages(count):
    return lambda size: -(-count // size)


WHOLE = [
    # rows, totalCount, cap, requested pages
    (0, rows(0), 1000, 1),
    (0, rows(None), 1000, 1),
    (0, rows(ABSENT), 1000, 1),
    (1, rows(1), 1000, 1),
    (3, rows(3), 1000, 1),
    (3, rows("3"), 1000, 1),
    (10, rows(10), 1000, 2),
    (11, rows(11), 1000, 2),
    (25, rows(25), 1000, 3),
    (30, rows(30), 1000, 4),
    (3, pages(3), 1000, 2),
    (10, pages(10), 1000, 2),
    (25, pages(25), 1000, 4),
    (1, pages(1), 1000, 1),
    (3, rows(ABSENT), 1000, 2),
    (25, rows(ABSENT), 1000, 4),
    (25, rows(None), 1000, 4),
    (25, rows(0), 1000, 4),
    (3, rows(0), 1000, 2),
    # A server that sends at most four rows on a page, whatever is requested.
    (9, rows(9), 4, 3),
    (8, rows(8), 4, 2),
    (9, rows(ABSENT), 4, 4),
    (9, rows(0), 4, 4),
]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("count", "total", "cap", "asked"), WHOLE)
def test_a_whole_list(count, total, cap, asked, kind):
    found, numbers = ids(kind, {"rows": count, "total": total, "cap": cap}, page_size=10)

    assert found == [f"np_{n}" for n in range(count)]
    assert numbers == list(range(1, asked + 1))


BROKEN = [
    ({"rows": 3, "stuck": True}, "a row of page 2 was also on an earlier page, each of the 3 times it was read"),
    ({"rows": 25, "total": rows(25), "stuck": True}, "a row of page 2 was also on an earlier page"),
    ({"rows": 3, "total": rows(0), "stuck": True}, "a row of page 2 was also on an earlier page"),
    ({"rows": 25, "total": rows(7)}, "it ended after 25 rows although there are 7"),
    ({"rows": 25, "total": rows(2)}, "it ended after 25 rows although there are 2"),
    ({"rows": 25, "total": rows(25), "ends": 12}, "it ended after 12 rows although there are 25"),
    ({"rows": 25, "total": rows(25), "ends": 10}, "it ended after 10 rows although there are 25"),
    ({"rows": 0, "total": rows(25)}, "it ended after 0 rows although there are 25"),
    ({"rows": 3, "total": rows("many")}, "totalCount='many', which is not a number"),
    ({"rows": 3, "total": rows(-1)}, "totalCount=-1, which is not a count"),
    ({"rows": 3, "total": rows(2.5)}, "totalCount=2.5, which is not a count"),
]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("broken", "says"), BROKEN)
def test_a_list_that_is_not_whole(broken, says, kind):
    with pytest.raises(OmsMalformedAnswerError) as caught:
        ids(kind, broken, page_size=10, search_key="p")

    assert says in str(caught.value)
    assert str(caught.value).startswith("ListProjects of p: ")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_list_without_end(kind, monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGES", 5)

    with pytest.raises(OmsMalformedAnswerError, match="more than 5 pages"):
        ids(kind, {"rows": 45}, page_size=10)  # a sixth page would end it
    assert ids(kind, {"rows": 35}, page_size=10)[1] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "arguments", "first"),
    [("list_projects", (), 6), ("list_data_source", (), 6), ("list_full_verify_inconsistencies_result", "pst", 1)],
)
def test_a_list_whose_rows_can_be_distinguished_is_checked_before_its_first_row_is_used(name, arguments, first):
    client = Blocking(rows=50, total=rows(50))

    listed = getattr(client, name)(*arguments, page_size=10)
    assert client.asked == []
    next(listed)
    assert len(client.asked) == first
    listed.close()


# How a list is answered: for each reading its pages, and for each page its rows and its totalCount


def script(kind, *readings):
    """List the projects of a server that answers like this; return their ids, and how many pages were requested."""
    left = [iter(pages) for pages in readings]
    asked = []

    def answer(call):
        if call.payload["pageNumber"] == 1 and asked:
            left.pop(0)
        asked.append(call)
        found, total = next(left[0])
        return Pages.wrap(call, found and [{"id": f"np_{n}"} for n in found], total)

    client: Any
    if kind == "sync":
        client = Blocking(0)
        client.send = answer
        return [project.id for project in client.list_projects(page_size=3)], asked
    client = Waiting(0)

    async def asend(call):
        return answer(call)

    client.asend = asend

    async def main():
        return [project.id async for project in client.alist_projects(page_size=3)]

    return asyncio.run(main()), asked


GOOD = [([1, 2, 3], 5), ([4, 5], 5)]
SHIFTED = {
    "a row came twice": [([1, 2, 3], 5), ([3, 4], 5)],
    "a row came twice, far apart": [([1, 2, 3], 7), ([4, 5, 6], 7), ([1], 7)],
    "another total": [([1, 2, 3], 6), ([4, 5], 5)],
    "another total beyond the end": [([1, 2, 3], 3), ([], 4)],
    "a total that is gone": [([1, 2, 3], 5), ([4, 5], None)],
    "a total that is 0": [([1, 2, 3], 5), ([4, 5], 0)],
    "a total that comes later": [([1, 2, 3], None), ([4, 5], 5)],
}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("shifted", SHIFTED.values(), ids=SHIFTED)
@pytest.mark.parametrize("times", [1, 2])
def test_a_list_that_shifts_is_read_again(shifted, times, kind):
    found, asked = script(kind, *[shifted] * times, GOOD)

    assert found == [f"np_{n}" for n in range(1, 6)]
    # An answer of the previous reading doesn't count for the next.
    assert len({call.key for call in asked}) == len(asked)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("shifted", SHIFTED.values(), ids=SHIFTED)
def test_a_list_that_keeps_shifting_is_none(shifted, kind):
    with pytest.raises(OmsMalformedAnswerError, match=r"each of the 3 times it was read"):
        script(kind, *[shifted] * paging.READINGS)


def inconsistencies(kind, *pages):
    """List the differing rows of a table, which have no ids: a page's rows are returned before the next one is read."""
    left = iter(pages)

    def answer(call):
        count, total = next(left)
        return Pages.wrap(call, [{"sourceSchemaName": "s"}] * count, total)

    client: Any
    if kind == "sync":
        client = Blocking(0)
        client.send = answer
        return list(client.list_full_verify_inconsistencies_result("p", "s", "t", page_size=2))
    client = Waiting(0)

    async def asend(call):
        return answer(call)

    client.asend = asend

    async def main():
        return [row async for row in client.alist_full_verify_inconsistencies_result("p", "s", "t", page_size=2)]

    return asyncio.run(main())


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("total", "told"), [(4, "a total of 4"), (None, "no total")])
def test_a_list_that_is_returned_page_by_page_does_not_end_where_it_shifts(total, told, kind):
    assert len(inconsistencies(kind, (2, 3), (1, 3))) == 3
    with pytest.raises(OmsMalformedAnswerError, match=f"page 2 gives {told}, the page before gave a total of 3"):
        inconsistencies(kind, (2, 3), (1, total))


HALF = {
    "null": [([1, 2, 3], 250), (None, ABSENT)],
    "empty": [([1, 2, 3], 250), ([], ABSENT)],
    "empty with a total": [([1, 2, 3], 250), ([], 250)],
    "empty with 0": [([1, 2, 3], 250), ([], 0)],
    "fewer pages than told": [([1, 2, 3], 4), ([4, 5, 6], 4), ([], 4)],
}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("half", HALF.values(), ids=HALF)
def test_half_a_list_is_none(half, kind):
    with pytest.raises(OmsMalformedAnswerError, match="it ended after"):
        script(kind, half)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("total", [ABSENT, None, 0, 3])
def test_a_page_beyond_the_end_need_not_repeat_the_total(total, kind):
    assert script(kind, [([1, 2, 3], 3), ([], total)])[0] == ["np_1", "np_2", "np_3"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_page_holds_no_more_rows_than_asked_for(kind):
    with pytest.raises(OmsMalformedAnswerError, match="page 1 holds 4 rows, 3 were asked for"):
        script(kind, [([1, 2, 3, 4], 4)])


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("identified", [True, False])
def test_a_last_page_that_repeats_itself_ends_the_list(identified, kind):
    last = [{"id": "np_3", "seen": 0}]

    def answer(call):
        number = call.payload["pageNumber"]
        asked.append(number)
        return Pages.wrap(call, [{"id": "np_1"}, {"id": "np_2"}] if number == 1 else last, ABSENT)

    asked, client = [], Blocking(0)
    client.send = answer
    listed = (
        client.list_projects(page_size=2)
        if identified
        else client.list_full_verify_inconsistencies_result("p", "s", "t", page_size=2)
    )
    with pytest.raises(
        OmsMalformedAnswerError, match="also on an earlier page" if identified else "page 3 has the same rows as page 2"
    ):
        list(listed)
    assert len(asked) == (9 if identified else 3)


def test_a_row_twice_on_a_page_is_no_shift():
    assert script("sync", [([1, 2, 2], 5), ([4, 5], 5)])[0] == [f"np_{n}" for n in (1, 2, 2, 4, 5)]


def test_a_row_that_names_nothing_is_no_duplicate():
    client = verification([None, None], total=2)

    assert len(list(client.list_project_full_verify_result("p", page_size=5))) == 1


@pytest.mark.parametrize("name", ["sourceSchemaName", "sourceTableName", "destSchemaName", "destTableName"])
def test_tables_are_distinguished_by_all_their_names(name):
    tables = [
        dict.fromkeys(("sourceSchemaName", "sourceTableName", "destSchemaName", "destTableName"), "x") for _ in range(2)
    ]
    paged = actions.list_project_full_verify_result("p")

    def identities():
        return {paged.identify(TableVerification(table)) for table in tables}

    assert len(identities()) == 1
    tables[1][name] = "y"
    assert len(identities()) == 2


@pytest.mark.parametrize("each", [0.0, 0.1, 1.0, 4.0, 11.0])
@pytest.mark.parametrize("way", ["whole", "pages"])
def test_a_list_has_one_deadline(each, way):
    """Each answer uses up a part of the connection's time-out; the sum over all readings is limited."""

    def answer(call):
        number = call.payload["pageNumber"]
        return Pages.wrap(call, [{"id": f"np_{number}"}], ABSENT)._replace(spent=each)

    client, asked = Blocking(0), []
    client.send = lambda call: asked.append(call) or answer(call)
    listed = (
        client.list_projects(page_size=1)
        if way == "whole"
        else client.list_full_verify_inconsistencies_result("p", "s", "t", page_size=1)
    )
    most = paging.MAX_PAGES if each == 0 else int(paging.LONGEST_LIST / each + 1e-9) + 1
    with pytest.raises(OmsError) as caught:
        list(listed)
    assert len(asked) == most
    assert isinstance(caught.value, OmsTimeoutError if each else OmsMalformedAnswerError)
    assert caught.value.details.asked.startswith("List")


def test_the_deadline_holds_over_all_readings():
    shifted = [([1, 2, 3], 5), ([3, 4], 5)]
    pages = iter(shifted * 3)

    def answer(call):
        found, total = next(pages)
        return Pages.wrap(call, [{"id": f"np_{n}"} for n in found], total)._replace(spent=3.0)

    client = Blocking(0)
    client.send = answer
    with pytest.raises(OmsTimeoutError, match="longer than 10 times the connection's timeout"):
        list(client.list_projects(page_size=3))
    assert len(list(pages)) == 2


def test_a_list_has_a_limit_of_rows(monkeypatch):
    monkeypatch.setattr(paging, "MAX_ROWS", 20)

    with pytest.raises(OmsMalformedAnswerError, match="more than 20 rows"):
        ids("sync", {"rows": 21}, page_size=10)
    assert len(ids("sync", {"rows": 20}, page_size=10)[0]) == 20


def test_the_limits_are_those_that_the_docs_tell():
    told = Path(__file__).parents[2].joinpath("docs", "security.md").read_text(encoding="utf-8")
    limits = f"after {paging.LONGEST_LIST:g} times `timeout`, {paging.MAX_ROWS:,} rows or {paging.MAX_PAGES:,} pages"
    assert f"are given up; lists {limits}." in told


def test_whole_is_the_list_in_one():
    client = Blocking(rows=25, total=rows(25))
    flow = actions.list_projects(page_size=10).whole()

    call, found = next(flow), None
    while found is None:
        try:
            call = flow.send(client.answer(call))
        except StopIteration as end:
            found = end.value
    assert [project.id for project in found] == [f"np_{n}" for n in range(25)]


def verification(*tables_of_pages, total, different=0):
    """Return a verification's answer in pages of a number of tables."""

    def answer(call):
        number = call.payload["pageNumber"]
        tables = tables_of_pages[number - 1] if number <= len(tables_of_pages) else []
        data = {
            "differentNumber": different,
            "fullVerifyTableStatistics": [{"sourceTableName": name} for name in tables],
        }
        return Pages.wrap(call, data, total)

    client = Blocking(0)
    client.send = answer
    return client


@pytest.mark.parametrize(
    ("found", "total", "tables"),
    [
        ([["a", "b"], ["c"]], 3, ["a", "b", "c"]),
        ([["a", "b"], ["c"]], 2, ["a", "b", "c"]),
        ([["a"]], 1, ["a"]),
        ([[]], 0, []),
    ],
)
def test_pages_of_a_verification_count_tables(found, total, tables):
    client = verification(*found, total=total)

    results = list(client.list_project_full_verify_result("p", page_size=2))

    assert [table.source_table for result in results for table in result.tables] == tables
    assert results[0].different_number == 0


def test_a_verification_that_ends_early():
    client = verification(["a", "b"], total=3)

    with pytest.raises(OmsMalformedAnswerError, match="it ended after 2 rows although there are 3"):
        list(client.list_project_full_verify_result("p", page_size=2))
