"""Judges how a campaign has ended: each gate, each lifecycle, and the requests to OMS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.client.settings import DEFAULT_MAX_CONCURRENT_REQUESTS
from reliability import truth
from reliability.plan import GATES_DAG, LIFECYCLE, LIFECYCLES_DAG
from reliability.wide import Event
from tests.triggerer.gates import Planned
from tests.triggerer.witness import Answered


@dataclass(frozen=True)
class Held:
    """The state of a simulator at the end of a campaign.

    :param projects: its projects by id
    :param seen: all projects that it has ever had, by id
    :param changes: the requests that change something
    :param answers: its answers about projects
    :param now: the time on its clock
    :param speed: simulated seconds per real second
    """

    projects: Mapping[str, Any]
    seen: Mapping[str, Any]
    changes: Sequence[Any]
    answers: Sequence[Answered]
    now: float
    speed: float = 1.0


def judged(
    gates: Sequence[Planned],
    lifecycles: int,
    oms: Held,
    life: Held,
    tasks: Mapping[Any, tuple[str | None, int]],
    returned: Mapping[Any, Any],
) -> dict[str, Any]:
    """Return what was lost, done twice or opened early, and the totals.

    :param gates: the gates
    :param lifecycles: how many lifecycles there were
    :param oms: the simulator of the gates
    :param life: the simulator of the lifecycles
    :param tasks: the tasks at the end
    :param returned: their return values
    """
    verdicts: list[tuple[str, str]] = []
    ended: Counter[str | None] = Counter()
    for gate in gates:
        key = (GATES_DAG, gate.task_id)
        state = tasks.get(key, (None, 0))[0]
        ended[state] += 1
        word, why = truth.judge_any(gate, oms.projects, state, returned.get(key), oms.answers, oms.now, oms.speed)
        verdicts.append((word, f"{gate.task_id}: {why}"))
    sent = truth.sent_by_name(life.changes, {id_: live.name for id_, live in life.seen.items()})
    by_name = {live.name: live for live in life.seen.values()}
    there = {live.name for live in life.projects.values()}
    whole = 0
    for number in range(lifecycles):
        name = f"life_{number}"
        states = {step: tasks.get((LIFECYCLES_DAG, f"{name}.{step}"), (None, 0))[0] for step in LIFECYCLE}
        word, why = truth.judge_lifecycle(name, states, sent, by_name.get(name), name not in there)
        verdicts.append((word, why))
        whole += word == "right"
    duplicates = truth.twice(sent)
    if len(by_name) != len(life.seen):
        duplicates.append(f"{len(life.seen)} projects were created under {len(by_name)} names")
    return {
        "gates": len(gates),
        "gates_open": ended["success"],
        "gates_failed_rightly": ended["failed"],
        "lifecycles": lifecycles,
        "lifecycles_done": whole,
        "early": [why for word, why in verdicts if word == "early"],
        "lost": [why for word, why in verdicts if word == "lost"],
        "twice": duplicates,
        "sent": sum(sum(counter.values()) for counter in sent.values()),
    }


def judge_events(
    found: dict[str, Any],
    events: Sequence[Event],
    oms: Held,
    tasks: Mapping[Any, tuple[str | None, int]],
    fired: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """Add the outcome of the events to a campaign's result. An event that is sent again with the same id counts once.

    :param found: the result of :func:`judged`
    :param events: the events
    :param oms: the simulator of the gates
    :param tasks: the tasks at the end, including those of the DAGs that events have started
    :param fired: the payloads of the events, by asset
    """
    early, lost, twice = list(found["early"]), list(found["lost"]), list(found["twice"])
    copies = 0
    for event in events:
        payloads = fired.get(event.name, [])
        ids = {payload["id"] for payload in payloads}
        copies += len(payloads) - len(ids)
        state = tasks.get((event.name, event.gate.task_id), (None, 0))[0]
        if not payloads or state != "success":
            lost.append(f"{event.name}: {len(payloads)} events, and the gate is {state}")
        if len(ids) > 1:
            twice.append(f"{event.name}: {len(ids)} events")
        for payload in payloads:
            word, why = truth.judge_any(
                event.gate, oms.projects, "success", payload.get("observed"), oms.answers, oms.now, oms.speed
            )
            if word != "right":
                (early if word == "early" else lost).append(f"{event.name}: {why}")
    return {**found, "early": early, "lost": lost, "twice": twice, "events": len(events), "copies": copies}


def leaks(sockets: Mapping[str, int]) -> list[str]:
    """Return the components that still have connections to OMS after every task has ended.

    :param sockets: the number of connections to OMS, by component
    """
    # A triggerer's client keeps some connections; a task that has ended must have none.
    most = {name: DEFAULT_MAX_CONCURRENT_REQUESTS if name.startswith("triggerer") else 0 for name in sockets}
    return [f"{name} has {count} connections to OMS" for name, count in sockets.items() if count > most[name]]
