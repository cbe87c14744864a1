"""Going on from a step: once, and from that step only."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.advance import POLL_INTERVAL, POLLS
from airflow_provider_oms.operators.oms import OmsAdvanceProjectOperator
from airflow_provider_oms.simulator import Fault, Project


def at(step, progress=0.0, **more):
    return Project(name="p", status="RUNNING", step=step, step_progress=progress, **more)


def test_through_the_whole_end_of_a_project(runner, sim):
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    for step, following in (("FULL_VERIFIER", "TRANSFER_APP_SWITCH"), ("APP_SWITCH", "REVERSE_INCR_TRANSFER")):
        for expected in (["AdvanceProject"], [], []):
            run = runner.run(OmsAdvanceProjectOperator, project_name="p", from_step=step)
            assert (run.error, run.result) == (None, following)
            assert runner.changes() == expected
    assert sim.project(project_id).current_step == "REVERSE_INCR_TRANSFER"
    # The first one again: the project is still past that step.
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert run.error is None
    assert runner.changes() == []


def test_a_step_that_the_project_was_told_to_wait_after(runner, sim):
    project_id = sim.add_project(Project(name="p", wait_after=["STRUCT_TRANSFER"]))
    sim.project(project_id).start()
    sim.clock.advance(60)
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_MIGRATION")
    assert (run.error, runner.changes()) == (None, ["AdvanceProject"])
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_MIGRATION")
    assert (run.error, runner.changes()) == (None, [])


@pytest.mark.parametrize(
    ("project", "words"),
    [
        (at("FULL_VERIFIER", 40), "Step FULL_VERIFIER is RUNNING at 40 %: it isn't done"),
        (at("FULL_TRANSFER", 40), "Step FULL_VERIFIER is INIT"),
        (at("FULL_TRANSFER", 40, enable_full_verify=False), "It has no step FULL_VERIFIER. Its steps are TRANSFER_PRE"),
        (Project(name="p"), "AdvanceProject needs a project that is RUNNING*; this one is INIT. Start it first."),
    ],
)
def test_a_step_that_is_not_through(runner, sim, project, words):
    run = runner.run(OmsAdvanceProjectOperator, project_id=sim.add_project(project), from_step="FULL_VERIFIER")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert words in str(run.error)
    assert runner.changes() == []


def test_incremental_verification_in_parallel(runner, sim):
    """It runs in parallel with full verification, so its start says nothing."""
    project_id = sim.add_project(at("FULL_VERIFIER", 100, enable_incr_verify=True))
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert (run.error, runner.changes()) == (None, ["AdvanceProject"])


def test_an_answer_without_a_step(runner, sim):
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    sim.set_answer("AdvanceProject", {"success": True, "data": None})
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert (run.error, run.result) == (None, None)


def steps_of(sim, project_id, **statuses):
    """Let OMS list these steps, by name and status, in this order."""
    rows = [
        {"order": number, "name": name, "status": status, "progress": 100 if status == "FINISHED" else 0}
        for number, (name, status) in enumerate(statuses.items(), start=1)
    ]
    sim.set_answer("DescribeProjectSteps", {"success": True, "data": rows})
    return rows


#: By the name of a step, what there is to do at the completed step before it.
NEXT = {
    "INIT": ["AdvanceProject"],
    "RUNNING": [],
    "MONITORING": [],
    "FINISHED": [],
    "FAILED": [],
    "SUSPEND": [],
    "SOMETHING_NEW": [],
}


@pytest.mark.parametrize("status", NEXT)
def test_a_next_step_in_any_state_but_init_has_begun(runner, sim, status):
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    steps_of(sim, project_id, STRUCT_TRANSFER="FINISHED", FULL_TRANSFER=status)
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_TRANSFER")
    assert (run.error, runner.changes()) == (None, NEXT[status])


@pytest.mark.parametrize("status", [None, ""])
def test_a_next_step_without_a_status_says_nothing(runner, sim, status):
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    steps_of(sim, project_id, STRUCT_TRANSFER="FINISHED", FULL_TRANSFER=status)
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_TRANSFER")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "no status of step FULL_TRANSFER" in str(run.error)
    assert runner.changes() == []


def test_a_paused_step_of_a_paused_project_says_nothing(runner, sim):
    project_id = sim.add_project(Project(name="p", status="SUSPEND"))
    steps_of(sim, project_id, STRUCT_TRANSFER="FINISHED", FULL_TRANSFER="SUSPEND")
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_TRANSFER")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "Resume it first" in str(run.error)


@pytest.mark.parametrize("orders", ["as listed", "gaps", "text", "none"])
@pytest.mark.parametrize("listed", ["in order", "backwards", "mixed"])
def test_the_order_of_the_steps_is_theirs_and_not_the_list_s(runner, sim, orders, listed):
    """In the order of the list, an earlier step would count as a later one that has begun."""
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    rows = steps_of(
        sim, project_id, TRANSFER_PRECHECK="FINISHED", STRUCT_TRANSFER="FINISHED", FULL_TRANSFER="INIT", INDEX="INIT"
    )
    if orders != "as listed":
        for row in rows:
            row["order"] = {"gaps": row["order"] * 10, "text": str(row["order"]), "none": None}[orders]
    if orders != "none":  # without an ``order`` there is only the list's order
        rows[:] = {"in order": rows, "backwards": rows[::-1], "mixed": [rows[n] for n in (2, 0, 3, 1)]}[listed]
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_TRANSFER")
    assert (run.error, runner.changes()) == (None, ["AdvanceProject"])


def test_of_equal_steps_the_last_counts(runner, sim):
    """Two rows with equal values: what follows the first isn't what follows the step."""
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    same = {"name": "STRUCT_TRANSFER", "status": "FINISHED", "progress": 100}
    rows = [same, {"name": "FULL_TRANSFER", "status": "RUNNING"}, dict(same), {"name": "X", "status": "INIT"}]
    sim.set_answer("DescribeProjectSteps", {"success": True, "data": rows})
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_TRANSFER")
    assert (run.error, runner.changes()) == (None, ["AdvanceProject"])


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "FINISHED", "SUSPEND"])
def test_a_lost_answer_is_never_carried_out_twice(runner, sim, status, after):
    """Its effect may be visible some polls later, when the next step may have failed. The retry sees that, too."""
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    steps_of(sim, project_id, STRUCT_TRANSFER="FINISHED", FULL_TRANSFER="INIT")
    carried_out = []

    def advance(payload):
        carried_out.append(payload)
        if after == 0:
            show()

    def show():
        steps_of(sim, project_id, STRUCT_TRANSFER="FINISHED", FULL_TRANSFER=status)

    sim.set_answer("AdvanceProject", advance)
    sim.add_fault(Fault("reset_after", action="AdvanceProject", times=1))
    runner.on_pause = lambda: len(runner.pauses) == after and show()
    for _ in range(2):
        run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="STRUCT_TRANSFER")
        assert run.error is None
    assert len(carried_out) == 1


def test_an_answer_that_was_lost_for_good(runner, sim):
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    sim.add_fault(Fault("reset_before", action="AdvanceProject", times=1))
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert isinstance(run.error, OmsOperationError)
    assert "still at FULL_VERIFIER" in str(run.error)
    assert sum(runner.pauses) == (POLLS - 1) * POLL_INTERVAL
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert (run.error, runner.changes()) == (None, ["AdvanceProject"])


@pytest.mark.parametrize("step", ["", "FULL TRANSFER!", 7, None])
def test_mistakes(step):
    with pytest.raises(ValueError, match="from_step"):
        OmsAdvanceProjectOperator(task_id="task", project_id="np_1", from_step=step)
