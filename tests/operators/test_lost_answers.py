"""Actions when OMS or the connection fails: nothing is sent twice in one try, and a retry completes the task."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Failure, Fault, Project

MAPPING = operators.transfer_mapping({"shop": ["orders"]})

#: action of OMS -> operator, the state in which it starts
ACTIONS = {
    "StartProject": (operators.OmsStartProjectOperator, {}, {"status": "INIT"}),
    "StopProject": (operators.OmsStopProjectOperator, {}, {"status": "RUNNING", "stop_delay": 0.0}),
    "ResumeProject": (operators.OmsResumeProjectOperator, {}, {"status": "SUSPEND"}),
    "ReleaseProject": (operators.OmsReleaseProjectOperator, {}, {"status": "SUSPEND"}),
    "DeleteProject": (operators.OmsDeleteProjectOperator, {}, {"status": "INIT"}),
    "AdvanceProject": (
        operators.OmsAdvanceProjectOperator,
        {"from_step": "FULL_VERIFIER"},
        {"status": "RUNNING", "step": "FULL_VERIFIER", "step_progress": 100},
    ),
    "UpdateProjectConfig": (
        operators.OmsUpdateProjectConfigOperator,
        {"config": {"fullTransferConfig": {"throttleRps": 100}}},
        {"status": "INIT"},
    ),
}

#: OMS has carried out the request, but the answer is lost.
LOST = [
    Fault("reset_after", times=1),
    Fault("truncate", times=1),
    Fault("cut_headers", times=1),
    Fault("html", execute=True, times=1),
    Fault("empty", execute=True, times=1),
    Fault("status", status=504, execute=True, times=1),
    Fault("error", code="GHANA-OPERAT000001", execute=True, times=1),
    Fault("error", code="SOMETHING_ELSE", message="Already under way.", execute=True, times=1),
]

#: OMS has not carried out the request.
NOT_DONE = [
    Fault("reset_before", times=1),
    Fault("status", status=503, times=1),
    Fault("error", code="GHANA-OPERAT000001", times=1),
]


def fault(template, action):
    """Return a copy of a fault, for an action."""
    given = {name: value for name, value in vars(template).items() if name not in ("observed", "fired")}
    return Fault(**{**given, "action": action})


def name_of(value):
    if isinstance(value, Fault):
        return f"{value.kind}-{value.status or value.code}"
    return None


@pytest.mark.parametrize("template", LOST, ids=name_of)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_lost_answer_is_resolved_by_polling(runner, sim, action, template):
    cls, arguments, project = ACTIONS[action]
    project_id = sim.add_project(Project(name="p", **project))
    sim.add_fault(fault(template, action))
    run = runner.run(cls, project_id=project_id, **arguments)
    assert run.error is None
    assert runner.changes() == [action]


@pytest.mark.parametrize("template", NOT_DONE, ids=name_of)
@pytest.mark.parametrize("action", ACTIONS)
def test_what_was_not_done_is_left_to_a_retry(runner, sim, action, template):
    cls, arguments, project = ACTIONS[action]
    project_id = sim.add_project(Project(name="p", **project))
    sim.add_fault(fault(template, action))
    run = runner.run(cls, project_id=project_id, **arguments)
    assert isinstance(run.error, OmsOperationError), run
    assert runner.changes() == [action], "sent more than once"
    again = runner.run(cls, project_id=project_id, **arguments)
    assert again.error is None
    assert runner.changes() == [action]


@pytest.mark.parametrize("action", ACTIONS)
def test_oms_says_no(runner, sim, action):
    """A permanent error isn't retried, and the message has OMS's message."""
    cls, arguments, project = ACTIONS[action]
    project_id = sim.add_project(Project(name="p", **project))
    sim.add_fault(Fault("error", action=action, code="GHANA-OPEROR000001", message="The moon is full.", advice="Wait."))
    run = runner.run(cls, project_id=project_id, **arguments)
    assert isinstance(run.error, OmsOperationRefusedError)
    for words in ("The moon is full.", "GHANA-OPEROR000001", "OMS advises: Wait.", "request id"):
        assert words in str(run.error)
    assert runner.changes() == [action]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (Fault("status", status=401), OmsOperationRefusedError),
        (Fault("redirect"), OmsOperationRefusedError),
        (Fault("status", status=404), OmsOperationRefusedError),
        (Fault("status", status=502), OmsOperationError),
        (Fault("reset_before"), OmsOperationError),
    ],
    ids=["401", "302", "404", "502", "reset"],
)
def test_no_poll_no_action(runner, sim, action, problem, error):
    """If the first poll fails, nothing is changed."""
    cls, arguments, project = ACTIONS[action]
    project_id = sim.add_project(Project(name="p", **project))
    sim.add_fault(fault(problem, None))
    run = runner.run(cls, project_id=project_id, **arguments)
    assert type(run.error) is error
    assert runner.changes() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_an_oms_that_does_not_know_the_action(runner, sim, action):
    cls, arguments, project = ACTIONS[action]
    project_id = sim.add_project(Project(name="p", **project))
    sim.add_fault(Fault("error", action=action, code="INVALID", message=f"Unsupported action: {action}"))
    run = runner.run(cls, project_id=project_id, **arguments)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "doesn't have the action" in str(run.error)


def test_that_there_is_nothing_to_do_is_said(runner, sim, logged):
    project_id = sim.add_project(Project(name="p", status="RUNNING"))
    assert runner.run(operators.OmsStartProjectOperator, project_id=project_id).result == project_id
    assert f"Nothing to do for StartProject: project {project_id} is RUNNING already." in logged()


def test_somebody_else_has_deleted_it_meanwhile(runner, sim):
    """Between the poll and the action the project disappears: a delete task succeeds, a start task doesn't."""
    for action, done in (("DeleteProject", True), ("StartProject", False)):
        cls, arguments, project = ACTIONS[action]
        project_id = sim.add_project(Project(name=action, **project))
        sim.add_fault(Fault("error", action=action, code="GHANA-PROJECT000001", message="Gone.", times=1))
        run = runner.run(cls, project_id=project_id, **arguments)
        assert (run.result, runner.changes()) == (project_id if done else None, [action])
        assert (run.error is None) == done
        assert done or isinstance(run.error, OmsOperationRefusedError)


def test_somebody_else_was_faster(runner, sim):
    """Between the poll and the action somebody starts the project: OMS refuses, and the task succeeds."""
    project_id = sim.add_project(Project(name="p"))
    sim.set_answer("DescribeProjectProgress", {"success": True, "data": {"status": "INIT"}})
    sim.project(project_id).start()

    def once(payload):
        sim.set_answer("DescribeProjectProgress", None)
        return {"success": True, "data": {"status": "INIT"}}

    sim.set_answer("DescribeProjectProgress", once)
    run = runner.run(operators.OmsStartProjectOperator, project_id=project_id)
    assert (run.error, run.result) == (None, project_id)
    assert runner.changes() == ["StartProject"]


@pytest.mark.parametrize("deferrable", [False, True])
class TestWaiting:
    """What can happen while an operator waits."""

    def test_the_id_is_in_xcom_first(self, runner, sim, deferrable):
        project_id = sim.add_project(Project(name="p", status="RUNNING", stop_delay=1e9))
        run = runner.run(
            operators.OmsStopProjectOperator, project_name="p", deferrable=deferrable, timeout=60, poke_interval=30
        )
        assert isinstance(run.error, OmsOperationError)
        assert "1 min (timeout)" in str(run.error)
        assert run.xcoms["project_id"] == project_id

    def test_a_project_that_fails_meanwhile(self, runner, sim, deferrable):
        project_id = sim.add_project(
            Project(
                name="p",
                failures=[Failure("TRANSFER_PRECHECK", at=0, code="GHANA-PCHKNP000010", message="No way in.")],
                status="INIT",
            )
        )
        sim.set_answer("StartProject", {"success": True})  # accepted, but its effect isn't visible yet
        runner.on_pause = lambda: sim.project(project_id).status == "INIT" and sim.project(project_id).start()
        run = runner.run(operators.OmsStartProjectOperator, project_id=project_id, deferrable=deferrable)
        assert isinstance(run.error, OmsMilestoneFailedError)
        assert "No way in." in str(run.error)

    def test_an_old_failure_is_not_taken_for_a_new_one(self, runner, sim, deferrable):
        """Just after a resume, the project may still be shown as FAILED because of a failure last week."""
        project_id = sim.add_project(Project(name="p", status="FAILED", step="FULL_TRANSFER"))
        sim.clock.advance(7 * 86400)
        sim.set_answer("ResumeProject", {"success": True})
        waited = []
        runner.on_pause = lambda: waited.append(1) or (len(waited) == 3 and sim.project(project_id).resume())
        run = runner.run(operators.OmsResumeProjectOperator, project_id=project_id, deferrable=deferrable)
        assert (run.error, run.result) == (None, project_id)

    def test_a_project_that_stays_failed(self, runner, sim, deferrable):
        project_id = sim.add_project(Project(name="p", status="FAILED", step="FULL_TRANSFER"))
        sim.clock.advance(7 * 86400)
        sim.set_answer("ResumeProject", {"success": True})
        run = runner.run(operators.OmsResumeProjectOperator, project_id=project_id, deferrable=deferrable)
        assert isinstance(run.error, OmsMilestoneFailedError)
        assert "Failed to migrate the table." in str(run.error)

    def test_a_project_that_finishes_at_once_after_it_was_resumed(self, runner, sim, deferrable):
        project_id = sim.add_project(Project(name="p", status="SUSPEND"))
        sim.set_answer("ResumeProject", {"success": True})

        def finish():
            sim.project(project_id).set(status_override="FINISHED")

        runner.on_pause = finish
        run = runner.run(operators.OmsResumeProjectOperator, project_id=project_id, deferrable=deferrable)
        assert (run.error, run.result) == (None, project_id)

    def test_a_project_that_vanishes(self, runner, sim, deferrable):
        project_id = sim.add_project(Project(name="p"))
        sim.set_answer("StartProject", {"success": True})
        sim.add_fault(
            Fault("error", action="DescribeProjectProgress", code="GHANA-PROJECT000001", message="Gone.", after=1)
        )
        run = runner.run(operators.OmsStartProjectOperator, project_id=project_id, deferrable=deferrable)
        assert isinstance(run.error, OmsMilestoneFailedError)
        assert "Gone." in str(run.error)

    def test_an_outage_is_waited_out(self, runner, sim, deferrable):
        project_id = sim.add_project(Project(name="p"))
        sim.add_fault(Fault("status", status=503, action="DescribeProjectProgress", after=1, times=4))
        run = runner.run(operators.OmsStartProjectOperator, project_id=project_id, deferrable=deferrable)
        assert (run.error, run.result) == (None, project_id)
        assert runner.changes() == ["StartProject"]

    def test_tearing_down_continues_where_the_project_finishes_instead_of_pausing(self, runner, sim, deferrable):
        project_id = sim.add_project(
            Project(
                name="p", status="RUNNING", step="FULL_TRANSFER", enable_incr=False, enable_full_verify=False,
                enable_struct=False, durations={"FULL_TRANSFER": 5}, stop_delay=3600,
            )
        )  # fmt: skip
        run = runner.run(
            operators.OmsDeleteProjectOperator, project_id=project_id, stop_first=True, deferrable=deferrable
        )
        assert run.error is None
        assert runner.changes() == ["StopProject", "ReleaseProject", "DeleteProject"]
        assert sim.projects == {}


@pytest.mark.parametrize("event", [None, "success", {"status": "odd"}, {}, []])
def test_an_unknown_event_is_no_success(runner, sim, event):
    operator = operators.OmsStartProjectOperator(task_id="task", project_id=sim.add_project(Project(name="p")))
    with pytest.raises(OmsMilestoneFailedError):
        operator.execute_complete({}, event)
    assert runner.asked() == []


class TestKill:
    """Killing a task that waits."""

    @pytest.mark.parametrize("cls", [operators.OmsStartProjectOperator, operators.OmsResumeProjectOperator])
    @pytest.mark.parametrize(("told", "expected"), [(False, []), (True, ["StopProject"])])
    def test_stops_the_project_only_if_told_to(self, runner, sim, cls, told, expected):
        project_id = sim.add_project(Project(name="p", status="RUNNING"))
        cls(task_id="task", project_id=project_id, stop_on_kill=told).on_kill()
        assert runner.changes() == expected

    def test_leaves_a_project_alone_that_does_not_run(self, runner, sim):
        project_id = sim.add_project(Project(name="p", status="FINISHED"))
        operators.OmsStartProjectOperator(task_id="task", project_id=project_id, stop_on_kill=True).on_kill()
        assert runner.changes() == []

    def test_never_raises(self, runner, sim):
        sim.stop()
        operators.OmsStartProjectOperator(task_id="task", project_id="np_1", stop_on_kill=True).on_kill()

    def test_does_nothing_by_default(self, runner, sim):
        operators.OmsStartProjectOperator(task_id="task", project_id="np_1").on_kill()
        operators.OmsStopProjectOperator(task_id="task", project_id="np_1").on_kill()
        assert runner.asked() == []
