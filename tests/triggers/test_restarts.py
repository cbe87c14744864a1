"""A triggerer that is killed and started again: the trigger gets its arguments as the worker wrote them.

A trigger is run for some polls, killed, and made again from the same row. tests/triggerer kills real triggerers.
"""

from __future__ import annotations

import asyncio
import json
import time
from importlib import import_module

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_oms.exceptions import OmsMilestoneFailedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.context import POLLS_OF_AN_OUTAGE
from airflow_provider_oms.simulator import Fault, Project
from airflow_provider_oms.tasks import clock
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from airflow_provider_oms.triggers import oms as oms_trigger
from tests import modes
from tests.clocks import Elapsed, pause_at_once
from tests.triggers.conftest import let_pass

PATIENCE = 600
POLLS = range(PATIENCE // 30)  # enough requests to take up the whole tolerance


class Killed(Exception):
    """The triggerer's process has ended."""


class Triggerer:
    """Runs a trigger from its row in Airflow, poll after poll, with a clock of its own."""

    def __init__(self, monkeypatch):
        # Ahead of the real time, so that no answer seems to be late.
        self.clock = Elapsed(time.time() + 1000.0, 1000.0)
        self.rest = 0
        self.keeps_setting = False

        def pause(seconds):
            if self.rest == 0:
                raise Killed
            self.rest -= 1
            self.clock.sleep(seconds)
            self.clock.set_by = 5000.0 - self.clock.set_by if self.keeps_setting else 0.0
            let_pass(seconds)

        pause_at_once(monkeypatch, pause)
        self.clock.install(monkeypatch, clock, oms_trigger)

    def run(self, trigger, polls):
        """Run a trigger for some polls, then kill it; return its event, and how many polls it took if it fired."""
        classpath, kwargs = trigger.serialize()
        module, name = classpath.rsplit(".", 1)
        loaded = getattr(import_module(module), name)(**json.loads(json.dumps(kwargs)))
        self.rest = polls

        async def fire():
            return [event async for event in loaded.run()]

        try:
            (event,) = asyncio.run(fire())
        except Killed:
            return None, polls
        return json.loads(json.dumps(event.payload)), polls - self.rest


@pytest.fixture
def triggerer(monkeypatch):
    return Triggerer(monkeypatch)


@pytest.fixture
def worker(sim, monkeypatch):
    """Poll on a worker and return the deferral. The retries of a request there don't pause."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def poll(gate):
        with pytest.raises(TaskDeferred) as deferral:
            gate.execute(modes.context())
        return deferral.value

    return poll


def gate(sensor="OmsFullTransferSensor", arguments=None, **more):
    settings = {"timeout": 7 * 86_400, "poke_interval": 30, **more}
    return modes.make(sensor, arguments or {}, deferrable=True, **settings)


def says(sim, lag=10, **fields):
    """Let OMS answer like this from now on."""
    sim.clear_faults()
    good = {"status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 50, "enableIncrSync": True}
    data = {**good, "incrSyncCheckpoint": int(sim.clock.now()) - lag, **fields}
    sim.set_answer("DescribeProjectProgress", {"success": True, "data": data})
    sim.set_answer("DescribeProjectSteps", {"success": True, "data": []})


def is_away(sim):
    sim.add_fault(Fault("status", status=503))


#: What a gate would remember: the gate, the answers at which a condition begins and ends, and the verdict once it
#: lasts.
REMEMBERED = {
    "a small lag": (
        lambda: gate("OmsCheckpointLagSensor", {"max_lag": 60, "hold_for": PATIENCE}),
        lambda sim: says(sim, lag=10, fullTransferProgress=100),
        lambda sim: says(sim, lag=5000, fullTransferProgress=100),
        "reached",
    ),
    "an outage": (lambda: gate(outage_tolerance=PATIENCE), is_away, says, "failed"),
    "a failure": (
        lambda: gate(failure_grace=PATIENCE - 1),
        lambda sim: says(sim, status="FAILED"),
        says,
        "failed",
    ),
}


@pytest.fixture(params=REMEMBERED)
def remembered(request, sim):
    make, begins, ends, outcome = REMEMBERED[request.param]
    return make, lambda: begins(sim), lambda: ends(sim), outcome


def test_after_a_restart_everything_counts_again(remembered, triggerer, worker):
    """The condition held on the worker, days ago; then it ended; and now it has just begun again."""
    make, begins, ends, outcome = remembered
    begins()
    row = worker(make()).trigger
    ends()
    assert triggerer.run(row, polls=10) == (None, 10)
    begins()
    event, polls = triggerer.run(row, polls=100)
    assert event["status"] == outcome
    assert polls == len(POLLS) + 1


def test_a_restart_in_between_forgets_what_had_lasted(remembered, triggerer, worker):
    make, begins, _, outcome = remembered
    begins()
    row = worker(make()).trigger
    for _ in range(3):
        assert triggerer.run(row, polls=len(POLLS)) == (None, len(POLLS))
    event, polls = triggerer.run(row, polls=100)
    assert (event["status"], polls) == (outcome, len(POLLS) + 1)


def test_without_one_it_ends_the_wait(remembered, triggerer, worker):
    make, begins, _, outcome = remembered
    begins()
    event, polls = triggerer.run(worker(make()).trigger, polls=100)
    assert (event["status"], polls) == (outcome, len(POLLS) + 1)


def test_setting_the_clock_disturbs_nothing(remembered, triggerer, worker):
    make, begins, _, outcome = remembered
    begins()
    row = worker(make()).trigger
    triggerer.keeps_setting = True
    event, _ = triggerer.run(row, polls=10 * len(POLLS))
    assert event["status"] == outcome


def test_how_old_oms_says_that_a_failure_is_counts_over_a_restart(triggerer, worker, sim):
    says(sim, status="FAILED")
    row = worker(gate(failure_grace=PATIENCE)).trigger
    assert triggerer.run(row, polls=1) == (None, 1)
    extra = {"errorCode": "X-1", "errorMsg": "the disk is full", "failedTime": "2001-01-01T00:00:00.000"}
    step = {"order": 1, "name": "FULL_TRANSFER", "status": "FAILED", "progress": 50, "extraInfo": extra}
    sim.set_answer("DescribeProjectSteps", {"success": True, "data": [step]})
    event, polls = triggerer.run(row, polls=10)
    assert (event["status"], polls) == ("failed", 1)


def test_a_single_lost_answer_after_a_restart_ends_nothing(triggerer, worker, sim):
    is_away(sim)
    row = worker(gate(poke_interval=3600)).trigger
    for _ in range(5):
        assert triggerer.run(row, polls=POLLS_OF_AN_OUTAGE - 1) == (None, POLLS_OF_AN_OUTAGE - 1)


@pytest.mark.parametrize("sensor", ["OmsFullTransferSensor", "OmsProjectStatusSensor"])
def test_a_row_holds_nothing_that_grows_stale(sensor, worker, sim):
    sim.add_project(Project(id="np_7", name="shop", status="RUNNING"))
    says(sim, status="FAILED")
    arguments = {"target_statuses": "FINISHED"} if "Status" in sensor else {}
    by_name = worker(gate(sensor, arguments, project_name="shop")).trigger.serialize()[1]
    by_id = worker(gate(sensor, arguments)).trigger.serialize()[1]
    assert set(by_name) == set(by_id) == {"gate", "deadline", "projects", "observed", "version"}
    assert (by_name["projects"], by_id["projects"]) == ({"shop": "np_7"}, {})


# A gate stays with one project


@pytest.fixture
def shop(sim):
    sim.add_project(Project(id="np_1", name="shop", status="RUNNING"))
    return sim


def recreate(sim):
    """Delete the project and create another one under its name, whose full transfer is done."""
    live = sim.project("np_1")
    live.pause()
    live.release()
    sim.clock.advance(3600)
    with OmsHook() as hook:
        hook.delete_project("np_1")
    sim.add_project(Project(id="np_2", name="shop", status="RUNNING", step="INCR_TRANSFER"))


def looked_up(sim):
    return len([one for one in sim.requests if one.action == "ListProjects" and one.outcome == "success"])


def named(**more):
    return gate(project_name="shop", **more)


def test_a_project_that_was_created_again_does_not_take_the_place_of_the_first(shop, triggerer, worker):
    row = worker(named()).trigger
    assert triggerer.run(row, polls=3) == (None, 3)
    recreate(shop)
    event, _ = triggerer.run(row, polls=3)
    assert event["status"] == "failed"
    assert event["observed"]["project"] == "np_1"
    assert looked_up(shop) == 1


def test_nor_where_the_triggerer_has_looked_the_name_up(shop, triggerer, worker):
    """The first poll was an outage. A worker writes the id into the row; the deadline and the settings stay."""
    is_away(shop)
    sensor = named()
    first = worker(sensor)
    assert first.trigger.serialize()[1]["projects"] == {}
    assert triggerer.run(first.trigger, polls=2) == (None, 2)
    shop.clear_faults()
    event, polls = triggerer.run(first.trigger, polls=10)
    assert (event["status"], event["observed"]["project"], polls) == ("resolved", "np_1", 1)

    sensor.project_name, sensor.poke_interval, sensor.timeout = "changed", 7, 1  # the DAG has been changed since then
    with pytest.raises(TaskDeferred) as deferral:
        sensor.execute_complete(modes.context(), event=event)
    second = deferral.value.trigger
    resolved = {"projects": {"shop": "np_1"}, "observed": {"np_1": OmsHook().origin()}}
    expected = {**first.trigger.serialize()[1], **resolved}
    assert second.serialize()[1] == expected
    assert deferral.value.timeout <= first.timeout
    assert (first.timeout - deferral.value.timeout).total_seconds() < 3600

    assert triggerer.run(second, polls=3) == (None, 3)
    recreate(shop)
    event, _ = triggerer.run(second, polls=3)
    assert (event["status"], event["observed"]["project"]) == ("failed", "np_1")
    assert looked_up(shop) == 1


def test_a_name_that_is_resolved_by_the_poll_that_opens_the_gate_needs_no_worker(shop, triggerer, worker):
    is_away(shop)
    row = worker(named()).trigger
    shop.clear_faults()
    shop.clock.advance(36_000)
    event, polls = triggerer.run(row, polls=10)
    assert (event["status"], polls) == ("reached", 1)


def test_a_name_that_is_resolved_at_the_deadline_is_a_time_out(shop, triggerer, worker):
    is_away(shop)
    row = worker(named(timeout=0)).trigger
    shop.clear_faults()
    event, _ = triggerer.run(row, polls=10)
    assert event["status"] == "timeout"


def test_a_name_that_leads_to_nothing_fails(triggerer, worker, sim):
    is_away(sim)
    row = worker(named()).trigger
    sim.clear_faults()
    event, _ = triggerer.run(row, polls=10)
    assert event["status"] == "failed"
    with pytest.raises(OmsMilestoneFailedError, match="'shop'"):
        named().execute_complete(modes.context(), event=event)


@pytest.mark.skipif(not has_task_state_store(), reason="start_from_trigger needs Airflow 3.3")
def test_a_gate_that_was_on_no_worker_has_its_id_written_too(shop, triggerer):
    from airflow_provider_oms.triggers.first_poll import OmsFirstPollTrigger

    sensor = named(start_from_trigger=True)
    kwargs = sensor.start_trigger_args.trigger_kwargs
    event, polls = triggerer.run(OmsFirstPollTrigger(**kwargs), polls=10)
    assert (event["status"], polls) == ("resolved", 1)
    with pytest.raises(TaskDeferred) as deferral:
        sensor.execute_complete(modes.context(), event=event)
    assert deferral.value.trigger.serialize()[1]["projects"] == {"shop": "np_1"}
    recreate(shop)
    event, _ = triggerer.run(deferral.value.trigger, polls=3)
    assert (event["status"], event["observed"]["project"]) == ("failed", "np_1")
