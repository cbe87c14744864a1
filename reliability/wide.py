"""What a campaign on a distributed Airflow runs: many projects, gates of every kind, and the order of the kills."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from reliability.plan import OverMany, Size, broken, written
from tests.triggerer import gates
from tests.triggerer.gates import Plan, Planned, full_transfer, lag_within

#: What is killed. If there are two of a kind, one is chosen at random.
PARTS = ("worker", "triggerer", "scheduler", "web", "redis", "postgresql", "oms")

#: Done once: all components are upgraded, one after the other; the clocks of some are set ahead.
UPGRADE, CLOCKS = "upgrade", "clocks"

#: Real seconds between two polls of a gate, and of a gate in reschedule mode.
POKE_INTERVAL, RESCHEDULED = 5.0, 15.0

#: Real seconds for which the lag must be small in some gates, which poll on several workers and triggerers meanwhile.
HOLD = 45.0


@dataclass(frozen=True)
class Wide(Size):
    """The size of a campaign.

    :param projects: how many projects the gates are about
    :param by_label: how many of the gates are over all projects with a label
    :param events: how many DAGs are started by an event
    """

    pause: tuple[float, float] = (8.0, 20.0)
    limit: float = 3000.0
    projects: int = 40
    by_label: int = 10
    events: int = 10
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 2))


WIDE = Wide(gates=200, lifecycles=20)
NARROW = Wide(gates=60, lifecycles=8, projects=20, by_label=6, events=4, limit=1800.0)
QUICK = Wide(
    gates=20,
    lifecycles=2,
    projects=8,
    by_label=2,
    events=2,
    limit=900.0,
    kills=dict.fromkeys(PARTS, 1),
)
SIZES = {"wide": WIDE, "narrow": NARROW, "quick": QUICK}


@dataclass(frozen=True)
class Event:
    """A DAG that an event starts.

    :param name: the name of its asset and of the DAG
    :param gate: the milestone of the event, and the gate with which the DAG begins
    """

    name: str
    gate: Planned


@dataclass(frozen=True)
class Content:
    """What a campaign runs.

    :param plans: the projects, each with its chosen gates
    :param over_many: the gates over many projects
    :param events: the events
    """

    plans: list[Plan]
    over_many: list[OverMany]
    events: list[Event]

    @property
    def gates(self) -> list[Planned]:
        """All gates except those of events."""
        return [*(gate for plan in self.plans for gate in plan.gates), *self.over_many]


def content(begin: float, size: Wide, *, with_events: bool) -> Content:
    """Return the projects and the gates that wait for them.

    :param begin: the simulated time at which the projects will be started
    :param size: the size of the campaign
    :param with_events: whether this Airflow has asset watchers
    """
    plans = [*gates.plans(begin, size.projects - 1), broken()]
    for plan in plans:
        plan.gates = [_lasting(gate) for gate in plan.gates]
    for plan in plans[::4]:
        if plan.project.enable_incr:
            plan.add("OmsCheckpointLagSensor", lag_within(60), held=HOLD, max_lag=60, hold_for=HOLD)
            # This gate takes longest. As the first one it is always chosen.
            plan.gates.insert(0, plan.gates.pop())
    events = [_event(number, plans[number]) for number in range(size.events if with_events else 0)]
    labels = max(1, size.by_label // 2)
    for number, plan in enumerate(plans):
        plan.project.labels = [f"wave_{number % labels}"]
    over_many = [_over_many(number, labels, plans) for number in range(size.by_label)]
    _choose(plans, size.gates - size.by_label)
    return Content(plans, over_many, events)


def _lasting(gate: Planned) -> Planned:
    """Return a gate whose milestone stays reached: after minutes without a poll, RUNNING may be FINISHED."""
    if gate.arguments.get("target_statuses") != "RUNNING":
        return gate
    statuses = ["RUNNING", "FINISHED"]
    arguments = {**gate.arguments, "target_statuses": statuses}
    return replace(gate, arguments=arguments, truth=lambda state: state.status in statuses)


def _choose(plans: list[Plan], count: int) -> None:
    """Keep this number of gates, spread evenly over the projects."""
    for number, plan in enumerate(plans):
        # Rotate, so that adjacent projects begin with different kinds.
        first = 1 if len(plan.gates) > 10 else 0
        turn = number % (len(plan.gates) - first) + first
        plan.gates = [*plan.gates[:first], *plan.gates[turn:], *plan.gates[first:turn]]
    for number, plan in enumerate(plans):
        plan.gates = plan.gates[: count // len(plans) + (number < count % len(plans))]
    assert sum(len(plan.gates) for plan in plans) == count


def _over_many(number: int, labels: int, plans: list[Plan]) -> OverMany:
    label, percent = f"wave_{number % labels}", 100 if number // labels % 2 else 40
    members = tuple(plan.project.id for plan in plans if label in plan.project.labels)
    arguments = {"label_name": label, "progress": percent, "failure_grace": 20, "min_projects": len(members)}
    return OverMany(
        f"{label}_{number}", members[0], "OmsFullTransferSensor", arguments, full_transfer(percent), members=members
    )


def _event(number: int, plan: Plan) -> Event:
    percent = (20, 60, 100)[number % 3]
    arguments = {"project_id": plan.project.id, "progress": percent}
    name = f"reliability_event_{number}"
    return Event(name, Planned("gate", plan.project.id, "OmsFullTransferSensor", arguments, full_transfer(percent)))


def ways(number: int, gate: Planned, *, in_triggerer: bool) -> dict[str, Any]:
    """Return how a gate waits: most are deferred, some use a worker for each poll, some start in the triggerer.

    :param number: the number of the gate
    :param gate: the gate
    :param in_triggerer: whether tasks can start in the triggerer, as in Airflow 3.3 and later
    """
    if gate.held:
        # Only Airflow 3.3 and later can store since when a condition has held, between two polls on workers.
        rescheduled = in_triggerer and gate.held == HOLD and int(gate.project.removeprefix("np_")) % 8 != 0
    else:
        rescheduled = number % 10 == 3
    if rescheduled:
        return {"deferrable": False, "mode": "reschedule", "poke_interval": RESCHEDULED}
    return {"start_from_trigger": True} if in_triggerer and number % 10 == 7 else {}


def to_json(what: Content, size: Wide, *, in_triggerer: bool) -> dict[str, Any]:
    """Return the content of the plan file, which the DAG file reads.

    :param what: what the campaign runs
    :param size: the size of the campaign
    :param in_triggerer: whether tasks can start in the triggerer
    """
    made = written(what.gates, size)
    for number, (gate, entry) in enumerate(zip(what.gates, made["gates"], strict=True)):
        entry["ways"] = ways(number, gate, in_triggerer=in_triggerer)
    events = [
        {"name": event.name, "project": event.gate.project, "progress": event.gate.arguments["progress"]}
        for event in what.events
    ]
    return {**made, "poke_interval": POKE_INTERVAL, "events": events}


def steps(size: Wide, dice: random.Random, *, upgrade: bool = True, clocks: bool = True) -> list[str]:
    """Return the kinds of kills in their order, with the upgrade in the middle and the clocks before it.

    :param size: how often each kind is killed
    :param dice: decides the order
    :param upgrade: whether there is an older package to upgrade from
    :param clocks: whether clocks can be set ahead
    """
    kills = [what for what, times in size.kills.items() for _ in range(times)]
    dice.shuffle(kills)
    middle = len(kills) // 2
    before, after = kills[:middle], kills[middle:]
    if clocks:
        before.insert(len(before) // 2, CLOCKS)
    return [*before, *([UPGRADE] if upgrade else []), *after]
