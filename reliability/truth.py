"""What a campaign's end is judged by: the simulator's own record against what Airflow made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_oms.simulator.machine import evaluate
from reliability.plan import LIFECYCLE, SENDS, may_stop
from tests.triggerer import gates
from tests.triggerer.gates import Planned
from tests.triggerer.witness import Answered, poll_of

#: Simulated seconds: dates and checkpoints are told in whole ones.
WHOLE_SECOND = 1.0


def judge_gate(
    gate: Planned, live: Any, state: str | None, returned: Any, answers: Sequence[Answered], now: float
) -> tuple[str, str]:
    """Tell whether a gate has ended as it should.

    :param gate: the gate
    :param live: its project in the simulator
    :param state: the task's state
    :param returned: what the task returned
    :param answers: what the simulator answered about the project
    :param now: the simulated time
    :return: ``right``, ``early`` or ``lost``, and why
    """
    true_at = gates.becomes_true([gate], live, now).get(gate.task_id)
    if state == "success":
        if true_at is None:
            return "early", "it is open, and what it waits for never was so"
        told = told_at(returned)
        if told is None:
            return "lost", f"it returned no observation: {returned!r}"
        if told + WHOLE_SECOND < true_at:
            return "early", f"it opened {true_at - told:.1f} s before it was so"
        poll = poll_of(answers, told, within=2 * WHOLE_SECOND)
        if not any(gates.is_true(gate, live, answer.at) for answer in poll):
            return "early", f"OMS answered nothing of the kind at {told}: {poll}"
        return "right", "open"
    if state == "failed" and true_at is None:
        return "right", "failed"
    return "lost", f"it is {state}; what it waits for was so at {true_at}"


def told_at(returned: Any) -> float | None:
    """Return the moment of OMS's clock at which a gate saw what it waited for."""
    try:
        return datetime.fromisoformat(returned["time"]).timestamp()
    except (TypeError, KeyError, ValueError):
        return None


def sent_by_name(records: Sequence[Any], names: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Count what was sent for each project after it had been carried out once, or for the first time.

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
    """Name what was sent more than once, whatever OMS said to it."""
    return [
        f"{action} of {name}: {count} times"
        for name, counter in sent.items()
        for action, count in counter.items()
        if count > 1
    ]


def judge_lifecycle(
    name: str, states: Mapping[str, str | None], sent: Mapping[str, Counter[str]], live: Any, gone: bool
) -> tuple[str, str]:
    """Tell whether a lifecycle has ended as it should.

    :param name: the project's name
    :param states: the states of its tasks by step
    :param sent: what :func:`sent_by_name` counted
    :param live: the project in the simulator, None when there never was one
    :param gone: whether the simulator has it no more
    :return: ``right``, ``early`` or ``lost``, and why
    """
    unfinished = {step: states.get(step) for step in LIFECYCLE if states.get(step) != "success"}
    if unfinished or live is None:
        return "lost", f"{name}: {unfinished}"
    missing = [action for action in SENDS.values() if not sent.get(name, Counter())[action]]
    if missing or not gone:
        return "lost", f"{name}: OMS never got {missing}" if missing else f"{name} is still there"
    stopped = next((event for event in live.history if event.kind == "stop"), None)
    before = [event for event in live.history if stopped is not None and event.time < stopped.time]
    if stopped is None or not may_stop(evaluate(live.project, live.created, before, stopped.time)):
        return "early", f"{name} was stopped before its gate could open"
    return "right", "done"
