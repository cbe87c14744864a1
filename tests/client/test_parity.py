"""The fault matrix: every fault, with every kind of request, with both clients, over real sockets.

Both clients must raise the same class with the same message after the same number of requests, and nothing may be
created twice. ``retries`` is 1, so a temporary fault happens twice to a read, and once to a create.
"""

import contextlib
import ssl
from dataclasses import dataclass, replace
from http.client import HTTPSConnection
from typing import Any

import pytest
from client_support import CLIENTS, RawServer, http, outcome, settings_of

from airflow_provider_oms.client import actions, aio, sync
from airflow_provider_oms.client.errors import (
    OmsAnswerTooLargeError,
    OmsAuthenticationError,
    OmsBusyError,
    OmsConnectionLostError,
    OmsMalformedAnswerError,
    OmsNotFoundError,
    OmsProjectNotFoundError,
    OmsRedirectError,
    OmsRejectedError,
    OmsTemporaryError,
    OmsTimeoutError,
    OmsTlsError,
    OmsUnreachableError,
    OmsUnsupportedActionError,
)
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.simulator import Fault, Project, Simulator

#: Every kind of request that this client sends. One that reads and one that creates stand for the others below.
REQUESTS: dict[str, Any] = {
    "read": actions.list_all_labels(),
    "create": actions.create_label("a-label"),
    "read about a project": actions.describe_project_steps("np_1"),
    "read a page": actions.list_projects().page(1),
    "read from OMS 3.3": actions.describe_project_progress("np_1"),
    "change": actions.start_project("np_1"),
}
KINDS = ("read", "create")


@dataclass
class Cell:
    """A fault, and how both clients must end."""

    fault: dict
    error: type | None
    says: str = ""
    executed: bool = False
    timeout: float = 60.0


def status(code, error, says="", **more):
    return pytest.param(Cell({"kind": "status", "status": code, **more}, error, says), id=f"{code}{sorted(more)}")


def code(name, error, says="", message="Why it is so"):
    return pytest.param(Cell({"kind": "error", "code": name, "message": message}, error, says), id=name)


def kind(name, error, says="", executed=False, timeout=60.0, **more):
    return pytest.param(Cell({"kind": name, **more}, error, says, executed, timeout), id=f"{name}{sorted(more)}")


CELLS = [
    kind("hang", OmsTimeoutError, "no complete answer within 1 s", timeout=1.0),
    kind("delay", OmsTimeoutError, "no complete answer within 1 s", timeout=1.0, seconds=30),
    kind("drip", OmsTimeoutError, "no complete answer within 1 s", executed=True, timeout=1.0, seconds=0.1),
    kind("reset_before", OmsConnectionLostError, "broke before the answer was complete"),
    kind("reset_after", OmsConnectionLostError, "broke before the answer was complete", executed=True),
    kind("truncate", OmsConnectionLostError, "broke before the answer was complete", executed=True),
    kind("cut_headers", OmsConnectionLostError, "broke before the answer was complete", executed=True),
    kind("html", OmsMalformedAnswerError, "begins with b'<!DOCTYPE html>"),
    kind("empty", OmsMalformedAnswerError, "begins with b''"),
    kind("invalid_json", OmsMalformedAnswerError, "isn't JSON from OMS"),
    kind("invalid_utf8", OmsMalformedAnswerError, "isn't JSON from OMS"),
    kind("invalid_json", OmsMalformedAnswerError, "isn't JSON from OMS", body='{"success": true, "data": "abc'),
    kind("invalid_json", OmsMalformedAnswerError, "isn't JSON from OMS", body="[]"),
    kind("invalid_json", OmsMalformedAnswerError, "isn't JSON from OMS", body="[" * 100_000),
    kind("invalid_json", OmsMalformedAnswerError, "doesn't say whether it is a success", body="{}"),
    kind("invalid_json", OmsMalformedAnswerError, "success='maybe'", body='{"success": "maybe"}'),
    kind("huge", OmsAnswerTooLargeError, "larger than", size=3 * 1024 * 1024),
    kind("huge", OmsAnswerTooLargeError, "larger than", size=3 * 1024 * 1024, chunked=True),
    kind("wrong_type", None, executed=True),
    kind("redirect", OmsRedirectError, "redirects to /oms-v2/login, which is not followed"),
    kind("redirect", OmsRedirectError, "HTTP 301", status=301),
    kind("redirect", OmsRedirectError, "HTTP 307", status=307, location="http://127.0.0.1:1/?token=secret"),
    kind("redirect", OmsRedirectError, "HTTP 308", status=308),
    status(400, OmsRejectedError, "HTTP 400"),
    status(400, OmsRejectedError, "Set the connection's schema to https", body="... plain HTTP ... to HTTPS port ..."),
    status(401, OmsAuthenticationError, "Check login and password"),
    status(403, OmsAuthenticationError, "Check login and password"),
    status(404, OmsNotFoundError, "Check host and port"),
    status(405, OmsRejectedError, "HTTP 405"),
    status(408, OmsBusyError, "HTTP 408"),
    status(418, OmsRejectedError, "HTTP 418"),
    status(429, OmsBusyError, "HTTP 429"),
    status(429, OmsBusyError, "HTTP 429", headers={"Retry-After": "7"}),
    status(500, OmsBusyError, "HTTP 500"),
    status(502, OmsBusyError, "HTTP 502", body="<html>Bad Gateway</html>"),
    status(503, OmsBusyError, "HTTP 503"),
    status(503, OmsBusyError, "HTTP 503", headers={"Retry-After": "7"}),
    status(504, OmsBusyError, "HTTP 504"),
    status(204, OmsMalformedAnswerError, "HTTP 204"),
    status(401, OmsAuthenticationError, "bad password", body='{"success": false, "message": "bad password"}'),
    status(403, OmsAuthenticationError, "HTTP 403", body='{"success": false, "code": "INNER_ERROR"}'),
    status(500, OmsBusyError, "HTTP 500", body='{"success": true, "data": "1"}'),
    status(500, OmsProjectNotFoundError, "HTTP 500", body='{"success": false, "code": "GHANA-PROJECT000001"}'),
    code("GHANA-PROJECT000001", OmsProjectNotFoundError, "no such project"),
    code("GHANA-OPERAT000001", OmsBusyError, "can't do this at the moment"),
    code("GHANA-OPERIE000000", OmsBusyError, "can't do this at the moment"),
    code("CM-RESOAT000011", OmsBusyError, "can't do this at the moment"),
    code("INNER_ERROR", OmsBusyError, "can't do this at the moment"),
    code(
        "INNER_ERROR", OmsUnsupportedActionError, "doesn't have the action", message="Unsupported action: ListAllLabels"
    ),
    code("PARAM_ERROR", OmsRejectedError, "Why it is so"),
    code("GHANA-OPERAT000101", OmsRejectedError, "Why it is so"),
    code("GHANA-OPEROR000001", OmsRejectedError, "Why it is so"),
    code("GHANA-MIGRAT000201", OmsRejectedError, "Why it is so"),
    code("CM-RESONF000003", OmsRejectedError, "Why it is so"),
    code("SOMETHING-NEW", OmsRejectedError, "Why it is so"),
]


@dataclass(frozen=True)
class Observed:
    """What one client did, for a comparison with the other."""

    error: type | None
    message: str
    requests: int
    created: int
    slept: tuple


def meet(client, what, port, make, settings=None, **simulator):
    """Send a request with one client to a simulator with a fault, on a port that both use; return what happened."""
    with Simulator([Project(id="np_1", name="one")], port=port, **simulator) as oms:
        make(oms)
        how = settings(oms)
        if what == "read from OMS 3.3":
            how = replace(how, api_version="v3")
        ended = outcome(client, how, REQUESTS[what])
        requests = len(oms.requests)
        if oms.scheme == "https":
            settle(oms)
        return ended, requests, len(oms.labels) + (oms.project("np_1").status != "INIT")


def settle(oms):
    """Send another request, so that the simulator has finished a broken handshake before it stops."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.closing(HTTPSConnection("127.0.0.1", oms.port, timeout=60, context=context)) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()


@pytest.fixture(scope="module")
def port():
    with Simulator() as oms:
        return oms.port


@pytest.fixture(autouse=True)
def small_limit(monkeypatch):
    """A limit of 2 MiB shows the same as 64 MiB; test_transport.py tests the real limit."""
    monkeypatch.setattr(sync, "MAX_ANSWER_BYTES", 2 * 1024 * 1024)
    monkeypatch.setattr(aio, "MAX_ANSWER_BYTES", 2 * 1024 * 1024)


def both(what, port, make, settings, pauses, **simulator):
    """Do the same with both clients, and return the result, in which they must agree."""
    observed = []
    for client in CLIENTS:
        pauses.clear()
        ended, requests, created = meet(client, what, port, make, settings, **simulator)
        # The pauses of backoff are random; those that Retry-After asks for aren't.
        slept = tuple(seconds if seconds >= 7 else "some" for seconds in pauses)
        observed.append(Observed(ended.error, ended.message, requests, created, slept))
    assert observed[0] == observed[1]
    return observed[0]


@pytest.mark.parametrize("what", REQUESTS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_fault(cell, what, port, pauses):
    observed = both(
        what,
        port,
        lambda oms: oms.add_fault(Fault(**cell.fault)),
        lambda oms: settings_of(oms, timeout=cell.timeout, retries=1),
        pauses,
    )

    assert observed.error is cell.error
    assert cell.says in observed.message
    call = REQUESTS[what]
    assert observed.created == (1 if cell.executed and not call.reads_only else 0)
    again = cell.error is not None and issubclass(cell.error, OmsTemporaryError) and call.reads_only
    assert len(observed.slept) == (1 if again else 0)
    if cell.fault["kind"] != "delay":  # the simulator records those only afterwards
        assert observed.requests == (2 if again else 1)
    if cell.error is not None:
        assert observed.message.startswith(f"{call.asked}: ")
    if "Retry-After" in cell.fault.get("headers", {}) and again:
        assert observed.slept == (7.0,)


@pytest.mark.parametrize("what", KINDS)
def test_a_length_that_is_too_small(what, port):
    # aiohttp notices bytes after the answer, requests doesn't: so the messages differ, but not the class.
    for client in CLIENTS:
        ended, requests, created = meet(
            client, what, port, lambda oms: oms.add_fault(Fault("wrong_length")), settings_of
        )
        assert ended.error is OmsMalformedAnswerError
        assert requests == 1
        assert created == (1 if what == "create" else 0)


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_nobody_listens(retries, what, port, pauses):
    observed = both(what, port, lambda oms: oms.down(), lambda oms: settings_of(oms, retries=retries), pauses)

    assert observed.error is OmsUnreachableError
    assert f"nothing listens at 127.0.0.1:{port}" in observed.message
    assert len(observed.slept) == (retries if what == "read" else 0)


@pytest.mark.parametrize("what", KINDS)
def test_an_outage_of_one_request(what, port, pauses):
    """A read is retried, a create isn't."""
    observed = both(
        what,
        port,
        lambda oms: oms.add_fault(Fault("status", status=503, times=1)),
        lambda oms: settings_of(oms, retries=1),
        pauses,
    )

    assert observed.error is (None if what == "read" else OmsBusyError)
    assert (observed.requests, observed.created) == ((2, 0) if what == "read" else (1, 0))


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"password": "another"}, OmsAuthenticationError, "The user name or the password is wrong."),
        ({"login": ""}, OmsAuthenticationError, "(OMS passwords expire"),
        ({"api_version": "v3"}, OmsUnsupportedActionError, "set api_version to v2"),
    ],
)
def test_wrong_settings(changes, error, says, what, port, pauses):
    observed = both(what, port, lambda oms: None, lambda oms: settings_of(oms, retries=2, **changes), pauses)

    assert observed.error is error
    assert says in observed.message
    assert (observed.requests, observed.created, observed.slept) == (0 if "api_version" in changes else 1, 0, ())


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize(
    ("certificate", "error", "says"),
    [
        ({"names": ["127.0.0.1"]}, None, ""),
        ({"names": ["127.0.0.1"], "expired": True}, OmsTlsError, "certificate has expired"),
        ({"names": ["127.0.0.1"], "self_signed": True}, OmsTlsError, "self-signed certificate"),
        ({"names": ["oms.example"]}, OmsTlsError, "not valid for '127.0.0.1'"),
    ],
    ids=["good", "expired", "self-signed", "wrong host"],
)
def test_certificates(certificate, error, says, what, port, pauses, authority):
    given = dict(certificate)
    context = authority.server(*given.pop("names"), **given)

    observed = both(
        what,
        port,
        lambda oms: None,
        lambda oms: settings_of(oms, verify=str(authority.bundle), retries=1),
        pauses,
        ssl_context=context,
    )

    assert observed.error is error
    assert says in observed.message
    assert observed.slept == ()
    assert observed.created == (1 if error is None and what == "create" else 0)


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize(
    ("verify", "error", "says"),
    [
        (True, OmsTlsError, "unable to get local issuer certificate"),
        ("/nowhere/ca.pem", OmsTlsError, "no CA bundle at '/nowhere/ca.pem'"),
        ("", OmsTlsError, "no CA bundle at ''"),
        ("nonsense", OmsTlsError, "TLS with"),
        ("empty", OmsTlsError, "unable to get local issuer certificate"),
    ],
)
def test_bundles_that_do_not_help(verify, error, says, what, port, pauses, authority, tmp_path):
    (tmp_path / "nonsense.pem").write_text("no certificate")
    (tmp_path / "empty").mkdir()
    places = {"nonsense": str(tmp_path / "nonsense.pem"), "empty": str(tmp_path / "empty")}

    observed = both(
        what,
        port,
        lambda oms: None,
        lambda oms: settings_of(oms, verify=places.get(verify, verify), retries=1),
        pauses,
        ssl_context=authority.server("127.0.0.1"),
    )

    assert observed.error is error
    assert says in observed.message
    assert (observed.requests, observed.slept) == (0, ())


@pytest.mark.parametrize("what", KINDS)
def test_http_on_an_https_port(what, port, pauses, authority):
    observed = both(
        what,
        port,
        lambda oms: None,
        lambda oms: settings_of(oms, base_url=oms.url.replace("https", "http")),
        pauses,
        ssl_context=authority.server("127.0.0.1"),
    )

    assert observed.error is OmsConnectionLostError
    assert "the port may speak https" in observed.message
    assert observed.requests == 0


@pytest.mark.parametrize("what", KINDS)
def test_https_on_an_http_port(what, port, pauses):
    observed = both(
        what,
        port,
        lambda oms: None,
        lambda oms: settings_of(oms, base_url=oms.url.replace("http", "https"), retries=1),
        pauses,
    )

    # A proxy that restarts may also answer with a plain 502 for a moment.
    assert observed.error is OmsUnreachableError
    assert "set the connection's schema to http." in observed.message
    assert (observed.requests, observed.slept) == (0, ("some",) if what == "read" else ())


# Faults that the simulator doesn't have: answers that aren't HTTP

GOOD = b'{"success": true, "data": "1"}'


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", OmsConnectionLostError),
        (b"SSH-2.0-OpenSSH_9.9\r\n", OmsMalformedAnswerError),
        (b"\x15\x03\x03\x00\x02\x02\x46", OmsMalformedAnswerError),
        (http(GOOD[:9], "200 OK", "Content-Length: 30", length=False), OmsConnectionLostError),
        (http(b"1e\r\n" + GOOD[:9], "200 OK", "Transfer-Encoding: chunked", length=False), OmsConnectionLostError),
        (http(b"x" * 20, "200 OK", "Content-Encoding: gzip"), OmsConnectionLostError),
        (http(GOOD, "200 OK", *(f"X-{n}: y" for n in range(150))), OmsMalformedAnswerError),
        (http(GOOD, "200 OK", "X: " + "y" * 80_000), OmsMalformedAnswerError),
        (http(b"", "200 OK", length=False), OmsMalformedAnswerError),
        (http(b"", "999 Odd"), OmsBusyError),
    ],
    ids=["hangs up", "ssh", "tls alert", "short", "short chunk", "no gzip", "headers", "header", "nothing", "999"],
)
def test_broken_http(answer, error, what):
    observed = set()
    with RawServer(answer) as server:
        call = actions.list_all_labels() if what == "read" else actions.create_label("a-label")
        for client in CLIENTS:
            observed.add(outcome(client, ClientSettings(server.url, timeout=60, retries=0), call))
        assert len(server.requests) == 2

    assert len(observed) == 1
    assert observed.pop().error is error


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("answer", [http(GOOD), b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90 + b"\r\n"])
def test_a_head_that_comes_byte_by_byte(answer, what):
    """Each byte comes within the time-out, the whole head doesn't."""
    observed = set()
    call = actions.list_all_labels() if what == "read" else actions.create_label("a-label")
    for client in CLIENTS:
        with RawServer(answer, drip=0.05) as server:
            ended = outcome(client, ClientSettings(server.url, timeout=1, retries=0), call)
            observed.add((ended.error, ended.message))
            assert len(server.requests) == 1

    assert len(observed) == 1
    error, message = observed.pop()
    assert error is OmsTimeoutError
    assert "no complete answer within 1 s" in message


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_that_takes_no_connection(scheme, what):
    """The connection isn't accepted, or the TLS handshake hangs: OMS never received the request."""
    observed = set()
    call = actions.list_all_labels() if what == "read" else actions.create_label("a-label")
    for client in CLIENTS:
        with RawServer(None, listen=scheme == "https") as server:
            url = server.url.replace("http", scheme)
            ended = outcome(client, ClientSettings(url, timeout=2, retries=0), call)
            observed.add((ended.error, ended.message.replace(str(server.port), "port")))

    assert len(observed) == 1
    error, message = observed.pop()
    assert error is OmsUnreachableError
    assert "127.0.0.1:port didn't accept the connection within 1 s" in message


@pytest.mark.parametrize(
    ("host", "error"),
    [("oms.invalid:80", "OmsUnreachableError"), ("a..invalid:80", "OmsInvalidRequestError")],
)
def test_hosts_that_are_none(host, error):
    observed = {
        outcome(client, ClientSettings(f"http://{host}", retries=0), actions.list_all_labels()) for client in CLIENTS
    }

    assert [ended.error.__name__ for ended in observed] == [error]


def test_a_port_that_is_none():
    settings = ClientSettings("http://127.0.0.1:99999", retries=0)

    observed = {outcome(client, settings, actions.list_all_labels()) for client in CLIENTS}

    assert [ended.error.__name__ for ended in observed] == ["OmsInvalidRequestError"]
