"""The course of a campaign: what is killed and when, and when the campaign ends."""

from __future__ import annotations

import io
import random

import pytest

from reliability import course
from reliability.plan import GATES_DAG


class Cluster:
    """Records what is killed; there is never a component of the first kind."""

    def __init__(self):
        self.killed = []

    def tend(self):
        """Nothing ends by itself."""

    def kill(self, what, dice):
        """Record the kill."""
        self.killed.append(what)
        return None if self.killed == [what] else f"a {what}"


@pytest.fixture
def clock(monkeypatch):
    """A clock that only pauses advance."""
    now = [0.0]
    monkeypatch.setattr(course.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(course.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def made(cluster, read, **changes):
    given = {"gates": 1, "tasks": 1, "pause": (1.0, 2.0), "limit": 60.0, "dice": random.Random(1)}
    begun = []
    one = course.Course(
        cluster, read, lambda: begun.append(1), ["late", "early"], out=io.StringIO(), **{**given, **changes}
    )
    return one, begun


def test_half_of_it_is_killed_once_the_projects_are_started(clock):
    cluster = Cluster()
    states = {"running": lambda now: now < 10, "deferred": lambda now: now < 30, "success": lambda now: True}

    def read():
        state = next(state for state, holds in states.items() if holds(clock[0]))
        if clock[0] < 10:
            assert cluster.killed[2:] == []
        return {(GATES_DAG, "gate"): (state, 1)}

    one, begun = made(cluster, read)
    assert one.run() == {(GATES_DAG, "gate"): ("success", 1)}
    assert cluster.killed == ["early", "early", "late"]
    assert (dict(one.kills), one.to_kill, begun) == ({"early": 1, "late": 1}, [], [1])
    assert [line.split(": ")[1] for line in one.killed] == ["a early", "a late"]


@pytest.mark.parametrize("tasks", [{}, {(GATES_DAG, "gate"): ("success", 1)}, {(GATES_DAG, "gate"): (None, 0)}])
def test_it_is_not_over_before_every_task_has_ended(clock, tasks):
    one, _ = made(Cluster(), lambda: tasks, tasks=2)
    assert one.run() == tasks
    assert clock[0] >= 60
    assert "some tasks have not ended" in one.out.getvalue()


def test_projects_are_started_though_a_gate_does_not_wait(clock):
    one, begun = made(Cluster(), lambda: {("other", "task"): ("running", 1)}, until_started=20.0)
    one.run()
    assert begun == [1]
