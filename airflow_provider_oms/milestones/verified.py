"""Whether a project is verified: by its own step, by a separate project, or by both."""

from __future__ import annotations

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, safe_text
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import ConnectInfo, ProjectProgress, Step
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones import verification
from airflow_provider_oms.milestones.changes import named, tables_in
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.kinds import FullVerificationMilestone
from airflow_provider_oms.milestones.status import Outlook, outlook
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import State, Verdict

#: One of the step's names; a search with it finds the step under each of its names.
VERIFICATION = StepKind.FULL_VERIFICATION.value[0]

VERIFY_APART = "If a separate project verifies it, name that project in verification_project"


def full_verification(milestone: FullVerificationMilestone, poll: PollContext) -> Flow[Verdict]:
    """Full verification is done and found every table consistent, in the project and in its verification project.

    Sources: docs/develop/oms-facts.md#verification, docs/develop/oms-facts.md#verification-project
    """
    progress = yield from poll.progress()
    steps = (yield from poll.steps()).data
    found = step_rules.find(steps, VERIFICATION)
    if milestone.verification_project is None:
        if steps and not found:
            listed = safe_text(step_rules.names(steps))
            message = f"The project has no full verification. Its steps are {listed}. {VERIFY_APART}."
            return poll.failed(message, poll.observation(progress))
        return (yield from _verified(poll, progress, steps, found))
    apart = yield from verified_apart(milestone.verification_project, poll, steps)
    if apart.state is not State.REACHED:
        return apart
    if steps and not found:
        at = {name: getattr(apart.observed, name) for name in ("step", "progress", "note")}
        return poll.reached(apart.message, poll.observation(progress, **at))
    own = yield from _verified(poll, progress, steps, found)
    notes = (apart.observed.note, own.observed.note)
    return own._replace(
        message=f"{apart.message} In the project itself: {own.message}",
        observed=own.observed._replace(note=" ".join(filter(None, notes)) or None),
    )


def _verified(
    poll: PollContext,
    progress: Answer[ProjectProgress],
    steps: list[Step],
    verifiers: list[Step],
    *,
    explain: bool = True,
) -> Flow[Verdict]:
    """Return the verdict on these verification steps of a project."""
    finding = yield from verification.finding_of(poll, verifiers)
    observed = poll.observation(progress, step=VERIFICATION, progress=finding.progress)
    never_told = poll.never_told(finding.untold)
    if finding.consistent:
        weakness = (yield from verification.weakness(poll, finding.compared)) if explain and not poll.changing else ""
        return poll.reached(f"{finding.message} {weakness}".rstrip(), observed._replace(note=weakness or None))
    if finding.inconsistent or never_told:
        return poll.failed(f"{finding.message} {never_told}".rstrip(), observed)
    if finding.untold and poll.memory.kept and outlook(progress.data.status) is Outlook.OVER:
        # A project that only verifies has just finished; its result may follow.
        return poll.waiting(finding.message, observed, alarming=True)
    awaits, alarming = [step.name for step in verifiers if step.name], finding.alarming
    return (yield from poll.not_yet(finding.message, progress, observed, steps=steps, awaits=awaits, alarming=alarming))


def verified_apart(name: str, poll: PollContext, moves: list[Step], *, explain: bool = True) -> Flow[Verdict]:
    """Return the verdict on a separate verification project. The names of its steps aren't known for certain.

    Sources: docs/develop/oms-facts.md#verification-project, docs/develop/oms-facts.md#step-names

    :param name: the id or name of the verification project
    :param poll: the poll of the project that it verifies
    :param moves: the steps of that project
    :param explain: whether to ask for restrictions of "consistent", and to check that it verifies this project
    """
    other = yield from poll.verification_project(name)
    progress = yield from other.progress()
    steps = (yield from other.steps()).data
    verifiers = step_rules.verifying(steps)
    verdict = yield from _verified(other, progress, steps, verifiers, explain=explain)
    if verdict.state is State.REACHED and (older := _older(verifiers, moves)):
        never_told = other.never_told(untold=True)
        message = f"In verification project {other.project_id}: {older} {never_told}".rstrip()
        # Somebody may verify again; where nothing is remembered, it isn't known how long that has been awaited.
        if never_told or (not poll.memory.kept and outlook(progress.data.status) is Outlook.OVER):
            return poll.failed(message, verdict.observed)
        return poll.waiting(message, verdict.observed, alarming=True)
    notes = [verdict.observed.note]
    if verdict.state is State.REACHED and explain:
        lacks, untold = yield from _lacks(poll, other)
        if lacks:
            return poll.failed(
                f"Project {other.project_id} doesn't verify this one: {lacks}. Name the one that does "
                "(verification_project), then clear this task.",
                verdict.observed,
            )
        if untold:
            notes.append(f"OMS doesn't show whether project {other.project_id} compares {untold}.")
    return verdict._replace(
        message=" ".join([f"In verification project {other.project_id}: {verdict.message}", *filter(None, notes[1:])]),
        observed=verdict.observed._replace(note=" ".join(filter(None, notes)) or None),
    )


def _older(verifiers: list[Step], moves: list[Step]) -> str:
    """Return, in words, that a verification is older than the data that it should have compared; otherwise nothing.

    It may be that of an earlier project with the same tables, whose end is before the full transfer of this one began.

    Source: docs/develop/oms-facts.md#times

    :param verifiers: the steps of the verification
    :param moves: the steps of the project that it verifies
    """
    ended = [value_or_none(step, Step.finish_time) for step in verifiers]
    began = [
        at
        for step in step_rules.find(moves, StepKind.FULL.value[0]) or moves
        if (at := value_or_none(step, Step.start_time)) is not None
    ]
    if not ended or None in ended or not began or max(ended) >= min(began):
        return ""
    return (
        f"its verification ended at {max(ended).isoformat()}, before this project began to move rows at "
        f"{min(began).isoformat()}, so it says nothing about them. Verify again."
    )


def _lacks(poll: PollContext, other: PollContext) -> Flow[tuple[str, str]]:
    """Return why a project doesn't compare what another project moves, and what of that OMS doesn't show.

    OMS doesn't link the two projects, and "consistent" says nothing about tables that weren't compared. Values that
    OMS doesn't give for one of the projects are no evidence.

    Source: docs/develop/oms-facts.md#verification-project

    :param poll: the poll of the project that is verified
    :param other: the poll of the project that verifies it
    """
    databases, tables = "the databases of this one", "every table of this one"
    try:
        here = (yield actions.describe_project(poll.project_id)).data
        there = (yield actions.describe_project(other.project_id)).data
    except OmsError as error:
        if error.temporary:
            raise
        return "", tables
    if there.type not in (None, "VERIFY"):
        return f"it is of type {safe_text(there.type, 40)}, and not VERIFY", ""
    untold = ""
    for side, ours, theirs in (
        ("source", here.source_connect_info, there.source_connect_info),
        ("target", here.sink_connect_info, there.sink_connect_info),
    ):
        moved, compared = (value_or_none(info, ConnectInfo.endpoint_id) for info in (ours, theirs))
        if not moved or not compared:
            untold = databases
        elif moved != compared and not _same_address(ours, theirs):
            return f"its {side} is {safe_text(compared, 60)}, and not {safe_text(moved, 60)}", ""
    moved_tables, compared_tables = (tables_in(project, views=False) for project in (here, there))
    if not moved_tables or not compared_tables:
        return "", tables
    left_out = moved_tables - compared_tables
    return (f"it leaves out {named(left_out)}", "") if left_out else ("", untold)


def _same_address(one: ConnectInfo, other: ConnectInfo) -> bool:
    """Return whether two data sources are the same database, which may be registered twice."""
    here, there = (
        (value_or_none(info, ConnectInfo.host), value_or_none(info, ConnectInfo.port)) for info in (one, other)
    )
    return None not in here and here == there
