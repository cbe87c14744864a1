"""Waiting on a worker: how often OMS is asked, when it ends, and what isn't a success."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.milestones.gate import SHORTEST_INTERVAL
from airflow_provider_oms.operators import create
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Clock, DataSource, Project, Simulator
from tests.operators.test_arguments import ALL, WAITING

ON_A_PROJECT = [cls for cls in WAITING if issubclass(cls, operators.OmsProjectActionOperator)]


@pytest.mark.parametrize("cls", WAITING)
@pytest.mark.parametrize("interval", [0, 0.001, 0.999, "0"])
def test_no_interval_is_shorter_than_the_shortest(cls, interval):
    assert cls(task_id="task", **ALL[cls], poke_interval=interval).poke_interval == SHORTEST_INTERVAL


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (operators.OmsStopProjectOperator, {"project_name": "p"}),
        (operators.OmsStopProjectsByLabelOperator, {"label_name": "nightly"}),
    ],
)
def test_an_interval_of_nothing_asks_once_a_second(runner, sim, cls, arguments, deferrable):
    sim.add_project(Project(name="p", status="RUNNING", labels=["nightly"], stop_delay=1e9))
    run = runner.run(cls, **arguments, poke_interval=0, timeout=30, deferrable=deferrable)
    assert isinstance(run.error, OmsOperationError)
    polls = runner.asked().count("DescribeProjectProgress")
    assert polls <= 30 + 3  # a poll a second, those before and after the action, and the one at the deadline


@pytest.mark.parametrize("timeout", [0, 1, 5, 59, 60, 61, 125])
@pytest.mark.parametrize("interval", [1, 60, 3600])
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_timeout_is_kept_however_long_the_interval(runner, sim, timeout, interval, deferrable):
    sim.add_project(Project(name="p", status="RUNNING", stop_delay=1e9))
    run = runner.run(
        operators.OmsStopProjectOperator,
        project_name="p",
        poke_interval=interval,
        timeout=timeout,
        deferrable=deferrable,
    )
    assert isinstance(run.error, OmsOperationError)
    assert sum(runner.pauses) <= timeout + 1e-3


@pytest.mark.parametrize("deferrable", [False, True])
def test_what_is_reached_before_the_deadline_counts(runner, sim, deferrable):
    sim.add_project(Project(name="p", status="RUNNING", stop_delay=50))
    run = runner.run(
        operators.OmsStopProjectOperator, project_name="p", poke_interval=3600, timeout=60, deferrable=deferrable
    )
    assert run.error is None


@pytest.mark.parametrize("timeout", [0, 1, 3, 12])
def test_the_timeout_of_a_precheck_is_kept(runner, sim, timeout):
    body = {
        **ALL[operators.OmsCreateProjectOperator]["project"],
        "sourceEndpointId": sim.add_data_source(DataSource(name="source", type="MYSQL")),
        "sinkEndpointId": sim.add_data_source(DataSource(name="target", type="OB_MYSQL")),
    }
    sim.set_answer("GetPreCheckResult", {"success": True, "data": {"preCheckStatus": "RUNNING"}})
    run = runner.run(operators.OmsCreateProjectOperator, project=body, precheck=True, precheck_timeout=timeout)
    assert isinstance(run.error, OmsOperationError)
    assert sum(runner.pauses) <= timeout + 1e-3
    assert max(runner.pauses, default=0) <= create.PRE_CHECK_INTERVAL


@pytest.mark.parametrize("cls", WAITING)
@pytest.mark.parametrize(
    "observed",
    [
        *(None, {}, "RUNNING", {"project": None, "status": "RUNNING"}, {"status": "RUNNING"}),
        *({"project": "np_1"}, {"project": "np_1", "status": None}, {"project": "np_1", "status": ""}),
        *({"project": "", "status": "RUNNING"}, {"project": 7, "status": "RUNNING"}),
    ],
)
def test_an_event_that_does_not_say_what_was_reached_is_no_success(runner, cls, observed):
    operator = cls(task_id="task", **ALL[cls])
    with pytest.raises(OmsMilestoneFailedError, match=r"doesn't say what was reached|an event that is not known"):
        operator.execute_complete({}, {"status": "reached", "message": "", "observed": observed})
    assert runner.asked() == []


#: By action, the statuses in which a resumed task finds the project in another state.
ELSEWHERE = {
    operators.OmsStartProjectOperator: ["SUSPEND", "FAILED", "RELEASING", "RELEASED", "DELETED", "ODD"],
    operators.OmsStopProjectOperator: ["INIT", "FAILED", "FINISHED", "RELEASING", "RELEASED", "DELETED", "ODD"],
    operators.OmsResumeProjectOperator: ["INIT", "RELEASING", "RELEASED", "DELETED", "ODD"],
    operators.OmsReleaseProjectOperator: ["INIT", "RUNNING", "ODD"],
    operators.OmsDeleteProjectOperator: ["RUNNING", "SUSPEND", "FAILED", "FINISHED", "RELEASING", "ODD"],
}


@pytest.mark.parametrize(("cls", "status"), [(cls, status) for cls in ELSEWHERE for status in ELSEWHERE[cls]])
def test_a_resumed_task_that_finds_the_project_elsewhere_is_no_success(runner, sim, cls, status):
    assert set(ELSEWHERE) == set(ON_A_PROJECT)
    operator = cls(task_id="task", project_id="np_1", wait_for_completion=False)
    event = {"status": "reached", "message": "", "observed": {"project": "np_1", "status": status}}
    with pytest.raises(OmsOperationRefusedError, match=f"this one is {status}|deleted or never existed"):
        operator.execute_complete({}, event)
    assert runner.asked() == []


@pytest.mark.parametrize("cls", [operators.OmsDeleteProjectOperator, operators.OmsReleaseProjectOperator])
def test_a_project_that_oms_does_not_know_is_warned_about(runner, sim, cls, caplog, capfd):
    """It may have been deleted; a wrong id looks the same."""
    run = runner.run(cls, project_id="np_gone")
    assert (run.error, run.result) == (None, "np_gone")
    said = caplog.text + capfd.readouterr().out
    assert "OMS has no project np_gone: it was deleted, or it never existed" in said


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("which", [{"project_id": "np_1"}, {"project_ids": ["np_1"]}])
@pytest.mark.parametrize("cls", [operators.OmsReleaseProjectOperator, operators.OmsDeleteProjectOperator])
def test_another_oms_that_does_not_have_the_project_has_not_ended_it(runner, sim, monkeypatch, cls, which, deferrable):
    """The Airflow connection is changed while the task waits: that the project isn't there says nothing."""
    monkeypatch.setattr("airflow_provider_oms.hooks.oms.RECHECK", 0)
    sim.add_project(Project(id="np_1", name="p", status="SUSPEND", release_delay=1e9))
    with Simulator(clock=Clock(speed=0)) as other:

        def carry_out(_):
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", other.connection_json)

        sim.set_answer("ReleaseProject", carry_out)
        run = runner.run(
            cls,
            **which,
            **({"stop_first": True} if cls is operators.OmsDeleteProjectOperator else {}),
            timeout=600,
            deferrable=deferrable,
        )
        assert run.error is not None
        assert "It was observed at" in str(run.error)
        assert not [record for record in other.requests if record.action.endswith("Project")]


@pytest.mark.parametrize("which", [{"project_id": "np_1"}, {"project_ids": ["np_1"]}])
def test_a_resumed_task_does_not_go_on_at_another_oms(runner, sim, monkeypatch, which):
    """The connection was changed after the trigger's event. There, the project would seem to be deleted already."""
    sim.add_project(Project(id="np_1", name="p", status="SUSPEND", release_delay=50))
    with Simulator(clock=Clock(speed=0)) as other:
        resumed = operators.OmsDeleteProjectOperator.execute_complete

        def resume(self, context, event):
            assert event["oms"].startswith(sim.url)
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", other.connection_json)
            return resumed(self, context, event)

        monkeypatch.setattr(operators.OmsDeleteProjectOperator, "execute_complete", resume)
        run = runner.run(operators.OmsDeleteProjectOperator, **which, stop_first=True, timeout=600, deferrable=True)
        assert isinstance(run.error, OmsOperationRefusedError)
        assert f"leads to {other.url} now" in str(run.error)
        assert other.requests == []
    assert sim.project("np_1").status == "RELEASED"
