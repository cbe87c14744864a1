"""Reading single values: every documented form is accepted, anything else is not."""

from datetime import UTC, datetime

import pytest

from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.fields import (
    Field,
    Model,
    NestedField,
    _spellings_of,
    boolean,
    checkpoint,
    count,
    moment,
    number,
    objects,
    percent,
    text,
    texts,
    value_of,
    word,
)

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("read", "value", "meaning"),
    [
        (number, 0, 0),
        (number, -3, -3),
        (number, 1.5, 1.5),
        (number, "42", 42),
        (number, " 42 ", 42),
        (number, "+5", 5),
        (number, "-5.25", -5.25),
        (number, "5.", 5),
        (number, ".5", 0.5),
        (number, "1.0", 1),
        (number, 10**17, 10**17),
        (percent, 0, 0),
        (percent, 100, 100),
        (percent, "99.9", 99.9),
        (percent, "100", 100),
        (count, "7", 7),
        (count, 7.0, 7),
        (boolean, True, True),
        (boolean, "TRUE", True),
        (boolean, " false ", False),
        (text, "a b", "a b"),
        (text, 42, "42"),
        (text, 1.5, "1.5"),
        (text, "", ""),
        (texts, ["a", 1], ["a", "1"]),
        (texts, "a", ["a"]),
        (texts, [], []),
        (word, " running ", "RUNNING"),
        (word, "Something_New", "SOMETHING_NEW"),
        (checkpoint, 1700000000, 1700000000),
        (checkpoint, "1700000000", 1700000000),
        (checkpoint, "100,30", "100,30"),
        (checkpoint, " 100,30 ", "100,30"),
        (checkpoint, "nan", "nan"),
        (checkpoint, "-+5", "-+5"),
        (checkpoint, "1e9", "1e9"),
        (checkpoint, 0, 0),
    ],
)
def test_what_reads(read, value, meaning):
    assert read(value) == meaning
    assert type(read(value)) is type(meaning)


@pytest.mark.parametrize(
    ("read", "value", "wanted"),
    [
        *[
            (number, value, "a number")
            for value in (
                *(
                    True,
                    False,
                    NAN,
                    INFINITE,
                    -INFINITE,
                    1e18,
                    10**400,
                    -(10**18),
                    [],
                    {},
                    "",
                    " ",
                    ".",
                    "+",
                    "-+5",
                    "+-5",
                ),
                *("nan", "inf", "1e5", "1_0", "0x10", "5,5", "٣", "²", "5 5", "1.2.3", "9" * 18, "1" * 5000),
            )
        ],
        (percent, -1, "a percentage from 0 to 100"),
        (percent, 100.1, "a percentage from 0 to 100"),
        (percent, 5151, "a percentage from 0 to 100"),
        (percent, "5151", "a percentage from 0 to 100"),
        (percent, "100%", "a number"),
        (percent, NAN, "a number"),
        (count, -1, "a count"),
        (count, 1.5, "a count"),
        (count, "1.5", "a count"),
        (count, True, "a number"),
        (boolean, 1, "true or false"),
        (boolean, 0, "true or false"),
        (boolean, "yes", "true or false"),
        (boolean, [], "true or false"),
        (text, True, "text"),
        (text, ["a"], "text"),
        (text, {}, "text"),
        (texts, ["a", {}], "text"),
        (word, {}, "text"),
        (checkpoint, True, "a checkpoint"),
        (checkpoint, NAN, "a checkpoint"),
        (checkpoint, 10**400, "a checkpoint"),
        (checkpoint, [1700000000], "a checkpoint"),
    ],
)
def test_what_does_not_read(read, value, wanted):
    with pytest.raises(ValueError, match=f"^{wanted}$"):
        read(value)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("2023-07-17T23:01:25", datetime(2023, 7, 17, 23, 1, 25, tzinfo=UTC)),
        ("2023-07-12T22:35:48.881", datetime(2023, 7, 12, 22, 35, 48, 881000, tzinfo=UTC)),
        ("2023-07-13T19:57:28.000+00:00", datetime(2023, 7, 13, 19, 57, 28, tzinfo=UTC)),
        ("2023-07-13T19:57:28+08:00", datetime(2023, 7, 13, 11, 57, 28, tzinfo=UTC)),
        (" 2023-07-13 19:57:28Z ", datetime(2023, 7, 13, 19, 57, 28, tzinfo=UTC)),
        ("0001-01-01T00:00:00+08:00", None),
        ("9999-12-31T23:59:59-08:00", None),
        ("yesterday", None),
        ("", None),
        (1689278485, None),
        ([], None),
        (True, None),
    ],
)
def test_moments(value, meaning):
    assert moment(value) == meaning


@pytest.mark.parametrize(
    ("data", "found"), [(None, []), ({}, [{}]), ([], []), ([{"a": 1}, {}], [{"a": 1}, {}]), ({"a": 1}, [{"a": 1}])]
)
def test_objects(data, found):
    assert list(objects(data)) == found


@pytest.mark.parametrize("data", ["x", 1, True, [None], [[]], [{}, "x"], 0, ""])
def test_objects_that_are_none(data):
    with pytest.raises(ValueError, match="a list of objects"):
        list(objects(data))


class Thing(Model):
    __slots__ = ()
    size = Field(percent, "size", "oldSize")
    parts = NestedField(Model, "parts")


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ({"size": 1}, 1),
        ({"Size": 1}, 1),
        ({"SIZE": 1}, 1),
        ({"size ": 1}, 1),
        ({"oldSize": 1}, 1),
        ({"OldSize": "1"}, 1),
        ({"size": None, "Size": 2}, None),
        ({"size": 1, "Size": 2}, 1),
        ({"size": None, "oldSize": 3}, 3),
        ({"size": 1, "oldSize": 3}, 1),
        ({"size": 0, "oldSize": 3}, 0),
        ({"size": None}, None),
        ({}, None),
        ({1: 2, "x": 3}, None),
        ({"SIZE": 1, "Size": 2}, 2),
        ({"SIZE": 1, "Size": None}, 1),
        ({**dict.fromkeys(map(str, range(1000))), "SIZE": 1}, 1),
    ],
)
def test_a_field(raw, size):
    assert Thing(raw).size == size


def test_nonsense_harms_only_who_reads_it():
    thing = Thing({"size": 5151, "parts": None, "other": "\x1b[31m"}, "GetThing of project p")

    assert thing.parts == []
    assert thing.raw["size"] == 5151
    with pytest.raises(OmsMalformedAnswerError) as caught:
        _ = thing.size
    assert "GetThing of project p has size=5151, which is not a percentage from 0 to 100." in str(caught.value)


def test_nonsense_forges_no_line():
    thing = Thing({"size": "1\n2026-01-01 INFO all is well\x1b[2K" + "x" * 5000})

    with pytest.raises(OmsMalformedAnswerError) as caught:
        _ = thing.size
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("raw", "length"), [({}, 0), ({"Parts": {"a": 1}}, 1), ({"parts": [{}, {}]}, 2), ({"parts": []}, 0)]
)
def test_nested(raw, length):
    assert len(Thing(raw).parts) == length


def test_nested_that_is_none():
    with pytest.raises(OmsMalformedAnswerError, match="has parts='x', which is not a list of objects"):
        _ = Thing({"parts": "x"}).parts


def test_models_compare_by_what_oms_sent():
    assert Thing({"size": 1}) == Thing({"size": 1}, "elsewhere")
    assert Thing({"size": 1}) != Thing({"size": 2})
    assert Thing({"size": 1}) != Model({"size": 1})
    assert repr(Thing({"size": 1})) == "Thing({'size': 1})"
    assert Thing.size.names == ("size", "oldSize")


@pytest.mark.parametrize("raw", [{"k" * 6000: 1}, {f"key {number}": 1 for number in range(101)}], ids=["long", "many"])
def test_keys_that_no_object_of_oms_has_are_read_and_not_kept(raw):
    before = _spellings_of.cache_info().currsize
    assert value_of({**raw, "SIZE": 7}, "size") == 7
    assert _spellings_of.cache_info().currsize == before
