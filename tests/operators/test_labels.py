"""Starting and stopping the projects of a label."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.oms import OmsStartProjectsByLabelOperator, OmsStopProjectsByLabelOperator
from airflow_provider_oms.simulator import Failure, Fault, Project

STATES = ("INIT", "RUNNING", "SUSPEND", "FAILED", "FINISHED", "RELEASING", "RELEASED", "ODD")

#: operator, its action -> the states that it changes, in which nothing needs to be done, and that it leaves alone
TABLE = {
    "start": (
        OmsStartProjectsByLabelOperator,
        "StartProjectsByLabel",
        ["INIT"],
        ["RUNNING", "FINISHED"],
        ["SUSPEND", "FAILED", "RELEASING", "RELEASED", "ODD"],
    ),
    "stop": (
        OmsStopProjectsByLabelOperator,
        "StopProjectsByLabel",
        ["RUNNING"],
        ["SUSPEND"],
        ["INIT", "FAILED", "FINISHED", "RELEASING", "RELEASED", "ODD"],
    ),
}


@pytest.fixture(params=[False, True], ids=["worker", "triggerer"])
def deferrable(request):
    return request.param


@pytest.mark.parametrize("action", TABLE)
@pytest.mark.parametrize("state", STATES)
def test_each_state(runner, sim, action, state, deferrable):
    cls, oms_action, moves, done, _ = TABLE[action]
    project_id = sim.add_project(Project(name="p", status=state, labels=["nightly"]))
    first = runner.run(cls, label_name="nightly", deferrable=deferrable)
    assert first.error is None
    assert runner.changes() == ([oms_action] if state in moves else [])
    label = sim.add_label("nightly")
    assert first.result == {
        "label": label,
        "moved": [project_id] if state in moves else [],
        "already": [project_id] if state in done else [],
        "skipped": {} if state in moves + done else {project_id: state},
    }
    second = runner.run(cls, label_id=label, deferrable=deferrable)
    assert runner.changes() == []
    assert second.result["moved"] == []


def test_many(runner, sim, deferrable):
    """The projects of the label to which the action applies, and no others."""
    ids = {
        state: [sim.add_project(Project(name=f"{state}{n}", status=state, labels=["nightly"])) for n in range(8)]
        for state in STATES
    }
    other = sim.add_project(Project(name="other", labels=["weekly"]))
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="nightly", deferrable=deferrable)
    assert run.error is None
    assert runner.changes() == ["StartProjectsByLabel"]
    assert run.result["moved"] == sorted(ids["INIT"])
    assert run.result["already"] == sorted(ids["RUNNING"] + ids["FINISHED"])
    assert set(run.result["skipped"].values()) == {"SUSPEND", "FAILED", "RELEASING", "RELEASED", "ODD"}
    assert sim.project(other).status == "INIT"


def test_waits_for_each_of_them(runner, sim, deferrable):
    ids = [
        sim.add_project(Project(name=f"p{n}", status="RUNNING", labels=["nightly"], stop_delay=10.0 * (n + 1)))
        for n in range(4)
    ]
    run = runner.run(OmsStopProjectsByLabelOperator, label_name="nightly", deferrable=deferrable)
    assert run.error is None
    assert {sim.project(one).status for one in ids} == {"SUSPEND"}
    assert run.xcoms["projects"]["moved"] == sorted(ids)
    assert bool(run.deferrals) == deferrable


def test_does_not_wait_if_told_so(runner, sim):
    sim.add_project(Project(name="p", status="RUNNING", labels=["nightly"], stop_delay=1e9))
    run = runner.run(OmsStopProjectsByLabelOperator, label_name="nightly", wait_for_completion=False)
    assert run.error is None
    assert runner.pauses == []


def test_one_that_fails_meanwhile(runner, sim, deferrable):
    broken = Failure("TRANSFER_PRECHECK", at=0, message="No way in.")
    sim.add_project(Project(name="good", labels=["nightly"]))
    bad = sim.add_project(Project(name="bad", labels=["nightly"], failures=[broken]))
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="nightly", deferrable=deferrable)
    assert isinstance(run.error, OmsMilestoneFailedError)
    assert "No way in." in str(run.error)
    assert bad in run.xcoms["projects"]["moved"]


@pytest.mark.parametrize("answer", ["failed", "forgotten"])
def test_one_that_oms_could_not_move(runner, sim, answer):
    good = sim.add_project(Project(name="good", labels=["nightly"]))
    bad = sim.add_project(Project(name="bad", labels=["nightly"]))

    def one_only(payload):
        sim.project(good).start()
        failed = [bad] if answer == "failed" else []
        return {"success": True, "data": {"total": 2, "succeedProjectIds": [good], "failedProjectIds": failed}}

    sim.set_answer("StartProjectsByLabel", one_only)
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="nightly")
    assert isinstance(run.error, OmsOperationError)
    assert bad in str(run.error)
    assert good not in str(run.error)
    sim.set_answer("StartProjectsByLabel", None)
    again = runner.run(OmsStartProjectsByLabelOperator, label_name="nightly")
    assert (again.error, again.result["moved"]) == (None, [bad])


def test_a_lost_answer(runner, sim):
    project_id = sim.add_project(Project(name="p", labels=["nightly"]))
    sim.add_fault(Fault("reset_after", action="StartProjectsByLabel", times=1))
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="nightly")
    assert run.error is None
    assert run.result["moved"] == [project_id]
    assert runner.changes() == ["StartProjectsByLabel"]


def test_a_request_that_never_arrived(runner, sim):
    project_id = sim.add_project(Project(name="p", labels=["nightly"]))
    sim.add_fault(Fault("reset_before", action="StartProjectsByLabel", times=1))
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="nightly")
    assert isinstance(run.error, OmsOperationError)
    assert project_id in str(run.error)
    assert runner.run(OmsStartProjectsByLabelOperator, label_name="nightly").result["moved"] == [project_id]


def test_a_label_that_nobody_has(runner):
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="nobody")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "nobody" in str(run.error)
    assert runner.changes() == []


@pytest.mark.parametrize("cls", [OmsStartProjectsByLabelOperator, OmsStopProjectsByLabelOperator])
def test_a_label_id_that_does_not_exist(runner, sim, cls):
    """It has no projects, so the task would succeed without doing anything."""
    sim.add_label("another")
    run = runner.run(cls, label_id="l_gone")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "no label with the id 'l_gone'" in str(run.error)
    assert runner.asked() == ["ListAllLabels"]


def test_a_label_without_projects(runner, sim):
    sim.add_label("empty")
    run = runner.run(OmsStartProjectsByLabelOperator, label_name="empty")
    assert run.error is None
    assert runner.changes() == []


def test_an_xcom_that_was_lost(runner, sim):
    operator = OmsStartProjectsByLabelOperator(task_id="task", label_id="l_1")
    from tests.operators.running import TaskInstance

    event = {"status": "reached", "message": "", "observed": {"project": "np_1", "status": "RUNNING"}}
    with pytest.raises(OmsOperationError, match="XCom"):
        operator.execute_complete({"ti": TaskInstance()}, event)


@pytest.mark.parametrize("label", [{}, {"label_id": "a", "label_name": "b"}, {"label_id": ""}, {"label_name": 1}])
def test_mistakes(label):
    with pytest.raises(ValueError, match=r"label_(id|name)"):
        OmsStartProjectsByLabelOperator(task_id="task", **label)
