"""Going on from a step: once, from that step only."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.operators.oms import OmsAdvanceProjectOperator
from airflow_provider_oms.simulator import Project


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
    # The first of them once more: still beyond it.
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
        (at("FULL_VERIFIER", 40), "Step FULL_VERIFIER is RUNNING at 40 %: it isn't through"),
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


def test_incremental_verification_beside_it(runner, sim):
    """It runs beside full verification, so that it has begun says nothing."""
    project_id = sim.add_project(at("FULL_VERIFIER", 100, enable_incr_verify=True))
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert (run.error, runner.changes()) == (None, ["AdvanceProject"])


def test_an_answer_without_a_step(runner, sim):
    project_id = sim.add_project(at("FULL_VERIFIER", 100))
    sim.set_answer("AdvanceProject", {"success": True, "data": None})
    run = runner.run(OmsAdvanceProjectOperator, project_id=project_id, from_step="FULL_VERIFIER")
    assert (run.error, run.result) == (None, None)


@pytest.mark.parametrize("step", ["", "FULL TRANSFER!", 7, None])
def test_mistakes(step):
    with pytest.raises(ValueError, match="from_step"):
        OmsAdvanceProjectOperator(task_id="task", project_id="np_1", from_step=step)
