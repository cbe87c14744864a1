"""Colours, pipes, texts from OMS, and passwords: tests for every command."""

from __future__ import annotations

import json
import logging
import re

import pytest

from airflow_provider_oms.cli import observing
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.simulator import Fault
from tests.cli.conftest import PASSWORD

COMMANDS = {
    "projects": ["projects"],
    "status": ["status", "broken"],
    "watch": ["watch", "broken", "--full-transfer", "--timeout", "0"],
    "verify": ["verify", "bad"],
    "wait": ["wait", "bad", "--verified"],
    "test-connection": ["test-connection"],
}
EVERY = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)

COLOR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")


@EVERY
def test_a_terminal_gets_colours(oms, cli, arguments, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    result = cli(*arguments, terminal=True, columns=100)
    assert COLOR.search(result.out + result.err)


@EVERY
@pytest.mark.parametrize("how", ["option", "environment", "pipe"])
def test_no_colours(oms, cli, arguments, how, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if how == "environment":
        monkeypatch.setenv("NO_COLOR", "1")
    more = ["--no-color"] if how == "option" else []
    result = cli(*arguments, *more, terminal=how != "pipe", columns=100)
    assert not COLOR.search(result.out + result.err)
    if how == "pipe":
        assert "\x1b" not in result.out + result.err


@EVERY
def test_the_same_words_with_and_without_colours(oms, cli, arguments):
    if arguments[0] == "watch":
        pytest.skip("a picture over a picture: what is left in the end depends on how often it was drawn")
    colored = cli(*arguments, terminal=True, columns=100)
    plain = cli(*arguments, "--no-color", terminal=True, columns=100)
    bar = re.compile(r"[━╸╺]+ *")  # the empty part of a bar is only visible in colour

    def words(text):
        return [bar.sub("", COLOR.sub("", line).replace("\x1b[0m", "")).split() for line in text.splitlines()]

    assert words(colored.out) == words(plain.out)


@EVERY
@pytest.mark.parametrize("how", ["sound", "refused", "down", "nonsense"])
def test_stdout_is_json_and_no_password_is_anywhere(oms, cli, arguments, how, capfd):
    if how == "refused":
        oms.add_fault(Fault("error", code="X", message=f"no {PASSWORD}"[:3]))
    elif how == "down":
        oms.down()
    elif how == "nonsense":
        oms.add_fault(Fault("html"))
    more = ["--outage-tolerance", "0"] if arguments[0] in ("wait", "watch") else []
    result = cli(*arguments, *more, "--json", "--verbose")
    documents = result.lines if arguments[0] == "watch" else [result.json]
    assert documents
    assert capfd.readouterr().out == ""
    plain = cli(*arguments, *more, "--verbose", terminal=True)
    said = result.out + result.err + plain.out + plain.err + capfd.readouterr().err
    assert PASSWORD not in said
    assert "YWRtaW46" not in said  # "admin:" in Base64
    if how != "sound":
        assert result.code in (1, 5)
        assert "Traceback" not in said


@EVERY
def test_what_oms_sends_cannot_steer_a_terminal(oms, cli, arguments):
    evil = "\x1b]0;owned\x07\x1b[2J\r\n[red]x[/red]"
    for step in ("broken", "bad"):
        oms.project(step).project.name = f"{evil}{step}"
    oms.set_answer(
        "DescribeProjectSteps",
        {
            "success": True,
            "data": [{"name": f"STEP{evil}", "status": "FAILED", "extraInfo": {"errorCode": evil, "errorMsg": evil}}],
        },
    )
    arguments = [f"np_{part}" if part in ("broken", "bad") else part for part in arguments]
    for columns in (60, 200):
        result = cli(*arguments, "--no-color", terminal=False, columns=columns)
        text = result.out + result.err
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\r" not in text


def test_an_unexpected_error_is_one_line(oms, cli, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError(f"with {PASSWORD} in it")

    monkeypatch.setattr("airflow_provider_oms.milestones.facts.of_row", broken)
    result = cli("projects", "--json")
    assert result.code == 5
    assert result.json["error"] == "Unexpected RuntimeError. Try again with --verbose to see where."
    assert PASSWORD not in result.out + result.err


def test_ctrl_c_while_oms_is_asked(oms, cli, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(observing, "ask", interrupted)
    assert cli("status", "good").code == 130


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({}, 0, "OMS answers at"),
        ({"password": "wrong-one"}, 5, "OMS refused the login"),
        ({"port": 1}, 5, "nothing listens"),
        ({"host": ""}, 5, "no host"),
    ],
)
def test_test_connection(oms, cli, monkeypatch, change, code, says):
    fields = {**json.loads(oms.connection_json), "extra": {"retries": 0}, **change}
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps(fields))
    result = cli("test-connection", "--conn-id", "other", "--json")
    assert (result.code, result.json["ok"], result.json["conn_id"]) == (code, code == 0, "other")
    assert says in result.json["message"]
    plain = cli("test-connection", "--conn-id", "other")
    assert says in (plain.err if code else plain.out)
    assert "wrong-one" not in plain.out + plain.err


@pytest.mark.parametrize("verbose", [False, True])
def test_what_others_print_and_log_is_no_result(oms, cli, monkeypatch, capfd, caplog, verbose):
    really = facts.of_row

    def noisy(*args):
        print("printed")  # noqa: T201
        logging.getLogger("airflow.somewhere").error("logged")
        return really(*args)

    monkeypatch.setattr(facts, "of_row", noisy)
    cli("projects", *(["--verbose"] if verbose else []))
    streams = capfd.readouterr()
    assert "printed" not in streams.out
    assert "printed" in streams.err
    assert ("logged" in caplog.messages) is verbose
    logging.getLogger("airflow.somewhere").error("logged afterwards")
    assert "logged afterwards" in caplog.messages
