"""The state machine: what a project is at a moment, from its description and what was done to it.

:func:`evaluate` is pure: the same description, history and time give the same state, however often and whenever it is
asked.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_oms.simulator.model import Project
from airflow_provider_oms.simulator.operations import OPERATIONS
from airflow_provider_oms.simulator.state import SAMPLE_EVERY, NotAllowed, State

__all__ = ["SAMPLE_EVERY", "Event", "NotAllowed", "State", "apply", "check_script", "evaluate"]


@dataclass(frozen=True)
class Event:
    """Something that was done to a project, and when."""

    time: float
    kind: str
    args: Mapping[str, Any] = field(default_factory=dict)
    scripted: bool = False


def apply(state: State, event: Event) -> None:
    """Let time pass until an event, and do what it says.

    :param state: the project; it is changed.
    :param event: what is done.
    :raises NotAllowed: where OMS's console doesn't offer the operation in this state.
    """
    state.until(event.time)
    OPERATIONS[event.kind](state, **event.args)
    state.modified = state.time


#: What a scenario's ``script`` may do.
SCRIPTABLE = sorted(set(OPERATIONS) - {"delete", "jump", "stand_modifying"})


def script(project: Project, created: float) -> list[Event]:
    """Return a project's script as events, oldest first.

    :param project: its description.
    :param created: when it was described to the simulator.
    """
    # Behind the project's beginning, and before what is done to it at the same time.
    return [
        Event(created + max(item.after, 0.001), item.do, item.args, scripted=True)
        for item in sorted(project.script, key=lambda item: item.after)
    ]


def check_script(project: Project) -> None:
    """Play a project's script on a project that nothing else happens to.

    :param project: its description.
    :raises ValueError: naming what can't be done in any state.
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
    """Return what a project is at a moment.

    :param project: its description.
    :param created: when it was described to the simulator.
    :param history: what was done to it, oldest first.
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
