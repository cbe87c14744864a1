"""How each milestone is judged: one function a milestone.

Every one decides first whether the milestone is reached, since what is reached stays reached; only then does the
project's status say whether it still can be (:meth:`Look.not_yet`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_oms.client.errors import plain
from airflow_provider_oms.client.models import ProjectProgress, Step
from airflow_provider_oms.client.operations import Dialogue
from airflow_provider_oms.client.protocol import Answer, utc_text
from airflow_provider_oms.milestones import actions, freshness, verification
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.kinds import (
    ActionMilestone,
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
    ProjectStatusMilestone,
    StepMilestone,
)
from airflow_provider_oms.milestones.look import Look, known
from airflow_provider_oms.milestones.status import Outlook, is_running, may_follow, outlook
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import Verdict

# A step by any one of its names: that finds it under all of them.
_FULL = (StepKind.FULL.value[0],)
_INCREMENTAL = (StepKind.INCREMENTAL.value[0],)
_REVERSE = (StepKind.REVERSE.value[0],)
_VERIFICATION = (StepKind.FULL_VERIFICATION.value[0],)


def step(wanted: StepMilestone, look: Look) -> Dialogue[Verdict]:
    """A step is done, or has started."""
    progress = yield from look.progress()
    steps = (yield from look.steps()).data
    found = step_rules.find(steps, wanted.step)
    if not found:
        return (yield from _absent(wanted, look, progress, steps))
    step = found[-1]
    passed = step_rules.is_done if wanted.until == "done" else step_rules.has_started
    reached = all(passed(one) for one in found)
    seen = look.sighting(progress, step=step.name, progress=known(step, Step.progress))
    message = f"Step {step.name} is {plain(step.status, 60)}{_percent(seen.progress)}."
    if reached:
        return look.reached(message, seen)
    return (yield from look.not_yet(message, progress, seen, steps=steps, awaits=[wanted.step]))


def _absent(
    wanted: StepMilestone, look: Look, progress: Answer[ProjectProgress], steps: list[Step]
) -> Dialogue[Verdict]:
    seen = look.sighting(progress, step=wanted.step, progress=None)
    if steps:
        listed = plain(step_rules.names(steps))
        return look.failed(f"The project has no step {wanted.step}. Its steps are {listed}. Correct step.", seen)
    return (yield from look.not_yet("The project lists no steps yet.", progress, seen, steps=steps))


def full_transfer(wanted: FullTransferMilestone, look: Look) -> Dialogue[Verdict]:
    """The full transfer has reached a percentage."""
    answer = yield from look.progress()
    seen = look.sighting(answer)
    done = answer.data.full_transfer_progress
    if answer.data.enable_full_transfer is False:
        return look.failed("The project has no full transfer (enableFullTransfer is false).", seen)
    if done is None:
        message = "OMS gives no percentage of the full transfer yet."
    else:
        message = f"The full transfer is at {done:g} % of {wanted.progress:g} %."
        if done >= wanted.progress:
            return look.reached(message, seen)
    return (yield from look.not_yet(message, answer, seen, awaits=_FULL))


def checkpoint_lag(wanted: CheckpointLagMilestone, look: Look) -> Dialogue[Verdict]:
    """The checkpoint lies at most so many seconds behind, now and on every look for a while."""
    answer = yield from look.progress()
    reading = freshness.read(answer, wanted.direction)
    seen = look.sighting(answer, checkpoint=reading.checkpoint, lag=reading.lag)
    # Counted by one clock only: the difference between two would count as time that has passed.
    same_clock = look.memory.within_clock == answer.clock
    since = look.memory.within_since if same_clock else None
    look.memory.within_since = look.memory.within_clock = None
    if reading.impossible:
        return look.failed(reading.problem, seen)
    if reading.problem:
        awaits = _step_of(wanted.direction)
        return (yield from look.not_yet(reading.problem, answer, seen, awaits=awaits, alarming=reading.alarming))
    if not is_running(answer.data.status):
        return (yield from look.not_yet("A lag counts only while the project is running.", answer, seen))
    lag = reading.trusted_lag
    message = f"The {wanted.direction} checkpoint lies {lag:.0f} s behind; {wanted.max_lag:g} s are allowed."
    if lag > wanted.max_lag:
        awaits = _step_of(wanted.direction)
        return (yield from look.not_yet(message + reading.remark, answer, seen, awaits=awaits))
    since = min(answer.at, since) if since is not None else answer.at
    look.memory.within_since, look.memory.within_clock = since, answer.clock
    if answer.at - since >= wanted.hold_for:
        return look.reached(message, seen)
    held = f" It has been for {answer.at - since:.0f} s of {wanted.hold_for:g} s."
    return (yield from look.not_yet(message + held, answer, seen))


def checkpoint_reached(wanted: CheckpointReachedMilestone, look: Look) -> Dialogue[Verdict]:
    """The checkpoint has passed a moment, so every change up to it has arrived."""
    answer = yield from look.progress()
    reading = freshness.read(answer, wanted.direction)
    seen = look.sighting(answer, checkpoint=reading.checkpoint, lag=reading.lag)
    if reading.impossible:
        return look.failed(reading.problem, seen)
    if reading.problem:
        awaits = _step_of(wanted.direction)
        return (yield from look.not_yet(reading.problem, answer, seen, awaits=awaits, alarming=reading.alarming))
    message = (
        f"The {wanted.direction} checkpoint is at {utc_text(reading.trusted_checkpoint)}; "
        f"it must pass {utc_text(wanted.checkpoint)}."
    )
    # Strictly: a change made in the very second of the checkpoint may still be on its way.
    if reading.trusted_checkpoint > wanted.checkpoint:
        return look.reached(message, seen)
    awaits = _step_of(wanted.direction)
    return (yield from look.not_yet(message + reading.remark, answer, seen, awaits=awaits))


def full_verification(wanted: FullVerificationMilestone, look: Look) -> Dialogue[Verdict]:
    """Full verification is done and found every table consistent."""
    progress = yield from look.progress()
    steps = (yield from look.steps()).data
    found = step_rules.find(steps, _VERIFICATION[0])
    if not found and steps:
        listed = plain(step_rules.names(steps))
        return look.failed(f"The project has no full verification. Its steps are {listed}.", look.sighting(progress))
    finding = yield from verification.look_at(look, found)
    seen = look.sighting(progress, step=_VERIFICATION[0], progress=finding.progress)
    if finding.consistent:
        return look.reached(finding.message, seen)
    if finding.inconsistent:
        return look.failed(finding.message, seen)
    awaits, alarming = _VERIFICATION, finding.alarming
    return (yield from look.not_yet(finding.message, progress, seen, steps=steps, awaits=awaits, alarming=alarming))


def project_status(wanted: ProjectStatusMilestone, look: Look) -> Dialogue[Verdict]:
    """The project's status is one of a few."""
    answer = yield from look.progress()
    seen = look.sighting(answer)
    status = answer.data.status
    message = f"The project is {plain(status, 60)}."
    if status in wanted.target_statuses:
        return look.reached(message, seen)
    if may_follow(status, wanted.target_statuses):
        return look.waiting(message, seen)
    return (yield from look.not_yet(message, answer, seen))


def cutover_ready(wanted: CutoverReadyMilestone, look: Look) -> Dialogue[Verdict]:
    """All that a safe switchover needs."""
    progress = yield from look.progress()
    steps = (yield from look.steps()).data
    reading = freshness.read(progress, "forward")
    seen = look.sighting(progress, checkpoint=reading.checkpoint, lag=reading.lag)
    if reading.impossible:
        return look.failed(reading.problem, seen)
    incremental = step_rules.find(steps, _INCREMENTAL[0])
    if steps and not incremental:
        return look.failed("The project has no incremental sync, so there is nothing to cut over from.", seen)
    full = step_rules.find(steps, _FULL[0])
    verifier = step_rules.find(steps, _VERIFICATION[0])
    missing, alarming = [], reading.alarming
    if not is_running(progress.data.status):
        missing.append("the project isn't running")
    if progress.data.enable_full_transfer is not False and not full:
        missing.append("no full transfer is listed")
    missing += [f"step {step.name} is {plain(step.status, 60)}" for step in full if not step_rules.is_done(step)]
    if not incremental:
        missing.append("no steps are listed")
    if not all(step.name for step in steps):
        missing.append("OMS lists a step without a name, which may be the verification")
    missing += [
        f"step {step.name} is {plain(step.status, 60)}, not monitoring"
        for step in incremental
        if not step_rules.caught_up(step)
    ]
    if reading.problem:
        missing.append(reading.problem)
    elif reading.trusted_lag > wanted.max_lag:
        missing.append(f"the lag is {reading.trusted_lag:.0f} s of {wanted.max_lag:g} s{reading.remark}")
    if verifier:
        # Asked for even when something else is missing: tables that differ fail the gate whatever the lag.
        finding = yield from verification.look_at(look, verifier)
        if finding.inconsistent:
            return look.failed(finding.message, seen)
        if not finding.consistent:
            missing.append(finding.message)
            alarming = alarming or finding.alarming
    if not missing:
        return look.reached(f"Ready for the cut-over: the lag is {reading.trusted_lag:.0f} s.", seen)
    message = f"Not ready for the cut-over: {'; '.join(missing)}."
    awaits = [*_FULL, *_INCREMENTAL, *_VERIFICATION]
    return (yield from look.not_yet(message, progress, seen, steps=steps, awaits=awaits, alarming=alarming))


def action(wanted: ActionMilestone, look: Look) -> Dialogue[Verdict]:
    """An action that was sent has its effect: what an operator waits for."""
    answer = yield from look.progress()
    seen = look.sighting(answer)
    status = answer.data.status
    message = f"The project is {plain(status, 60)}."
    effect = actions.has_effect(wanted.goal, wanted.sent, status, stop_first=wanted.stop_first)
    if effect:
        return look.reached(message, seen)
    # What OMS shows just after an action may be what was before it, an old failure as well; but not for ever.
    new = wanted.since is not None and answer.at - wanted.since <= look.gate.failure_grace
    if effect is False and (new or outlook(status) is not Outlook.FAILED):
        return look.waiting(message, seen)
    return (yield from look.not_yet(message, answer, seen))


def _percent(progress: float | None) -> str:
    return "" if progress is None else f" at {progress:g} %"


def _step_of(direction: str) -> tuple[str, ...]:
    """Return the step whose checkpoint a direction reads."""
    return _INCREMENTAL if direction == "forward" else _REVERSE


CHECKS: dict[str, Callable[[Any, Look], Dialogue[Verdict]]] = {
    StepMilestone.kind: step,
    FullTransferMilestone.kind: full_transfer,
    CheckpointLagMilestone.kind: checkpoint_lag,
    CheckpointReachedMilestone.kind: checkpoint_reached,
    FullVerificationMilestone.kind: full_verification,
    ProjectStatusMilestone.kind: project_status,
    CutoverReadyMilestone.kind: cutover_ready,
    ActionMilestone.kind: action,
}
