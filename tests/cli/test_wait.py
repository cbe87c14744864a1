"""``wait``: the gate that the options make, how long the command waits, and how it ends."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.simulator import Fault
from tests.cli.conftest import START


@pytest.mark.parametrize(
    ("project", "options", "code", "outcome"),
    [
        ("copying", ["--full-transfer", "30"], 0, "reached"),
        ("copying", ["--full-transfer=30"], 0, "reached"),
        ("copying", ["--step", "FULL_MIGRATION", "--until", "started"], 0, "reached"),
        ("copying", ["--status", "RUNNING,FINISHED"], 0, "reached"),
        ("good", ["--verified"], 0, "reached"),
        ("good", ["--cutover-ready", "--max-lag", "1m"], 0, "reached"),
        ("good", ["--max-lag", "60"], 0, "reached"),
        ("good", ["--checkpoint", str(START - 1000)], 0, "reached"),
        ("good", ["--checkpoint", "2026-01-01"], 0, "reached"),
        ("copying", ["--full-transfer"], 3, "timeout"),
        ("copying", ["--step", "FULL_TRANSFER"], 3, "timeout"),
        ("good", ["--max-lag", "60", "--hold-for", "2m"], 3, "timeout"),
        ("good", ["--max-lag", "60", "--direction", "reverse"], 3, "timeout"),
        ("good", ["--checkpoint", "2030-01-01"], 3, "timeout"),
        ("late", ["--cutover-ready"], 3, "timeout"),
        ("copying", ["--verified"], 3, "timeout"),
        ("paused", ["--full-transfer"], 3, "timeout"),
        ("bad", ["--verified"], 1, "failed"),
        ("bad", ["--cutover-ready"], 1, "failed"),
        ("paused", ["--full-transfer", "--fail-on-suspend"], 1, "failed"),
        ("broken", ["--full-transfer", "--failure-grace", "0"], 1, "failed"),
        ("copying", ["--step", "NO_SUCH_STEP"], 1, "failed"),
        ("nobody", ["--verified"], 1, "failed"),
        ("np_nobody", ["--verified"], 1, "failed"),
        ("np_nobody", ["--status", "DELETED"], 0, "reached"),
        # A misspelled name isn't a deleted project.
        ("nobody", ["--status", "DELETED"], 1, "failed"),
    ],
)
def test_every_ending(oms, cli, clock, project, options, code, outcome):
    result = cli("wait", project, *options, "--timeout", "0", "--json")
    assert result.code == code, result
    assert result.json["exit_code"] == code
    assert result.json["outcome"] == outcome
    assert clock.pauses == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "give a milestone"),
        (["--verified", "--cutover-ready"], "--cutover-ready and --verified"),
        (["--verified", "--max-lag", "5"], "--max-lag and --verified"),
        (["--verified", "--until", "done"], "--until can only be used with --step"),
        (["--cutover-ready", "--hold-for", "5"], "--hold-for can only be used with --max-lag"),
        (["--step", "FULL_TRANSFER", "--direction", "reverse"], "--direction can only be used with"),
        (["--step", ""], "step must be a name"),
        (["--full-transfer", "101"], "percentage"),
        (["--full-transfer", "half"], "percentage"),
        (["--max-lag", "soon"], "--max-lag must be a length of time"),
        (["--max-lag=-5"], "--max-lag must be a length of time"),
        (["--checkpoint", "tomorrow"], "checkpoint must be a datetime"),
        (["--checkpoint", "0"], "checkpoint must be Unix seconds between 2001 and 2039"),
        (["--status", ","], "target_statuses"),
        (["--verified", "--timeout", "1w"], "--timeout must be"),
        (["--verified", "--poke-interval", ""], "--poke-interval must be"),
        (["--verified", "--failure-grace", "x"], "--failure-grace must be"),
        (["--verified", "--outage-tolerance", "x"], "--outage-tolerance must be"),
    ],
)
@pytest.mark.parametrize("command", ["wait", "watch"])
def test_a_wrong_command_line_asks_nothing(oms, cli, command, options, says):
    if command == "watch" and not options:
        pytest.skip("watch needs no milestone")
    oms.clear_requests()
    result = cli(command, "copying", *options)
    assert (result.code, result.out) == (2, "")
    assert says in result.err
    assert not oms.requests


@pytest.mark.parametrize(
    "arguments",
    [["wait"], ["wait", "x", "--verifed"], ["wait", "x", "--until", "over"], ["nothing"], [], ["wait", "x", "--verif"]],
)
def test_argparse_s_own_refusals_have_the_same_code(cli, arguments):
    assert cli(*arguments).code == 2


def test_it_waits_and_polls_again_until_the_milestone(oms, cli, clock):
    clock.simulator = oms
    oms.project("new").start()
    result = cli("wait", "new", "--step", "FULL_TRANSFER", "--poke-interval", "2")
    assert result.code == 0
    assert set(clock.pauses) == {2}
    assert "Reached step FULL_TRANSFER to be done" in result.out
    assert "FULL_TRANSFER is RUNNING" in result.err
    assert len(result.out.splitlines()) == 1


def test_what_was_reached_at_the_deadline_counts(oms, cli, clock):
    clock.at_pause = lambda number: oms.set_answer(
        "DescribeProjectProgress", {"success": True, "data": {"status": "RUNNING", "fullTransferProgress": 100}}
    )
    result = cli("wait", "copying", "--full-transfer", "--timeout", "10", "--poke-interval", "1h", "--json")
    assert (result.code, clock.pauses) == (0, [10])


def test_the_time_out_is_the_deadline_and_not_an_interval_later(oms, cli, clock):
    result = cli("wait", "copying", "--full-transfer", "--timeout", "25", "--poke-interval", "10")
    assert result.code == 3
    assert clock.pauses == [10, 10, 5]
    assert result.out == ""
    assert "Still waiting after 25 s" in result.err
    assert "at 40 %" in result.err


def test_no_poll_follows_another_at_once(oms, cli, clock):
    cli("wait", "copying", "--full-transfer", "--timeout", "2", "--poke-interval", "0")
    assert clock.pauses == [1, 1]


def test_hold_for_is_remembered_from_poll_to_poll(oms, cli, clock):
    clock.simulator = oms
    result = cli("wait", "good", "--max-lag", "60", "--hold-for", "1m", "--poke-interval", "20", "--json")
    assert (result.code, clock.pauses) == (0, [20, 20, 20])


def test_an_outage_is_waited_out_also_before_the_project_is_found(oms, cli, clock):
    oms.add_fault(Fault("status", action="ListProjects", status=503, times=2))
    result = cli("wait", "copying", "--full-transfer", "30", "--json")
    assert (result.code, clock.pauses) == (0, [30, 30])
    assert "No usable answer from OMS" in result.err


def test_an_outage_ends_it_when_it_has_lasted(oms, cli, clock):
    oms.down()
    result = cli("wait", "copying", "--full-transfer", "--outage-tolerance", "60", "--json")
    assert result.code == 1
    assert clock.pauses == [30, 30]
    assert "nothing listens" in result.json["message"]
    assert "run this command again" in result.json["message"]


def test_an_airflow_that_cannot_give_its_connection_is_waited_out(oms, cli, clock, monkeypatch):
    really, asked = OmsHook.get_connection, []

    def get_connection(conn_id):
        asked.append(conn_id)
        if len(asked) <= 2:
            raise TimeoutError("the database is away")
        return really(conn_id)

    monkeypatch.setattr(OmsHook, "get_connection", staticmethod(get_connection))
    assert cli("wait", "copying", "--full-transfer", "30").code == 0
    assert clock.pauses == [30]
    asked.clear()
    assert cli("status", "copying").code == 5


def test_a_failure_is_given_its_grace(oms, cli, clock):
    clock.simulator = oms
    failed = cli("wait", "broken", "--full-transfer", "--failure-grace", "100", "--json")
    assert failed.code == 1
    assert "GHANA-X000001 no space left" in failed.json["message"]
    assert "run this command again" in failed.json["message"]


def test_ctrl_c(oms, cli, clock):
    def stop(number):
        raise KeyboardInterrupt

    clock.at_pause = stop
    result = cli("wait", "copying", "--full-transfer", "--json")
    assert result.code == 130
    assert result.json["outcome"] == "interrupted"
    assert result.json["observed"]["progress"] == 40


def test_the_result_as_json(oms, cli):
    told = cli("wait", "good", "--cutover-ready", "--max-lag", "60", "--json").json
    assert list(told) == ["outcome", "exit_code", "milestone", "message", "observed"]
    assert told["milestone"] == "the project to be ready for the cut-over (lag within 1 min)"
    assert told["observed"]["project"] == "np_good"


def test_a_lag_that_oms_cannot_show_is_cautioned_about(oms, cli):
    result = cli("wait", "good", "--max-lag", "5", "--timeout", "0")
    assert "below 25 s the gate opens only by chance" in result.err


def test_without_a_connection(cli, monkeypatch):
    for name in ("wait", "watch"):
        result = cli(name, "x", "--verified", "--conn-id", "no_such", "--json")
        assert result.code == 5
        assert "no Airflow connection 'no_such'" in json.loads(result.out)["error"]
        assert "AIRFLOW_CONN_NO_SUCH" in result.err
