"""Runs a campaign: kills a component or a task at intervals, until every task has ended."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from reliability.cluster import patiently
from reliability.plan import GATES_DAG

#: States in which a task has ended.
ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}

#: The default of :class:`Course`, for a campaign of a few minutes.
UNTIL_STARTED = 240.0

Tasks = Mapping[tuple[str, str], tuple[str | None, int]]


class Killable(Protocol):
    """A cluster whose components can be killed."""

    def tend(self) -> None:
        """Start each component again that has ended by itself."""

    def kill(self, what: str, dice: random.Random) -> str | None:
        """Kill a component or a task of this kind; return a description, or None if there is none of this kind."""


@dataclass
class Course:
    """One run of a campaign.

    :param cluster: the cluster whose components are killed
    :param read: returns the tasks
    :param begin: starts the gates' projects; called once
    :param to_kill: the kinds to kill, the last one first; half of the kills happen after the projects have started
    :param gates: how many gates there are
    :param tasks: how many tasks there are at least
    :param pause: real seconds between two kills, at least and at most
    :param limit: real seconds after which the campaign ends even if tasks haven't
    :param dice: decides when and what is killed
    :param out: the stream for messages about the progress
    :param each: called every time after the tasks are read
    :param until_started: real seconds after which the projects are started even if not all gates wait
    """

    cluster: Killable
    read: Callable[[], Tasks]
    begin: Callable[[], None]
    to_kill: list[str]
    gates: int
    tasks: int
    pause: tuple[float, float]
    limit: float
    dice: random.Random
    out: TextIO
    each: Callable[[], None] = lambda: None
    until_started: float = UNTIL_STARTED
    kills: Counter[str] = field(default_factory=Counter)
    killed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._begun = time.monotonic()
        self._waiting: set[str] = set()
        self._started = False
        self._next: float | None = None
        self._kept_back = len(self.to_kill) // 2

    def run(self) -> Tasks:
        """Run the campaign until all tasks have ended or the time is up; return the tasks."""
        tasks: Tasks = {}
        said = -10.0
        while self.seconds() < self.limit:
            self.cluster.tend()
            tasks = patiently(self.read, 60)
            self.each()
            states = Counter(state for state, _ in tasks.values())
            if self.seconds() > said + 10:
                said = self.seconds()
                self.say(f"{dict(states)}, killed {sum(self.kills.values())}")
            if len(tasks) >= self.tasks and all(state in ENDED for state, _ in tasks.values()):
                return tasks
            if states["running"] or states["deferred"]:
                self._start_projects(tasks)
                self._kill_one()
            time.sleep(0.5)
        self.say(f"some tasks have not ended within {self.limit:g} s")
        return tasks

    def _start_projects(self, tasks: Tasks) -> None:
        waits = {"deferred", "up_for_reschedule", *ENDED}
        self._waiting |= {task for (dag, task), (state, _) in tasks.items() if dag == GATES_DAG and state in waits}
        if not self._started and (len(self._waiting) >= self.gates or self.seconds() > self.until_started):
            self._started = True
            self.begin()
            self.say("the projects have been started")

    def _kill_one(self) -> None:
        if len(self.to_kill) <= (0 if self._started else self._kept_back):
            return
        if self._next is None:
            self._next = time.monotonic() + self.dice.uniform(*self.pause)
        elif time.monotonic() >= self._next and (what := self.cluster.kill(self.to_kill[-1], self.dice)):
            self.kills[self.to_kill.pop()] += 1
            self.killed.append(f"{self.seconds():.0f} s: {what}")
            self.say(f"-> {what}")
            self._next = None

    def seconds(self) -> float:
        """Return how many seconds the campaign has lasted so far."""
        return time.monotonic() - self._begun

    def say(self, text: str) -> None:
        """Write a message about the progress."""
        print(f"[{self.seconds():4.0f} s] {text}", file=self.out, flush=True)
