"""The rule for the cut-over: whether a project is ready for its switchover."""

from __future__ import annotations

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.models import ProjectProgress, Step
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones import freshness, verification
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.kinds import CutoverReadyMilestone
from airflow_provider_oms.milestones.status import is_running
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.milestones.verified import VERIFICATION, VERIFY_APART, verified_apart

# One of each step's names; a search with it finds the step under each of its names.
_FULL = StepKind.FULL.value[0]
_INCREMENTAL = StepKind.INCREMENTAL.value[0]


def cutover_ready(milestone: CutoverReadyMilestone, poll: PollContext) -> Flow[Verdict]:
    """Everything that a safe switchover needs.

    For when OceanBase's own client (ODC) considers a project ready, and where this rule differs on purpose, see
    docs/develop/oms-facts.md#odc-verdict
    """
    progress = yield from poll.progress()
    steps = (yield from poll.steps()).data
    full = step_rules.find(steps, _FULL)
    full_done = bool(full) and all(map(step_rules.is_done, full))
    reading = freshness.read(progress, "forward", full_transfer_done=full_done)
    observed = poll.observation(progress, checkpoint=reading.checkpoint, lag=reading.lag)
    if reading.impossible:
        return poll.failed(reading.problem, observed)
    incremental = step_rules.find(steps, _INCREMENTAL)
    if steps and not incremental:
        return poll.failed("The project has no incremental sync, so there is nothing to cut over from.", observed)
    before = step_rules.before_incremental(steps)
    missing = _missing_in_steps(progress.data, steps, before, incremental)
    if reading.problem:
        missing.append(reading.problem)
    elif reading.trusted_lag > milestone.max_lag:
        missing.append(
            f"the lag is {duration(reading.trusted_lag)} (at most {duration(milestone.max_lag)} allowed)"
            f"{reading.remark}"
        )
    if poll.changing and is_running(progress.data.status):
        missing.append("objects are being added or removed")
    # Asked for even if something else is missing: tables that differ fail the gate, whatever the lag is.
    verdict = yield from _verified(milestone, poll, progress, steps, ready=not missing)
    if verdict.state is State.FAILED:
        return verdict._replace(observed=observed)
    if verdict.state is State.WAITING:
        missing.append(verdict.message)
    if not missing:
        message = f"Ready for the cut-over: the lag is {duration(reading.trusted_lag)}. {verdict.message}"
        return poll.reached(message, observed._replace(note=verdict.observed.note))
    message = f"Not ready for the cut-over: {'; '.join(one.rstrip('.') for one in missing)}."
    awaits = [step.name for step in before if step.name and not step_rules.is_precheck(step)]
    awaits += [_INCREMENTAL, VERIFICATION]
    alarming = reading.alarming or verdict.alarming
    return (yield from poll.not_yet(message, progress, observed, steps=steps, awaits=awaits, alarming=alarming))


def _missing_in_steps(
    progress: ProjectProgress, steps: list[Step], before: list[Step], incremental: list[Step]
) -> list[str]:
    """Return the reasons in the status and the steps that prevent a cut-over.

    Sources: docs/develop/oms-facts.md#step-done, docs/develop/oms-facts.md#step-order,
    docs/develop/oms-facts.md#monitoring
    """
    missing = []
    if not is_running(progress.status):
        missing.append("the project isn't running")
    if progress.enable_full_transfer is not False and not step_rules.find(steps, _FULL):
        missing.append("no full transfer is listed")
    missing += [f"step {step_rules.describe(step)}" for step in before if not step_rules.is_done(step)]
    if not incremental:
        missing.append("no steps are listed")
    if not step_rules.all_named(steps):
        missing.append("OMS lists a step without a name, which may be the verification")
    missing += [
        f"step {step.name} is {safe_text(step.status, 60)}, not monitoring"
        for step in incremental
        if not step_rules.caught_up(step)
    ]
    return missing


def _verified(
    milestone: CutoverReadyMilestone,
    poll: PollContext,
    progress: Answer[ProjectProgress],
    steps: list[Step],
    *,
    ready: bool,
) -> Flow[Verdict]:
    """Decide whether a project is verified for its cut-over; reached also without a verification if none is required.

    If the configuration has a verification but the list of steps doesn't, its result isn't known, so the gate waits.

    Sources: docs/develop/oms-facts.md#verification-project, docs/develop/oms-facts.md#step-order

    :param ready: whether nothing else is missing
    """
    own, observed = step_rules.find(steps, VERIFICATION), poll.observation(progress)
    messages, notes = [], []
    if milestone.verification_project is not None:
        apart = yield from verified_apart(milestone.verification_project, poll, steps, explain=ready)
        if apart.state is not State.REACHED:
            return apart
        messages.append(apart.message)
        notes.append(apart.observed.note)
    if own:
        finding = yield from verification.finding_of(poll, own)
        never_told = poll.never_told(finding.untold)
        if finding.inconsistent or never_told:
            return poll.failed(f"{finding.message} {never_told}".rstrip(), observed)
        if not finding.consistent:
            return poll.waiting(finding.message, observed, alarming=finding.alarming)
        weakness = (yield from verification.weakness(poll, finding.compared)) if ready else ""
        messages += [finding.message, weakness]
        notes.append(weakness)
    elif steps and step_rules.all_named(steps) and not messages and (ready or milestone.require_verification):
        configured = yield from verification.is_configured(poll)
        message = "The project is configured to be verified (enableFullVerify), but OMS lists no step for it."
        if never_told := poll.never_told(configured):
            return poll.failed(f"{message} {never_told}", observed)
        if configured:
            return poll.waiting(message, observed, alarming=True)
        if milestone.require_verification:
            return poll.failed(
                f"The project has no full verification. {VERIFY_APART}; to open without verification, set "
                "require_verification=False. Then clear this task.",
                observed,
            )
        messages.append("It was not verified (require_verification is False).")
        notes += messages
    note = " ".join(filter(None, notes)) or None
    return Verdict(State.REACHED, " ".join(filter(None, messages)), observed._replace(note=note))
