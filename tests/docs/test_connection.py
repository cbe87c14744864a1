"""The page about the connection: all forms of the connection on it mean the same."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
import subprocess

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.get_provider_info import get_provider_info
from airflow_provider_oms.hooks.connection import DEFAULT_CONSOLE_URL, read_settings
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.simulator import Simulator
from tests.certificates import Authority
from tests.docs.pages import DOCS, blocks, commands

PAGE = DOCS / "connection.md"
WANTED = ClientSettings(
    base_url="https://oms.example.com:8089", login="viewer", password="p@ss", verify="/etc/ssl/oms-ca.pem", timeout=10
)

LINES = [line for block in blocks(PAGE, "sh") for line in commands(block.text)]
COMMANDS = [shlex.split(line) for line in LINES]
EXPORTS = [line[1].partition("=") for line in COMMANDS if line[0] == "export"]
VALUES = [value for name, _, value in EXPORTS if name == "AIRFLOW_CONN_OMS_DEFAULT"]


def settings_of(connection):
    return read_settings(connection, connection.extra_dejson)


@pytest.mark.parametrize("value", VALUES, ids=["json", "uri"])
def test_an_environment_variable(value, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", value)
    assert settings_of(OmsHook.get_connection("oms_default")) == WANTED


def test_a_secrets_backend(tmp_path, monkeypatch):
    from airflow.secrets.local_filesystem import LocalFilesystemBackend

    (block,) = blocks(PAGE, "json")
    monkeypatch.chdir(tmp_path)
    (tmp_path / block.title).write_text(block.text)
    said = {name: value for name, _, value in EXPORTS}
    assert said["AIRFLOW__SECRETS__BACKEND"] == f"{LocalFilesystemBackend.__module__}.LocalFilesystemBackend"
    backend = LocalFilesystemBackend(**json.loads(said["AIRFLOW__SECRETS__BACKEND_KWARGS"]))
    assert settings_of(backend.get_connection("oms_default")) == WANTED


def test_the_command_line():
    from airflow.cli.cli_parser import get_parser

    (line,) = [line for line in COMMANDS if line[:2] == ["airflow", "connections"]]
    given = get_parser().parse_args(line[1:])
    fields = ("conn_type", "host", "port", "schema", "login", "password", "extra")
    values = {name: getattr(given, name if name == "conn_type" else f"conn_{name}") for name in fields}
    values["port"] = int(values["port"])  # as the command does
    assert settings_of(Connection(conn_id=given.conn_id, **values)) == WANTED


def test_every_field_of_the_form_is_explained():
    defaults = {field.name: field.default for field in dataclasses.fields(ClientSettings)}
    defaults |= {"verify": "true", "console_url": DEFAULT_CONSOLE_URL}
    for name in get_provider_info()["connection-types"][0]["conn-fields"]:
        (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| extra `{name}` |")]
        default = defaults[name]
        assert (f"{default:g}" if isinstance(default, float) else str(default)) in row.split("|")[2]


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl here")
def test_the_certificate_that_is_fetched_is_a_bundle_for_verify(tmp_path, monkeypatch):
    (line,) = [line for line in LINES if line.startswith("openssl ")]
    context = Authority(tmp_path).server("127.0.0.1", self_signed=True)
    with Simulator(ssl_context=context) as oms:
        address = f"{oms.host}:{oms.port}"
        subprocess.run(
            ["bash", "-c", line.replace("oms.example.com:8089", address)],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            timeout=600,
        )
        for verify, answers in ((True, False), (str(tmp_path / "oms-ca.pem"), True)):
            connection = oms.connection_kwargs | {"extra": {"verify": verify}}
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(connection))
            assert OmsHook().test_connection()[0] is answers
