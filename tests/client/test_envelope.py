"""Which bytes are accepted as an answer: limited in size and depth; anything else raises one of our errors."""

import asyncio
import json
import threading
import tracemalloc

import pytest
from client_support import CLIENTS, GENERATED, RawServer, ask, http
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_oms.client import actions, envelope
from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.envelope import MAX_ANSWER_BYTES, MAX_DEPTH, MAX_VALUES, takes_long
from airflow_provider_oms.client.errors import OmsAnswerTooLargeError, OmsError, OmsMalformedAnswerError
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import HttpAnswer, read_answer
from airflow_provider_oms.client.settings import ClientSettings

CALL = actions.call("Anything", reads_only=True)


def read(data, call=CALL):
    body = b'{"success": true, "data": ' + data + b"}"
    return read_answer(call, HttpAnswer(200, {}, body, 0.0)).data


MANY = {
    "lists": b"[" + b"[]," * MAX_VALUES + b"[]]",
    "objects": b"[" + b"{}," * MAX_VALUES + b"{}]",
    "numbers": b"[" + b"1," * MAX_VALUES + b"1]",
    "keys": b"{" + b",".join(b'"%d":1' % number for number in range(MAX_VALUES + 1)) + b"}",
}


@pytest.mark.parametrize("data", MANY.values(), ids=MANY)
def test_more_values_than_honest_answers_have(data):
    """A few MiB of them would become gigabytes of objects."""
    assert len(data) < MAX_ANSWER_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(OmsAnswerTooLargeError, match="more than 400,000 values"):
            read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(data)


def test_as_many_values_as_the_largest_honest_answer_has():
    """150 projects with 13 steps of 25 values each, twice as many as that."""
    row = {"id": "np_1", "steps": [dict.fromkeys((f"value{number}" for number in range(25)), 1)] * 13}
    rows = [{**row, "id": f"np_{number}"} for number in range(300)]

    assert len(read(json.dumps(rows).encode())) == 300


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 20_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_an_answer_that_is_too_deep(opening, closing, depth):
    with pytest.raises(OmsMalformedAnswerError):
        read(opening * depth + b"1" + closing * depth)


def test_an_answer_that_is_wide_but_not_deep():
    assert len(read(json.dumps([[[[1]]]] * 1000).encode())) == 1000
    assert read(b"[" * (MAX_DEPTH - 2) + b"1" + b"]" * (MAX_DEPTH - 2))


@pytest.mark.parametrize(
    ("body", "long"),
    [
        (b"x" * 256 * 1024, False),
        (b"x" * (256 * 1024 + 1), True),
        (b"%41" * 5_000, False),
        (b"%41" * 5_001, True),
        (b"\\u0041" * 5_001, True),
        (b"&#65;" * 5_001, True),
    ],
)
def test_what_takes_long(body, long):
    assert takes_long(body) is long


@pytest.mark.parametrize(("size", "here"), [(100, True), (300 * 1024, False)])
def test_a_large_answer_is_read_outside_the_event_loop(size, here, monkeypatch):
    threads = []
    real = envelope.parse_envelope
    monkeypatch.setattr(
        "airflow_provider_oms.client.protocol.parse_envelope",
        lambda *args: threads.append(threading.current_thread()) or real(*args),
    )
    with RawServer(http(json.dumps({"success": True, "data": "x" * size}).encode())) as server:

        async def main():
            async with AsyncOmsClient(ClientSettings(server.url, timeout=60, retries=0)) as client:
                return (await client.asend(CALL)).data

        assert asyncio.run(main()) == "x" * size
    assert [thread is threading.main_thread() for thread in threads] == [here]


@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_out_of_a_thread_is_ours(client):
    with RawServer(http(MANY["lists"])) as server, pytest.raises(OmsAnswerTooLargeError):
        ask(client, ClientSettings(server.url, timeout=60, retries=0), CALL)


# Arbitrary answers

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["success", "data", "totalCount", "code", "message", "errorDetail", "advice", "requestId", "Success", "DATA", "id"]
) | st.sampled_from(
    ["projectId", "status", "steps", "fullVerifyTableStatistics", "sourceTableName", "differentNumber", "name"]
)
OBJECTS = st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=8)
CALLS = [
    CALL,
    actions.describe_project_progress("np_1"),
    actions.describe_project_steps("np_1"),
    actions.describe_project("np_1"),
    actions.create_label("x"),
    actions.start_project("np_1"),
    actions.list_projects().page(1),
    actions.list_project_full_verify_result("np_1").page(1),
    actions.list_full_verify_corrections_result("np_1", "s", "t").page(1),
]
SETTINGS = ClientSettings("http://oms", "admin", "geheim1")
HEADERS = st.dictionaries(st.sampled_from(["date", "age", "retry-after", "location"]), st.text(), max_size=4)


def check(message):
    """Check that an error can be shown and written to a file."""
    assert message.isprintable()
    assert message.encode()


def everything_of(model):
    """Read every field of a model and of the models in it."""
    for name in dir(type(model)):
        if name.startswith("_"):
            continue
        try:
            value = getattr(model, name)
        except OmsMalformedAnswerError as error:
            value = str(error)
            check(value)
        for inner in value if isinstance(value, list) else [value]:
            if hasattr(inner, "raw") and inner is not model:
                everything_of(inner)


def try_all(status, headers, body):
    for call in CALLS:
        try:
            answer = read_answer(call, HttpAnswer(status, headers, body, 0.0), SETTINGS.secrets)
        except OmsError as error:
            refused = str(error)
            check(refused)
            continue
        repr(answer)
        data = getattr(answer.data, "rows", answer.data)
        for model in data if isinstance(data, list) else [data]:
            if hasattr(model, "raw"):
                everything_of(model)


@GENERATED
@given(st.sampled_from([200, 200, 200, 204, 302, 400, 401, 404, 500]), HEADERS, st.binary() | st.text().map(str.encode))
def test_any_bytes(status, headers, body):
    try_all(status, headers, body)


@GENERATED
@given(
    st.sampled_from([200, 200, 200, 302, 400, 500]),
    HEADERS,
    OBJECTS,
    st.sampled_from([True, True, False, "true", None]),
)
def test_any_object(status, headers, sent, success):
    try_all(status, headers, json.dumps({**sent, "success": success}).encode())


@GENERATED
@given(st.lists(OBJECTS | VALUES, max_size=4) | OBJECTS | VALUES)
def test_any_data(data):
    try_all(200, {}, json.dumps({"success": True, "data": data}).encode())


@GENERATED
@given(
    st.lists(
        st.tuples(
            st.none() | st.lists(st.integers(0, 6), max_size=3),
            st.none() | st.integers(-1, 7) | st.sampled_from(["3", "x", 2.0]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_pages(pages):
    """Either a list has all rows that its pages promise, each once, or an error is raised."""
    asked = []

    class Oms:
        def send(self, call):
            asked.append(call)
            rows, total = pages[(len(asked) - 1) % len(pages)]
            data = rows and [{"id": f"np_{row}"} for row in rows]
            body = json.dumps({"success": True, "data": data, "totalCount": total}).encode()
            return read_answer(call, HttpAnswer(200, {}, body, 0.0))

    try:
        rows = run_flow(Oms(), actions.list_projects(page_size=2).whole())
    except OmsError as error:
        refused = str(error)
        check(refused)
        assert len(asked) < 30
        return
    last = asked[-1].payload["pageNumber"]
    told = [pages[(len(asked) - last + number) % len(pages)] for number in range(last)]
    assert [row.id for row in rows] == [f"np_{row}" for page, _ in told for row in page or ()]
    assert all(len(page or ()) <= 2 for page, _ in told)
    promised = {int(float(total)) for page, total in told if total not in (None, 0) and (page or total)}
    assert len(promised) <= 1
    assert promised <= {len(rows), sum(bool(page) for page, _ in told)}
