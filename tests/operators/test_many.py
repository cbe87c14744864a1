"""Actions on many projects: each is checked first, there is one report, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from threading import Barrier, Lock

import pytest

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators import many
from airflow_provider_oms.operators.oms import (
    OmsDeleteProjectOperator,
    OmsReleaseProjectOperator,
    OmsResumeProjectOperator,
    OmsStartProjectOperator,
    OmsStopProjectOperator,
)
from airflow_provider_oms.simulator import Fault, Project

UNDER_WAY = {"step": "FULL_TRANSFER", "step_progress": 40, "durations": {"FULL_TRANSFER": 1e6}}


@pytest.fixture
def wave(sim):
    """Projects of a label in different states."""
    sim.add_label("wave-7")
    sim.add_label("nobody")
    for number, status in enumerate(("INIT", "INIT", "RUNNING", "SUSPEND")):
        more = {} if status == "INIT" else UNDER_WAY
        sim.add_project(Project(id=f"np_{number}", name=f"shop_{number}", labels=["wave-7"], status=status, **more))
    return sim


def statuses(sim):
    return {project_id: live.status for project_id, live in sim.projects.items()}


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    "which",
    [
        {"label_name": "wave-7"},
        {"project_names": [f"shop_{number}" for number in range(4)]},
        {"project_ids": "np_0,np_1,np_2,np_3"},
        {"search_key": "shop_"},
    ],
    ids=lambda which: next(iter(which)),
)
def test_each_is_checked_and_changed_if_it_needs_it(wave, runner, which, deferrable):
    run = runner.run(OmsStartProjectOperator, **which, deferrable=deferrable)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "2 done, 1 had nothing to do, 1 refused" in str(run.error)
    assert "shop_3: StartProject needs a project that is INIT; this one is SUSPEND. Resume it instead" in str(
        run.error
    ) or ("np_3: StartProject needs" in str(run.error) and "project_ids" in which)
    assert Counter(runner.changes()) == {"StartProject": 2}
    assert statuses(wave) == {"np_0": "RUNNING", "np_1": "RUNNING", "np_2": "RUNNING", "np_3": "SUSPEND"}
    wave.project("np_3").resume()
    again = runner.run(OmsStartProjectOperator, **which)
    assert again.error is None
    assert again.result == {
        "total": 4,
        "done": [],
        "already": ["np_0", "np_1", "np_2", "np_3"],
        "refused": {},
    }
    assert runner.changes() == []


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_wave_is_taken_down_step_by_step_and_a_retry_finds_it_gone(wave, runner, deferrable):
    run = runner.run(OmsDeleteProjectOperator, label_name="wave-7", stop_first=True, deferrable=deferrable)
    assert run.error is None, run.error
    assert Counter(runner.changes()) == {"StopProject": 1, "ReleaseProject": 2, "DeleteProject": 4}
    assert sorted(run.result["done"]) == ["np_0", "np_1", "np_2", "np_3"]
    assert run.xcoms["projects"]["total"] == 4
    assert statuses(wave) == {}
    assert runner.run(OmsDeleteProjectOperator, label_name="wave-7").result["total"] == 0
    gone = runner.run(OmsDeleteProjectOperator, project_ids=["np_0", "np_1"])
    assert gone.result["already"] == ["np_0", "np_1"]
    assert runner.changes() == []


def test_a_few_are_asked_for_at_the_same_time_and_no_more(wave, runner, monkeypatch):
    asked, most, lock = 0, 0, Lock()
    together, status_of = Barrier(many.AT_ONCE, timeout=60), many.status_of

    def counting(sender, project_id):
        nonlocal asked, most
        with lock:
            asked += 1
            most = max(most, asked)
        together.wait()  # nobody goes on before that many are here
        try:
            return status_of(sender, project_id)
        finally:
            with lock:
                asked -= 1

    monkeypatch.setattr(many, "status_of", counting)
    ids = [f"np_m{number}" for number in range(4 * many.AT_ONCE)]
    for project_id in ids:
        wave.add_project(Project(id=project_id, status="RUNNING", **UNDER_WAY))
    assert runner.run(OmsStartProjectOperator, project_ids=ids).result["already"] == ids
    assert most == many.AT_ONCE == 5


def test_stop_resume_and_release(wave, runner):
    assert sorted(runner.run(OmsStopProjectOperator, project_ids=["np_2", "np_3"]).result["done"]) == ["np_2"]
    done = runner.run(OmsResumeProjectOperator, project_ids=["np_2", "np_3"], wait_for_completion=False).result
    assert sorted(done["done"]) == ["np_2", "np_3"]
    run = runner.run(OmsReleaseProjectOperator, project_ids=["np_2", "np_3"], stop_first=True)
    assert run.error is None
    assert set(statuses(wave).values()) == {"INIT", "RELEASED"}


def test_a_lost_answer_is_looked_up_and_what_isnt_known_is_for_a_retry(wave, runner):
    wave.add_fault(Fault(kind="reset_after", action="StartProject", times=1))
    run = runner.run(OmsStartProjectOperator, project_ids=["np_0", "np_1"])
    assert run.error is None
    assert Counter(runner.changes()) == {"StartProject": 2}
    wave.add_fault(Fault(kind="reset_before", action="StopProject", times=1))
    run = runner.run(OmsStopProjectOperator, project_ids=["np_0", "np_1"])
    assert isinstance(run.error, OmsOperationError)
    assert "A retry checks each first" in str(run.error)
    again = runner.run(OmsStopProjectOperator, project_ids=["np_0", "np_1"])
    assert again.error is None
    assert {statuses(wave)[one] for one in ("np_0", "np_1")} == {"SUSPEND"}


def test_what_oms_refuses_is_reported_together_with_what_was_done(wave, runner):
    refused = Fault("error", action="StartProject", code="GHANA-OPEROR000001", message="The moon is full.", times=1)
    wave.add_fault(refused)
    run = runner.run(OmsStartProjectOperator, project_ids="np_0,np_1")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "1 done" in str(run.error)
    assert "The moon is full." in str(run.error)
    assert sorted(statuses(wave).values()) == ["INIT", "RUNNING", "RUNNING", "SUSPEND"]


def test_one_that_fails_meanwhile_is_named(wave, runner):
    wave.add_project(Project(id="np_9", status="RUNNING", stop_delay=1e6, **UNDER_WAY))
    fails = iter([lambda: wave.project("np_9").fail(message="no space left")])
    runner.on_pause = lambda: next(fails, lambda: None)()
    run = runner.run(OmsStopProjectOperator, project_ids=["np_9", "np_2"], timeout=600)
    assert isinstance(run.error, OmsMilestoneFailedError)
    assert "np_9 failed:" in str(run.error)


def test_nobody(wave, runner):
    run = runner.run(OmsStartProjectOperator, label_name="nobody")
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "min_projects is 1" in str(run.error)
    run = runner.run(OmsStartProjectOperator, label_name="wave-8")
    assert "no label 'wave-8'" in str(run.error)
    run = runner.run(OmsStartProjectOperator, project_names=["shop_0", "shop_9"])
    assert "shop_9: OMS shows this user no project named 'shop_9'" in str(run.error)
    assert runner.changes() == ["StartProject"]
    assert runner.run(OmsReleaseProjectOperator, project_names=["shop_9"]).result["already"] == ["shop_9"]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"project_id": "np_1", "label_id": "l_1"}, "exactly one of"),
        ({"search_key": "x", "label_id": "l_1"}, "exactly one of"),
        ({}, "give project_id or project_name"),
        ({"project_ids": []}, "names no project"),
        ({"project_ids": ["np_1"], "min_projects": "2"}, "min_projects"),
        ({"project_ids": ["np_1"], "stop_on_kill": True}, "stop_on_kill"),
    ],
)
def test_arguments_that_cant_be(arguments, wrong):
    with pytest.raises(ValueError, match=wrong):
        OmsStartProjectOperator(task_id="task", **arguments)
