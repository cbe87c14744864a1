"""One poll of a gate: finds its project, applies the milestone's rule, and turns errors into a verdict.

A poll is a flow: a generator that yields the calls it needs and is sent the answers, so that the same rules work with
the synchronous client, with the asynchronous one, and in a test without either. It does no I/O and reads no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_provider_oms.client.errors import OmsError, OmsProjectNotFoundError, OmsTemporaryError
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.milestones import rows
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.context import (
    POLLS_OF_AN_OUTAGE,
    NameLostError,
    NameUnreadableError,
    PollContext,
    name_of,
    project_of,
    resolve_name,
    time_of,
)
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.memory import Condition, Memory, Now, outlasts_outage, was_and_is
from airflow_provider_oms.milestones.rows import Listing
from airflow_provider_oms.milestones.status import DELETED
from airflow_provider_oms.milestones.together import together
from airflow_provider_oms.milestones.verdict import FleetObservation, Observation, State, Verdict

if TYPE_CHECKING:
    from airflow_provider_oms.milestones.gate import Gate

#: The note of a gate for DELETED about a project that it never observed.
NEVER_OBSERVED = (
    "OMS has no such project: it was deleted, or it never existed; OMS's answer is the same for both. This gate has "
    "never observed it. Check the id."
)


def poll(gate: Gate, memory: Memory, now: Now, oms: str = "", listed: Listing | None = None) -> Flow[Verdict]:
    """Poll a gate's project, or its projects, once and decide.

    :param gate: the gate's settings
    :param memory: what the gate remembers; it is changed
    :param now: when the poll begins
    :param oms: the origin of the answers, empty if it isn't known
    :param listed: a list of all projects; this project's row may only say "not yet"
    """
    verdict = yield from _poll(gate, memory, now, oms, listed)
    observed = verdict.observed
    if isinstance(observed, FleetObservation):  # each of its projects has been polled by itself
        return verdict
    known = observed._replace(name=name_of(gate, memory), checkpoint_time=time_of(observed.checkpoint))
    return verdict._replace(observed=known)


def _poll(gate: Gate, memory: Memory, now: Now, oms: str, listed: Listing | None) -> Flow[Verdict]:
    memory.begin_poll(now, gate.poke_interval, oms)
    before, memory.since = memory.since, {}
    try:
        if gate.fleet is not None:
            verdict = yield from together(gate, memory, now, oms, poll)
        else:
            verdict = yield from _of_one(gate, memory, now, oms, listed, before)
    except NameUnreadableError as unreadable:
        _see_nothing_of_members(memory)
        return Verdict(State.WAITING, str(unreadable), alarming=True)
    except OmsProjectNotFoundError as error:
        memory.unanswered = 0
        return _no_project(gate, memory, oms, error)
    except OmsTemporaryError as error:
        memory.since = {key: at for key, at in before.items() if outlasts_outage(key)}
        _see_nothing_of_members(memory)
        return _outage(gate, PollContext(gate, memory, "", now, before), error)
    except NameLostError as error:
        return Verdict(State.FAILED, f"{error} A retry, or clearing this task, looks it up again.", begin_anew=True)
    except OmsError as error:
        observed = Observation(project=project_of(gate, memory))
        return Verdict(State.FAILED, f"{error} Fix it, then clear this task.", observed)
    memory.unanswered = 0
    return verdict


def _see_nothing_of_members(memory: Memory) -> None:
    """Note that none of many projects was polled."""
    for own in memory.members.values():
        own.see_nothing()


def _of_one(
    gate: Gate, memory: Memory, now: Now, oms: str, listed: Listing | None, before: Mapping[str, float]
) -> Flow[Verdict]:
    project_id = gate.project_id or ""
    if not project_id and not gate.milestone.finds_project:
        name = gate.project_name or ""
        project_id = yield from resolve_name(
            name, memory, oms, listed.named(name) if listed is not None and listed.whole else None
        )
    if listed is not None:
        if project_id in listed.rows:
            memory.observed[project_id] = oms
        if not rows.is_due(memory, project_id, before):
            known = memory.steps.get(project_id, ())
            told = rows.told_by(gate, listed.rows.get(project_id), listed.read, known)
            if told.verdict is not None and told.hint is rows.Hint.NOT_YET:
                return told.verdict
        memory.by_row = 0  # the precise calls follow
    return (yield from check(gate.milestone, PollContext(gate, memory, project_id, now, before, oms=oms)))


def _no_project(gate: Gate, memory: Memory, oms: str, error: OmsProjectNotFoundError) -> Verdict:
    """Return the verdict for a project that OMS doesn't have: failed, unless the gate waits for DELETED.

    OMS gives the same answer for a deleted project and for a project that never existed. So the answer only counts at
    the OMS at which the project was observed before. If it never was observed, the gate opens with a note.

    Source: docs/develop/oms-wire.md#codes
    """
    project_id = project_of(gate, memory)
    observed = Observation(project=project_id, status=DELETED)
    if project_id is not None and memory.observed_elsewhere(project_id, oms):
        there, here = was_and_is(memory.observed[project_id], oms)
        return Verdict(
            State.FAILED,
            f"{error} It was observed at {there}; the Airflow connection leads to {here} now. If that is another OMS, "
            "or this user can't see the project, correct the connection or the project, then clear this task.",
            observed,
        )
    if project_id is None or not gate.milestone.reached_by_absence():
        return Verdict(State.FAILED, str(error), observed)
    if project_id in memory.observed or gate.project_id is None:
        return Verdict(State.REACHED, "The project is gone.", observed)
    return Verdict(State.REACHED, NEVER_OBSERVED, observed._replace(note=NEVER_OBSERVED), alarming=True)


def _outage(gate: Gate, context: PollContext, error: OmsTemporaryError) -> Verdict:
    """Return the verdict for a temporary error: waiting until ``outage_tolerance`` has passed, then failed."""
    memory = context.memory
    memory.unanswered += 1
    lasted = context.lasted(Condition.UNREACHABLE)
    observed = Observation(project=project_of(gate, memory))
    tolerance = gate.outage_tolerance
    over = memory.kept and memory.unanswered >= POLLS_OF_AN_OUTAGE and lasted >= tolerance
    if over or tolerance == 0:
        return Verdict(
            State.FAILED,
            f"No usable answer from OMS for {duration(lasted)} (outage_tolerance is {duration(tolerance)}). {error} "
            "When OMS answers again, clear this task.",
            observed,
            unanswered=memory.unanswered,
        )
    until = f"for {duration(lasted)}; giving up after {duration(tolerance)}" if memory.kept else "this time"
    if memory.kept and lasted >= tolerance:
        until += f" and {POLLS_OF_AN_OUTAGE} polls"
    message = f"No usable answer from OMS {until}. {error}"
    return Verdict(State.WAITING, message, observed, alarming=True, unanswered=memory.unanswered)
