"""Reading an Airflow connection, with every field and in every form."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_oms.client.errors import OmsInvalidRequestError
from airflow_provider_oms.hooks.connection import console_url, read_settings
from airflow_provider_oms.hooks.oms import OmsHook


def settings_of(**fields):
    connection = Connection(conn_id="c", conn_type="oms", **fields)
    return read_settings(connection, connection.extra_dejson)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "oms"}, "http://oms:8089"),
        ({"host": "oms", "port": 80}, "http://oms:80"),
        ({"host": "oms", "schema": "https"}, "https://oms:8089"),
        ({"host": "oms", "schema": "HTTPS", "port": 443}, "https://oms:443"),
        ({"host": "https://oms"}, "https://oms:8089"),
        ({"host": "https://oms/", "port": 444}, "https://oms:444"),
        ({"host": "http://oms:81", "port": 444, "schema": "https"}, "http://oms:81"),
        ({"host": "https://proxy.example/oms/"}, "https://proxy.example:8089/oms"),
        ({"host": " 10.0.0.1 "}, "http://10.0.0.1:8089"),
        ({"host": "::1"}, "http://[::1]:8089"),
        ({"host": "[fe80::1]:90"}, "http://[fe80::1]:90"),
    ],
)
def test_where_oms_is(fields, url):
    assert settings_of(**fields).base_url == url


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "no host"),
        ({"host": "  "}, "no host"),
        ({"host": "oms", "schema": "ftp"}, "http or https"),
        ({"host": "ftp://oms"}, "http or https"),
        ({"host": "http://user:secret@oms"}, "login"),
        ({"host": "oms?x=1"}, "isn't the address"),
        ({"host": "oms#x"}, "isn't the address"),
        ({"host": "o ms"}, "isn't the address"),
        ({"host": "oms:port"}, "isn't the address"),
        ({"host": "oms", "extra": '{"timeout": 0}'}, "timeout"),
        ({"host": "oms", "extra": '{"timeout": "soon"}'}, "timeout"),
        ({"host": "oms", "extra": '{"retries": -1}'}, "retries"),
        ({"host": "oms", "extra": '{"retries": 1.5}'}, "retries"),
        ({"host": "oms", "extra": '{"api_version": "v1"}'}, "api_version"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_secret_is(fields, problem):
    with pytest.raises(OmsInvalidRequestError, match=problem) as caught:
        settings_of(login="me", password="secret", **fields)
    assert "'c'" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("verify", "meaning"),
    [
        (None, True),
        ("", True),
        (True, True),
        ("true", True),
        ("True", True),
        (False, False),
        ("false", False),
        ("/etc/ca.pem", "/etc/ca.pem"),
    ],
)
def test_verify_reads_in_every_form(verify, meaning):
    assert settings_of(host="oms", extra=json.dumps({"verify": verify})).verify == meaning


def test_an_unchecked_certificate_is_warned_about(caplog):
    settings_of(host="oms", schema="https", extra='{"verify": false}')
    assert "'c': verify is false" in caplog.text
    caplog.clear()
    settings_of(host="oms", schema="http", extra='{"verify": false}')
    settings_of(host="oms", schema="https")
    assert not caplog.text


def test_empty_extra_fields_of_the_form_mean_their_defaults():
    settings = settings_of(
        host="oms",
        extra='{"verify": "", "timeout": "", "retries": "", "api_version": "", "console_url": ""}',
    )
    assert (settings.verify, settings.timeout, settings.retries, settings.api_version) == (True, 30, 3, "v2")


EXTRA = {"verify": "false", "timeout": "5", "retries": "0", "api_version": "v3"}


@pytest.mark.parametrize(
    "value",
    [
        "oms://me:s%40crt@oms.example:8090/https?verify=false&timeout=5&retries=0&api_version=v3",
        json.dumps(
            {
                "conn_type": "oms",
                "host": "oms.example",
                "port": 8090,
                "schema": "https",
                "login": "me",
                "password": "s@crt",
                "extra": EXTRA,
            }
        ),
        json.dumps(
            {
                "conn_type": "oms",
                "host": "https://oms.example:8090",
                "login": "me",
                "password": "s@crt",
                "extra": {"verify": False, "timeout": 5, "retries": 0, "api_version": "v3"},
            }
        ),
    ],
    ids=["URI", "JSON with text", "JSON with a URL as host"],
)
def test_every_form_of_the_environment_variable_means_the_same(monkeypatch, value):
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", value)
    settings = OmsHook().get_conn().settings
    assert settings.base_url == "https://oms.example:8090"
    assert (settings.login, settings.password) == ("me", "s@crt")
    assert (settings.verify, settings.timeout, settings.retries, settings.api_version) == (False, 5, 0, "v3")


@pytest.mark.parametrize(
    ("extra", "url"),
    [
        ({}, "http://oms:8089/oms-v2/migration"),
        ({"console_url": "https://portal/{project_id}?at={base_url}"}, "https://portal/np_1?at=http://oms:8089"),
        ({"console_url": "{project_id.__class__}{0}{"}, "{project_id.__class__}{0}{"),
    ],
)
def test_the_console_url_is_a_template_of_two_words_and_no_format_string(extra, url):
    assert console_url(settings_of(host="oms"), extra, "np_1") == url


CLOUD = {"host": "oceanbasepro.cn-hangzhou.aliyuncs.com", "login": "LTAI-x", "password": "s"}


def test_an_access_key_of_alibaba_cloud():
    extra = {"api_version": "alibaba_cloud", "security_token": " sts "}
    settings = settings_of(**CLOUD, extra=json.dumps(extra))
    assert settings.base_url == "https://oceanbasepro.cn-hangzhou.aliyuncs.com:443"
    assert (settings.api_version, settings.security_token) == ("alibaba_cloud", "sts")
    assert console_url(settings, extra, "np_1") == "https://oceanbase.console.aliyun.com"
    assert console_url(settings, {"console_url": "https://me/{project_id}"}, "np_1") == "https://me/np_1"


def test_without_temporary_credentials_there_is_no_token():
    for extra in ({}, {"security_token": ""}, {"security_token": None}):
        assert settings_of(**CLOUD, extra=json.dumps({"api_version": "alibaba_cloud", **extra})).security_token is None


@pytest.mark.parametrize("missing", ["login", "password"])
def test_without_an_access_key_there_is_no_hosted_oms(missing):
    with pytest.raises(OmsInvalidRequestError, match="'c': alibaba_cloud needs an AccessKey"):
        settings_of(**{**CLOUD, missing: None}, extra='{"api_version": "alibaba_cloud"}')
