"""The rule of each milestone: one function per milestone, and :func:`check`, which chooses the function.

Each function decides first whether the milestone is reached, because a reached milestone stays reached. Only then the
project's status decides whether it can still be reached (:meth:`PollContext.not_yet`).
"""

from __future__ import annotations

from functools import singledispatch

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import ProjectProgress, Step
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer, utc_text
from airflow_provider_oms.milestones import freshness, transitions
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.behind import checkpoint_behind
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.cutover import cutover_ready
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.kinds import (
    ActionMilestone,
    CheckpointBehindMilestone,
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
    Milestone,
    ObjectsMilestone,
    ProjectStatusMilestone,
    StepMilestone,
)
from airflow_provider_oms.milestones.memory import Condition
from airflow_provider_oms.milestones.objects import objects
from airflow_provider_oms.milestones.status import Outlook, is_running, may_follow, outlook
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import Verdict
from airflow_provider_oms.milestones.verified import full_verification

# One of the step's names; a search with it finds the step under each of its names.
_FULL = (StepKind.FULL.value[0],)


def step(milestone: StepMilestone, poll: PollContext) -> Flow[Verdict]:
    """A step is done, or has started.

    Sources: docs/develop/oms-facts.md#step-done, docs/develop/oms-facts.md#step-names
    """
    progress = yield from poll.progress()
    steps = (yield from poll.steps()).data
    found = step_rules.find(steps, milestone.step)
    if not found:
        return (yield from _absent(milestone, poll, progress, steps))
    step = found[-1]
    passed = step_rules.is_done if milestone.until == "done" else step_rules.has_started
    reached = all(passed(one) for one in found)
    observed = poll.observation(progress, step=step.name, progress=value_or_none(step, Step.progress))
    message = f"Step {step.name} is {safe_text(step.status, 60)}{_percent(observed.progress)}."
    if reached:
        return poll.reached(message, observed)
    return (yield from poll.not_yet(message, progress, observed, steps=steps, awaits=[milestone.step]))


def _absent(
    milestone: StepMilestone, poll: PollContext, progress: Answer[ProjectProgress], steps: list[Step]
) -> Flow[Verdict]:
    # Steps that aren't enabled aren't listed: docs/develop/oms-facts.md#step-order
    observed = poll.observation(progress, step=milestone.step, progress=None)
    if steps:
        listed = safe_text(step_rules.names(steps))
        return poll.failed(
            f"The project has no step {milestone.step}. Its steps are {listed}. Correct the argument step.", observed
        )
    return (yield from poll.not_yet("The project lists no steps yet.", progress, observed, steps=steps))


def full_transfer(milestone: FullTransferMilestone, poll: PollContext) -> Flow[Verdict]:
    """The full transfer has reached a percentage.

    The percentage may be 100 before the step is done, because indexes are created after the rows:
    docs/develop/oms-facts.md#step-done
    """
    answer = yield from poll.progress()
    observed = poll.observation(answer)
    done = answer.data.full_transfer_progress
    if answer.data.enable_full_transfer is False:
        return poll.failed("The project has no full transfer (enableFullTransfer is false).", observed)
    if done is None:
        message = "OMS gives no percentage of the full transfer yet."
    else:
        message = f"The full transfer is at {done:g} % ({milestone.progress:g} % needed)."
        if done >= milestone.progress:
            return poll.reached(message, observed)
    return (yield from poll.not_yet(message, answer, observed, awaits=_FULL))


def checkpoint_lag(milestone: CheckpointLagMilestone, poll: PollContext) -> Flow[Verdict]:
    """The checkpoint lies at most ``max_lag`` seconds behind, at this poll and at every poll for ``hold_for``.

    Sources: docs/develop/oms-facts.md#checkpoints, docs/develop/oms-facts.md#idle-source
    """
    answer = yield from poll.progress()
    reading = freshness.read(answer, milestone.direction)
    observed = poll.observation(answer, checkpoint=reading.checkpoint, lag=reading.lag)
    if reading.impossible:
        return poll.failed(reading.problem, observed)
    if reading.problem:
        awaits = (step_rules.stream_of(milestone.direction),)
        return (yield from poll.not_yet(reading.problem, answer, observed, awaits=awaits, alarming=reading.alarming))
    if not is_running(answer.data.status) or poll.changing:
        return (yield from poll.not_yet("A lag counts only while the project is running.", answer, observed))
    lag = reading.trusted_lag
    message = (
        f"The {milestone.direction} checkpoint lies {duration(lag)} behind "
        f"(at most {duration(milestone.max_lag)} allowed)."
    )
    if lag > milestone.max_lag:
        awaits = (step_rules.stream_of(milestone.direction),)
        return (yield from poll.not_yet(message + reading.remark, answer, observed, awaits=awaits))
    held_for = poll.lasted(Condition.LAG_SMALL, answer) if milestone.hold_for else 0.0
    if held_for >= milestone.hold_for:
        return poll.reached(message, observed)
    held = f" The lag has been small enough for {duration(held_for)} ({duration(milestone.hold_for)} needed)."
    return (yield from poll.not_yet(message + held, answer, observed))


def checkpoint_reached(milestone: CheckpointReachedMilestone, poll: PollContext) -> Flow[Verdict]:
    """The checkpoint has passed a moment, so every change up to it has arrived."""
    answer = yield from poll.progress()
    reading = freshness.read(answer, milestone.direction)
    observed = poll.observation(answer, checkpoint=reading.checkpoint, lag=reading.lag)
    if reading.impossible:
        return poll.failed(reading.problem, observed)
    if reading.problem:
        awaits = (step_rules.stream_of(milestone.direction),)
        return (yield from poll.not_yet(reading.problem, answer, observed, awaits=awaits, alarming=reading.alarming))
    message = (
        f"The {milestone.direction} checkpoint is at {utc_text(reading.trusted_checkpoint)}; "
        f"it must pass {utc_text(milestone.checkpoint)}."
    )
    # It must be greater, not equal: a change made in the second of the checkpoint may not have arrived yet.
    # Source: docs/develop/oms-facts.md#checkpoint-strictly
    if reading.trusted_checkpoint > milestone.checkpoint:
        return poll.reached(message, observed)
    awaits = (step_rules.stream_of(milestone.direction),)
    return (yield from poll.not_yet(message + reading.remark, answer, observed, awaits=awaits))


def project_status(milestone: ProjectStatusMilestone, poll: PollContext) -> Flow[Verdict]:
    """The project's status is one of the target statuses.

    Source: docs/develop/oms-facts.md#project-status
    """
    answer = yield from poll.progress()
    observed = poll.observation(answer)
    status = answer.data.status
    message = f"The project is {safe_text(status, 60)}."
    if status in milestone.target_statuses:
        return poll.reached(message, observed)
    if may_follow(status, milestone.target_statuses):
        return poll.waiting(message, observed)
    return (yield from poll.not_yet(message, answer, observed))


def action(milestone: ActionMilestone, poll: PollContext) -> Flow[Verdict]:
    """An action that was sent has had its effect; operators wait for this."""
    answer = yield from poll.progress()
    observed = poll.observation(answer)
    status = answer.data.status
    message = f"The project is {safe_text(status, 60)}."
    effect = transitions.has_effect(milestone.goal, milestone.sent, status, stop_first=milestone.stop_first)
    if effect:
        return poll.reached(message, observed)
    # Shortly after an action OMS may still show the state before it, including an old failure.
    # Source: docs/develop/oms-facts.md#transitions (whether an action returns before the status changes is unknown)
    new = milestone.since is not None and answer.at - milestone.since <= poll.gate.failure_grace
    if effect is False and (new or outlook(status) is not Outlook.FAILED):
        return poll.waiting(message, observed)
    return (yield from poll.not_yet(message, answer, observed))


def _percent(progress: float | None) -> str:
    return "" if progress is None else f" at {progress:g} %"


@singledispatch
def check(milestone: Milestone, poll: PollContext) -> Flow[Verdict]:
    """Ask OMS for what a milestone needs, and decide by its rule.

    :param milestone: the milestone
    :param poll: the poll of the project
    :raises NotImplementedError: for a milestone that has no rule
    """
    raise NotImplementedError(type(milestone).__name__)


check.register(StepMilestone, step)
check.register(FullTransferMilestone, full_transfer)
check.register(CheckpointLagMilestone, checkpoint_lag)
check.register(CheckpointBehindMilestone, checkpoint_behind)
check.register(CheckpointReachedMilestone, checkpoint_reached)
check.register(FullVerificationMilestone, full_verification)
check.register(ProjectStatusMilestone, project_status)
check.register(CutoverReadyMilestone, cutover_ready)
check.register(ObjectsMilestone, objects)
check.register(ActionMilestone, action)
