"""The error hierarchy: which errors are temporary; OMS's message is one printable line without secrets."""

import copy
import pickle

import pytest

from airflow_provider_oms.client import errors
from airflow_provider_oms.client.errors import ErrorDetails, OmsError, OmsPermanentError, OmsTemporaryError, safe_text

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, OmsError)]
TEMPORARY = {
    "OmsTemporaryError",
    "OmsUnreachableError",
    "OmsTimeoutError",
    "OmsConnectionLostError",
    "OmsBusyError",
    "OmsMalformedAnswerError",
}
DETAILS = ErrorDetails(
    asked="DescribeProject of project np_1",
    message="No such thing",
    code="X-1",
    advice="Look elsewhere",
    request_id="r-1",
    status=500,
    retry_after=3.0,
)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_of_one_sort(kind):
    assert kind("x").temporary is (kind.__name__ in TEMPORARY)
    if kind is not OmsError:
        assert issubclass(kind, OmsTemporaryError) is not issubclass(kind, OmsPermanentError)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_message_says_everything(kind):
    assert str(kind("It is broken.", DETAILS)) == (
        "DescribeProject of project np_1: It is broken. OMS said: No such thing (HTTP 500, code X-1, request id r-1) "
        "OMS advises: Look elsewhere"
    )


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("details", [None, ErrorDetails(), DETAILS])
def test_errors_travel(kind, details):
    """Airflow pickles exceptions to send them to another process."""
    error = kind("It is broken.", details)

    for there in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own
        assert type(there) is kind
        assert str(there) == str(error)
        assert there.details == error.details
        assert there.problem == error.problem


def test_about_keeps_what_is_said_already():
    nothing = errors.OmsRejectedError("x", ErrorDetails(code="c"))

    assert str(nothing.about("Action of y")) == "Action of y: x (code c)"
    assert type(nothing.about("Action of y")) is errors.OmsRejectedError
    told = nothing.about("Action of y")
    assert told.about("Another") is told


FORGED = "ok\n[2026-01-01] INFO all is well\r\x1b[2K\x00\u2028\u202e\ud800 end"


@pytest.mark.parametrize("name", ["asked", "message", "code", "advice", "request_id"])
def test_no_word_of_oms_forges_a_line(name):
    shown = str(OmsError("x", ErrorDetails(**{name: FORGED})))

    assert shown.isprintable()
    assert "all is well" in shown
    shown.encode()  # including half surrogate pairs, which can't be written to a log file


@pytest.mark.parametrize("name", ["asked", "message", "code", "advice", "request_id"])
def test_no_word_of_oms_is_endless(name):
    assert len(str(OmsError("x", ErrorDetails(**{name: "y" * 10_000_000})))) < 1100


@pytest.mark.parametrize(
    ("value", "shown"), [("a\tb", "a b"), ("中文 ü", "中文 ü"), (7, "7"), ({"a": "\n"}, "{'a': '\\n'}"), ("", "")]
)
def test_plain(value, shown):
    assert safe_text(value) == shown


def test_plain_cuts():
    assert safe_text("abcdef", 3) == "abc..."
    assert safe_text("abc", 3) == "abc"


def test_an_invalid_request_is_a_value_error():
    assert issubclass(errors.OmsInvalidRequestError, ValueError)
