"""From bytes to an answer or an error, without a network."""

import json
from dataclasses import replace
from email.utils import formatdate
from itertools import product
from urllib.parse import quote

import pytest

from airflow_provider_oms.client import actions, errors
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, OmsRejectedError
from airflow_provider_oms.client.protocol import HttpAnswer, build_request, read_answer, utc_text
from airflow_provider_oms.client.settings import ClientSettings
from tests.rows import each_row

CALL = actions.call("Anything", reads_only=True)
NOW = 1_700_000_000.0
ABSENT = object()


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
        # Only success decides: samples in OceanBase's documents have a code in a successful answer.
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
        (b"null", "isn't JSON from OMS"),
        (b"[]", "isn't JSON from OMS"),
        (b"true", "isn't JSON from OMS"),
        (b'"success"', "isn't JSON from OMS"),
        (b"<html>\n<body>Login</body></html>", "begins with b'<html>"),
        (b'{"success": true', "isn't JSON from OMS"),
        (b'{"success": true}{"success": true}', "isn't JSON from OMS"),
        (b'{"success": true, "data": "\xff"}', "isn't JSON from OMS"),
        (b'{"success": true, "data": ' + b"9" * 5000 + b"}", "isn't JSON from OMS"),
        (b'{"success": true, "data": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "isn't JSON from OMS"),
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
@pytest.mark.parametrize("place", ["top", "errorDetail", "upstreamErrorDetail"])
def test_the_codes(code, message, kind, place):
    said = {"code": code, "message": message}
    if place == "errorDetail":
        said = {"errorDetail": said, "code": "OTHER"}
    elif place == "upstreamErrorDetail":
        said = {"errorDetail": {"upstreamErrorDetail": said, "message": message}, "code": "OTHER"}
    error = failure({"success": False, **said})

    assert type(error) is kind or (place != "top" and not code)
    assert error.details.message == message


OLDER = {
    errors.OmsBusyError: (
        "EXECUTOR_THREAD_POOL_BUSY",
        "TIMEOUT_EXCEPTION",
        "LOCK_FAILED",
        "CM_API_ERROR",
        "CM_API_NOT_SUCCESS",
        "CM_SDK_ERROR",
        "SUPERVISOR_API_ERROR",
    ),
    errors.OmsProjectNotFoundError: ("PROJECT_NOT_FOUND_ERROR",),
    errors.OmsAuthenticationError: (
        "AUTHENTICATION_ERROR",
        "USER_NAME_OR_PASSWORD_ERROR",
        "OMS_USER_PASSWORD_ERROR",
        "OMS_USER_PERMISSION_DENIED_ERROR",
    ),
    OmsRejectedError: (
        "PROJECT_NAME_ALREADY_EXIST_ERROR",
        "PROJECT_INVALID_STATUS_ERROR",
        "PROJECT_OPERATION_NOT_ALLOWED_ERROR",
    ),
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in OLDER.items() for code in codes])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_older_codes(kind, code, status):
    error = failure({"success": False, "code": code, "message": "m"}, status)

    if kind is OmsRejectedError and status == 500:
        assert type(error) is errors.OmsBusyError
    else:
        assert type(error) is kind
    assert error.details.codes == (code,)


@pytest.mark.parametrize(
    ("inner", "outer", "kind"),
    [
        ("GHANA-PROJECT000001", "INNER_ERROR", errors.OmsProjectNotFoundError),
        ("INNER_ERROR", "GHANA-PROJECT000001", errors.OmsProjectNotFoundError),
        ("PARAM_ERROR", "GHANA-PROJECT000001", errors.OmsProjectNotFoundError),
        ("PARAM_ERROR", "USER_NAME_OR_PASSWORD_ERROR", errors.OmsAuthenticationError),
        ("LOCK_FAILED", "AUTHENTICATION_ERROR", errors.OmsAuthenticationError),
        ("PARAM_ERROR", "GHANA-OPERAT000001", errors.OmsBusyError),
        ("GHANA-OPERAT000001", "PARAM_ERROR", errors.OmsBusyError),
        # The code of a wrapper doesn't describe the cause, if that has a code of its own.
        ("PARAM_ERROR", "INNER_ERROR", OmsRejectedError),
        ("GHANA-MIGRAT000201", "GHANA-OPERIE000000", OmsRejectedError),
        ("INNER_ERROR", "GHANA-OPERIE000000", errors.OmsBusyError),
        ("GHANA-OPERIE000000", "PARAM_ERROR", errors.OmsBusyError),
        ("PARAM_ERROR", "PARAM_ERROR", OmsRejectedError),
    ],
)
def test_two_codes_in_one_answer(inner, outer, kind):
    error = failure({"success": False, "code": outer, "errorDetail": {"code": inner, "message": "m"}})

    assert type(error) is kind
    assert error.details.codes == tuple(dict.fromkeys((inner, outer)))
    assert error.details.code == inner
    shown = f"(code {inner}, also {outer})" if inner != outer else f"(code {inner})"
    assert shown in str(error)


# An answer about another project than the requested one is refused

BY_ID = {
    "progress": actions.describe_project_progress("np_1"),
    "progress of v3": replace(actions.describe_project_progress("np_1", "SYNC"), action="v3"),
    "steps": actions.describe_project_steps("np_1"),
    "project": actions.describe_project("np_1"),
    "components": actions.describe_project_components("np_1"),
    "metric": actions.describe_project_step_metric("np_1", "FULL_TRANSFER", "RPS", 0, 3600),
    "verification": actions.list_project_full_verify_result("np_1").page(1),
    "rows": actions.list_full_verify_inconsistencies_result("np_1", "s", "t").page(1),
    "advance": actions.advance_project("np_1"),
    "update": actions.update_project_config("np_1", {}),
    **{name: getattr(actions, f"{name}_project")("np_1") for name in ("start", "stop", "resume", "release", "delete")},
}


ANOTHER = ["np_2", "NP_1", 7, "np_1 2", ["np_1"], {"id": "np_1"}, False, "\ud83d"]


@each_row(
    ("told", "key", "listed", "asked"), product(ANOTHER, ["projectId", "ProjectId", "PROJECTID"], [False, True], BY_ID)
)
def test_an_answer_about_another_project(told, key, listed, asked):
    call = BY_ID[asked]
    data = {key: told, "status": "RUNNING"}
    with pytest.raises(OmsMalformedAnswerError, match="instead of the requested one") as caught:
        read({"success": True, "data": [data] if listed else data}, call=call)
    assert str(caught.value).startswith(f"{call.asked}: ")
    assert str(caught.value).isprintable()
    assert caught.value.temporary


@pytest.mark.parametrize("call", BY_ID.values(), ids=BY_ID)
@pytest.mark.parametrize("told", ["np_1", " np_1 ", None, "", ABSENT])
def test_an_answer_about_the_project(told, call):
    data = {"status": "RUNNING"} if told is ABSENT else {"projectId": told, "status": "RUNNING"}
    read({"success": True, "data": data}, call=call)


@pytest.mark.parametrize("key", ["id", "projectId"])
def test_a_description_of_another_project(key):
    with pytest.raises(OmsMalformedAnswerError, match="is about project 'np_2'"):
        read({"success": True, "data": {key: "np_2"}}, call=actions.describe_project("np_1"))


def test_the_id_of_a_step_is_none_of_a_project():
    steps = read({"success": True, "data": [{"id": 7, "name": "FULL_TRANSFER"}]}, call=BY_ID["steps"]).data
    assert steps[0].name == "FULL_TRANSFER"


def test_whoever_lists_projects_gets_all():
    rows = [{"id": "np_1", "projectId": "np_1"}, {"id": "np_2", "projectId": "np_2"}]
    page = read({"success": True, "data": rows}, call=actions.list_projects().page(1)).data
    assert [row.id for row in page.rows] == ["np_1", "np_2"]


# Secrets that OMS repeats

SETTINGS = ClientSettings("http://oms:8089", "admin", "Gehe!m=1")
LOGIN = SETTINGS.authorization.removeprefix("Basic ")
SOURCE = actions.create_mysql_data_source("n", ip="i", port=1, username="u", password="d@ta/Source")
REPEATED = ["Gehe!m=1", LOGIN, LOGIN.rstrip("="), quote(LOGIN), "d@ta/Source", SOURCE.payload["password"]]


def places(secret):
    """Return every place where an answer may repeat a secret."""
    words = dict.fromkeys(("message", "code", "proposal", "requestId"), f"{'-' * 990}{secret}")
    yield 200, {"success": False, "message": secret, "code": secret, "advice": secret, "errorDetail": words}
    yield 200, {"success": False, "message": {"sent": [secret]}, "errorDetail": secret}
    yield 200, {"success": secret}
    yield 200, {"success": True, "data": {secret: 1}}
    yield 200, {"success": True, "data": [secret]}
    yield 200, {"success": True, "data": secret}
    yield 200, {"success": True, "data": f"id-{secret}"}
    yield 200, {"success": True, "data": "x", "totalCount": secret}
    for before in range(45, 61):
        yield 200, b"<html>" + b"-" * before + secret.encode()
    yield 500, secret.encode()
    yield 400, f"https port {secret}".encode()
    yield 401, {"message": secret}


@pytest.mark.parametrize("secret", REPEATED)
def test_what_oms_repeats_of_a_secret(secret):
    """This includes the id of a new object, because an id is written to XCom."""
    for status, body in places(secret):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        for spelled in {body, body.replace(b"=", b"\\u003d")}:
            answer = HttpAnswer(status, {"location": secret, "retry-after": secret}, spelled, NOW)
            try:
                shown = repr(read_answer(SOURCE, answer, SETTINGS.secrets))
            except OmsError as error:
                shown = f"{error} {error!r}"
            for piece in (secret, secret[:6], "Gehe", "d@ta"):
                assert piece not in shown, (status, body)


@pytest.mark.parametrize("secret", REPEATED[:4])
def test_what_oms_repeats_in_an_answer_that_is_used(secret):
    data = {"projectId": "np_1", "status": secret, "currentStep": f"x {secret} y", "incrSyncCheckpoint": secret}
    progress = read_answer(
        BY_ID["progress"],
        HttpAnswer(200, {}, json.dumps({"success": True, "data": data}).encode(), NOW),
        SETTINGS.secrets,
    ).data

    for shown in (progress.status, progress.current_step, progress.incr_sync_checkpoint, progress.raw, progress):
        assert "GEHE" not in str(shown).upper()
        assert LOGIN[:8] not in str(shown)
    assert progress.status.startswith("***")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, OmsMalformedAnswerError),
        (204, OmsMalformedAnswerError),
        (300, errors.OmsRedirectError),
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
        (300, errors.OmsRedirectError),
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


@pytest.mark.parametrize("status", [200, 400])
def test_of_a_gateways_codes_only_what_passes_counts_whoever_says_it(status):
    said = {"success": False, "code": "Throttling.User", "message": "m"}
    assert type(failure(said, status)) is errors.OmsBusyError
    assert type(failure({**said, "code": "SignatureDoesNotMatch"}, status)) is OmsRejectedError


def test_the_older_api_has_few_actions():
    settings = ClientSettings("http://oms:8089", "user", "geheim", api_version="v3")
    with pytest.raises(errors.OmsUnsupportedActionError, match="which only offers a project's progress"):
        build_request(settings, CALL)


def test_a_call_shows_what_is_asked_and_nothing_else():
    call = actions.describe_project_progress("p")
    shown = {
        "Call(action='DescribeProjectProgress', reads_only=True, subject='project p')": call,
        "PagedCall(action='ListProjects', page_size=7, subject='shop')": actions.list_projects("shop", page_size=7),
        "HttpAnswer(200, 6 bytes)": HttpAnswer(200, {"set-cookie": "geheim"}, b"geheim", NOW),
    }
    for text, one in shown.items():
        assert repr(one) == text


def test_a_call_describes_what_it_asks_for():
    assert actions.describe_project_progress("p").asked == "DescribeProjectProgress of project p"
    assert CALL.asked == "Anything"


def test_calls_are_the_same_when_their_answers_are():
    describe = actions.describe_project_progress
    assert describe("p").key == describe("p").key
    assert len({describe("p").key, describe("q").key, describe("p", "SYNC").key, CALL.key}) == 4


def test_utc_text():
    assert utc_text(NOW) == "2023-11-14T22:13:20+00:00"


def test_a_time_that_no_calendar_has_stays_a_number():
    assert utc_text(1e15) == "1000000000000000"
