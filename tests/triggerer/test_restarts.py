"""A real triggerer that is killed long after the gates were deferred: earlier observations no longer count.

tests/triggers/test_restarts.py does the same without a triggerer, for every part of a gate's memory.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.sensors.oms import OmsCheckpointLagSensor, OmsFullTransferSensor
from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
from tests import modes
from tests.triggerer.gates import POKE_INTERVAL
from tests.triggerer.process import Triggerer, wait_for
from tests.triggerer.witness import Witness

#: Seconds for which the lag must hold: longer than the test takes on any machine.
HOLD = 86_400

#: Polls after which a gate would have acted on earlier observations.
SOME = 3


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def oms(witness, monkeypatch):
    """A simulated OMS with a project whose lag is small, and one in full transfer."""
    projects = [
        Project(id="np_lag", name="lag", status="RUNNING", step="INCR_TRANSFER"),
        Project(id="np_first", name="shop", status="RUNNING", step="FULL_TRANSFER", durations={"FULL_TRANSFER": 10**9}),
    ]
    with Simulator(projects, clock=Clock(speed=0), on_request=witness) as sim:
        fields = {**json.loads(sim.connection_json), "extra": {"retries": 0}}
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(fields))
        yield sim


def deferral_of(task, act=lambda task: task.execute(modes.context())):
    with pytest.raises(TaskDeferred) as deferral:
        act(task)
    return deferral.value


def test_nothing_that_was_observed_before_a_restart_counts(airflow_db, oms, witness, tmp_path):
    from tests.triggerer.database import Run

    settings = {"deferrable": True, "poke_interval": POKE_INTERVAL}
    with DAG("oms_restarts", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        held = OmsCheckpointLagSensor(task_id="held", project_id="np_lag", max_lag=60, hold_for=HOLD, **settings)
        named = OmsFullTransferSensor(task_id="named", project_name="shop", **settings)
    oms.project("np_lag").set_lag(10)
    run = Run(dag, airflow_db)
    with Triggerer(tmp_path / "triggerer.log") as triggerer:

        def polled(project, times):
            began = time.time()
            wait_for(
                f"{project} is polled {times} times",
                lambda: witness.answered_since(began)[project] >= times,
                triggerer,
            )

        try:
            # On the worker the lag is small, and the name can't be looked up.
            deferrals = {"held": deferral_of(held)}
            oms.add_fault(Fault("status", status=503))
            deferrals["named"] = deferral_of(named)
            oms.clear_faults()
            run.defer(deferrals)

            # The triggerer looks up the name, and a worker writes the id into the row.
            wait_for("the name is resolved", lambda: run.rows()["named"].state == "scheduled", triggerer)
            event = run.events()["named"]
            assert (event["status"], event["observed"]["project"]) == ("resolved", "np_first")
            run.defer({"named": deferral_of(named, lambda task: task.execute_complete(modes.context(), event=event))})

            # The lag was small once, and is now large for longer than it would have to be small.
            oms.project("np_lag").set_lag(5000)
            polled("np_lag", SOME)
            polled("np_first", SOME)
            oms.clock.advance(2 * HOLD)

            # Meanwhile another project gets the name, and its full transfer is done.
            assert triggerer.kill() > 0
            oms.project("np_first").pause()
            oms.project("np_first").release()
            oms.clock.advance(3600)
            with OmsHook() as hook:
                hook.delete_project("np_first")
            oms.add_project(Project(id="np_second", name="shop", status="RUNNING", step="INCR_TRANSFER"))
            oms.project("np_lag").set_lag(10)
            triggerer.start()
            polled("np_lag", SOME)
            wait_for("the gate by name has ended", lambda: run.rows()["named"].state == "scheduled", triggerer)
            states = {task_id: row.state for task_id, row in run.rows().items()}
            events = run.events()
        finally:
            run.delete()
    assert states == {"held": "deferred", "named": "scheduled"}
    assert (events["named"]["status"], events["named"]["observed"]["project"]) == ("failed", "np_first")
