"""Decides which project needs a person, and why, for views of many projects. No gate uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.milestones.person import At, waits_at
from airflow_provider_oms.milestones.status import Outlook, is_changing, outlook


class Level(IntEnum):
    """How urgently a project needs a person; the most urgent first."""

    ACT = 0
    LOOK = 1
    NOTHING = 2
    ENDED = 3


class Why(StrEnum):
    """The reasons why a project needs a person; the most urgent first."""

    FAILED = "failed"
    PAUSED = "paused"
    WAITING = "waiting"
    ALARM = "alarm"
    UNKNOWN = "unknown"
    CHANGING = "changing"


class Attention(NamedTuple):
    """Whether a project needs a person.

    :param level: how urgently
    :param reason: the reason, as a sentence; empty if the project needs nobody
    :param why: the reason in one word; None if the project needs nobody
    """

    level: Level
    reason: str = ""
    why: Why | None = None


def attention(
    status: str | None, steps: Sequence[Mapping[str, Any]] | None, alarms: Mapping[str, Any] | None = None
) -> Attention:
    """Decide whether a project needs a person.

    Sources: docs/develop/oms-facts.md#project-status, docs/develop/oms-facts.md#switchover,
    docs/develop/oms-facts.md#full-verification-done, docs/develop/oms-facts.md#objects-changing,
    docs/develop/oms-facts.md#alarms

    :param status: the project's status
    :param steps: its steps, as :func:`~airflow_provider_oms.milestones.facts.of_step` describes them; None if OMS
        doesn't list them
    :param alarms: its alarms, as :func:`~airflow_provider_oms.milestones.facts.of_row` describes them
    """
    now = outlook(status)
    if now in (Outlook.GONE, Outlook.OVER):
        return Attention(Level.ENDED)
    if now is Outlook.FAILED:
        reason, _ = next(_failures(steps or ()), ("The project has failed.", Why.FAILED))
        return Attention(Level.ACT, reason, Why.FAILED)
    if now is Outlook.PAUSED:
        return Attention(Level.ACT, "The project is paused. Somebody has to resume it.", Why.PAUSED)
    for reason, why in _failures(steps or ()):
        return Attention(Level.ACT, reason, why)
    if words := waits_at(At(step["name"], step["status"], step["progress"]) for step in steps or ()).words:
        return Attention(Level.ACT, words, Why.WAITING)
    if now is Outlook.UNKNOWN:
        told = safe_text(status, 60) if status else "none"
        return Attention(Level.LOOK, f"OMS gives a status that isn't documented: {told}.", Why.UNKNOWN)
    if is_changing(status):
        return Attention(Level.LOOK, "Objects are being added to the project or removed from it.", Why.CHANGING)
    if alarms and alarms.get("alarming"):
        content = safe_text(alarms["content"], 500) if alarms.get("content") else ""
        return Attention(Level.LOOK, f"OMS raises an alarm. {content}".strip(), Why.ALARM)
    return Attention(Level.NOTHING)


def _failures(steps: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Why]]:
    for step in steps:
        name = safe_text(step["name"] or "A step", 60)
        if step["state"] == "failed":
            error = step["error"] or {}
            told = " ".join(safe_text(error[key], 500) for key in ("code", "message") if error.get(key))
            yield f"{name} has failed: {told or 'OMS gives no error'}", Why.FAILED
        elif step["state"] == "paused":
            yield f"{name} is paused.", Why.PAUSED
