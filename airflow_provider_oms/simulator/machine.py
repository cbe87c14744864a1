"""The state machine: a project's state at a moment, from its description and its history.

:func:`evaluate` is pure: the same description, history and time always give the same state.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_oms.simulator.model import Project
from airflow_provider_oms.simulator.project_operations import OPERATIONS
from airflow_provider_oms.simulator.state import SAMPLE_EVERY, NotAllowed, State

__all__ = ["SAMPLE_EVERY", "Event", "NotAllowed", "State", "apply", "check_script", "evaluate"]


@dataclass(frozen=True)
class Event:
    """A change of a project, and when it was made."""

    time: float
    kind: str
    args: Mapping[str, Any] = field(default_factory=dict)
    scripted: bool = False


def apply(state: State, event: Event) -> None:
    """Let time pass until an event, then apply it.

    :param state: the project's state; it is changed.
    :param event: the event.
    :raises NotAllowed: if OMS's console doesn't offer the operation in this state.
    """
    state.until(event.time)
    OPERATIONS[event.kind](state, **event.args)
    state.modified = state.time


#: The operations that a scenario's ``script`` may use.
SCRIPTABLE = sorted(set(OPERATIONS) - {"delete", "jump", "stand_modifying"})


def script(project: Project, created: float) -> list[Event]:
    """Return a project's script as events, oldest first.

    :param project: its description.
    :param created: when it was added to the simulator.
    """
    # After the project's creation, and before changes that are made at the same time.
    return [
        Event(created + max(item.after, 0.001), item.do, item.args, scripted=True)
        for item in sorted(project.script, key=lambda item: item.after)
    ]


def check_script(project: Project) -> None:
    """Run a project's script on a project without other changes.

    :param project: its description.
    :raises ValueError: naming an operation that isn't allowed in any state.
    """
    for item in project.script:
        where = f"project {project.name!r}, script"
        if item.do not in SCRIPTABLE:
            raise ValueError(f"{where}: unknown do {item.do!r}; known are {', '.join(SCRIPTABLE)}")
        try:
            with contextlib.suppress(NotAllowed):
                OPERATIONS[item.do](State(project, 0.0), **item.args)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {item.do}: {error}") from None


def evaluate(project: Project, created: float, history: Iterable[Event], now: float) -> State:
    """Return a project's state at a moment.

    :param project: its description.
    :param created: when it was added to the simulator.
    :param history: its changes, oldest first.
    :param now: the moment.
    """
    state = State(project, created)
    for event in heapq.merge(script(project, created), history, key=lambda event: event.time):
        if event.scripted and event.time > now:
            continue
        try:
            apply(state, event)
        except NotAllowed as error:
            if not event.scripted:
                raise
            state.not_allowed.append(f"{event.kind}: {error}")
    state.until(now)
    return state
