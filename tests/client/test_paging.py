"""Lists in pages: whole, or an error. What ``totalCount`` counts isn't certain, so it never ends a list alone."""

import asyncio
import json

import pytest

from airflow_provider_oms.client import actions, paging
from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.operations import AsyncOperations, Operations
from airflow_provider_oms.client.protocol import HttpAnswer, read_answer

ABSENT = object()


class Pages:
    """Answers like an OMS that has so many rows.

    :param rows: how many there are
    :param total: what it says in totalCount, for a page
    :param cap: the most rows that it puts on a page
    :param stuck: it ignores pageNumber
    :param ends: it has no row after this one, whatever it promised
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
    """List with the methods of one client, and return the ids and the pages asked for."""
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
    # rows, totalCount, cap, pages asked for
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
    (25, rows(7), 1000, 4),
    # A server that takes pages of four at most, whatever it is asked for.
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
    ({"rows": 3, "stuck": True}, "page 2 is page 1 again"),
    ({"rows": 25, "total": rows(25), "stuck": True}, "page 2 is page 1 again"),
    ({"rows": 3, "total": rows(0), "stuck": True}, "page 2 is page 1 again"),
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
        ids(kind, {"rows": 100}, page_size=10)


def test_pages_are_asked_for_as_they_are_needed():
    client = Blocking(rows=50, total=rows(50))

    listed = client.list_projects(page_size=10)
    assert client.asked == []
    assert next(listed).id == "np_0"
    assert len(client.asked) == 1
    listed.close()


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
    """Answer a verification in pages of so many tables."""

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
