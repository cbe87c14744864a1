"""In which status an action on a project is allowed, and when there is nothing left to do.

The table follows OceanBase's pages "Start and pause", "Release and delete" and "Perform batch operations on data
migration projects" (V4.2.2), which say what the console allows. Whether a real OMS's API allows the same is untested.
Source: docs/develop/oms-facts.md#transitions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.models import PreCheckItem, PreCheckResult, Step
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.person import is_at_switchover
from airflow_provider_oms.milestones.status import DELETED, RELEASED, RELEASING, is_running

_RUNNING = "RUNNING*"


class Kind(Enum):
    """What to do next."""

    DONE = "done"
    SEND = "send"
    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Move:
    """The next step towards the goal of an action.

    :param kind: nothing (it is done), send an action, wait for OMS, or refuse
    :param action: the action to send: the goal, or one that must come before it
    :param reason: why the action is refused, and what would help
    """

    kind: Kind
    action: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _Rule:
    """The rule of an action. ``RUNNING*`` stands for every status of a running project: :func:`is_running`.

    :param name: OMS's name of the action
    :param allowed: the statuses in which it is allowed
    :param done: the statuses in which there is nothing left to do
    :param under_way: the statuses in which OMS is carrying it out
    """

    name: str
    allowed: tuple[str, ...]
    done: tuple[str, ...]
    under_way: tuple[str, ...] = ()


# docs/develop/oms-facts.md#transitions
_RULES = {
    "start": _Rule("StartProject", ("INIT",), (_RUNNING, "FINISHED")),
    "stop": _Rule("StopProject", (_RUNNING,), ("SUSPEND",)),
    "resume": _Rule("ResumeProject", ("SUSPEND", "FAILED"), (_RUNNING, "FINISHED")),
    "release": _Rule("ReleaseProject", ("SUSPEND", "FAILED", "FINISHED"), (RELEASED, DELETED), under_way=(RELEASING,)),
    "delete": _Rule("DeleteProject", ("INIT", RELEASED), (DELETED,)),
    "advance": _Rule("AdvanceProject", (_RUNNING,), ()),
    "add_objects": _Rule("CreateProjectModifyRecords", ("INIT", "RUNNING", "RUNNING_ALARMING", "SUSPEND"), ()),
    "remove_objects": _Rule(
        "CreateProjectModifyRecords", ("INIT", "RUNNING", "RUNNING_ALARMING", "SUSPEND", "FAILED"), ()
    ),
    "configure": _Rule("UpdateProjectConfig", ("INIT", "SUSPEND", "FAILED"), ()),
}

#: The actions that have a rule.
ACTIONS = tuple(_RULES)

#: The action that must come first, with ``stop_first``. Source: docs/develop/oms-facts.md#transitions
_BEFORE = {"release": ("stop",), "delete": ("stop", "release")}

#: Advice for an action that isn't allowed, by action and status. Source: docs/develop/oms-facts.md#transitions
_HINTS = {
    ("start", "SUSPEND"): "Resume it instead.",
    ("start", "FAILED"): "Resume it instead, once the cause is fixed.",
    ("stop", "INIT"): "It was never started.",
    ("resume", "INIT"): "Start it instead.",
    ("release", _RUNNING): "Stop it first, or give stop_first=True.",
    ("release", "INIT"): "It was never started: delete it instead.",
    ("delete", _RUNNING): "Stop and release it first, or give stop_first=True.",
    ("delete", "SUSPEND"): "Release it first, or give stop_first=True.",
    ("delete", "FAILED"): "Release it first, or give stop_first=True.",
    ("delete", "FINISHED"): "Release it first, or give stop_first=True.",
    ("delete", RELEASING): "Wait until it is released.",
    ("advance", "INIT"): "Start it first.",
    ("advance", "SUSPEND"): "Resume it first.",
    ("advance", "FAILED"): "Resume it first, once the cause is fixed.",
    ("add_objects", "FAILED"): "Resume it first, once the cause is fixed.",
    ("add_objects", _RUNNING): "Its objects are being changed already: wait until that is done.",
    ("remove_objects", _RUNNING): "Its objects are being changed already: wait until that is done.",
    ("configure", _RUNNING): "Stop it first.",
}


def plan(goal: str, status: str | None, *, stop_first: bool = False) -> Move:
    """Decide what to do next to reach the goal of an action.

    :param goal: the goal: start, stop, resume, release or delete
    :param status: the project's status; DELETED if OMS doesn't have the project (any more)
    :param stop_first: whether the project may be stopped and released before a release or delete
    """
    rule = _RULES[goal]
    if _among(status, rule.done):
        return Move(Kind.DONE)
    if _among(status, rule.under_way):
        return Move(Kind.WAIT, goal)
    if _among(status, rule.allowed):
        return Move(Kind.SEND, goal)
    for earlier in _BEFORE.get(goal, ()) if stop_first else ():
        if _among(status, _RULES[earlier].under_way):
            return Move(Kind.WAIT, earlier)
        if _among(status, _RULES[earlier].allowed):
            return Move(Kind.SEND, earlier)
    return Move(Kind.REFUSE, goal, _why_not(rule, goal, status))


def has_effect(goal: str, sent: str, status: str | None, *, stop_first: bool = False) -> bool | None:
    """Decide whether an action that was sent has had its effect.

    :param goal: the goal
    :param sent: the action that was sent to reach it
    :param status: the project's current status
    :param stop_first: as for :func:`plan`
    :return: True if it has; False while OMS still shows the earlier status or carries out the action; None if the
        project has any other status
    """
    move = plan(goal, status, stop_first=stop_first)
    if move.kind is Kind.REFUSE:
        return None
    return move.kind is Kind.DONE or (move.kind is Kind.SEND and move.action != sent)


def plan_advance(status: str | None, steps: Sequence[Step], from_step: str) -> Move:
    """Decide whether a project waits at a step to be advanced.

    How OMS shows this is only documented for full verification (RUNNING at 100) and the switchover (RUNNING). For other
    steps we assume that the project waits if the step is done and the next step hasn't begun.
    Sources: docs/develop/oms-actions.md#advance, docs/develop/oms-facts.md#step-order

    :param status: the project's status
    :param steps: its steps, in their order
    :param from_step: the step to advance from, in any of OMS's vocabularies
    """
    refused = plan("advance", status)
    found = step_rules.find(steps, from_step)
    if not found:
        listed = safe_text(step_rules.names(steps)) or "none"
        return (
            refused
            if refused.kind is Kind.REFUSE
            else Move(Kind.REFUSE, "advance", f"It has no step {from_step}. Its steps are {listed}.")
        )
    ordered = _in_order(steps)
    place = max(number for number, one in enumerate(ordered) if any(one is step for step in found))
    step = ordered[place]
    # Incremental verification runs in parallel with the others.
    after = [one for one in ordered[place + 1 :] if not _beside(one)]
    paused = not is_running(status)
    if any(_has_begun(one, paused=paused) for one in after) or (not after and step.status == step_rules.FINISHED):
        return Move(Kind.DONE)
    if refused.kind is Kind.REFUSE:
        return refused
    if unclear := [one for one in after if not one.status]:
        reason = f"OMS gives no status of step {unclear[0].name}, so it isn't known whether it has begun."
        return Move(Kind.REFUSE, "advance", reason)
    if step_rules.is_done(step) or is_at_switchover(step):
        return Move(Kind.SEND, "advance")
    progress = "" if step.progress is None else f" at {step.progress:g} %"
    return Move(
        Kind.REFUSE,
        "advance",
        f"Step {step.name} is {safe_text(step.status, 60)}{progress}: it isn't done. Wait for it with OmsStepSensor.",
    )


def judge_existing(status: str | None) -> Move:
    """Decide whether a create may use a project that exists already, or must refuse.

    A project that has ended can't be started again. If it were used like a new one, every gate would open at once.
    Source: docs/develop/oms-facts.md#transitions

    :param status: the project's status
    :return: done, with a reason if the project differs from a new one; or refuse
    """
    if status in (RELEASING, RELEASED, "FINISHED"):
        reason = f"It is {status} and can't be started any more. Use another name, or delete it first."
        return Move(Kind.REFUSE, "create", reason)
    if status == "INIT":
        return Move(Kind.DONE)
    helps = _HINTS.get(("start", status or ""), "")
    return Move(Kind.DONE, reason=f"It is {safe_text(status, 60)}. {helps}".strip())


class PreCheck(Enum):
    """The result of a pre-check."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"


def judge_pre_check(result: PreCheckResult) -> tuple[PreCheck, list[PreCheckItem]]:
    """Return the result of a pre-check, and the items that failed: every item whose status isn't a known good one.

    Source: docs/develop/oms-actions.md#pre-check

    :param result: the answer of ``GetPreCheckResult``
    """
    if result.status not in ("FINISHED", "FAILED", "SKIPPED"):
        return PreCheck.RUNNING, []
    failed = [item for item in result.items if item.status not in _GOOD_ITEMS]
    return (PreCheck.FAILED if failed or result.status == "FAILED" else PreCheck.PASSED), failed


#: OceanBase doesn't document the statuses of an item; these are the good statuses of its other lists.
#: Source: docs/develop/oms-actions.md#pre-check
_GOOD_ITEMS = ("FINISHED", "SUCCESS", "PASSED", "SKIPPED")


def name_of(action: str) -> str:
    """Return OMS's name of an action."""
    return _RULES[action].name


def may_be_stopped(status: str | None) -> bool:
    """Decide whether a project can be stopped, which is so while it is running."""
    return is_running(status)


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """Return the steps sorted by ``order`` if each has one, otherwise as they are listed."""
    return list(steps) if any(step.order is None for step in steps) else sorted(steps, key=lambda step: step.order or 0)


def _has_begun(step: Step, *, paused: bool) -> bool:
    """Decide whether a step has begun, even if it has failed since.

    It isn't documented whether OMS shows steps that haven't begun as SUSPEND in a paused project, so there SUSPEND
    doesn't count.
    """
    return bool(step.status) and step.status != step_rules.INIT and not (paused and step.status == step_rules.SUSPEND)


def _beside(step: Step) -> bool:
    return step_rules.kind_of(step.name) is step_rules.StepKind.INCREMENTAL_VERIFICATION


def _among(status: str | None, statuses: tuple[str, ...]) -> bool:
    return status in statuses or (_RUNNING in statuses and is_running(status))


def _why_not(rule: _Rule, goal: str, status: str | None) -> str:
    if status == DELETED:
        return f"{rule.name} needs a project that is {' or '.join(rule.allowed)}; this one is deleted or never existed."
    known = _RUNNING if is_running(status) else status or ""
    said = safe_text(status, 60) if status else "of unknown status, because OMS gives none"
    hint = _HINTS.get((goal, known), "")
    return f"{rule.name} needs a project that is {' or '.join(rule.allowed)}; this one is {said}. {hint}".rstrip()
