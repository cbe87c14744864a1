"""The transport: proxies, CA bundles, redirects, cookies, other credentials, sizes; the same with both clients."""

import asyncio
import gc
import gzip
import json
import threading
from base64 import b64encode
from dataclasses import replace

import pytest
from client_support import CLIENTS, Proxy, RawServer, ask, http, outcome, settings_of
from requests.adapters import HTTPAdapter

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.errors import (
    OmsAnswerTooLargeError,
    OmsBusyError,
    OmsConnectionLostError,
    OmsError,
    OmsInvalidRequestError,
    OmsMalformedAnswerError,
    OmsRedirectError,
    OmsRejectedError,
    OmsTlsError,
    OmsUnreachableError,
)
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.simulator import Fault, Simulator
from tests.frames import shown_with_frames

READ = actions.list_all_labels()
GOOD = b'{"success": true, "data": []}'

both = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture
def oms():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def proxy():
    with Proxy() as local:
        yield local


# Proxies


@both
@pytest.mark.parametrize(
    ("environment", "used"),
    [
        ({}, False),
        ({"HTTP_PROXY": "{proxy}"}, True),
        ({"http_proxy": "{proxy}"}, True),
        ({"ALL_PROXY": "{proxy}"}, True),
        ({"HTTP_PROXY": "127.0.0.1:{port}"}, True),
        ({"HTTP_PROXY": ""}, False),
        ({"HTTPS_PROXY": "{proxy}"}, False),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, False),
        ({"HTTP_PROXY": "{proxy}", "no_proxy": "127.0.0.1"}, False),
        # In requests, a port in NO_PROXY is used only with a host name.
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1:{oms}"}, True),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1:1"}, True),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "10.0.0.0/8, 127.0.0.0/8"}, False),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "10.0.0.0/8"}, True),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "*"}, False),
        ({"HTTP_PROXY": "{proxy}", "NO_PROXY": "oms.example,localhost"}, True),
        ({"ALL_PROXY": "{proxy}", "NO_PROXY": "127.0.0.1"}, False),
    ],
)
def test_the_proxy_of_the_environment(environment, used, client, oms, proxy, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(proxy=proxy.url, port=proxy.port, oms=oms.port))

    assert ask(client, settings_of(oms), READ).data == []

    assert len(oms.requests) == 1
    assert len(proxy.observed) == (1 if used else 0)
    if used:
        assert proxy.observed[0].startswith(f"POST {oms.url}/api/v2?Action=ListAllLabels HTTP/1.1\r\n".encode())


@both
def test_credentials_of_the_proxy_go_to_the_proxy_alone(client, oms, proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")

    ask(client, settings_of(oms), READ)

    shown = proxy.observed[0].lower()
    assert b"proxy-authorization: basic " + b64encode(b"me:secret").lower() in shown
    assert b"\r\nauthorization: " + settings_of(oms).authorization.lower().encode() in shown


@both
def test_a_tunnel_hides_everything_from_the_proxy(client, authority, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with Simulator(ssl_context=authority.server("127.0.0.1")) as oms:
        assert ask(client, settings_of(oms, verify=str(authority.bundle)), READ).data == []

        assert len(proxy.observed) == 1
        assert proxy.observed[0].startswith(f"CONNECT 127.0.0.1:{oms.port} HTTP/1.".encode())
        assert b"authorization" not in proxy.observed[0].lower()


@both
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_tunnel_is_no_excuse_for_a_bad_certificate(client, authority, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with Simulator(ssl_context=authority.server("oms.example")) as oms:
        ended = outcome(client, settings_of(oms, verify=str(authority.bundle)), READ)
        assert ended.error is OmsTlsError
        assert "not valid for '127.0.0.1'" in ended.message
        assert oms.requests == []
        # A valid handshake afterwards, so that the simulator has finished the broken one.
        assert outcome(client, settings_of(oms, verify=False), READ).error is None


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy_is", ["down", "407", "502"])
def test_a_proxy_that_gives_no_way(proxy_is, scheme, monkeypatch):
    statuses = {"407": "407 Proxy Authentication Required", "502": "502 Bad Gateway"}
    settings = ClientSettings(f"{scheme}://127.0.0.1:1", retries=0)
    with Proxy(statuses.get(proxy_is)) as local:
        url = "http://127.0.0.1:1" if proxy_is == "down" else local.url
        monkeypatch.setenv(f"{scheme}_PROXY".upper(), url)
        observed = {outcome(client, settings, READ) for client in CLIENTS}

    assert len(observed) == 1
    ended = observed.pop()
    if proxy_is == "down" or scheme == "https":
        assert ended.error is OmsUnreachableError
        assert "HTTPS_PROXY" in ended.message
        assert "NO_PROXY" in ended.message
    else:
        # For plain HTTP a proxy answers in OMS's place.
        assert f"HTTP {proxy_is}" in ended.message
        assert ended.error is (OmsRejectedError if proxy_is == "407" else OmsBusyError)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("socks5://127.0.0.1:1", "isn't an HTTP proxy"),
        ("socks5h://127.0.0.1:1", "isn't an HTTP proxy"),
        ("http://[bad", "no request can be sent to this address"),
        ("http://127.0.0.1:99999", "no request can be sent to this address"),
    ],
)
def test_proxies_that_cannot_be(value, says, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", value)

    observed = {outcome(client, ClientSettings("http://127.0.0.1:1", retries=0), READ) for client in CLIENTS}

    assert len(observed) == 1
    ended = observed.pop()
    assert ended.error is OmsInvalidRequestError
    assert says in ended.message


# CA bundles


@both
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_bundle_of_the_environment(name, client, authority, monkeypatch):
    monkeypatch.setenv(name, str(authority.bundle))
    with Simulator(ssl_context=authority.server("127.0.0.1")) as oms:
        assert ask(client, settings_of(oms), READ).data == []


@both
def test_the_bundle_of_the_connection_wins(client, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with Simulator(ssl_context=authority.server("127.0.0.1")) as oms:
        assert ask(client, settings_of(oms, verify=str(authority.bundle)), READ).data == []


@both
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("bundle", ["", "/nowhere"])
def test_verify_false_trusts_anybody(bundle, client, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with Simulator(ssl_context=authority.server("oms.example", self_signed=True)) as oms:
        assert ask(client, settings_of(oms, verify=False), READ).data == []


# Credentials and cookies that must not be sent


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_follow_no_redirect(status, client):
    with RawServer(http(GOOD)) as other, RawServer(http(b"", f"{status} Moved", f"Location: {other.url}/")) as server:
        with pytest.raises(OmsRedirectError):
            ask(client, ClientSettings(server.url, "admin", "geheim", retries=0), READ)

        assert len(server.requests) == 1
        assert other.requests == []


@both
def test_cookies_are_not_kept(client):
    answer = http(GOOD, "200 OK", "Set-Cookie: session=stolen; Path=/", "Set-Cookie: b=c")
    with RawServer(answer) as server:
        # With a host name, because aiohttp keeps no cookies for IP addresses.
        by_name = server.url.replace("127.0.0.1", "localhost")
        ask(client, ClientSettings(by_name, retries=0), READ, READ, READ)

        assert len(server.requests) == 3
        assert not any(b"cookie" in request.lower() for request in server.requests)


@both
@pytest.mark.parametrize(("login", "password"), [("admin", "geheim"), ("", "")])
def test_a_netrc_is_not_used(login, password, client, tmp_path, monkeypatch):
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text("machine 127.0.0.1 login evil password evil\ndefault login evil password evil\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with RawServer(http(GOOD)) as server:
        settings = ClientSettings(server.url, login, password, retries=0)
        ask(client, settings, READ)

        lines = server.requests[0].decode().split("\r\n")
        found = [line for line in lines if line.lower().startswith("authorization:")]
        assert found == [f"Authorization: {settings.authorization}"]


SENT = actions.create_mysql_data_source("n", ip="i", port=1, username="u", password="auch-geheim")


KINDS = (
    "status",
    "reset_before",
    "reset_after",
    "html",
    "invalid_json",
    "redirect",
    "error",
    "truncate",
    "empty",
    "hang",
)
WAYS = {
    **{
        kind: lambda oms, kind=kind: oms.add_fault(Fault(kind, status=400 if kind == "status" else None))
        for kind in (*KINDS, "cut_headers", "huge")
    },
    "nobody listens": lambda oms: oms.down(),
    "an odd action": None,
}


@both
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("retries", [0, 1])
def test_no_error_shows_a_secret(retries, way, client, oms):
    settings = settings_of(oms, password="Gehe!m", timeout=1 if way == "hang" else 60, retries=retries)
    oms.password = "Gehe!m"
    call = SENT if retries == 0 else replace(SENT, reads_only=True)
    if WAYS[way]:
        WAYS[way](oms)
    else:
        call = replace(call, payload={**call.payload, "odd": object()})
    with pytest.raises(OmsError) as caught:
        ask(client, settings, call)

    login = settings.authorization.removeprefix("Basic ")
    for secret in ("Gehe!m", login, login[:-2], "auch-geheim", call.payload["password"]):
        assert secret not in shown_with_frames(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@both
@pytest.mark.parametrize("api_version", ["v2", "v3"])
def test_no_error_before_sending_shows_a_secret(api_version, client):
    settings = ClientSettings("http://127.0.0.1:1", "admin", "Gehe!m\udc80", retries=0, api_version=api_version)
    with pytest.raises(OmsError) as caught:
        ask(client, settings, READ if api_version == "v3" else SENT)

    assert "Gehe!m" not in shown_with_frames(caught.value)
    assert "auch-geheim" not in shown_with_frames(caught.value)


class TaskTimeout(BaseException):
    """Like Airflow's own, which a signal raises at any place in the task."""


@pytest.mark.parametrize("error", [TaskTimeout, KeyboardInterrupt, RuntimeError])
def test_what_breaks_a_call_off_shows_no_secret(error, monkeypatch):
    def send(self, request, **kwargs):
        assert request.headers["Authorization"]
        raise error("broken off")

    monkeypatch.setattr(HTTPAdapter, "send", send)
    settings = ClientSettings("http://127.0.0.1:1", "admin", "Gehe!m", retries=0)
    with OmsClient(settings) as client, pytest.raises(error) as caught:
        client.send(SENT)
    shown = shown_with_frames(caught.value)
    for secret in ("Gehe!m", settings.authorization, settings.authorization[6:-2], "auch-geheim"):
        assert secret not in shown
    # For a fault of this package the message names the place.
    assert ("strict_requests" in shown or "sessions.py" in shown) is (error is RuntimeError)


@pytest.mark.asyncio
async def test_a_cancellation_shows_no_secret(oms):
    loop, arrived, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(payload):
        loop.call_soon_threadsafe(arrived.set)
        release.wait(60)
        return {"success": True, "data": []}

    oms.set_answer("ListAllLabels", hold)
    settings = settings_of(oms)
    async with AsyncOmsClient(settings) as client:
        asking = asyncio.create_task(client.asend(READ))
        await arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await asking
        release.set()
    assert settings.authorization not in shown_with_frames(caught.value)


@both
@pytest.mark.parametrize("kind", ["status", "error", "html", "redirect"])
def test_a_server_that_repeats_the_login(kind, client):
    """In the triggerer no other code masks it."""
    with RawServer(b"") as server:
        settings = ClientSettings(server.url, "admin", "Gehe!m", retries=0)
        login = settings.authorization
        server.answer = {
            "status": http(f"who is {login}?".encode(), "400 Bad Request"),
            "error": http(json.dumps({"success": False, "message": login, "code": login}).encode()),
            "html": http(f"<p>{login}</p>".encode()),
            "redirect": http(b"", "302 Found", f"Location: http://other/{login.replace(' ', '%20')}"),
        }[kind]
        with pytest.raises(OmsError) as caught:
            ask(client, settings, READ)

    assert login.removeprefix("Basic ")[:8] not in shown_with_frames(caught.value)


# Bodies


@both
@pytest.mark.parametrize("chunked", [False, True])
def test_the_real_limit(chunked, client, oms):
    oms.add_fault(Fault("huge", size=8 * 1024 * 1024 + 1, chunked=chunked))

    with pytest.raises(OmsAnswerTooLargeError, match="larger than 8 MiB"):
        ask(client, settings_of(oms, timeout=60), READ)


@both
def test_a_large_answer_below_the_limit(client, oms):
    oms.add_fault(Fault("huge", size=7 * 1024 * 1024))

    assert len(ask(client, settings_of(oms, timeout=60), actions.call("Anything")).data) > 7_000_000


@both
def test_a_small_body_that_unpacks_without_end(client):
    body = gzip.compress(b" " * (9 * 1024 * 1024))
    with RawServer(http(body, "200 OK", "Content-Encoding: gzip")) as server, pytest.raises(OmsAnswerTooLargeError):
        ask(client, ClientSettings(server.url, timeout=60, retries=0), READ)


@both
@pytest.mark.parametrize(
    "answer",
    [
        http(GOOD),
        http(gzip.compress(GOOD), "200 OK", "Content-Encoding: gzip"),
        http(GOOD, "200 OK", length=False),
        http(b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), "200 OK", "Transfer-Encoding: chunked", length=False),
        b"HTTP/1.0 200 OK\r\n\r\n" + GOOD,
        b"HTTP/1.1 100 Continue\r\n\r\n" + http(GOOD),
        http(b"\xef\xbb\xbf" + GOOD),
        http(GOOD, "200 OK", "X-Long: " + "y" * 20_000),
        http(GOOD, "200 "),
    ],
    ids=["plain", "gzip", "to the end", "chunked", "http 1.0", "continue", "bom", "long header", "no reason"],
)
def test_every_proper_form_of_an_answer(answer, client):
    with RawServer(answer) as server:
        assert ask(client, ClientSettings(server.url, retries=0), READ).data == []


@both
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http(b"", "200 OK"), OmsMalformedAnswerError),
        (http(gzip.compress(GOOD)[:-12], "200 OK", "Content-Encoding: gzip"), OmsMalformedAnswerError),
        (b"HTTP/1.1 200 OK\r\nX: y", OmsConnectionLostError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 29\r\n", OmsConnectionLostError),
    ],
    # The test ids don't contain the bytes: gzip writes the time into them, so each process of a run would have other
    # ids.
    ids=["nothing", "half of gzip", "half of a header", "no body"],
)
def test_every_improper_form_of_an_answer(answer, error, client):
    with RawServer(answer) as server:
        assert outcome(client, ClientSettings(server.url, retries=0), READ).error is error


# No connection stays open


@both
@pytest.mark.parametrize(
    "kind", [None, "status", "reset_before", "truncate", "html", "huge", "hang", "redirect", "drip"]
)
def test_nothing_is_left_open(kind, client, oms):
    """An object that wasn't closed warns when it is collected, and pytest turns the warning into a failure."""
    if kind:
        oms.add_fault(Fault(kind, size=9 * 1024 * 1024))
    outcome(client, settings_of(oms, timeout=1 if kind in ("hang", "drip") else 60), READ, READ)

    gc.collect()
