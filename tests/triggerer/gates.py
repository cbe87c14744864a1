"""Twenty projects with ten gates each, and when each milestone is reached, written from the design, not the package.

Times are the simulator's. Each project has another speed, so that milestones are reached all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_oms.simulator import Project
from airflow_provider_oms.simulator.machine import State, apply, evaluate

#: Real seconds between two polls.
POKE_INTERVAL = 3.0

#: Real seconds for which some lags must hold.
HOLD = 2.0

PROJECTS = 20
GATES_EACH = 10

Truth = Callable[[State], bool]


@dataclass(frozen=True)
class Planned:
    """A gate, and whether it may be open.

    :param project: the project's id
    :param sensor: the sensor's class name
    :param arguments: its arguments
    :param truth: returns whether its condition is met
    :param held: real seconds for which the condition must have been met
    """

    task_id: str
    project: str
    sensor: str
    arguments: dict[str, Any]
    truth: Truth
    held: float = 0.0


@dataclass
class Plan:
    """A project and its gates."""

    project: Project
    gates: list[Planned] = field(default_factory=list)

    def add(self, sensor: str, truth: Truth, *, held: float = 0.0, **arguments: Any) -> None:
        """Add a gate; every second one knows its project only by its name."""
        number = len(self.gates)
        known = {"project_name": self.project.name} if number % 2 else {"project_id": self.project.id}
        task_id = f"{self.project.name}_{number}"
        self.gates.append(Planned(task_id, self.project.id, sensor, known | arguments, truth, held))


def plans(begin: float, projects: int = PROJECTS) -> list[Plan]:
    """Return all projects with their gates.

    :param begin: the simulated time at which the projects will be started
    :param projects: how many
    """
    return [(_offline if number % 4 == 3 else _online)(number, begin) for number in range(projects)]


def _online(number: int, begin: float) -> Plan:
    """Return a project with incremental synchronization, which waits for its switchover in the end."""
    pace = {"FULL_TRANSFER": 100 + 26 * number, "FULL_VERIFIER": 40 + 3 * number}
    plan = Plan(
        Project(
            id=f"np_{number:02}",
            name=f"online_{number:02}",
            durations=pace,
            initial_lag=120,
            catch_up_rate=2,
            verification=[{"schema": "shop", "table": table} for table in ("orders", "prices")],
        )
    )
    moment = begin + 200 + 25 * number
    plan.add("OmsFullTransferSensor", full_transfer(10), progress=10)
    plan.add("OmsFullTransferSensor", full_transfer(50), progress=50)
    plan.add("OmsFullTransferSensor", full_transfer(90), progress=90)
    plan.add("OmsStepSensor", finished("FULL_TRANSFER"), step="FULL_MIGRATION")
    plan.add("OmsStepSensor", started("FULL_VERIFIER"), step="FULL_VERIFIER", until="started")
    plan.add("OmsCheckpointReachedSensor", lambda state: _checkpoint(state) > moment, checkpoint=moment)
    plan.add("OmsCheckpointLagSensor", lag_within(60), max_lag=60)
    plan.add("OmsCheckpointLagSensor", lag_within(50), held=HOLD, max_lag=50, hold_for=HOLD)
    plan.add("OmsFullVerificationSensor", verified)
    plan.add("OmsCutoverReadySensor", ready_for_cutover, max_lag=25)
    return plan


def _offline(number: int, begin: float) -> Plan:
    """Return a project without incremental synchronization, which finishes by itself."""
    pace = {"STRUCT_TRANSFER": 25, "FULL_TRANSFER": 100 + 25 * number, "INDEX_TRANSFER": 35, "FULL_VERIFIER": 90}
    table = {"schema": "shop", "table": "orders"}
    plan = Plan(
        Project(
            id=f"np_{number:02}",
            name=f"offline_{number:02}",
            durations=pace,
            enable_incr=False,
            enable_reverse_incr=False,
            verification=[table],
        )
    )
    for percent in (10, 30, 60, 90):
        plan.add("OmsFullTransferSensor", full_transfer(percent), progress=percent)
    plan.add("OmsStepSensor", finished("STRUCT_TRANSFER"), step="STRUCT_TRANSFER")
    plan.add("OmsStepSensor", finished("FULL_TRANSFER"), step="CONNECTOR_FULL_SYNC")
    plan.add("OmsStepSensor", finished("INDEX_TRANSFER"), step="INDEX_MIGRATION")
    plan.add("OmsProjectStatusSensor", lambda state: state.status == "RUNNING", target_statuses="RUNNING")
    plan.add("OmsFullVerificationSensor", verified)
    plan.add("OmsProjectStatusSensor", lambda state: state.status == "FINISHED", target_statuses=["FINISHED"])
    return plan


# Conditions of milestones, from the simulator's state


def full_transfer(percent: int) -> Truth:
    """Return whether the full transfer has reached a percentage."""
    return lambda state: state.steps["FULL_TRANSFER"].progress >= percent


def finished(step: str) -> Truth:
    """Return whether a step is done."""
    return lambda state: state.steps[step].status == "FINISHED"


def started(step: str) -> Truth:
    """Return whether a step has started."""
    return lambda state: state.steps[step].status != "INIT"


def lag_within(seconds: float) -> Truth:
    """Return whether the checkpoint, in whole seconds as OMS sends it, is within this lag."""
    return lambda state: state.status == "RUNNING" and int(state.time) - _checkpoint(state) <= seconds


def verified(state: State) -> bool:
    """Return whether full verification is done. All tables of these projects are consistent."""
    return state.steps["FULL_VERIFIER"].finish is not None


def ready_for_cutover(state: State) -> bool:
    """Return whether all conditions of a switchover are met."""
    monitoring = state.steps["INCR_TRANSFER"].status == "MONITORING"
    return finished("FULL_TRANSFER")(state) and monitoring and verified(state) and lag_within(25)(state)


def _checkpoint(state: State) -> int:
    return int(state.forward.checkpoint or 0)


def is_true(gate: Planned, live: Any, at: float) -> bool:
    """Return whether a gate's condition is met at a time of the simulated clock, whatever was answered then.

    :param live: the project in the simulator
    """
    return gate.truth(evaluate(live.project, live.created, live.history, at))


def becomes_true(gates: list[Planned], live: Any, until: float) -> dict[str, float]:
    """Return when the condition of each gate of a project is first met, to the second.

    :param live: the project in the simulator
    :param until: the last time to check
    """
    found: dict[str, float] = {}
    state = State(live.project, live.created)
    for event in live.history:
        apply(state, event)
    at = state.time
    while at < until and len(found) < len(gates):
        state.until(at)
        for gate in gates:
            if gate.truth(state):
                found.setdefault(gate.task_id, at)
        at += 1.0
    return found
