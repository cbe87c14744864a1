"""What a crash campaign runs: gates on a few projects, and lifecycles of projects that Airflow creates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.simulator import Project
from airflow_provider_oms.simulator.machine import State
from airflow_provider_oms.simulator.model import Failure
from tests.triggerer import gates
from tests.triggerer.gates import Plan, Planned, finished, full_transfer, verified

#: Real seconds between two polls of a gate.
POKE_INTERVAL = 3.0

#: The retries of every task: a kill uses up one, a crash of the scheduler may use up another.
RETRIES = 8

#: The DAGs of ``dags/campaign.py``.
GATES_DAG, LIFECYCLES_DAG = "reliability_gates", "reliability_lifecycles"

#: The steps of a lifecycle, in order.
LIFECYCLE = ("create", "start", "gate", "stop", "release", "delete")

#: The action of each step. The gate has none, because it only reads.
SENDS = {
    "create": "CreateProject",
    "start": "StartProject",
    "stop": "StopProject",
    "release": "ReleaseProject",
    "delete": "DeleteProject",
}


@dataclass(frozen=True)
class Size:
    """The size of a campaign.

    :param gates: how many gates there are
    :param lifecycles: how many projects are created and finally deleted
    :param kills: how often each kind is killed
    :param pause: real seconds between two kills, at least and at most
    :param speed: how many times faster than real time the clock of the gates' OMS runs
    """

    gates: int
    lifecycles: int
    kills: dict[str, int]
    pause: tuple[float, float] = (5.0, 15.0)
    speed: float = 4.0
    limit: float = 900.0


WHOLE = Size(50, 10, {"task": 6, "triggerer": 3, "scheduler": 3})
QUICK = Size(10, 2, {"task": 1, "triggerer": 1, "scheduler": 1}, pause=(4.0, 8.0), speed=8.0)

#: For Airflow 2.11 on SQLite, whose SequentialExecutor runs one task at a time, each for some seconds.
ONE_BY_ONE = Size(20, 3, {"task": 3, "triggerer": 2, "scheduler": 2}, pause=(10.0, 25.0), speed=2.0)


@dataclass(frozen=True)
class OverMany(Planned):
    """A gate over many projects.

    :param members: their ids
    """

    members: tuple[str, ...] = ()


def plans(begin: float, size: Size) -> list[Plan]:
    """Return the projects that gates wait for; one of them fails.

    :param begin: the simulated time at which the projects will be started
    :param size: the size of the campaign
    """
    per_project = 10
    healthy = gates.plans(begin)[: max(1, size.gates // per_project - 1)]
    chosen = [*healthy, broken()]
    each = size.gates // len(chosen)
    for number, plan in enumerate(chosen):
        # Every second gate, so that there are gates of all kinds.
        plan.gates = plan.gates[number % 2 :: 2] if each == per_project // 2 else plan.gates[:each]
    assert sum(len(plan.gates) for plan in chosen) == size.gates
    return chosen


def broken() -> Plan:
    """Return a project whose full transfer fails for good at 50 %: some gates open before, the others must fail."""
    plan = Plan(
        Project(
            id="np_broken",
            name="broken",
            durations={"STRUCT_TRANSFER": 25, "FULL_TRANSFER": 150},
            failures=[Failure(step="FULL_TRANSFER", at=50.0)],
            verification=[{"schema": "shop", "table": "orders"}],  # type: ignore[list-item]
        )
    )
    soon = {"failure_grace": 20}
    for percent in (10, 60, 20, 80, 30, 100, 40):
        plan.add("OmsFullTransferSensor", full_transfer(percent), progress=percent, **soon)
    plan.add("OmsStepSensor", finished("FULL_TRANSFER"), step="FULL_TRANSFER", **soon)
    plan.add("OmsStepSensor", finished("STRUCT_TRANSFER"), step="STRUCT_TRANSFER", **soon)
    plan.add("OmsFullVerificationSensor", verified, **soon)
    return plan


def written(gates_: list[Planned], size: Size) -> dict[str, Any]:
    """Return the content of the plan file, which the DAG file reads."""
    return {
        "gates": [{"task_id": one.task_id, "sensor": one.sensor, "arguments": one.arguments} for one in gates_],
        "lifecycles": [f"life_{number}" for number in range(size.lifecycles)],
        "poke_interval": POKE_INTERVAL,
        "retries": RETRIES,
    }


def may_stop(state: State) -> bool:
    """Return whether a lifecycle may continue after its gate."""
    return full_transfer(100)(state)
