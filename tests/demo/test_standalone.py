"""Tests of what ``scripts/demo.py --ui`` reads from a running Airflow."""

from __future__ import annotations

import json
import socket

import pytest

from demo.loopback import TALKATIVE, quiet
from demo.standalone import is_free, is_healthy, read_login

GOOD = {"status": "healthy"}
BAD = {"status": "unhealthy"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, False),
        ({"metadatabase": GOOD, "scheduler": GOOD, "triggerer": GOOD, "dag_processor": GOOD}, True),
        ({"metadatabase": GOOD, "scheduler": GOOD, "triggerer": GOOD, "dag_processor": {"status": None}}, True),
        ({"metadatabase": GOOD, "scheduler": GOOD, "triggerer": GOOD, "dag_processor": BAD}, False),
        ({"metadatabase": GOOD, "scheduler": BAD, "triggerer": GOOD, "dag_processor": GOOD}, False),
        ({"metadatabase": GOOD, "scheduler": {"status": None}, "triggerer": {"status": None}}, False),
    ],
)
def test_healthy_is_when_every_part_is(said, expected):
    assert is_healthy(said) is expected


def test_the_login_of_either_airflow(tmp_path):
    assert read_login(tmp_path) is None
    (tmp_path / "standalone_admin_password.txt").write_text("old\n")
    assert read_login(tmp_path) == ("admin", "old")
    (tmp_path / "simple_auth_manager_passwords.json.generated").write_text(json.dumps({"admin": "new"}))
    assert read_login(tmp_path) == ("admin", "new")


@pytest.mark.parametrize("text", ["", "{", "{}"])
def test_a_file_that_is_being_written_has_no_login_yet(tmp_path, text):
    (tmp_path / "simple_auth_manager_passwords.json.generated").write_text(text)
    assert read_login(tmp_path) is None


def test_a_port_that_somebody_listens_on_is_taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


@pytest.mark.parametrize("name", ["scheduler", "triggerer", "api-server", "webserver", "dag-processor"])
def test_no_component_serves_logs_on_all_addresses(name):
    command = quiet([name, "-x"])

    assert command == ([name, "-x", "--skip-serve-logs"] if name in TALKATIVE else [name, "-x"])


@pytest.mark.parametrize("name", TALKATIVE)
def test_this_airflow_knows_the_option(name):
    from airflow.cli.cli_parser import get_parser

    assert get_parser().parse_args(quiet([name])).skip_serve_logs
