"""Tests of the conditions under which the demo has succeeded."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest

from demo.report import RunReport, TaskReport
from demo.verdict import Facts, checks, happenings

FACTS = Facts(project="np_demo", started=100.0, full_transfer=109.0, lag=120.0, max_lag=25.0)


def observation(time, **values):
    return {"project": "np_demo", "time": datetime.fromtimestamp(time, UTC).isoformat(), **values}


def good_run():
    observed = {"full_transfer": observation(110, progress=100), "lag": observation(121, lag=1.0)}
    tasks = [
        TaskReport("start", "success", 99.0, 101.0),
        TaskReport("full_transfer", "success", 101.0, 111.0),
        TaskReport("lag", "success", 111.0, 121.0),
        TaskReport("downstream", "success", 122.0, 123.0, observed),
    ]
    return RunReport({task.name: task for task in tasks}, state="success")


def wrong(facts, run):
    return [check.what for check in checks(facts, run) if not check.passed]


def test_a_good_run_passes():
    assert not wrong(FACTS, good_run())


def test_what_happened_is_in_the_order_of_time():
    assert [(one.what, one.time) for one in happenings(FACTS, good_run())] == [
        ("project started", 100.0),
        ("full transfer reached", 109.0),
        ("gate full_transfer opened", 111.0),
        ("lag of 25 s reached", 120.0),
        ("gate lag opened", 121.0),
        ("downstream began", 122.0),
        ("downstream ran", 123.0),
    ]


def test_what_did_not_happen_comes_last():
    facts = Facts("np_demo", 100.0, None, None, 25.0)
    last = [one.what for one in happenings(facts, RunReport()) if one.time is None]
    assert last[:2] == ["full transfer reached", "gate full_transfer opened"]
    assert len(last) == 6


@pytest.mark.parametrize("began", [100.5, 109.5, 119.9])
def test_a_downstream_that_began_too_early_is_wrong(began):
    run = good_run()
    run.tasks["downstream"].start = began
    assert "downstream began after the lag was reached" in wrong(FACTS, run)


@pytest.mark.parametrize(
    "facts",
    [
        Facts("np_demo", None, 109.0, 120.0, 25.0),
        Facts("np_demo", 100.0, None, 120.0, 25.0),
        Facts("np_demo", 100.0, 109.0, None, 25.0),
        Facts("np_other", 100.0, 109.0, 120.0, 25.0),
        Facts("np_demo", 100.0, 109.0, 120.0, 0.5),
    ],
)
def test_what_oms_has_no_record_of_is_wrong(facts):
    assert wrong(facts, good_run())


def test_no_run_at_all_is_wrong():
    assert len(wrong(FACTS, RunReport())) == len(checks(FACTS, RunReport()))


@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed", "running", "none"])
def test_a_downstream_that_did_not_succeed_is_wrong(state):
    run = good_run()
    run.tasks["downstream"].state = state
    assert "downstream ran" in wrong(FACTS, run)


@pytest.mark.parametrize(
    ("gate", "key", "value"),
    [
        ("full_transfer", "progress", 99),
        ("full_transfer", "progress", None),
        ("full_transfer", "progress", True),
        ("full_transfer", "project", "np_other"),
        ("full_transfer", "time", "nonsense"),
        ("full_transfer", "time", datetime.fromtimestamp(107, UTC).isoformat()),
        ("lag", "lag", 26.0),
        ("lag", "lag", -1.0),
        ("lag", "lag", None),
        ("lag", "time", None),
        ("lag", "time", datetime.fromtimestamp(118, UTC).isoformat()),
    ],
)
def test_a_observation_that_was_not_so_is_wrong(gate, key, value):
    run = deepcopy(good_run())
    run.tasks["downstream"].returned[gate][key] = value
    assert "downstream received what the gates had observed, and it was true" in wrong(FACTS, run)


@pytest.mark.parametrize("returned", [None, "text", {}, {"full_transfer": None, "lag": []}])
def test_a_downstream_that_saw_nothing_is_wrong(returned):
    run = good_run()
    run.tasks["downstream"].returned = returned
    assert "downstream received what the gates had observed, and it was true" in wrong(FACTS, run)
