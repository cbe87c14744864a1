"""Any action of OMS."""

from __future__ import annotations

import pytest

from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.oms import OmsActionOperator
from airflow_provider_oms.simulator import Fault, Project
from tests.connections import connect


def test_returns_what_oms_sent(runner, sim):
    sim.add_label("nightly")
    run = runner.run(OmsActionOperator, action="ListAllLabels")
    assert [label["name"] for label in run.result] == ["nightly"]


def test_sends_the_payload(runner, sim):
    project_id = sim.add_project(Project(name="p"))
    runner.run(OmsActionOperator, action="StartProject", payload={"id": project_id})
    assert runner.asked() == ["StartProject"]
    assert sim.project(project_id).status == "RUNNING"


@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
def test_what_was_lost_is_not_sent_again(runner, sim, kind):
    sim.add_fault(Fault(kind, action="CreateLabel", times=1))
    run = runner.run(OmsActionOperator, action="CreateLabel", payload={"name": "x"})
    assert isinstance(run.error, OmsOperationError)
    assert runner.asked() == ["CreateLabel"]


@pytest.mark.parametrize(("given", "times"), [({}, 1), ({"reads_only": False}, 1), ({"reads_only": True}, 3)])
def test_only_what_reads_is_sent_again_within_a_try(runner, sim, monkeypatch, given, times):
    connect(monkeypatch, sim, retries=2)
    sim.add_fault(Fault("status", status=503, action="ListAllLabels"))
    run = runner.run(OmsActionOperator, action="ListAllLabels", **given)
    assert isinstance(run.error, OmsOperationError)
    assert runner.asked() == ["ListAllLabels"] * times


def test_oms_says_no(runner):
    run = runner.run(OmsActionOperator, action="StartProject", payload={"id": "np_gone"})
    assert isinstance(run.error, OmsOperationRefusedError)


@pytest.mark.parametrize("action", ["", "List Projects", "x&y", None, 3])
def test_mistakes_in_the_action(action):
    with pytest.raises(ValueError, match="action must"):
        OmsActionOperator(task_id="task", action=action)


@pytest.mark.parametrize("payload", [[], "{}", 3])
def test_mistakes_in_the_payload(payload):
    with pytest.raises(ValueError, match="payload must"):
        OmsActionOperator(task_id="task", action="ListProjects", payload=payload)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("action", value) for value in (None, "", "None", "nan", "Start Project", 3, [])),
        *(("payload", value) for value in ("{}", "None", '{"id": "np_1"}', [], 3)),
    ],
)
def test_what_a_template_made_of_it(runner, argument, value):
    operator = OmsActionOperator(task_id="task", **{"action": "ListProjects", argument: "{{ later }}"})
    setattr(operator, argument, value)
    run = runner.go(operator)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert str(run.error).startswith(f"{argument} must be")
    assert runner.asked() == []
