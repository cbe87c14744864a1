"""200 deferred gates over 20 projects in a real ``airflow triggerer``, which is killed; and OMS is away for a while."""

from __future__ import annotations

import base64
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_oms.sensors import oms as sensors
from airflow_provider_oms.simulator import Clock, Simulator
from tests import modes
from tests.triggerer import gates
from tests.triggerer.gates import POKE_INTERVAL, SPEED, Planned
from tests.triggerer.process import Triggerer
from tests.triggerer.witness import Witness, poll_of

PASSWORD = "not-to-be-found-anywhere"

#: Real seconds for which OMS is away.
AWAY = 30.0

#: Gates that are open when the triggerer is killed.
OPEN_AT_KILL = 40

#: Intervals over which requests are counted.
INTERVALS = 3

#: Real seconds to wait for anything; a slow machine needs a part of it.
PATIENCE = 180.0


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def oms(witness, monkeypatch):
    """A simulated OMS whose clock stands still until it is told to run."""
    with Simulator(password=PASSWORD, clock=Clock(speed=0), on_request=witness) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        yield sim


@pytest.fixture
def triggerer(airflow_db, oms, tmp_path):
    """A running triggerer; nothing of it is left afterwards, however the test ends."""
    with Triggerer(tmp_path / "triggerer.log") as running:
        yield running


def deferrals_of(dag):
    """Let each gate take its poll on the worker, and return the TaskDeferred that it raises."""
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


def wait_for(what: str, condition: Callable[[], bool], triggerer: Triggerer) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        triggerer.check()
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {PATIENCE:g} s: {what}.\n{triggerer.text()[-5000:]}")
        time.sleep(0.5)


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
        requests = story.count_requests()
        story.start_projects()
        story.kill_triggerer()
        story.take_oms_away()
        story.wait_until_all_have_ended()
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

    # None is early: what it waits for was so when the simulator answered the poll that has opened it.
    opened, early = {}, []
    answers = defaultdict(list)
    for answer in witness.answers:
        answers[answer.project].append(answer)
    for gate in planned:
        told = datetime.fromisoformat(events[gate.task_id]["observed"]["time"]).timestamp()
        before = [one for one in answers[gate.project] if one.real <= rows[gate.task_id].changed]
        poll = poll_of(before, told, within=POKE_INTERVAL * SPEED / 2)
        opened[gate.task_id] = poll[0].at if poll else 0.0
        if not any(gates.is_true(gate, oms.project(gate.project), answer.at) for answer in poll):
            early.append((gate, events[gate.task_id], poll))
    assert early == []

    # In the right order: what is reached first opens first.
    wrong, compared = story.order(opened)
    assert wrong == []

    # The gates of a project share its requests.
    assert len(requests) == 40, "each project has two views that gates look at"
    assert max(requests.values()) <= 2

    # Nothing secret is kept in the database.
    for text in (PASSWORD, *(base64.b64encode(one.encode()).decode() for one in (PASSWORD, f"{oms.login}:{PASSWORD}"))):
        assert not any(text in row for row in stored)
        assert text not in triggerer.text()

    blocked = story.blocked()
    with capsys.disabled():
        print(  # noqa: T201 - the figures that the documents quote
            f"\n{len(planned)} gates over {len(answers)} projects in a real triggerer: {len(reached)} open, "
            f"{len(early)} early, {len(lost)} lost, {len(wrong)} of {compared} pairs out of order; "
            f"{story.open_at_kill} were open at the SIGKILL, {story.open_at_outage} when OMS went away for {AWAY:g} s, "
            f"{story.open_after_outage} when it came back; requests per project, view and interval: "
            f"{sum(requests.values()) / len(requests):.2f} on average, {max(requests.values()):.2f} at most "
            f"({gates.GATES_EACH} gates each); event loop blocked while counting: {len(blocked)} times, "
            f"{max(blocked, default=0):.2f} s at most"
        )


class Story:
    """What happens to the gates, one thing after another."""

    def __init__(self, oms, witness, triggerer, run, planned):
        self.oms, self.witness, self.triggerer, self.run, self.planned = oms, witness, triggerer, run, planned
        self.open_at_kill = self.open_at_outage = self.open_after_outage = 0
        self._blocked: list[float] = []
        self._nobody_polled = (0.0, 0.0)

    def count_requests(self):
        """Count requests while all gates wait: return them per project, view and interval."""
        wait_for("the triggerer claims all triggers", lambda: self.run.unclaimed() == 0, self.triggerer)
        self._wait_until_watched(time.time())
        time.sleep(POKE_INTERVAL)  # the triggers that were claimed last take their first poll now
        assert self._open() == 0
        observed, begin = len(self.triggerer.text()), time.time()
        time.sleep(INTERVALS * POKE_INTERVAL + 0.5)
        self._blocked = self.triggerer.blocked(observed)
        assert self._open() == 0
        return self.witness.per_interval(begin, INTERVALS, POKE_INTERVAL)

    def start_projects(self):
        """Start all projects, and the clock."""
        for project in self.oms.projects.values():
            project.start()
        self.oms.clock.speed = SPEED

    def kill_triggerer(self):
        """Kill the triggerer in the middle and start it again; return when it looks at all projects."""
        wait_for(f"{OPEN_AT_KILL} gates are open", lambda: self._open() >= OPEN_AT_KILL, self.triggerer)
        before = self.oms.clock.now()
        assert self.triggerer.kill() > 0
        killed = time.time()
        self.open_at_kill = self._open()
        self.triggerer.start()
        self._wait_until_watched(killed)
        # A gate whose trigger was started late may still miss a poll that another one had.
        self._nobody_polled = (before - POKE_INTERVAL * SPEED, self.oms.clock.now() + POKE_INTERVAL * SPEED)

    def take_oms_away(self):
        """Let OMS be away for a while, once the new triggerer has looked a few times."""
        time.sleep(2 * POKE_INTERVAL)
        self.open_at_outage = self._open()
        self.oms.down()
        asked = len(self.witness.answers)
        time.sleep(AWAY)
        assert len(self.witness.answers) == asked
        self.open_after_outage = self._open()
        self.oms.up()
        assert self.open_after_outage < len(self.planned), "nothing was left to wait for"

    def wait_until_all_have_ended(self):
        """Wait until no gate waits any more."""
        wait_for("all gates have ended", lambda: self._open() == len(self.planned), self.triggerer)

    def order(self, opened):
        """Compare the gates of each project in pairs; return the pairs in the wrong order, and how many there were."""
        begin, end = self._nobody_polled
        wrong, compared = [], 0
        for project, live in self.oms.projects.items():
            its = [gate for gate in self.planned if gate.project == project]
            true_at = gates.becomes_true(its, live, self.oms.clock.now())
            for first, second in permutations(its, 2):
                one, other = true_at[first.task_id], true_at[second.task_id]
                if first.held or one >= other or (begin < one and other < end):
                    continue
                compared += 1
                if opened[first.task_id] > opened[second.task_id] + POKE_INTERVAL * SPEED / 2:
                    wrong.append(
                        (first.task_id, one, opened[first.task_id], second.task_id, other, opened[second.task_id])
                    )
        return wrong, compared

    def blocked(self):
        """Return how long the event loop was blocked, each time, while requests were counted."""
        return self._blocked

    def _open(self):
        return sum(row.state != "deferred" for row in self.run.rows().values())

    def _wait_until_watched(self, since):
        """Wait until all projects that gates still wait for are looked at."""

        def watched():
            rows = self.run.rows()
            waiting = {gate.project for gate in self.planned if rows[gate.task_id].state == "deferred"}
            return waiting <= self.witness.projects_since(since)

        wait_for("the triggerer looks at all projects", watched, self.triggerer)
