"""200 deferred gates over 20 projects in a real ``airflow triggerer``, which is killed; and an outage of OMS.

The simulated clock stands still until every gate that may be open is open and every project was polled; then it
advances by one step. So what a gate may report is known exactly on any machine, and gates open in the right order:
those of one step before those of the next.
"""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_oms.sensors import oms as sensors
from airflow_provider_oms.simulator import Clock, Fault, Simulator
from tests import modes
from tests.triggerer import gates
from tests.triggerer.gates import GATES_EACH, POKE_INTERVAL, Planned
from tests.triggerer.process import Triggerer, wait_for
from tests.triggerer.witness import Witness

PASSWORD = "not-to-be-found-anywhere"

#: Simulated seconds of a step of the clock.
STEP = 120.0

#: How many gates are open when the triggerer is killed, and when the outage begins.
OPEN_AT_KILL, OPEN_AT_OUTAGE = 40, 80

#: Gates that open because of an answer after the one about progress.
DECIDED_BY_STEPS = ("OmsStepSensor", "OmsFullVerificationSensor", "OmsCutoverReadySensor")

#: 20 projects, each with the two views that gates request: progress and steps.
VIEWS = 40

#: How many polls of each project OMS doesn't answer during the outage, at least.
LOST = 3


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def oms(witness, monkeypatch):
    """A simulated OMS whose clock stands still until the test advances it."""
    with Simulator(password=PASSWORD, clock=Clock(speed=0), on_request=witness) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        yield sim


@pytest.fixture
def triggerer(airflow_db, oms, tmp_path):
    """A running triggerer; it is killed however the test ends."""
    with Triggerer(tmp_path / "triggerer.log") as running:
        yield running


def deferrals_of(dag):
    """Let each gate poll on the worker, and return the TaskDeferred that it raises."""
    raised = {}
    for task in dag.tasks:
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(modes.context())
        raised[task.task_id] = deferred.value
    return raised


def make_gate(planned: Planned):
    return getattr(sensors, planned.sensor)(
        task_id=planned.task_id, deferrable=True, poke_interval=POKE_INTERVAL, **planned.arguments
    )


def test_gates_open_whatever_happens_to_the_triggerer_and_to_oms(airflow_db, oms, witness, triggerer, capsys):
    from tests.triggerer.database import Run

    planned = [gate for plan in gates.plans(oms.clock.now()) for gate in plan.gates]
    for plan in gates.plans(oms.clock.now()):
        oms.add_project(plan.project)
    with DAG("oms_real_triggerer", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None) as dag:
        for gate in planned:
            make_gate(gate)
    assert len(planned) == len(dag.tasks) == 200
    assert len({gate.project for gate in planned}) == 20

    run = Run(dag, airflow_db)
    try:
        run.defer(deferrals_of(dag))
        stored = run.trigger_rows()
        assert len(stored) == 200
        story = Story(oms, witness, triggerer, run, planned)
        story.watch()
        story.start_projects()
        story.go_on(until=OPEN_AT_KILL)
        requests = story.requests()
        story.kill_triggerer()
        story.go_on(until=OPEN_AT_OUTAGE)
        story.take_oms_away()
        story.go_on(until=len(planned))
        events, rows = run.events(), run.rows()
    finally:
        run.delete()

    # All are open: none is lost, none has failed.
    reached = {task for task, event in events.items() if event and event["status"] == "reached"}
    lost = {gate.task_id: (rows[gate.task_id], events[gate.task_id]) for gate in planned if gate.task_id not in reached}
    assert lost == {}
    assert {row.next_method for row in rows.values()} == {"execute_complete"}
    for gate in planned:
        event = events[gate.task_id]
        assert dag.get_task(gate.task_id).execute_complete(modes.context(), event=event) == event["observed"]
        # What it observed is of the step in which it opened. Progress is requested first, and its time is reported: the
        # clock may advance between it and the steps, which decide some gates.
        ago = story.opened[gate.task_id] - datetime.fromisoformat(event["observed"]["time"]).timestamp()
        assert int(ago) in ((0, STEP) if gate.sensor in DECIDED_BY_STEPS else (0,)), gate

    # The gates of a project share its requests. (On a machine that is too slow for the interval there are fewer
    # requests.)
    assert sum(requests.values()) / len(requests) < GATES_EACH / 2

    # The database contains no secret.
    for text in (PASSWORD, *(base64.b64encode(one.encode()).decode() for one in (PASSWORD, f"{oms.login}:{PASSWORD}"))):
        assert not any(text in row for row in stored)
        assert text not in triggerer.text()

    with capsys.disabled():
        print(  # noqa: T201 - the figures that the documents quote
            f"\n{len(planned)} gates over {len(oms.projects)} projects in a real triggerer: {len(reached)} open, none "
            f"early, in {story.steps} steps; {story.open_at_kill} were open at the SIGKILL, {story.open_at_outage} "
            f"when OMS went away; requests per project, view and interval: "
            f"{sum(requests.values()) / len(requests):.2f} on average, {max(requests.values()):.2f} at most "
            f"({GATES_EACH} gates each)"
        )


class Story:
    """What happens to the gates, in its order."""

    def __init__(self, oms, witness, triggerer, run, planned):
        self.oms, self.witness, self.triggerer, self.run, self.planned = oms, witness, triggerer, run, planned
        #: For each gate, the simulated time of the step in which it has opened.
        self.opened: dict[str, float] = {}
        self.open_at_kill = self.open_at_outage = self.steps = 0
        self._begun = self._moved = time.time()

    def watch(self):
        """Wait until the triggerer runs all gates; none of them may have opened."""
        wait_for("the triggerer claims all triggers", lambda: self.run.unclaimed() == 0, self.triggerer)
        self._settle()
        assert self.opened == {}
        self._begun = time.time()

    def start_projects(self):
        """Start all projects. The clock doesn't advance by itself."""
        for project in self.oms.projects.values():
            project.start()

    def go_on(self, until):
        """Advance the clock until this number of gates is open."""
        while len(self.opened) < until:
            self._step()
            self._settle()

    def requests(self):
        """Return the requests so far for each project, view and interval, once every view was requested."""
        # The clock advances as soon as the progress is answered, so the steps of some projects may not be answered yet.
        wait_for("each project was asked for its two views", lambda: len(self._asked()) == VIEWS, self.triggerer)
        return self._asked()

    def _asked(self):
        return self.witness.per_interval(self._begun, time.time(), POKE_INTERVAL)

    def kill_triggerer(self):
        """Kill the triggerer just when some gates may open, and start it again."""
        self.open_at_kill = len(self.opened)
        self._step()
        assert self.triggerer.kill() > 0
        self.triggerer.start()
        self._settle()

    def take_oms_away(self):
        """Begin an outage just when some gates may open; end it after each project was requested a few times."""
        assert len(self.opened) < len(self.planned), "nothing was left to wait for"
        self.open_at_outage = len(self.opened)
        waiting = {gate.project for gate in self._waiting()}
        self.oms.add_fault(Fault("status", status=503))
        self._step()
        wait_for(
            "all gates have met the outage",
            lambda: all(self.witness.refused_since(self._moved)[project] >= LOST for project in waiting),
            self.triggerer,
        )
        assert self._open() == set(self.opened)
        self.oms.clear_faults()
        self._settle()

    def _step(self):
        self.oms.clock.advance(STEP)
        self._moved = time.time()
        self.steps += 1

    def _settle(self):
        """Wait until the gates that may open are open, and the others have polled; check and note which have opened."""
        now, since = self.oms.clock.now(), time.time()
        due = {gate.task_id for gate in self._waiting() if self._is_true(gate, now)}

        def settled():
            answered = self.witness.answered_since(since)
            open_now = self._open()
            return due <= open_now and all(
                answered[gate.project] for gate in self._waiting() if gate.task_id not in open_now
            )

        wait_for(f"{len(due)} gates open at {now:.0f}", settled, self.triggerer)
        rows = self.run.rows()
        for gate in self._waiting():
            if rows[gate.task_id].state != "deferred":
                assert self._is_true(gate, now), f"{gate} has opened at {now}"
                # It wasn't so in the previous step, so it can have held only since the clock was advanced.
                assert rows[gate.task_id].changed - self._moved >= gate.held
                self.opened[gate.task_id] = now

    def _is_true(self, gate, now):
        return gates.is_true(gate, self.oms.project(gate.project), now)

    def _waiting(self):
        return [gate for gate in self.planned if gate.task_id not in self.opened]

    def _open(self):
        return {task_id for task_id, row in self.run.rows().items() if row.state != "deferred"}
