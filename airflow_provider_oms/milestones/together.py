"""The poll of a gate over many projects: polls each project, and counts the verdicts.

The gate opens when every project has reached the milestone. If the milestone stays reached, a project that has reached
it isn't polled again in the same process. If the milestone is about the present, every project is polled in the poll
that opens the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.numbers import counted
from airflow_provider_oms.client.operations import Flow, all_of
from airflow_provider_oms.milestones import rows
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.members import Member, members_of
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.rows import Hint
from airflow_provider_oms.milestones.verdict import FleetObservation, Observation, Seen, State, Verdict

#: A function that polls one project, given the gate, the memory, the moment, and the origin of the answers.
PollOne = Callable[[Gate, Memory, Now, str], Flow[Verdict]]

#: How many projects are polled first, to see whether OMS answers at all, and how many at the same time after these.
_FIRST, _AT_ONCE = 3, 20

#: The most projects to name in a message.
_NAMED = 5

#: The order of projects in the observation. If XCom has no room for all, the last ones are left out.
_ORDER = (State.FAILED, State.WAITING, State.REACHED)

_BY_ROW = Verdict(State.WAITING, "Its row in the list of projects shows no reason to wait.")

_UNASKED = Verdict(State.WAITING, "It wasn't polled, because OMS gives no usable answer.", alarming=True)

#: What distinguishes the projects of a gate. A name alone doesn't: any project may be named as another one is called.
_Key = tuple[str | None, str]


class _Outcome(NamedTuple):
    """The result for one project.

    :param member: the project
    :param verdict: the verdict of its poll, or of the rule on its row
    :param ready: whether it has reached the milestone, by the precise calls or by its row alone
    """

    member: Member
    verdict: Verdict
    ready: bool


def together(gate: Gate, memory: Memory, now: Now, oms: str, poll_one: PollOne) -> Flow[Verdict]:
    """Poll every project of a gate over many projects.

    :param gate: the gate's settings
    :param memory: what the gate remembers; it is changed
    :param now: when the poll begins
    :param oms: the origin of the answers; empty if it isn't known
    :param poll_one: the function that polls one project
    :raises OmsError: if OMS doesn't say which projects they are
    """
    members = yield from members_of(gate, memory, oms)
    found: dict[_Key, _Outcome] = {}
    asked: list[Member] = []
    candidates: list[_Outcome] = []
    for member in members:
        if member.id is None or member.problem:
            if member.id in memory.members:
                memory.members[member.id].see_nothing()
            found[_key(member)] = _Outcome(member, _no_member(member), ready=False)
            continue
        if (known := memory.reached.get(member.id)) is not None:
            found[_key(member)] = _Outcome(member, known, ready=True)
            continue
        own = memory.member(member.id)
        own.called = member.name
        if member.row is not None:
            memory.observed[member.id] = oms  # a project that is listed exists
        told = rows.ASK
        if member.read is not None and not rows.is_due(own, member.id, own.since):
            told = rows.told_by(gate, member.row, member.read, own.steps.get(member.id, ()))
        # A row that says "not yet" of a project that was ready may be behind. Were it believed, projects whose precise
        # calls are due at different polls would never be ready in the same one.
        if told.hint is Hint.ASK or (told.hint is Hint.NOT_YET and own.ready):
            asked.append(member)
        elif told.verdict is not None and told.hint is Hint.NOT_YET:
            _answered_by_row(own, now, gate, oms)
            found[_key(member)] = _Outcome(member, told.verdict, ready=False)
        elif gate.milestone.stays_reached:
            asked.append(member)
        else:
            verdict = told.verdict or _BY_ROW
            candidates.append(_Outcome(member, verdict._replace(state=State.WAITING), told.verdict is not None))
    yield from _ask(gate, memory, now, oms, asked, poll_one, found)
    left: list[Member] = []
    blocked = any(not one.ready for one in found.values())
    for one in candidates:
        # While another project isn't ready, the precise calls for this one would decide nothing.
        if blocked and one.member.id is not None:
            _answered_by_row(memory.member(one.member.id), now, gate, oms)
            found[_key(one.member)] = one
        else:
            left.append(one.member)
    yield from _ask(gate, memory, now, oms, left, poll_one, found)
    return _summary(gate, memory, [found[_key(member)] for member in members])


def _key(member: Member) -> _Key:
    return member.id, member.name


def _answered_by_row(own: Memory, now: Now, gate: Gate, oms: str) -> None:
    """Note that a row has answered the poll: OMS was reachable, and no condition that is counted over time holds."""
    own.begin_poll(now, gate.poke_interval, oms)
    own.since, own.unanswered = {}, 0


def _ask(
    gate: Gate,
    memory: Memory,
    now: Now,
    oms: str,
    members: list[Member],
    poll_one: PollOne,
    found: dict[_Key, _Outcome],
) -> Flow[None]:
    """Make the precise calls for a few projects at a time, and stop if OMS doesn't answer for any of these few.

    :param found: the results, to which those of these projects are added
    """
    verdicts: list[Verdict] = []
    while len(verdicts) < len(members):
        few = members[len(verdicts) : len(verdicts) + (_AT_ONCE if verdicts else _FIRST)]
        owns = [memory.member(member.id or "") for member in few]
        for own in owns:
            own.by_row = 0
        verdicts += yield from all_of(
            [poll_one(gate.of_member(member.id or ""), own, now, oms) for member, own in zip(few, owns, strict=True)]
        )
        if len(members) > _FIRST and all(own.unanswered for own in owns):
            break
    for member, verdict in zip(members, verdicts, strict=False):
        own, reached = memory.member(member.id or ""), verdict.state is State.REACHED
        if not own.unanswered:
            own.ready = reached
        if reached and gate.milestone.stays_reached and member.id is not None:
            memory.reached[member.id] = verdict
        found[_key(member)] = _Outcome(member, verdict, reached)
    for member in members[len(verdicts) :]:
        memory.member(member.id or "").see_nothing()
        found[_key(member)] = _Outcome(member, _UNASKED, ready=False)


def _no_member(member: Member) -> Verdict:
    return Verdict(State.FAILED, member.problem, Observation(project=member.id))


def _summary(gate: Gate, memory: Memory, outcomes: list[_Outcome]) -> Verdict:
    """Return the verdict on all projects, with their counts and what has changed since the poll before."""
    fleet = gate.fleet
    assert fleet is not None  # noqa: S101 - only called for gates over many projects
    failed = [one for one in outcomes if one.verdict.state is State.FAILED]
    waiting = [one for one in outcomes if one.verdict.state is State.WAITING]
    ready = [one for one in outcomes if one.ready]
    order = sorted(outcomes, key=lambda one: _ORDER.index(one.verdict.state))
    seen = [Seen(one.member.name, one.verdict.state, one.verdict.observed) for one in order]
    notes = [f"{_name(one)}: {one.verdict.observed.note}" for one in ready if one.verdict.observed.note]
    observed = FleetObservation.of(seen, ready=len(ready), failed=len(failed), note=_few(notes, " ") or None)
    count = f"{len(ready)} of {len(outcomes)} ready"
    changes = _changes(memory, outcomes)
    broken = _few([f"{_name(one)} failed: {one.verdict.message}" for one in failed], " ")
    missing = fleet.min_projects - len(outcomes)
    if missing > 0 and fleet.named is not None:
        what = f"{len(outcomes)} projects are named; min_projects is {fleet.min_projects}. Correct the DAG."
        return Verdict(State.FAILED, what, observed)
    if failed and (fleet.on_failure == "fail" or not waiting):
        return Verdict(State.FAILED, f"{count}; {broken}", observed)
    alarming = [one for one in waiting if one.verdict.alarming]
    if missing > 0:
        what = f"{counted(len(outcomes), 'project')} found so far; min_projects is {fleet.min_projects}"
        return Verdict(State.WAITING, f"{count}. {what}{changes}.", observed, alarming=not outcomes)
    if not failed and not waiting:
        return Verdict(State.REACHED, f"{count}{changes}.", observed)
    message = f"{count}{changes}."
    if failed:
        message = f"{count}; {broken} Waiting until the other {len(waiting)} are ready or have failed."
    elif alarming:
        message = f"{count}{changes}. {_few([f'{_name(one)}: {one.verdict.message}' for one in alarming], ' ', 2)}"
    behind = _few([_where(one) for one in waiting if not one.ready], ", ", 3)
    figures = f"waiting for {behind}" if behind else ""
    return Verdict(State.WAITING, message, observed, figures, alarming=bool(failed or alarming))


def _changes(memory: Memory, outcomes: list[_Outcome]) -> str:
    """Return what has changed since the poll before, in words, and remember the current results."""
    before, after = memory.counted, {one.member.id or one.member.name: (one.member.name, one.ready) for one in outcomes}
    memory.counted = after
    if before is None:
        return ""
    new = [name for key, (name, ready) in after.items() if ready and not before.get(key, ("", True))[1]]
    lost = [name for key, (name, ready) in after.items() if not ready and before.get(key, ("", False))[1]]
    joined = [name for key, (name, _) in after.items() if key not in before]
    left = [name for key, (name, _) in before.items() if key not in after]
    said = (("now ready", new), ("not ready now", lost), ("joined", joined), ("left", left))
    return "".join(f"; {what}: {_few(map(_safe, names), ', ')}" for what, names in said if names)


def _where(one: _Outcome) -> str:
    observed = one.verdict.observed
    where = "" if observed.progress is None else f" at {observed.progress:g} %"
    return f"{_name(one)}{where}"


def _name(one: _Outcome) -> str:
    return _safe(one.member.name)


def _safe(name: str) -> str:
    return safe_text(name, 80)


def _few(texts: Iterable[str], between: str, most: int = _NAMED) -> str:
    every = list(texts)
    more = f"{between.rstrip()} and {len(every) - most} more" if len(every) > most else ""
    return f"{between.join(every[:most])}{more}"
