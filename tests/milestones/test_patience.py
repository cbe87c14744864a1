"""How long a gate tolerates temporary errors, and how long a lag must hold: by our own clock, poll after poll."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsUnreachableError
from airflow_provider_oms.milestones.memory import Condition, Memory, longest_gap
from tests.gate_cases import (
    ALL_DONE,
    NOW,
    Reply,
    caught_up,
    failed_step,
    in_transfer,
    oms_time,
    progress,
    refusal,
    replaced,
)
from tests.milestones.support import PROJECT, Script, gate_of

LOST = OmsUnreachableError("no connection.")
FULL = "OmsFullTransferSensor"
LAG = "OmsCheckpointLagSensor"

#: By how many seconds the clocks of two nodes of OMS behind one address differ.
APART = 590


# A failure that OMS may recover from


def _failing(failed_time: Any = None) -> list[dict[str, Any]]:
    return replaced(in_transfer(), failed_step("FULL_TRANSFER", failed_time))


def _failed(script: Script, at: float, failed_time: Any = None, **more: Any) -> str:
    return script.poll(at, progress("FAILED"), _failing(failed_time), **more).state


@pytest.mark.parametrize("status", ["FAILED", "RUNNING"])
def test_a_failure_of_unknown_age_counts_from_when_it_was_first_observed(status):
    script = Script(gate_of(FULL))
    states = [script.poll(NOW + after, progress(status), _failing()).state for after in (0, 60, 120, 121)]
    assert states == ["waiting", "waiting", "waiting", "failed"]


@pytest.mark.parametrize("between", [progress(), progress("SUSPEND"), progress("HIBERNATING"), progress("INIT")])
def test_a_failure_that_fixed_itself_is_forgotten(between):
    script = Script(gate_of(FULL))
    assert _failed(script, NOW) == "waiting"
    assert script.poll(NOW + 100, between, in_transfer()).state == "waiting"
    states = [_failed(script, NOW + after) for after in (200, 260, 320, 321)]
    assert states == ["waiting", "waiting", "waiting", "failed"]


def test_an_outage_is_no_recovery():
    script = Script(gate_of(FULL))
    assert _failed(script, NOW) == "waiting"
    assert script.poll(NOW + 100, error=LOST).state == "waiting"
    assert _failed(script, NOW + 121) == "failed"


def test_a_failure_that_continues_ends_the_gate_although_its_time_moves():
    script = Script(gate_of(FULL))
    states = [_failed(script, NOW + t, oms_time(NOW + t - 10)) for t in (0, 30, 60, 90, 110, 111)]
    assert states == ["waiting"] * 5 + ["failed"]


def test_a_failure_ahead_of_the_clock_does_not_wait_for_ever():
    script = Script(gate_of(FULL))
    states = [_failed(script, NOW + t, oms_time(NOW + t + 100)) for t in (0, 60, 120, 121)]
    assert states == ["waiting", "waiting", "waiting", "failed"]


def test_where_nothing_is_remembered_a_failure_of_unknown_age_is_old():
    assert _failed(Script(gate_of(FULL), Memory(kept=False)), NOW) == "failed"
    for at, expected in ((NOW, "waiting"), (NOW + 21, "failed")):
        assert _failed(Script(gate_of(FULL), Memory(kept=False)), at, oms_time(NOW - 100)) == expected


def test_the_age_of_a_failure_at_its_first_observation_is_by_the_clock_of_oms():
    late = NOW + 9000
    for date, expected in ((NOW, "waiting"), (NOW + 111, "failed")):
        assert _failed(Script(gate_of(FULL)), late, oms_time(NOW - 10), date=date) == expected


@pytest.mark.parametrize("skew", [-APART, APART])
def test_a_failure_ages_by_our_clock_whatever_node_answers(skew):
    """Two nodes behind one address, 590 s apart: the second's clock makes the failure neither older nor younger."""
    script = Script(gate_of(FULL))
    failed_time = oms_time(NOW - 10)
    dates = [(0, 0), (30, skew), (60, 0), (90, skew), (110, skew)]
    states = [_failed(script, NOW + t, failed_time, date=NOW + t + off) for t, off in dates]
    assert states == ["waiting"] * 5
    assert _failed(script, NOW + 111, failed_time, date=NOW + 111 + skew) == "failed"


def test_a_project_that_recovers_opens():
    script = Script(gate_of(FULL))
    assert script.poll(NOW, progress("FAILED"), _failing()).alarming
    assert script.poll(NOW + 60, caught_up(), ALL_DONE).state == "reached"
    assert Condition.FAILED not in script.memory.since


# An OMS that can't be reached


def test_an_outage_is_waited_out_and_no_longer():
    script = Script(gate_of(FULL))
    assert script.poll(NOW, progress(), in_transfer()).state == "waiting"
    polls = [script.poll(NOW + t, error=LOST) for t in (*range(30, 630, 30), 629)]
    assert {verdict.state for verdict in polls} == {"waiting"}
    assert all(verdict.alarming for verdict in polls)
    verdict = script.poll(NOW + 630, error=LOST)
    assert verdict.state == "failed"
    assert "10 min" in verdict.message
    assert "no connection" in verdict.message


@pytest.mark.parametrize("interval", [600, 3600, 86_400])
def test_an_outage_has_at_least_three_polls_without_an_answer(interval):
    """If the interval is longer than the tolerance, two lost requests may be chance."""
    script = Script(gate_of(FULL, {"poke_interval": interval}))
    polls = [script.poll(NOW + number * interval, error=LOST) for number in range(3)]
    assert [verdict.state for verdict in polls] == ["waiting", "waiting", "failed"]
    assert "giving up after 10 min and 3 polls" in polls[1].message


def test_lost_polls_with_a_good_one_between_them_are_no_outage():
    script = Script(gate_of(FULL, {"poke_interval": 3600}))
    for number in range(20):
        assert script.poll(NOW + number * 3600, progress(), in_transfer()).state == "waiting"
        for lost in (1200, 2400):
            assert script.poll(NOW + number * 3600 + lost, error=LOST).state == "waiting"


@pytest.mark.parametrize(
    "odd",
    [
        Reply("", 503),
        Reply("<html>"),
        Reply(""),
        Reply(refusal("GHANA-OPERAT000001", "CM")),
        progress(fullTransferProgress=5151),
    ],
    ids=["503", "html", "empty", "cm", "nonsense"],
)
def test_every_unusable_answer_is_an_outage(odd):
    script = Script(gate_of(FULL, {"poke_interval": 300}))
    assert script.poll(NOW, odd, in_transfer()).state == "waiting"
    assert script.poll(NOW + 300, error=LOST).state == "waiting"
    assert script.poll(NOW + 600, odd, in_transfer()).state == "failed"


def test_half_an_answer_does_not_end_an_outage():
    script = Script(gate_of("OmsStepSensor", {"step": "FULL_TRANSFER", "poke_interval": 300}))
    for at in (0, 300, 599):
        assert script.poll(NOW + at, progress(), Reply("", 503)).state == "waiting"
    assert script.poll(NOW + 600, progress(), Reply("", 503)).state == "failed"


def test_no_tolerance_fails_at_once():
    assert Script(gate_of(FULL, {"outage_tolerance": 0})).poll(NOW, error=LOST).state == "failed"
    forgetful = Script(gate_of(FULL, {"outage_tolerance": 0}), Memory(kept=False))
    assert forgetful.poll(NOW, error=LOST).state == "failed"


def test_where_nothing_is_remembered_an_outage_is_waited_out():
    for at in (0, 700, 1400):
        verdict = Script(gate_of(FULL), Memory(kept=False)).poll(NOW + at, error=LOST)
        assert verdict.state == "waiting"
        assert "giving up" not in verdict.message


def test_what_will_not_pass_fails_at_once():
    verdict = Script(gate_of(FULL)).poll(NOW, error=OmsAuthenticationError("the login is wrong."))
    assert verdict.state == "failed"
    assert "the login is wrong" in verdict.message
    assert verdict.observed.project == PROJECT


# A lag that must hold


def _held(hold_for: float = 60, **more: Any) -> Script:
    return Script(gate_of(LAG, {"max_lag": 60, "hold_for": hold_for, **more}))


def _small(script: Script, at: float, **more: Any) -> str:
    """Poll when the lag is 10 s by OMS's clock, whatever that is."""
    date = more.get("date") or NOW + at
    return script.poll(NOW + at, caught_up(incrSyncCheckpoint=date - 10), ALL_DONE, **more).state


def test_a_lag_must_hold():
    script = _held()
    assert [_small(script, at) for at in (0, 30, 59, 60)] == ["waiting", "waiting", "waiting", "reached"]


@pytest.mark.parametrize(
    "bad",
    [
        {"progress": caught_up(behind=500), "steps": ALL_DONE},
        {"progress": caught_up("SUSPEND"), "steps": ALL_DONE},
        {"progress": caught_up("HIBERNATING"), "steps": ALL_DONE},
        {"progress": caught_up("RUNNING_MODIFYING"), "steps": ALL_DONE},
        {"progress": caught_up("RUNNING_DEFRAGMENTING"), "steps": ALL_DONE},
        {"progress": caught_up(incrSyncCheckpoint=None), "steps": ALL_DONE},
        {"progress": caught_up(incrSyncCheckpoint=NOW + 9000), "steps": ALL_DONE},
        {"progress": caught_up(fullTransferProgress=99), "steps": ALL_DONE},
        {"progress": caught_up(fullTransferProgress=5151), "steps": ALL_DONE},
        {"progress": caught_up("FAILED"), "steps": _failing(oms_time(NOW + 25))},
        {"progress": Reply("", 503)},
        {"error": LOST},
    ],
    ids=[
        "late",
        "paused",
        "unknown",
        "modifying",
        "running_other",
        "null",
        "ahead",
        "full_99",
        "nonsense",
        "failed",
        "503",
        "lost",
    ],
)
def test_one_bad_poll_begins_the_hold_again(bad):
    script = _held()
    assert _small(script, 0) == "waiting"
    assert script.poll(NOW + 30, **bad).state == "waiting"
    assert Condition.LAG_SMALL not in script.memory.since
    assert [_small(script, at) for at in (60, 119, 120)] == ["waiting", "waiting", "reached"]


@pytest.mark.parametrize(
    "dates",
    [
        [0, APART, 0, APART, 0],
        [0, APART, APART, APART, APART],
        [0, -APART, 0, -APART, 0],
        [0, -APART, -APART, -APART, -APART],
        [0, None, 9000, None, -9000],
    ],
    ids=["to and fro", "once ahead", "back and forth", "once back", "sometimes none"],
)
def test_a_lag_holds_by_our_clock_whatever_clocks_oms_has(dates):
    """Two nodes behind one address, 590 s apart, must neither add ten minutes to a poll interval nor remove them."""
    script = _held(600)
    polls = range(0, 630, 30)
    states = []
    for number, at in enumerate(polls):
        off = dates[number % len(dates)]
        date = None if off is None else NOW + at + off
        checkpoint = (NOW + at if date is None else date) - 10
        states.append(script.poll(NOW + at, caught_up(incrSyncCheckpoint=checkpoint), ALL_DONE, date=date).state)
    assert states == ["waiting"] * 20 + ["reached"]


def test_the_hold_begins_when_the_first_good_answer_came_and_not_when_it_was_asked_for():
    """The tries of a request may take two minutes, in which the lag was large."""
    script = _held(100)
    assert [_small(script, 0, took=50), _small(script, 100), _small(script, 149)] == ["waiting"] * 3
    assert _small(script, 150) == "reached"


def test_the_hold_survives_json_and_without_it_begins_again():
    script = _held()
    _small(script, 0)
    script.memory = Memory.from_dict(json.loads(json.dumps(script.memory.as_dict())))
    assert _small(script, 60) == "reached"
    script = _held()
    _small(script, 0)
    script.memory = Memory()
    assert _small(script, 60) == "waiting"


def test_only_a_lag_that_holds_needs_memory():
    assert gate_of(LAG, {"max_lag": 60}).milestone.needs_memory() is None
    assert gate_of(LAG, {"max_lag": 60, "hold_for": 1}).milestone.needs_memory() == "hold_for"
    assert gate_of(FULL).milestone.needs_memory() is None


# Our own clock

#: What is timed: a script, the answers at each poll, and the verdict once it has lasted long enough.
TIMED = {
    "hold": (lambda: _held(600), lambda script, at: _small(script, at), "reached"),
    "outage": (lambda: Script(gate_of(FULL)), lambda script, at: script.poll(NOW + at, error=LOST).state, "failed"),
    "failure": (
        lambda: Script(gate_of(FULL, {"failure_grace": 599})),
        lambda script, at: _failed(script, NOW + at),
        "failed",
    ),
}


@pytest.fixture(params=TIMED)
def timed(request):
    make, poll, ends = TIMED[request.param]
    script = make()
    return lambda at: poll(script, at), ends


def test_what_lasts_long_enough_ends_the_wait(timed):
    poll, ends = timed
    assert [poll(at) for at in range(0, 630, 30)] == ["waiting"] * 20 + [ends]


@pytest.mark.parametrize("back", [1, 5000, 10**9])
def test_when_our_clock_goes_back_what_has_passed_until_then_counts(timed, back):
    """As when two workers whose clocks differ poll in turn: a gate that restarted each time would never end."""
    poll, ends = timed
    assert {poll(at) for at in range(0, 600, 30)} == {"waiting"}
    assert [poll(570 - back + at) for at in (0, 29, 30)] == ["waiting", "waiting", ends]


@pytest.mark.parametrize("ahead", [600, 5000, 10**9])
def test_a_clock_that_leaps_ahead_is_no_time_that_was_watched(timed, ahead):
    """Or nothing polled: no worker was free, the machine was suspended, the process was stopped."""
    poll, ends = timed
    assert [poll(0), poll(ahead)] == ["waiting", "waiting"]
    rest = [poll(ahead + at) for at in range(30, 600, 30)]
    assert rest.index(ends) == (600 - longest_gap(30)) / 30 - 1
