"""Runs an operator as Airflow does, against a simulated OMS, without real pauses.

A pause on the worker or in the triggerer advances the simulator's clock instead. A deferral is converted to JSON and
back, as by Airflow's database.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_oms.simulator import Simulator
from tests.clocks import pause_at_once

#: The actions that change something in OMS.
CHANGES = {
    "AdvanceProject",
    "CancelProjectModifyRecord",
    "CreateLabel",
    "CreateKafkaDataSource",
    "CreateMySqlDataSource",
    "CreateOceanBaseDataSource",
    "CreateOceanBaseODPDataSource",
    "CreatePilarDBDataSource",
    "CreateProject",
    "CreateProjectModifyRecords",
    "DeleteProject",
    "ReleaseProject",
    "ResumeProject",
    "RetryProjectModifyRecords",
    "StartProject",
    "StartProjectsByLabel",
    "StopProject",
    "StopProjectsByLabel",
    "UpdateProjectConfig",
}


class TaskInstance:
    """The parts of a task instance that operators use."""

    map_index = -1
    try_number = 1

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key, value):
        self.xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids=None, key="return_value", map_indexes=None):
        assert task_ids == "task"
        return self.xcoms.get(key)


@dataclass
class Run:
    """How a task ended: what it returned or raised, its XComs, and its deferral."""

    result: Any = None
    error: BaseException | None = None
    xcoms: dict[str, Any] = field(default_factory=dict)
    deferrals: list[dict[str, Any]] = field(default_factory=list)


class Runner:
    """Runs operators against a simulator.

    :param sim: the simulator
    :param pauses: gets the pauses, in seconds
    """

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.pauses: list[float] = []
        self.on_pause: Callable[[], object] = lambda: None
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        """Replaces sleeping."""
        self.pauses.append(seconds)
        self.now += seconds
        self.sim.clock.advance(seconds)
        self.on_pause()

    def changes(self) -> list[str]:
        """Return the actions that changed something, or tried to, since the requests were last cleared."""
        return [request.action for request in self.sim.requests if request.action in CHANGES]

    def asked(self) -> list[str]:
        """Return all actions since the requests were last cleared."""
        return [request.action for request in self.sim.requests]

    def run(self, cls, **arguments) -> Run:
        """Create an operator and run it to its end, through the triggerer if it defers."""
        self.sim.clear_requests()
        operator = cls(task_id="task", **arguments)
        return self.go(operator)

    def go(self, operator) -> Run:
        """Run an operator to its end."""
        ti = TaskInstance()
        context = {"ti": ti, "task_instance": ti}
        run = Run(xcoms=ti.xcoms)
        resume: Callable[[], Any] = partial(operator.execute, context)
        while True:
            try:
                run.result = json.loads(json.dumps(resume()))
                return run
            except TaskDeferred as deferred:
                path, kwargs = deferred.trigger.serialize()
                kwargs = json.loads(json.dumps(kwargs))
                run.deferrals.append(kwargs)
                method = getattr(operator, deferred.method_name)
                event = json.loads(json.dumps(asyncio.run(_fire(path, kwargs))))
                resume = partial(method, context, event)
            except Exception as error:
                run.error = error
                return run


async def _fire(path: str, kwargs: dict[str, Any]) -> Any:
    module, _, name = path.rpartition(".")
    trigger = getattr(import_module(module), name)(**kwargs)
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger ended without an event")


def no_sleep(monkeypatch, runner: Runner) -> None:
    """Replace every pause of the worker and the triggerer by the runner's."""
    monkeypatch.setattr(time, "sleep", runner.pause)
    for clock in ("time", "monotonic"):
        monkeypatch.setattr(time, clock, _Clock(runner, getattr(time, clock)))
    pause_at_once(monkeypatch, runner.pause)


class _Clock:
    """A clock that is advanced by pauses."""

    def __init__(self, runner: Runner, really: Callable[[], float]) -> None:
        self.runner = runner
        self.really = really

    def __call__(self) -> float:
        return self.really() + self.runner.now
