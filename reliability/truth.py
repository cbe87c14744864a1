"""Judges how a campaign has ended, by comparing the simulator's record with the states of Airflow's tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_oms.simulator.machine import evaluate
from reliability.plan import LIFECYCLE, SENDS, OverMany, may_stop
from tests.triggerer import gates
from tests.triggerer.gates import Planned
from tests.triggerer.witness import Answered, poll_of

#: The resolution of dates and checkpoints, in simulated seconds.
WHOLE_SECOND = 1.0


#: Real seconds by which a condition may have held for a shorter time than required, because answers take time.
HOLD_SLACK = 3.0


def judge_any(
    gate: Planned,
    projects: Mapping[str, Any],
    state: str | None,
    returned: Any,
    answers: Sequence[Answered],
    now: float,
    speed: float = 0.0,
) -> tuple[str, str]:
    """Judge how a gate about one project, or over many, has ended; the result is that of :func:`judge_gate`.

    :param gate: the gate
    :param projects: all projects in the simulator, by id
    :param answers: the simulator's answers about all projects
    """

    def of(project: str) -> list[Answered]:
        return [answer for answer in answers if answer.project == project]

    if not isinstance(gate, OverMany):
        return judge_gate(gate, projects[gate.project], state, returned, of(gate.project), now, speed)
    if state == "failed":
        reached = [gates.becomes_true([gate], projects[member], now) for member in gate.members]
        return (
            ("right", "failed")
            if not all(reached)
            else ("lost", "it has failed, although each of its projects reached the milestone")
        )
    if state != "success":
        return "lost", f"it is {state}"
    rows = returned.get("projects") if isinstance(returned, Mapping) else None
    if not isinstance(rows, list):
        return "lost", f"it returned no observation: {returned!r}"
    seen = {row.get("project"): row for row in rows}
    if set(seen) != set(gate.members):
        return "early", f"it is open, but observed {len(seen)} of {len(gate.members)} projects"
    for member in gate.members:
        verdict = judge_gate(gate, projects[member], state, seen[member], of(member), now, speed)
        if verdict[0] != "right":
            return verdict[0], f"{member}: {verdict[1]}"
    return "right", "open"


def judge_gate(
    gate: Planned,
    live: Any,
    state: str | None,
    returned: Any,
    answers: Sequence[Answered],
    now: float,
    speed: float = 0.0,
) -> tuple[str, str]:
    """Judge how a gate has ended.

    :param gate: the gate
    :param live: its project in the simulator
    :param state: the task's state
    :param returned: what the task returned
    :param answers: the simulator's answers about the project
    :param now: the simulated time
    :param speed: simulated seconds per real second, for conditions that must hold for a time
    :return: ``right``, ``early`` or ``lost``, and the reason
    """
    true_at = gates.becomes_true([gate], live, now).get(gate.task_id)
    if state == "success":
        if true_at is None:
            return "early", "it is open, but its milestone was never reached"
        told = told_at(returned)
        if told is None:
            return "lost", f"it returned no observation: {returned!r}"
        if told + WHOLE_SECOND < true_at:
            return "early", f"it opened {true_at - told:.1f} s before its milestone was reached"
        held = (told + WHOLE_SECOND - true_at) / speed if speed else gate.held
        if held < gate.held - HOLD_SLACK:
            return "early", f"its condition must hold for {gate.held:g} s, but held for {held:.1f} s at most"
        poll = poll_of(answers, told, within=2 * WHOLE_SECOND)
        if not any(gates.is_true(gate, live, answer.at) for answer in poll):
            return "early", f"no answer of OMS at {told} showed its milestone: {poll}"
        return "right", "open"
    if state == "failed" and true_at is None:
        return "right", "failed"
    return "lost", f"it is {state}; its milestone was reached at {true_at}"


def told_at(returned: Any) -> float | None:
    """Return the time, by OMS's clock, at which a gate observed its milestone; None if the value has none."""
    try:
        return datetime.fromisoformat(returned["time"]).timestamp()
    except (TypeError, KeyError, ValueError):
        return None


def sent_by_name(records: Sequence[Any], names: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Count how often each action was sent, by project.

    :param records: the simulator's records
    :param names: the projects' names by id
    """
    sent: dict[str, Counter[str]] = {}
    for record in records:
        if record.action not in SENDS.values():
            continue
        payload = record.payload if isinstance(record.payload, Mapping) else {}
        name = payload.get("name") if record.action == SENDS["create"] else names.get(record.project_id or "")
        sent.setdefault(str(name), Counter())[record.action] += 1
    return sent


def twice(sent: Mapping[str, Counter[str]]) -> list[str]:
    """Return the actions that were sent more than once for a project, whatever OMS answered."""
    return [
        f"{action} of {name}: {count} times"
        for name, counter in sent.items()
        for action, count in counter.items()
        if count > 1
    ]


def judge_lifecycle(
    name: str, states: Mapping[str, str | None], sent: Mapping[str, Counter[str]], live: Any, gone: bool
) -> tuple[str, str]:
    """Judge how a lifecycle has ended.

    :param name: the project's name
    :param states: the states of its tasks by step
    :param sent: the result of :func:`sent_by_name`
    :param live: the project in the simulator; None if it was never created
    :param gone: whether it has been deleted
    :return: ``right``, ``early`` or ``lost``, and the reason
    """
    unfinished = {step: states.get(step) for step in LIFECYCLE if states.get(step) != "success"}
    if unfinished or live is None:
        return "lost", f"{name}: {unfinished}"
    missing = [action for action in SENDS.values() if not sent.get(name, Counter())[action]]
    if missing or not gone:
        return "lost", f"{name}: OMS never received {missing}" if missing else f"{name} was not deleted"
    stopped = next((event for event in live.history if event.kind == "stop"), None)
    before = [event for event in live.history if stopped is not None and event.time < stopped.time]
    if stopped is None or not may_stop(evaluate(live.project, live.created, before, stopped.time)):
        return "early", f"{name} was stopped before its gate could open"
    return "right", "done"
