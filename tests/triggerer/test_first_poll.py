"""``start_from_trigger``: gates that start in a real triggerer of Airflow 3.3, and what is refused before."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_oms.sensors.oms import (
    OmsCheckpointReachedSensor,
    OmsFullTransferSensor,
    OmsProjectStatusSensor,
    OmsStepSensor,
)
from airflow_provider_oms.simulator import Project
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from airflow_provider_oms.triggers.deferral import SLACK
from airflow_provider_oms.triggers.first_poll import OmsFirstPollTrigger
from tests import modes
from tests.triggerer.gates import POKE_INTERVAL
from tests.triggerer.process import Triggerer, wait_for

only_3_3 = pytest.mark.skipif(not has_task_state_store(), reason="start_from_trigger needs Airflow 3.3")

TRIGGERED = {"task_id": "gate", "deferrable": True, "start_from_trigger": True, "poke_interval": POKE_INTERVAL}

CONTEXT = {"data_interval_end": datetime(2026, 1, 1, tzinfo=UTC), "ds": "2026-01-01"}


def trigger_of(gate, timeout_after=None, context=CONTEXT):
    """Return the trigger that Airflow makes of a gate, with its templates rendered by Airflow."""
    kwargs = json.loads(json.dumps(gate.start_trigger_args.trigger_kwargs))
    trigger = OmsFirstPollTrigger(**kwargs)
    assert trigger.serialize() == (gate.start_trigger_args.trigger_cls, kwargs)
    trigger.task_instance = SimpleNamespace(task_id=gate.task_id, task=gate)
    trigger.timeout_after = timeout_after
    trigger.render_template_fields(context)
    trigger.task_instance = None
    return trigger


def event_of(trigger):
    async def run():
        return [event async for event in trigger.run()]

    (event,) = asyncio.run(run())
    return event.payload


@pytest.mark.skipif(has_task_state_store(), reason="from Airflow 3.3 on it is there")
def test_before_3_3_it_is_refused():
    with pytest.raises(ValueError, match=r"needs Airflow 3\.3"):
        OmsFullTransferSensor(project_id="np_1", **TRIGGERED)


@only_3_3
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"deferrable": False}, "deferrable=True"),
        ({"project_id": "{{ ti.xcom_pull('create') }}"}, "project_id uses ti"),
        ({"project_id": "shop{{ suffix }}"}, "project_id uses suffix"),
        ({"checkpoint": "{{ macros.datetime.now() }}"}, "checkpoint uses macros"),
        ({"checkpoint": "{{ data_interval_end"}, "checkpoint isn't a valid template"),
    ],
)
def test_what_would_not_stay_the_same_in_a_triggerer_is_refused(arguments, named):
    with pytest.raises(ValueError, match=named):
        OmsCheckpointReachedSensor(**{**TRIGGERED, "project_id": "np_1", "checkpoint": "{{ ts }}", **arguments})


@only_3_3
def test_the_result_of_another_task_is_refused():
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        before = OmsFullTransferSensor(task_id="before", project_id="np_1")
        with pytest.raises(ValueError, match=r"project_id is another task's result"):
            OmsFullTransferSensor(project_id=before.output, **TRIGGERED)


@only_3_3
def test_settings_and_rendered_templates_arrive():
    gate = OmsCheckpointReachedSensor(
        project_name="shop_{{ ds }}",
        checkpoint="{{ data_interval_end }}",
        failure_grace=timedelta(seconds=7),
        fail_on_suspend=True,
        oms_conn_id="other",
        **TRIGGERED,
    )
    found = trigger_of(gate)._rendered()
    assert (found.project_id, found.project_name, found.oms_conn_id) == (None, "shop_2026-01-01", "other")
    assert found.milestone.checkpoint == 1767225600.0
    assert (found.poke_interval, found.failure_grace, found.fail_on_suspend) == (POKE_INTERVAL, 7.0, True)


@only_3_3
def test_what_a_person_should_know_is_said_at_the_start(caplog, capfd):
    trigger_of(OmsProjectStatusSensor(project_id="np_1", target_statuses="PAUSED", **TRIGGERED))._rendered()
    trigger_of(OmsCheckpointReachedSensor(project_id="np_1", checkpoint="2026-01-01", **TRIGGERED))._rendered()
    said = caplog.text + capfd.readouterr().out
    assert "PAUSED isn't a status that OceanBase documents. Did you mean SUSPEND?" in said
    assert "checkpoint has no time zone; it is taken for 2026-01-01T00:00:00+00:00" in said


@only_3_3
@pytest.mark.parametrize("limit", [None, timedelta(seconds=100), timedelta(days=1)])
def test_the_deadline_counts_from_the_start_of_the_task_also_after_a_restart(limit):
    gate = OmsFullTransferSensor(project_id="np_1", timeout=500, execution_timeout=limit, **TRIGGERED)
    begun = 1_800_000_000.0
    allowed = gate.start_trigger_args.timeout.total_seconds()
    assert allowed == 500 + SLACK
    # The earlier of the two, as in Airflow.
    ends = begun + (allowed if limit is None else min(allowed, limit.total_seconds()))
    for _ in range(2):
        for zone in (UTC, timezone(timedelta(hours=8))):
            assert trigger_of(gate, datetime.fromtimestamp(ends, zone))._deadline() == begun + 500


@only_3_3
@pytest.mark.parametrize(
    ("rendered", "said"), [({"data_interval_end": "soon"}, "checkpoint must be"), ({}, "template can't be rendered")]
)
def test_a_setting_that_turns_out_wrong_fails_the_gate_with_a_message(rendered, said, sim):
    gate = OmsCheckpointReachedSensor(project_id="np_1", checkpoint="{{ data_interval_end }}", **TRIGGERED)
    event = event_of(trigger_of(gate, context=rendered))
    assert event["status"] == "failed"
    assert said in event["message"]
    assert sim.requests == []


@only_3_3
def test_templates_that_nobody_rendered_fail_the_gate(sim):
    """As after a restart of the triggerer, if the argument was removed from the DAG while the gate waits."""
    gate = OmsProjectStatusSensor(project_id="np_{{ ds }}", target_statuses="DELETED", **TRIGGERED)
    event = event_of(OmsFirstPollTrigger(**gate.start_trigger_args.trigger_kwargs))
    assert event["status"] == "failed"
    assert "has not rendered project_id" in event["message"]


@only_3_3
def test_on_a_worker_such_a_gate_polls_there_as_ever(sim):
    """``dag.test()`` and Airflow with mapped tasks run it on a worker."""
    sim.add_project(Project(id="np_1", status="FINISHED"))
    gate = OmsProjectStatusSensor(project_id="np_1", target_statuses="FINISHED", **TRIGGERED)
    assert gate.execute(modes.context())["status"] == "FINISHED"


@only_3_3
def test_in_a_real_triggerer_that_is_killed(airflow_db, sim, tmp_path):
    from tests.triggerer.database import Run

    sim.add_project(
        Project(id="np_1", name=f"shop_{datetime.now(UTC):%Y-%m-%d}", status="RUNNING", step="FULL_TRANSFER")
    )
    mapped = {name: value for name, value in TRIGGERED.items() if name != "task_id"}
    with DAG("oms_first_poll", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        step = OmsStepSensor(**{**TRIGGERED, "task_id": "step"}, project_name="shop_{{ ds }}", step="FULL_TRANSFER")
        OmsProjectStatusSensor(**{**TRIGGERED, "task_id": "status"}, project_id="np_1", target_statuses=["FINISHED"])
        OmsCheckpointReachedSensor(
            **{**TRIGGERED, "task_id": "wrong"}, project_id="np_1", checkpoint="{{ dag_run.conf['nothing'] }}"
        )
        OmsFullTransferSensor.partial(task_id="mapped", **mapped).expand(project_id=["np_1"])
    run = Run(dag, airflow_db)
    with Triggerer(tmp_path / "triggerer.log") as triggerer:
        try:
            assert run.start() == {"step": True, "status": True, "wrong": True, "mapped": False}
            wait_for("the wrong one has failed", lambda: run.rows()["wrong"].state == "scheduled", triggerer)
            wait_for("the name is resolved", lambda: run.rows()["step"].state == "scheduled", triggerer)
            resolved = run.events()["step"]
            assert (resolved["status"], resolved["observed"]["project"]) == ("resolved", "np_1")
            with pytest.raises(TaskDeferred) as deferral:
                step.execute_complete(modes.context(), event=resolved)
            run.defer({"step": deferral.value})
            triggerer.kill()
            triggerer.start()
            sim.clock.advance(3600)
            wait_for("the step is done", lambda: run.rows()["step"].state == "scheduled", triggerer)
            events = run.events()
        finally:
            run.delete()
    assert events["step"]["status"] == "reached"
    assert events["wrong"]["status"] == "failed"
    assert "nothing" in events["wrong"]["message"]
    assert events["status"] is None
