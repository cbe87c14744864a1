"""The rule about a project's tables: whether they are copied, and merged if they were added later."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import ModifyRecord, ProjectProgress
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.changes import NAMED, Change, are_still, changes_in, named, tables_in
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.kinds import ObjectsMilestone
from airflow_provider_oms.milestones.memory import Condition
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import Observation, Verdict

_FULL = (StepKind.FULL.value[0],)


def objects(milestone: ObjectsMilestone, poll: PollContext) -> Flow[Verdict]:
    """Tables are in the project: copied, and merged if they were added later. Tables that must be absent aren't in it.

    The calls are made in this order: status, records, configuration. If a change ends between two of them, it counts
    as unfinished at this poll, so the gate waits for the next one. One that begins between them is found because the
    records are asked for again before the gate opens.

    Sources: docs/develop/oms-facts.md#objects-changing, docs/develop/oms-actions.md#object-records
    """
    progress = yield from poll.progress()
    observed = poll.observation(progress)
    changes = yield from changes_in(poll.project_id)
    present = tables_in((yield actions.describe_project(poll.project_id)).data)
    if present is None:
        return (yield from _untold(poll, progress, observed))
    missing, left = set(milestone.tables) - present, set(milestone.absent) & present
    # It isn't known whether OMS lists a table before its change is complete, so a pending change counts in any case.
    meant = {*milestone.tables, *milestone.absent}
    awaited = [change for change in changes if change.pending and change.may_concern(meant)]
    if failed := [change for change in awaited if change.failed]:
        return _failure(failed, poll, progress, observed)
    said = [f"not in the project: {named(missing)}"] if missing else []
    said += [f"still in the project: {named(left)}"] if left else []
    if awaited:
        message = f"Objects: {'; '.join([*said, *(change.describe() for change in awaited)])}."
        return (yield from poll.not_yet(message, progress, observed))
    if said:
        return (yield from _nothing_brings(f"Objects: {'; '.join(said)}.", changes, poll, progress, observed))
    if milestone.until == "copied" and milestone.tables and progress.data.enable_full_transfer is not False:
        steps = (yield from poll.steps()).data
        full = step_rules.find(steps, _FULL[0])
        if not full or not all(map(step_rules.is_done, full)):
            told = "; ".join(map(step_rules.describe, full)) or "no step for it is listed"
            message = f"The tables are in the project, but its full transfer isn't done: {told}."
            return (yield from poll.not_yet(message, progress, observed, steps=steps, awaits=_FULL))
    if not (yield from are_still(poll.project_id, changes)):
        message = "Objects: a change has begun or ended during this poll."
        return (yield from poll.not_yet(message, progress, observed))
    return poll.reached("The tables are as wanted, and nothing that concerns them is under way.", observed)


def _untold(poll: PollContext, progress: Answer[ProjectProgress], observed: Observation) -> Flow[Verdict]:
    message = (
        "OMS doesn't name the project's tables one by one (transferMapping.databases, mode SPECIFIC), so it isn't "
        "known which tables it has."
    )
    if never := poll.never_told(untold=True):
        return poll.failed(f"{message} {never}", observed)
    return (yield from poll.not_yet(message, progress, observed, alarming=True))


def _failure(
    failed: Sequence[Change], poll: PollContext, progress: Answer[ProjectProgress], observed: Observation
) -> Verdict:
    """Judge a failed change by the same rule as a failed step."""
    message = f"The {'; the '.join(change.describe() for change in failed)}."
    left = poll.grace_left((value_or_none(change.record, ModifyRecord.modified) for change in failed), progress)
    if left is None:
        return poll.failed(f"{message} Fix the cause, repeat or stop it in OMS, then clear this task.", observed)
    return poll.waiting(f"{message} Somebody may repeat it; waiting {duration(left)} more.", observed, alarming=True)


def _nothing_brings(
    message: str,
    changes: Sequence[Change],
    poll: PollContext,
    progress: Answer[ProjectProgress],
    observed: Observation,
) -> Flow[Verdict]:
    """Judge tables that are missing or left over although no change is unfinished: fail once that lasts too long."""
    dropped = [change.describe() for change in changes if change.dropped]
    message = f"{message} OMS has no unfinished change that would correct this"
    message += f"; the {'; the '.join(dropped[:NAMED])}." if dropped else "."
    lasted, grace = poll.lasted(Condition.MISSING), poll.gate.failure_grace
    if not poll.memory.kept or lasted > grace or not grace:
        return poll.failed(f"{message} Correct the names, or the project's objects, then clear this task.", observed)
    return (yield from poll.not_yet(message, progress, observed, alarming=True))
