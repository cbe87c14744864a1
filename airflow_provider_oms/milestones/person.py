"""Decides whether a project waits for a person, and says what that person has to do. No other module decides this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Step
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.steps import StepKind, kind_of

#: The kinds of steps by which :func:`waits_at` decides.
_UP_TO_A_PERSON = (StepKind.FULL_VERIFICATION, StepKind.SWITCHOVER, StepKind.REVERSE)


class At(NamedTuple):
    """The state of a step.

    :param name: its name
    :param status: its status
    :param progress: its percentage
    """

    name: str | None
    status: str | None
    progress: float | None

    @classmethod
    def of(cls, step: Step) -> At:
        """Read a step; a value that can't be read is None."""
        name, status, progress = Step.name, Step.status, Step.progress
        return cls(value_or_none(step, name), value_or_none(step, status), value_or_none(step, progress))


class Wait(NamedTuple):
    """The step at which a project waits for a person.

    :param step: the step's name; None if the project waits for nobody
    :param words: a sentence that says what the person has to do; empty if the project waits for nobody
    """

    step: str | None = None
    words: str = ""


def waits_at(steps: Iterable[At]) -> Wait:
    """Decide whether a running project waits for a person.

    It does when its full verification is complete and no later step has begun, and at a switchover, most of which a
    person carries out. Only explanations use this.

    Sources: docs/develop/oms-facts.md#full-verification-done, docs/develop/oms-facts.md#switchover

    :param steps: its steps
    """
    steps = list(steps)
    behind = [step for step in steps if kind_of(step.name) in (StepKind.SWITCHOVER, StepKind.REVERSE)]
    for step in behind:
        if is_at_switchover(step):
            return Wait(step.name, f"Step {step.name} waits for a person: switch over in the OMS console.")
    if any(step.status not in (None, step_rules.INIT) for step in behind):
        return Wait()
    for step in steps:
        through = step.status == step_rules.RUNNING and step.progress == 100
        if kind_of(step.name) is StepKind.FULL_VERIFICATION and through:
            words = f"Step {step.name} waits for a person: look at its result, then go on in the OMS console."
            return Wait(step.name, words)
    return Wait()


def is_at_switchover(step: Step | At) -> bool:
    """Decide whether a step is a switchover that waits for a person, which OMS shows as RUNNING.

    Source: docs/develop/oms-facts.md#switchover
    """
    return kind_of(step.name) is StepKind.SWITCHOVER and step.status == step_rules.RUNNING


def holds_up(steps: Sequence[Step], awaited: Sequence[Step]) -> str:
    """Return what a person has to do before the steps that a gate waits for can go on; empty if nobody is needed.

    :param steps: the project's steps
    :param awaited: the steps that the gate waits for
    """
    if not awaited:
        return ""
    wait = waits_at(At.of(step) for step in steps if kind_of(value_or_none(step, Step.name)) in _UP_TO_A_PERSON)
    ahead = any(At.of(step).status == step_rules.INIT for step in awaited)
    at = any(At.of(step).name == wait.step and not step_rules.is_done(step) for step in awaited)
    return wait.words if ahead or at else ""
