"""``wait --label`` and ``watch --label``: every project of a label, judged as a gate over many."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Project

UNDER_WAY = {"status": "RUNNING", "step": "FULL_TRANSFER", "step_progress": 50, "durations": {"FULL_TRANSFER": 400}}


@pytest.fixture(autouse=True)
def wave(oms, clock):
    clock.simulator = oms
    oms.add_label("wave-7")
    for number in range(3):
        oms.add_project(Project(id=f"np_s{number}", name=f"shop_{number}", labels=["wave-7"], **UNDER_WAY))
    return oms


def test_it_waits_until_every_project_is_there(cli, clock):
    result = cli("wait", "--label", "wave-7", "--full-transfer")
    assert result.code == 0
    assert "Reached the full transfer at 100 %. 3 of 3 ready" in result.out
    assert "shop_0 at 50 %" in result.err
    assert len(clock.pauses) > 3
    told = cli("wait", "--label", "wave-7", "--full-transfer", "--json").json
    assert (told["outcome"], told["observed"]["total"], told["observed"]["reached"]) == ("reached", 3, 3)


def test_it_ends_as_a_gate_does(cli, wave):
    assert cli("wait", "--label", "wave-7", "--cutover-ready", "--timeout", "0").code == 3
    assert cli("wait", "--label", "wave-8", "--verified").code == 1
    assert cli("wait", "--label", "nightly", "--verified", "--timeout", "60").code == 3  # a label without projects
    wave.add_project(Project(id="np_s9", name="shop_9", labels=["wave-7"], **{**UNDER_WAY, "status": "RELEASED"}))
    failed = cli("wait", "--label", "wave-7", "--full-transfer")
    assert failed.code == 1
    assert "shop_9 failed:" in failed.err
    for wrong in (["--verified"], ["shop_0", "--label", "wave-7", "--verified"], ["--label", " ", "--verified"]):
        assert cli("wait", *wrong).code == 2


def test_the_last_poll_asks_for_each_project(cli, clock, wave):
    """A row may be old, and there is no poll after the last one."""
    done = {"status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 100}

    def answer(payload):
        return {"success": True, "data": {**done, "projectId": payload["id"]}}

    clock.at_pause = lambda number: number == 2 and wave.set_answer("DescribeProjectProgress", answer)
    result = cli("wait", "--label", "wave-7", "--full-transfer", "--timeout", "50")
    assert clock.pauses == [30, 20]
    assert result.code == 0, result.err


@pytest.mark.parametrize("columns", [60, 120])
def test_watch_draws_a_table_with_bars(cli, clock, columns):
    result = cli("watch", "--label", "wave-7", "--full-transfer", terminal=True, columns=columns)
    assert result.code == 0
    assert "shop_2" in result.out
    assert "━" in result.out
    assert "100 %" in result.out


def test_watch_without_a_milestone_or_a_terminal(cli, clock):
    def stop(number):
        if number == 3:
            raise KeyboardInterrupt

    clock.at_pause = stop
    result = cli("watch", "--label", "wave-7", "--json")
    assert result.code == 130
    *polls, _ = result.lines
    assert [len(poll["projects"]) for poll in polls] == [3] * 3
    assert {one["step"] for one in polls[0]["projects"]} == {"FULL_TRANSFER"}
    clock.at_pause = lambda number: None
    lines = cli("watch", "--label", "wave-7", "--full-transfer").err.splitlines()
    assert any("0 of 3 ready" in line for line in lines)
