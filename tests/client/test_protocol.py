"""From bytes to an answer or an error, without a network."""

import json
from email.utils import formatdate

import pytest

from airflow_provider_oms.client import actions, errors
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, OmsRejectedError
from airflow_provider_oms.client.protocol import HttpAnswer, build_request, read_answer, utc_text
from airflow_provider_oms.client.settings import ClientSettings

CALL = actions.call("Anything", reads_only=True)
NOW = 1_700_000_000.0


def read(body, status=200, headers=None, call=CALL):
    """Read an answer; a body that isn't bytes is written as JSON."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(call, HttpAnswer(status, headers or {}, body, NOW))


def failure(*args, **kwargs):
    with pytest.raises(OmsError) as caught:
        read(*args, **kwargs)
    assert caught.value.details.asked == "Anything"
    assert str(caught.value).startswith("Anything: ")
    return caught.value


@pytest.mark.parametrize(
    "envelope",
    [
        {"success": True, "data": 7},
        {"Success": True, "Data": 7},
        {"SUCCESS": True, "DATA": 7},
        {
            "Code": 200,
            "Cost": 56,
            "Data": 7,
            "ErrorCode": "",
            "Message": "successful",
            "Success": True,
            "TotalCount": 0,
        },
        {"success": "true", "data": 7},
        {"success": "True", "data": 7, "totalCount": "1"},
        # Only success decides: the pages' own samples have a code in a success.
        {"success": True, "code": "INNER_ERROR", "data": 7},
        {"success": True, "code": "GHANA-PROJECT000001", "message": "x", "errorDetail": {"code": "X"}, "data": 7},
        {"success": True, "cost": "27 ms", "data": 7, "unheard": {"of": []}, "totalCount": "nonsense"},
    ],
)
def test_a_success(envelope):
    assert read(envelope).data == 7


def test_a_success_with_a_byte_order_mark():
    assert read(b'\xef\xbb\xbf{"success": true, "data": 7}').data == 7


def test_a_success_without_data():
    assert read({"success": True}).data is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "begins with b''"),
        (b"null", "no JSON of OMS"),
        (b"[]", "no JSON of OMS"),
        (b"true", "no JSON of OMS"),
        (b'"success"', "no JSON of OMS"),
        (b"<html>\n<body>Login</body></html>", "begins with b'<html>"),
        (b'{"success": true', "no JSON of OMS"),
        (b'{"success": true}{"success": true}', "no JSON of OMS"),
        (b'{"success": true, "data": "\xff"}', "no JSON of OMS"),
        (b'{"success": true, "data": ' + b"9" * 5000 + b"}", "no JSON of OMS"),
        (b'{"success": true, "data": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "no JSON of OMS"),
        (b"{}", "doesn't say whether it is a success"),
        (b'{"data": 1}', "doesn't say whether it is a success"),
        (b'{"success": null, "data": 1}', "doesn't say whether it is a success"),
        (b'{"success": 1}', "success=1, which is not true or false"),
        (b'{"success": "yes"}', "success='yes', which is not true or false"),
        (b'{"success": [true]}', "which is not true or false"),
        (b'{"success": {}}', "which is not true or false"),
    ],
)
def test_what_is_no_answer(body, says):
    error = failure(body)

    assert type(error) is OmsMalformedAnswerError
    assert says in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize("success", [False, "false", "FALSE"])
@pytest.mark.parametrize(
    ("envelope", "says"),
    [
        ({}, "OMS refused without saying why."),
        ({"message": "No."}, "OMS refused. OMS said: No."),
        ({"Message": "No.", "Code": "X", "RequestId": "r"}, "OMS refused. OMS said: No. (code X, request id r)"),
        ({"errorCode": "X"}, "OMS refused without saying why. (code X)"),
        ({"code": 7, "message": ""}, "OMS refused without saying why. (code 7)"),
        (
            {
                "code": "OLD",
                "message": "[OLD]: generic",
                "advice": "old advice",
                "requestId": "r-1",
                "errorDetail": {"code": "NEW", "message": "the reason", "proposal": "do this", "requestId": "r-2"},
            },
            "OMS refused. OMS said: the reason (code NEW, also OLD, request id r-1) OMS advises: do this",
        ),
        (
            {"message": "generic", "advice": "old advice", "errorDetail": {"Message": "", "Proposal": None}},
            "OMS refused. OMS said: generic OMS advises: old advice",
        ),
        ({"message": "m", "errorDetail": {"RequestId": "r-2"}}, "OMS refused. OMS said: m (request id r-2)"),
        ({"message": "m", "errorDetail": "text"}, "OMS refused. OMS said: m"),
        ({"message": "m", "errorDetail": [1]}, "OMS refused. OMS said: m"),
        ({"message": {"a": 1}, "errorDetail": {"messageMcmsContext": {"service": "CM"}}}, "OMS said: {'a': 1}"),
    ],
)
def test_a_refusal(envelope, says, success):
    error = failure({**envelope, "success": success})

    assert type(error) is OmsRejectedError
    assert says in str(error)


def test_a_refusal_forges_no_line():
    words = dict.fromkeys(("message", "code", "proposal", "requestId"), "x\n2026 INFO fine\x1b[2J")
    error = failure({"success": False, "errorDetail": words, "message": "\r\n", "advice": "\n"})

    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("GHANA-PROJECT000001", "m", errors.OmsProjectNotFoundError),
        ("ghana-project000001", "m", errors.OmsProjectNotFoundError),
        ("GHANA-OPERIE000000", "[GHANA-PROJECT000001]: project is not exists", errors.OmsProjectNotFoundError),
        ("INNER_ERROR", "Unsupported action: AdvanceProject", errors.OmsUnsupportedActionError),
        (None, "unsupported ACTION: X", errors.OmsUnsupportedActionError),
        ("GHANA-OPERAT000001", "m", errors.OmsBusyError),
        ("CM-RESOAT000011", "m", errors.OmsBusyError),
        ("GHANA-OPERIE000000", "m", errors.OmsBusyError),
        ("INNER_ERROR", "m", errors.OmsBusyError),
        ("PARAM_ERROR", "m", OmsRejectedError),
        ("GHANA-OPERAT000101", "m", OmsRejectedError),
        ("", "m", OmsRejectedError),
        (None, "m", OmsRejectedError),
    ],
)
@pytest.mark.parametrize("place", ["top", "errorDetail"])
def test_the_codes(code, message, kind, place):
    said = {"code": code, "message": message}
    error = failure({"success": False, **(said if place == "top" else {"errorDetail": said, "code": "OTHER"})})

    assert type(error) is kind or (place == "errorDetail" and not code)
    assert error.details.message == message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, OmsMalformedAnswerError),
        (204, OmsMalformedAnswerError),
        (301, errors.OmsRedirectError),
        (302, errors.OmsRedirectError),
        (303, errors.OmsRedirectError),
        (304, errors.OmsRedirectError),
        (307, errors.OmsRedirectError),
        (308, errors.OmsRedirectError),
        (400, OmsRejectedError),
        (401, errors.OmsAuthenticationError),
        (403, errors.OmsAuthenticationError),
        (404, errors.OmsNotFoundError),
        (405, OmsRejectedError),
        (407, OmsRejectedError),
        (408, errors.OmsBusyError),
        (411, OmsRejectedError),
        (413, OmsRejectedError),
        (422, OmsRejectedError),
        (429, errors.OmsBusyError),
        (500, errors.OmsBusyError),
        (501, errors.OmsBusyError),
        (502, errors.OmsBusyError),
        (503, errors.OmsBusyError),
        (504, errors.OmsBusyError),
        (599, errors.OmsBusyError),
    ],
)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html/>", b"{}", {"success": True, "data": 7}, {"success": False, "message": "m", "code": "PARAM_ERROR"}],
)
def test_each_http_status(status, kind, body):
    error = failure(body, status)

    assert type(error) is kind
    assert error.details.status == status
    assert f"HTTP {status}" in str(error)
    if isinstance(body, dict) and body["success"] is False:
        assert "OMS said: m" in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.OmsAuthenticationError),
        (403, errors.OmsAuthenticationError),
        (404, errors.OmsNotFoundError),
        (302, errors.OmsRedirectError),
    ],
)
@pytest.mark.parametrize("code", ["INNER_ERROR", "GHANA-OPERAT000001", "GHANA-OPERIE000000"])
def test_a_passing_code_makes_no_status_pass(status, kind, code):
    error = failure({"success": False, "code": code, "message": "m"}, status, {"retry-after": "5"})

    assert type(error) is kind
    assert not error.temporary


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://oms:8089/login?ticket=secret#x", "redirects to https://oms:8089/login, which"),
        ("", "the address redirects, which"),
        ("/a\r\nX: y\x1b" + "z" * 500, "redirects to /a  X: y z"),
    ],
)
def test_a_redirect_names_its_target_and_no_secret(location, says):
    error = failure(b"", 302, {"location": location})

    assert says in str(error)
    assert "secret" not in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("7", None, 7),
        (" 7 ", None, 7),
        ("0", None, 0),
        ("999999999999999999999", None, 999999999),
        ("-1", None, None),
        ("1.5", None, None),
        ("soon", None, None),
        ("", None, None),
        ("٣", None, None),
        (formatdate(NOW + 30, usegmt=True), None, 30),
        (formatdate(NOW - 30, usegmt=True), None, 0),
        (formatdate(NOW + 1030, usegmt=True), formatdate(NOW + 1000, usegmt=True), 30),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None, None),
    ],
)
@pytest.mark.parametrize("body", [b"", {"success": False, "code": "INNER_ERROR"}])
def test_retry_after(value, date, seconds, status, body):
    error = failure(body, status, {"retry-after": value, **({"date": date} if date else {})})

    assert type(error) is errors.OmsBusyError
    assert error.details.retry_after == seconds


@pytest.mark.parametrize(
    ("headers", "at", "clock"),
    [
        ({}, NOW, "local"),
        ({"date": formatdate(NOW - 3600, usegmt=True)}, NOW - 3600, "OMS"),
        ({"date": formatdate(NOW - 60, usegmt=True), "age": "50"}, NOW - 10, "OMS"),
        ({"date": formatdate(NOW - 60, usegmt=True), "age": "many"}, NOW - 60, "OMS"),
        ({"date": formatdate(NOW - 60, usegmt=True), "age": "-5"}, NOW - 60, "OMS"),
        ({"date": "yesterday"}, NOW, "local"),
        ({"date": ""}, NOW, "local"),
        ({"date": "Wed, 01 Feb 2023 99:00:00 GMT"}, NOW, "local"),
        ({"date": "Tue, 14 Nov 2023 22:13:20 -0000"}, NOW, "OMS"),
        ({"date": "Wed, 15 Nov 2023 06:13:20 +0800"}, NOW, "OMS"),
    ],
)
def test_the_time_of_an_answer(headers, at, clock):
    answer = read({"success": True}, headers=headers)

    assert (answer.at, answer.clock) == (at, clock)


@pytest.mark.parametrize("body", [b"<center>The plain HTTP request was sent to HTTPS port</center>"])
def test_http_sent_to_an_https_port(body):
    assert "Set the connection's schema to https" in str(failure(body, 400))
    assert "schema" not in str(failure(body, 422))


def test_a_request_shows_no_secret():
    settings = ClientSettings("http://oms:8089", "user", "geheim")
    call = actions.create_mysql_data_source("n", ip="i", port=1, username="u", password="auch-geheim")

    request = build_request(settings, call)

    assert request.url in repr(request)
    for secret in ("geheim", settings.authorization, call.payload["password"]):
        assert secret not in repr(request)
        assert secret not in repr(settings)
        assert secret not in str(call)


def test_calls_are_the_same_when_their_answers_are():
    describe = actions.describe_project_progress
    assert describe("p").key == describe("p").key
    assert len({describe("p").key, describe("q").key, describe("p", "SYNC").key, CALL.key}) == 4


def test_utc_text():
    assert utc_text(NOW) == "2023-11-14T22:13:20+00:00"


def test_a_time_that_no_calendar_has_stays_a_number():
    assert utc_text(1e15) == "1000000000000000"
