"""What the pages show: pure functions, without an Airflow, an OMS or a clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.models import Project, ProjectProgress, Step
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import (
    CheckpointLagMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
)
from airflow_provider_oms.milestones.movement import Movement
from airflow_provider_oms.pages import phrases
from airflow_provider_oms.pages.history import History
from airflow_provider_oms.pages.known import Known
from airflow_provider_oms.pages.list_view import MOST, list_view
from airflow_provider_oms.pages.project_view import project_view, step_view, wait_view
from airflow_provider_oms.pages.sources import ListSeen, ProjectSeen
from airflow_provider_oms.pages.tasks_seen import TaskSeen

#: 2026-01-01T00:00:00Z
NOW = 1_767_225_600.0
TIME = datetime.fromtimestamp(NOW, UTC)

PROGRESS = {
    "projectId": "np_1",
    "status": "RUNNING",
    "currentStep": "INCR_TRANSFER",
    "enableFullTransfer": True,
    "fullTransferProgress": 100,
    "enableIncrSync": True,
    "incrSyncCheckpoint": NOW - 190,
}
STEPS = [
    {"order": 1, "name": "FULL_TRANSFER", "status": "FINISHED", "progress": 100, "stepInfo": {"processedRecords": 900}},
    {"order": 2, "name": "INCR_TRANSFER", "status": "RUNNING", "progress": 40},
    {"order": 3, "name": "TRANSFER_APP_SWITCH", "status": "INIT", "progress": 0},
]
ROW = {"id": "np_1", "name": "shop", "type": "MIGRATION", "status": "RUNNING", "labels": [{"name": "night"}]}


class Said:
    """Answers as OMS does, and keeps the answers."""

    def __init__(self, progress, steps):
        said = ProjectProgress(progress, "OMS"), [Step(step, "OMS") for step in steps]
        calls: tuple[Any, ...] = actions.describe_project_progress("np_1"), actions.describe_project_steps("np_1")
        pairs = zip(calls, said, strict=True)
        self.answers = {call.key: Answer(data, NOW, "OMS", NOW) for call, data in pairs}

    def send(self, call):
        return self.answers[call.key]


def seen(row=ROW, steps=STEPS, history=None, **progress):
    said, movement = Said(PROGRESS | progress, steps), Movement()
    known = run_flow(said, facts.of_project("np_1", None if row is None else Project(row, "OMS")))
    return ProjectSeen(movement.add(known), said.answers, movement, history or History())


def task(milestone=None, state="deferred", **more):
    gate = Gate(milestone or CheckpointLagMilestone(max_lag=25), project_name="shop")
    more.setdefault("began", TIME - timedelta(hours=1))
    return TaskSeen("d", "r", "fresh", state=state, waits_for=json.dumps(gate.as_dict()), **more)


def view(known=None, of_task=None, **more):
    project = seen(**more)
    return project_view(of_task or task(), known or Known(project, 3.0), project, TIME)


def test_a_project():
    shown = view()
    assert (shown.title, shown.project_id, shown.status, shown.tone) == ("shop", "np_1", "RUNNING", "working")
    assert shown.about == "Migration, labels night"
    assert (shown.attention, shown.urgent, shown.problem, shown.age) == ("", False, "", "3 s ago")
    assert [step.name for step in shown.steps] == ["Full transfer", "Incremental sync", "Switchover"]
    assert [step.state for step in shown.steps] == ["done", "under way", "not begun"]
    assert [step.percent for step in shown.steps] == ["100 %", "40 %", ""]
    assert shown.steps[2].progress is None
    assert [(lag.name, lag.lag) for lag in shown.lags] == [("Lag", "3 min 10 s")]
    assert shown.summary == "shop: RUNNING, Incremental sync."


def test_the_curves_and_whose_they_are():
    history = History()
    for at in (NOW - 60, NOW - 30):
        history.add(seen().facts, at)
    history.rate.record([(NOW - 60, 400.0), (NOW - 30, 540.0)], NOW)
    shown = view(history=history)
    assert (shown.lag_chart.source, shown.lag_chart.curve.last) == ("as seen by this page", "3 min 10 s")
    rate = shown.rate_chart
    assert (rate.step, rate.source, rate.curve.last) == ("Incremental sync", "recorded by OMS", "540")
    assert (view().lag_chart, view().rate_chart) == (None, None)


def test_a_gate_and_why_it_waits():
    wait = view().wait
    assert "25 s" in wait.what
    assert (wait.state, wait.since, wait.lasted) == ("deferred", "2025-12-31T23:00:00+00:00", "1 h")
    assert "3 min 10 s behind" in wait.says


def test_a_gate_that_has_opened():
    wait = view(of_task=task(state="success", ended=TIME - timedelta(minutes=20))).wait
    assert (wait.state, wait.lasted, wait.says) == ("success", "40 min", "")


def test_a_gate_whose_rule_would_ask_for_more():
    steps = [*STEPS, {"order": 4, "name": "FULL_VERIFIER", "status": "RUNNING", "progress": 100}]
    assert view(of_task=task(FullVerificationMilestone()), steps=steps).wait.says == ""


def test_a_gate_that_remembers_is_not_judged_by_one_poll():
    assert view(of_task=task(CheckpointLagMilestone(max_lag=25, hold_for=60))).wait.says == ""


def test_the_gate_is_about_the_tasks_own_project():
    forged = Gate(FullTransferMilestone(progress=100), project_id="np_other")
    other = TaskSeen("d", "r", "t", state="deferred", waits_for=json.dumps(forged.as_dict()))
    assert "np_other" not in str(view(of_task=other))


def test_a_task_that_is_no_gate():
    plain = TaskSeen("d", "r", "start", map_index=3, operator="Start", state="running")
    wait = wait_view(plain, seen(), TIME)
    assert (wait.task, wait.what, wait.since, wait.lasted, wait.says) == ("start [3]", "", "", "", "")


def test_oms_away():
    project = seen()
    shown = project_view(task(), Known(project, 3700.0, "nobody\nanswers"), project, TIME)
    assert (shown.age, shown.problem) == ("1 h 1 min ago", "nobody answers")


def test_a_failure():
    extra = {"errorCode": "E-1", "errorMsg": "disk full", "failedTime": "2025-12-31T22:00:00"}
    failed = [{"name": "FULL_TRANSFER", "status": "FAILED", "progress": 40, "extraInfo": extra}]
    shown = view(steps=failed, status="FAILED", fullTransferProgress=40)
    assert (shown.tone, shown.urgent) == ("bad", True)
    assert shown.steps[0].error == "E-1 disk full (since 2025-12-31 22:00:00 UTC)"
    assert "E-1 disk full" in shown.attention


def test_no_row_and_no_steps():
    shown = view(row=None, steps=[])
    assert (shown.title, shown.about, shown.steps) == ("np_1", "", ())


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, ""),
        ({"processedRecords": 1200}, "1,200 rows"),
        ({"processedRecords": 50, "capacity": 100}, "50 of about 100 rows"),
        (
            {"processedRecords": 0, "capacity": 7_200_000, "dstRps": 1000},
            "0 of about 7,200,000 rows, 1,000 rows/s, about 2 h left",
        ),
        ({"processedRecords": "many", "capacity": 5}, ""),
    ],
)
def test_figures(info, expected):
    step = Step({"name": "FULL_TRANSFER", "status": "RUNNING", "progress": 5, "stepInfo": info}, "OMS")
    assert step_view(facts.of_step(step)).figures == expected


@pytest.mark.parametrize(("progress", "shown"), [(None, ""), (0, "0 %"), (99.99, "99.9 %"), (100, "100 %")])
def test_only_what_is_whole_is_100(progress, shown):
    assert phrases.percent(progress) == shown


def test_a_step_of_another_name():
    assert phrases.step_name("FULL_MIGRATION") == "Full transfer"
    assert phrases.step_name("NEW_STEP") == "NEW_STEP"
    assert phrases.step_name(None) == "A step without a name"


# The list


def row(name, status="RUNNING", steps=(("INCR_TRANSFER", "MONITORING", 100),), behind=10, **more):
    made = [
        {
            "name": step,
            "status": state,
            "progress": progress,
            "stepInfo": {"incrTimestampCheckpoint": NOW - behind} if step == "INCR_TRANSFER" else None,
        }
        for step, state, progress in steps
    ]
    listed = Project({"id": f"np_{name}", "name": name, "status": status, "steps": made, **more}, "OMS")
    return {**facts.of_row(listed, NOW), "steps": [facts.of_step(step) for step in listed.steps]}


PROJECTS = ListSeen(
    (
        row("well", behind=10),
        row("late", behind=4000, labels=[{"name": "Night"}]),
        row("over", "FINISHED"),
        row("paused", "SUSPEND", [("FULL_TRANSFER", "SUSPEND", 30)]),
        row("odd", "RUNNING_ODD"),
        row("half", steps=[("FULL_TRANSFER", "RUNNING", 50)]),
    )
)


def names(*chosen):
    return [one.name for one in list_view(Known(PROJECTS), PROJECTS, *chosen).rows]


def test_what_needs_a_person_comes_first():
    assert names() == ["paused", "odd", "late", "well", "half", "over"]


def test_what_has_failed_comes_before_what_waits_for_a_person_however_late_that_is():
    through = [("INCR_TRANSFER", "MONITORING", 100), ("FULL_VERIFIER", "RUNNING", 100)]
    listed = ListSeen(
        (
            row("through", steps=through, behind=4000),
            row("paused", "SUSPEND", [("FULL_TRANSFER", "SUSPEND", 30)]),
            row("broken", "FAILED", [("FULL_TRANSFER", "FAILED", 30)]),
        )
    )
    assert [one.name for one in list_view(Known(listed), listed).rows] == ["broken", "paused", "through"]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (("", "act"), ["paused", "odd"]),
        (("", "work"), ["late", "well", "half"]),
        (("", "ended"), ["over"]),
        (("LATE",), ["late"]),
        (("night",), ["late"]),
        ((" np_over ",), ["over"]),
        (("suspend",), ["paused"]),
        (("nothing",), []),
        (("", "", "name"), ["half", "late", "odd", "over", "paused", "well"]),
        (("", "", "lag"), ["late", "odd", "over", "well", "half", "paused"]),
        (("", "", "progress"), ["paused", "half", "late", "odd", "over", "well"]),
        (("", "what", "ever"), ["paused", "odd", "late", "well", "half", "over"]),
    ],
)
def test_filter_and_sort(chosen, found):
    assert names(*chosen) == found


def test_a_row():
    first = list_view(Known(PROJECTS), PROJECTS, "half").rows[0]
    assert (first.step, first.percent, first.states, first.done) == (
        "Full transfer",
        "50 %",
        ("under way",),
        "0 of 1 steps done",
    )


def test_how_many_there_are():
    shown = list_view(Known(PROJECTS), PROJECTS, "", "act")
    assert (shown.found, shown.total) == (2, 6)
    assert shown.counts == "1 need a person, 1 to look at, 3 under way, 1 ended"


def test_a_long_list_is_cut():
    many = ListSeen(tuple(row(f"p{number:04}") for number in range(MOST + 7)))
    shown = list_view(Known(many), many)
    assert (len(shown.rows), shown.found) == (MOST, MOST + 7)


def test_no_project():
    shown = list_view(Known(ListSeen(())), ListSeen(()))
    assert (shown.rows, shown.total, shown.counts, shown.seen) == ((), 0, "", "")
