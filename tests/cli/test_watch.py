"""``watch``: live in a terminal, lines elsewhere, and for programs one JSON document for each poll."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Fault


@pytest.fixture(autouse=True)
def moving(oms, clock):
    clock.simulator = oms
    return clock


def interrupt_at(clock, count):
    def stop(number):
        if number == count:
            raise KeyboardInterrupt

    clock.at_pause = stop


@pytest.mark.parametrize(
    ("project", "options", "code"),
    [
        ("good", ["--verified"], 0),
        ("bad", ["--verified"], 1),
        ("copying", ["--full-transfer", "--timeout", "0"], 3),
        ("copying", ["--timeout", "0"], 3),
        ("nobody", [], 1),
        ("np_nobody", [], 1),
    ],
)
@pytest.mark.parametrize("how", [{}, {"terminal": True, "columns": 60}, {"terminal": True, "columns": 200}])
def test_every_ending(oms, cli, project, options, code, how):
    assert cli("watch", project, *options, **how).code == code


def test_until_ctrl_c(oms, cli, clock):
    interrupt_at(clock, 3)
    result = cli("watch", "late", "--json")
    assert result.code == 130
    *polls, end = result.lines
    assert [poll["outcome"] for poll in polls] == [None] * 3
    assert end["outcome"] == "interrupted"
    assert clock.pauses == [10, 10, 10]
    lags = [poll["project"]["lag"] for poll in polls]
    assert lags == sorted(lags, reverse=True)
    assert lags[0] > lags[-1]


def test_until_the_milestone(oms, cli, clock):
    result = cli("watch", "late", "--max-lag", "600", "--poke-interval", "60", "--json")
    assert result.code == 0
    *polls, end = result.lines
    assert all(poll["milestone"] == "the forward checkpoint within 10 min" for poll in polls)
    assert end["outcome"] == "reached"
    # The values that are shown are those that were judged.
    assert polls[-1]["project"]["lag"] == end["observed"]["lag"] <= 600


def test_a_terminal_sees_the_picture(oms, cli, clock):
    interrupt_at(clock, 4)
    result = cli("watch", "late", "--max-lag", "60", terminal=True, columns=120)
    assert "\x1b[" in result.out
    assert "Waiting for the forward checkpoint within 1 min" in result.out
    assert "Ctrl-C ends this, not the migration." in result.out
    assert "catching up 19 s per s, about 6 min to go" in result.out
    assert "█" in result.out
    assert "INCR_TRANSFER" in result.out


def test_without_a_terminal_there_is_a_line_when_something_changes(oms, cli, clock):
    interrupt_at(clock, 12)
    oms.project("new").start()
    result = cli("watch", "new", "--poke-interval", "2")
    assert "\x1b" not in result.out + result.err
    lines = result.out.splitlines()
    assert any("step FULL_TRANSFER" in line for line in lines)
    assert len({line.split("  ", 1)[1] for line in lines}) == len(lines) < 12


def test_an_outage_keeps_the_picture(oms, cli, clock):
    clock.at_pause = lambda number: oms.add_fault(Fault("status", status=503))
    result = cli("watch", "late", "--outage-tolerance", "30", terminal=True, columns=120)
    assert result.code == 1
    assert "No usable answer from OMS" in result.out
    assert "checkpoint" in result.out.rsplit("No usable answer", 1)[0]


def test_a_project_that_goes_away(oms, cli, clock):
    clock.at_pause = lambda number: oms.set_answer(
        "DescribeProjectProgress", {"success": False, "code": "GHANA-PROJECT000001", "message": "gone"}
    )
    result = cli("watch", "late", "--json")
    assert result.code == 1
    assert result.lines[-1]["outcome"] == "failed"
