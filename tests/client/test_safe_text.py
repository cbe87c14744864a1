"""Text from outside can be shown and stored safely, whatever value contains it."""

import contextlib
import json
from datetime import datetime
from itertools import product

import pytest
from client_support import GENERATED
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_oms.client import fields, models
from airflow_provider_oms.client.errors import ErrorDetails, OmsError, OmsMalformedAnswerError
from airflow_provider_oms.client.fields import Field, Model, NestedField
from airflow_provider_oms.client.safe_text import safe_json, safe_repr, safe_text
from tests.rows import each_row

HOSTILE = {
    "half a character": "\ud83d",
    "the other half": "\udcff",
    "NUL": "\x00",
    "a line end": "\n",
    "a carriage return": "\r",
    "a tab": "\t",
    "an escape": "\x1b[2J",
    "DEL": "\x7f",
    "an 8-bit escape": "\x9b2J",
    "next line": "\x85",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "right to left": "\u202e",
    "an isolate": "\u2066",
    "a mark": "\u200f",
    "an Arabic mark": "\u061c",
    "no width": "\u200b",
    "a joiner": "\u200d",
    "a byte order mark": "\ufeff",
    "a soft hyphen": "\xad",
    "a filler": "\u3164",
    "a variation": "\ufe0f",
    "a tag": "\U000e0041",
    "for private use": "\ue000",
    "no character": "\uffff",
}


def is_safe(text, limit=1003):
    text.encode()
    return text.isprintable() and len(text) <= limit and not any(sign[0] in text for sign in HOSTILE.values())


KINDS = [str, lambda text: [text], lambda text: {"k": text}, lambda text: {text: 1}, ValueError]


@each_row(("sign", "put", "kind"), product(HOSTILE, ["{}", "a{}b", "{}b", "a{}", "ü{}中文"], KINDS))
def test_no_sign_comes_through(sign, put, kind):
    for make in (safe_text, safe_repr):
        assert is_safe(make(kind(put.format(HOSTILE[sign]))))


@pytest.mark.parametrize("text", ["abc", "a b", "ü", "中文", "Ελληνικά", "😀", "e\u0301", "a'\"\\b", ""])
def test_ordinary_text_stays(text):
    assert safe_text(text) == text


@GENERATED
@given(st.text() | st.binary() | st.floats() | st.integers() | st.none() | st.lists(st.text()))
def test_whatever_it_is(value):
    assert is_safe(safe_text(value))
    assert is_safe(safe_repr(value))


@pytest.mark.parametrize("size", [10_000, 1_000_000])
@pytest.mark.parametrize("kind", [str, list, lambda text: {text: text}, lambda text: [[text] * 100] * 100])
def test_no_text_is_endless(kind, size):
    for make in (safe_text, safe_repr):
        assert len(make(kind("\u202e" * size), 80)) <= 83


def test_what_is_nested_deeper_than_python_writes():
    """On Python 3.12 json and repr have different limits of depth."""
    deep = json.loads("[" * 900 + "]" * 900)
    for _ in range(100_000):
        deep = [deep]

    assert is_safe(safe_text(deep))
    assert is_safe(safe_repr(deep))
    assert is_safe(repr(Model({"data": deep})))
    assert is_safe(str(Model({}).malformed("data", deep, "a list")))
    assert (Model({"data": deep}) == Model({"data": [deep]})) is False
    while deep:  # so that freeing it doesn't recurse too deep
        deep = deep[0]


def test_numbers_that_python_does_not_write():
    assert is_safe(safe_text(10**5000))
    assert is_safe(safe_repr(10**5000))


def test_json_stays_json():
    value = {"a\n": ["b\ud83d", 1, None, True, 2.5, {"c": "d\x00"}], "e": "f" * 2000}

    assert safe_json(value) == {"a ": ["b ", 1, None, True, 2.5, {"c": "d "}], "e": "f" * 1000 + "..."}
    assert safe_json("x" * 30, 20) == "x" * 20 + "..."


def test_an_error_is_safe_as_a_whole():
    forged = "".join(HOSTILE.values())
    error = OmsError(f"a {forged} problem", ErrorDetails(forged, forged, forged, forged, forged, 500, 1.0, (forged,)))

    assert is_safe(str(error), 6003)
    assert len(str(OmsError("x" * 100_000))) <= 6003


# Every text of every model, as it is read

TEXTS = {fields.text, fields.texts, fields.word, fields.checkpoint, fields.identifier}
READ = [
    (model, name, field)
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, Model)
    for name, field in vars(model).items()
    if isinstance(field, Field) and not isinstance(field, NestedField) and field.read in TEXTS
]


def test_there_are_texts_to_try():
    assert len(READ) > 40
    every = {
        field.read
        for model in vars(models).values()
        if isinstance(model, type) and issubclass(model, Model)
        for field in vars(model).values()
        if isinstance(field, Field) and not isinstance(field, NestedField)
    }
    # All other attributes return no text.
    for read in every - TEXTS:
        for value in ("7", "true", "2026-01-01", 7):
            with contextlib.suppress(ValueError):
                assert isinstance(read(value), float | int | bool | datetime | None), read


@pytest.mark.parametrize(("model", "name", "field"), READ, ids=[f"{one.__name__}.{name}" for one, name, _ in READ])
def test_every_text_of_a_model_is_safe(model, name, field):
    for sign in HOSTILE.values():
        for value in (sign, f"a{sign}b", [f"a{sign}b"], f"a{sign}" * 50_000):
            said = model({field.names[0]: value})
            try:
                read = getattr(said, name)
            except OmsMalformedAnswerError as error:
                read = str(error)
            for text in read if isinstance(read, list) else [read]:
                assert is_safe(text)
            assert said.raw[field.names[0]] == value


@pytest.mark.parametrize(
    "value", ["", " ", "***", "a b", "a\nb", "a" * 129, "<b>", '"a"', "a;b", "{x}", "ü", "np_1\ud83d", True, [], {}]
)
def test_what_is_no_id(value):
    with pytest.raises(ValueError, match=r"an id|text"):
        fields.identifier(value)


@pytest.mark.parametrize(
    ("value", "read"), [("np_4w3yn1", "np_4w3yn1"), (" e_1 ", "e_1"), (17, "17"), ("a.b-c:d", "a.b-c:d")]
)
def test_what_is_an_id(value, read):
    assert fields.identifier(value) == read


def test_details_of_errors_are_objects_or_texts():
    told = [{"code": "C", "message": "m\n", "reason": "r", "proposal": "p"}, "plain", None, 7, ["x"], {"message": None}]
    extra = models.StepExtra({"errorDetails": told})

    assert [detail.summary for detail in extra.error_details] == ["C m  r OMS advises: p", "plain", "7", "", ""]
    assert models.TableVerification({"errorDetails": "alone"}).error_details[0].summary == "alone"
    assert models.TableVerification({"errorDetails": None}).error_details == []
    assert models.StepExtra({}).error_details == []
