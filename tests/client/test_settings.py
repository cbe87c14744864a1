"""The settings of both clients, and the address that is made of a connection's fields."""

import base64
from itertools import product

import certifi
import pytest

from airflow_provider_oms.client.errors import OmsInvalidRequestError
from airflow_provider_oms.client.settings import ClientSettings, build_base_url, encode_secret, read_api_version
from tests.rows import each_row


@pytest.mark.parametrize(
    ("host", "port", "scheme", "url"),
    [
        ("oceanbasepro.cn-hangzhou.aliyuncs.com", None, None, "https://oceanbasepro.cn-hangzhou.aliyuncs.com:443"),
        ("localhost", 8089, "http", "http://localhost:8089"),
        ("localhost", None, "http", "http://localhost:80"),
        ("http://localhost", None, None, "http://localhost:80"),
    ],
)
def test_an_endpoint_of_alibaba_cloud(host, port, scheme, url):
    assert build_base_url(host, port, scheme, "alibaba_cloud") == url


@pytest.mark.parametrize(
    ("host", "port", "scheme", "url"),
    [
        ("oms", None, None, "http://oms:8089"),
        (" oms ", None, "", "http://oms:8089"),
        ("oms", 80, "https", "https://oms:80"),
        ("oms", 0, None, "http://oms:8089"),
        ("OMS.Example", None, " HTTPS ", "https://oms.example:8089"),
        ("oms:9000", None, None, "http://oms:9000"),
        ("oms:9000", 7000, None, "http://oms:9000"),
        ("http://oms", 7000, "https", "http://oms:7000"),
        ("HTTPS://oms", None, "http", "https://oms:8089"),
        ("https://oms:443/", None, None, "https://oms:443"),
        ("https://proxy/oms/", 443, None, "https://proxy:443/oms"),
        ("10.1.2.3", None, None, "http://10.1.2.3:8089"),
        ("::1", None, None, "http://[::1]:8089"),
        ("[::1]:9000", None, None, "http://[::1]:9000"),
        ("2001:db8::7", 80, None, "http://[2001:db8::7]:80"),
        ("bücher.example", None, None, "http://bücher.example:8089"),
    ],
)
def test_addresses(host, port, scheme, url):
    assert build_base_url(host, port, scheme) == url


@pytest.mark.parametrize(
    ("host", "port", "scheme", "says"),
    [
        (None, None, None, "no host"),
        ("", None, None, "no host"),
        ("  ", None, None, "no host"),
        ("oms", None, "ftp", "must be http or https"),
        ("ftp://oms", None, None, "must be http or https"),
        ("file:///etc/passwd", None, None, "must be http or https"),
        ("user:secret@oms", None, None, "holds a login"),
        ("http://user:secret@oms", None, None, "holds a login"),
        ("http://@oms", None, None, "holds a login"),
        ("http://", None, None, "isn't the address"),
        ("http://:8089", None, None, "isn't the address"),
        ("oms/?x=1", None, None, "isn't the address"),
        ("oms#x", None, None, "isn't the address"),
        ("my oms", None, None, "isn't the address"),
        ("oms\nX-Header: y", None, None, "isn't the address"),
        ("oms\x00", None, None, "isn't the address"),
        ("oms\x7f", None, None, "isn't the address"),
        ("oms..example", None, None, "isn't the address"),
        (".oms", None, None, "isn't the address"),
        ("*", None, None, "isn't the address"),
        ("a" * 64 + ".example", None, None, "isn't the address"),
        ("oms:99999", None, None, "isn't the address"),
        ("oms:port", None, None, "isn't the address"),
        ("oms:8089:1", None, None, "isn't the address"),
        ("[::1", None, None, "isn't the address"),
        ("oms", 65536, None, "port must be from 1 to 65535, not 65536"),
        ("oms", -1, None, "port must be from 1 to 65535, not -1"),
    ],
)
def test_addresses_that_are_none(host, port, scheme, says):
    with pytest.raises(OmsInvalidRequestError, match=says) as caught:
        build_base_url(host, port, scheme)

    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"timeout": 0}, "timeout must be a number of seconds above 0, not 0"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"retries": -1}, "retries must be 0 or more"),
        ({"api_version": "v4"}, "api_version must be 'v2', 'v3' or 'alibaba_cloud', not 'v4'"),
        ({"api_version": ""}, "api_version must be"),
    ],
)
def test_settings_that_cannot_be(changes, says):
    with pytest.raises(OmsInvalidRequestError, match=says):
        ClientSettings("http://oms:8089", **changes)


@pytest.mark.parametrize(("timeout", "connecting"), [(30, 10), (300, 10), (20, 10), (5, 2.5), (0.2, 0.1)])
def test_connecting_has_its_own_shorter_limit(timeout, connecting):
    assert ClientSettings("http://oms:8089", timeout=timeout).connect_timeout == connecting


@pytest.mark.parametrize(
    ("login", "password"),
    [("admin", "pw"), ("", ""), ("ü", "密码"), ("a", "b:c"), ("a", "\r\nX: y"), ("a" * 100, "b" * 100)],
)
def test_authorization(login, password):
    scheme, _, value = ClientSettings("http://oms:8089", login, password).authorization.partition(" ")

    assert scheme == "Basic"
    assert base64.b64decode(value).decode() == f"{login}:{password}"
    assert value.isprintable()


def test_a_password_that_is_no_text_is_not_shown():
    settings = ClientSettings("http://oms:8089", "admin", "geheim\udc80")

    with pytest.raises(OmsInvalidRequestError, match="login and password can't be written as UTF-8") as caught:
        _ = settings.authorization
    assert "geheim" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_no_secret_is_shown():
    settings = ClientSettings("http://oms:8089", "admin", "geheim")

    for shown in (repr(settings), str(settings), f"{settings}"):
        assert "admin" in shown
        assert "geheim" not in shown
        assert encode_secret("geheim", "") not in shown
        assert settings.authorization not in shown


@pytest.mark.parametrize(
    ("verify", "environment", "bundle"),
    [
        (True, {}, certifi.where()),
        (True, {"REQUESTS_CA_BUNDLE": "/a"}, "/a"),
        (True, {"CURL_CA_BUNDLE": "/b"}, "/b"),
        (True, {"REQUESTS_CA_BUNDLE": "/a", "CURL_CA_BUNDLE": "/b"}, "/a"),
        (True, {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "/b"}, "/b"),
        ("/c", {"REQUESTS_CA_BUNDLE": "/a"}, "/c"),
        (False, {"REQUESTS_CA_BUNDLE": "/a"}, False),
        (False, {}, False),
    ],
)
def test_the_ca_bundle(verify, environment, bundle, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert ClientSettings("https://oms:8089", verify=verify).ca_bundle == bundle


@pytest.mark.parametrize(("written", "meant"), [("v2", "v2"), (" V3 ", "v3"), ("V2", "v2")])
def test_api_versions(written, meant):
    assert read_api_version(written) == meant


LOGINS = [
    "admin:Gehe!m@oms",
    "http://admin:Gehe!m@oms",
    "https://admin:Gehe!m@oms:8089/",
    "//admin:Gehe!m@oms",
    "http:admin:Gehe!m@oms",
    "admin:Gehe!m@oms/path",
    "admin:Gehe!m",
    "admin/Gehe!m@oms",
    "admin:Gehe/!m@oms",
    "admin:Gehe?!m@oms",
    "admin:Gehe#!m@oms",
    "admin:Gehe@!m@oms",
    "admin:Gehe:!m@oms",
    "admin:Gehe!m%40oms",
    "admin%3AGehe!m%40oms",
    "admin%3aGehe%21m@oms",
    "admin:Gehe!m@[::1]",
    "admin:[Gehe!m@oms",
    "admin:Gehe!m\uff20oms",
    "admin:Gehe!m\\@oms",
    "oms/admin:Gehe!m@",
    "oms?user=admin&password=Gehe!m",
    "oms#Gehe!m",
    "oms:8089/;Gehe!m",
    "oms Gehe!m",
    "Gehe!m",
    "Gehe!m://oms",
    "admin:Gehe!m://oms",
    "ftp://admin:Gehe!m@oms",
    "http://oms:Gehe!m",
    "http://oms:8089:Gehe!m",
    "http://[Gehe!m]",
    "http://[::1%Gehe!m]",
    "http://oms\nGehe!m",
]


@each_row(("host", "port", "scheme"), product(LOGINS, [None, 8089, 99999], [None, "https", "Gehe!m"]))
def test_a_login_in_the_host_is_never_shown(host, port, scheme):
    with pytest.raises(OmsInvalidRequestError) as caught:
        build_base_url(host, port, scheme)

    assert "Gehe" not in str(caught.value) + repr(caught.value)
    assert "m@" not in str(caught.value)


@pytest.mark.parametrize("host", ["fe80::1%eth0", "[fe80::1%eth0]", "oms_1", "oms-1.example.", "xn--bcher-kva.example"])
def test_odd_hosts_that_are_some(host):
    assert build_base_url(host).startswith("http://")
