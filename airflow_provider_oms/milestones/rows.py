"""Decides what a row of ``ListProjects`` says about a gate's project. It may only say "not yet".

A row holds a project's steps, with percentages and checkpoints (docs/develop/oms-facts.md#lag-elsewhere), so one page
answers for 150 projects. How up to date the rows of a real OMS are isn't documented. So no gate opens or fails because
of a row. A row may only say "not yet"; everything else is decided by the precise calls (``DescribeProjectProgress``,
``DescribeProjectSteps`` and the others that a rule makes), which are made at least every tenth poll in any case. A
project that a list leaves out may still exist.

The milestone's own rule is applied: it gets the row's values in place of the answers that it asks for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple
from zlib import crc32

from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.fields import Checkpoint, value_or_none
from airflow_provider_oms.client.models import Project, ProjectProgress, Step
from airflow_provider_oms.client.operations import Flow, all_of
from airflow_provider_oms.client.paging import Page, PagedCall
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Condition, Memory
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import State, Verdict

#: One poll in this many makes the precise calls, whatever the rows say.
PRECISE_EVERY = 10

#: Rows per page: OMS allows 150 (docs/develop/oms-wire.md#paging), which are about 1 MB with their steps.
ROWS_A_PAGE = 150

#: Pages that are requested at the same time, once the first page has shown how many there are.
PAGES_AT_ONCE = 3


@dataclass
class Listing:
    """A list of projects.

    :param rows: its rows by the project's id
    :param read: the answer with the oldest of its pages, for its time; its data is removed
    :param pages: how many requests were made
    :param without_id: how many rows have no id
    :param whole: whether it is complete; otherwise no row of it shows which project has a name
    """

    rows: Mapping[str, Project]
    read: Answer[None]
    pages: int = 1
    without_id: int = 0
    whole: bool = True
    _names: dict[str, list[Project]] = field(default_factory=dict)

    def named(self, name: str) -> list[Project]:
        """Return the rows with a name: more than one if several projects have the name.

        :param name: the whole name
        """
        if not self._names and self.rows:
            names = defaultdict(list)
            for row in self.rows.values():
                names[value_or_none(row, Project.name) or ""].append(row)
            self._names = dict(names)
        return self._names.get(name, [])


def listing(paged: PagedCall[Project]) -> Flow[Listing]:
    """Read a complete list of projects.

    :param paged: the call
    :raises OmsError: if OMS doesn't return the list, or not all of it
    """
    answers: list[Answer[Any]] = []
    reading = paged.whole()
    call = next(reading)
    ahead: dict[str, Answer[Any] | OmsError] = {}
    while True:
        if answers and not call.reading and call.key not in ahead:
            ahead = yield from _several(paged, len(answers) + 1, answers[0].data.total)
        answer = ahead.pop(call.key) if call.key in ahead else (yield call)
        if isinstance(answer, OmsError):
            raise answer
        answers.append(answer)
        try:
            call = reading.send(answer)
        except StopIteration as end:
            every: list[Project] = end.value
            oldest = min(answers, key=lambda one: one.at)
            found = {row.id: row for row in every if row.id}
            without_id = sum(not row.id for row in every)
            return Listing(found, oldest._replace(data=None), len(answers), without_id)


def _several(paged: PagedCall[Project], first: int, total: int | None) -> Flow[dict[str, Answer[Any] | OmsError]]:
    """Request a few pages at the same time. :meth:`PagedCall.whole` still decides page by page whether the list is
    complete.

    :param paged: the list
    :param first: the number of the first of these pages
    :param total: OMS's totalCount; what it counts isn't certain: docs/develop/oms-wire.md#paging
    :return: the answers and errors by the key of their call
    """

    def ask(call: Call[Page[Project]]) -> Flow[Answer[Any] | OmsError]:
        try:
            return (yield call)
        except OmsError as error:
            return error

    last = min(first + PAGES_AT_ONCE - 1, -(-(total or 0) // paged.page_size))
    calls = [paged.page(number) for number in range(first, last + 1)]
    return dict(zip([call.key for call in calls], (yield from all_of([ask(call) for call in calls])), strict=True))


class Hint(Enum):
    """What a row says about a milestone.

    ``NOT_YET``: the milestone isn't reached. ``CANDIDATE``: the row shows nothing that prevents it, so the precise
    calls decide. ``ASK``: the row isn't enough, so the precise calls decide.
    """

    NOT_YET = "not yet"
    CANDIDATE = "candidate"
    ASK = "ask"


class Told(NamedTuple):
    """What a row says about a milestone.

    :param hint: the result
    :param verdict: the verdict of the milestone's rule on the row's values; None if the rule needs more than the row
    """

    hint: Hint
    verdict: Verdict | None = None


#: The row isn't enough.
ASK = Told(Hint.ASK)


def told_by(gate: Gate, row: Project | None, read: Answer[None], known_steps: Iterable[str] = ()) -> Told:
    """Decide what a row says about a gate's project.

    It says "not yet" only of a project that is in good order. A failure, a condition that is counted over time, an
    unknown value, or a rule that needs another call is left to the precise calls.

    :param gate: the gate's settings
    :param row: the project's row; None if it isn't listed
    :param read: the time of the list, as in :class:`Listing`
    :param known_steps: the names of the steps that the precise calls have listed before
    """
    try:
        if row is None or row.id is None or row.is_sub_project:
            return ASK
        steps = row.steps
        streams = _Streams.of(steps)
        if not steps or not _tells(gate, streams):
            return ASK
        trial = Memory(kept=False, steps={row.id: list(known_steps)})
        verdict = _judged(gate, row, steps, streams, read, trial)
    except OmsError:
        return ASK
    if verdict is None or verdict.state is State.REACHED:
        return Told(Hint.CANDIDATE, verdict)
    if verdict.alarming or trial.since or verdict.state is State.FAILED:
        return ASK
    return Told(Hint.NOT_YET, verdict)


def is_due(memory: Memory, project_id: str, noted: Mapping[str, float]) -> bool:
    """Decide whether the precise calls are due at this poll, whatever the rows say, and count the polls.

    Which of ten polls that is depends on the project's id, so that the calls for a thousand projects are spread. They
    are due as long as a condition is counted over time: a row that is behind would end the count again and again.

    :param memory: what is remembered of the project; it is changed
    :param project_id: the project
    :param noted: the conditions that held at the poll before
    """
    # Without a memory, it isn't known how many polls there were. A row shows that an outage is over.
    if not memory.kept or noted.keys() - {Condition.UNREACHABLE}:
        return True
    if memory.by_row is None:
        memory.by_row = crc32(project_id.encode()) % PRECISE_EVERY
    memory.by_row += 1
    return memory.by_row >= PRECISE_EVERY


def make_all_due(memory: Memory) -> None:
    """Have the next poll make the precise calls for each of many projects: after the last poll there is no later one.

    :param memory: what the gate remembers; it is changed
    """
    for own in memory.members.values():
        own.by_row = PRECISE_EVERY


class _Streams(NamedTuple):
    """The steps of a row that show how far the project is; None if the row has no such step, or more than one."""

    full: Step | None
    forward: Step | None
    reverse: Step | None

    @classmethod
    def of(cls, steps: list[Step]) -> _Streams:
        """Find these steps in a row's steps."""
        kinds = [step_rules.kind_of(step.name) for step in steps]
        found = (
            steps[kinds.index(kind)] if kinds.count(kind) == 1 else None
            for kind in (StepKind.FULL, StepKind.INCREMENTAL, StepKind.REVERSE)
        )
        return cls(*found)


def _judged(
    gate: Gate, row: Project, steps: list[Step], streams: _Streams, read: Answer[None], trial: Memory
) -> Verdict | None:
    """Apply the milestone's rule to the row; return None if the rule asks for more than the row has."""
    progress = ProjectProgress(_progress(row, steps, streams), row.source)
    asked: dict[str, Any] = {"DescribeProjectProgress": progress, "DescribeProjectSteps": steps}
    flow = check(gate.milestone, PollContext(gate, trial, row.id or ""))
    try:
        call = next(flow)
        while (data := asked.get(call.action)) is not None and call.project_id == row.id:
            call = flow.send(read._replace(data=data))
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict
    return None


def _tells(gate: Gate, streams: _Streams) -> bool:
    """Decide whether a row has the values that the milestone needs. If one is missing, the precise calls decide."""
    full, aim = streams.full, gate.milestone.aim()
    if full is not None and full.progress is None and step_rules.has_started(full):
        return False
    if aim is None:
        return True
    stream = streams.forward if aim.direction == "forward" else streams.reverse
    return stream is not None and (_checkpoint(stream) is not None or not step_rules.has_started(stream))


def _progress(row: Project, steps: list[Step], streams: _Streams) -> dict[str, Any]:
    """Return a row's values under the keys of ``DescribeProjectProgress``."""
    return {
        "projectId": row.id,
        "status": row.status,
        "currentStep": next((step.name for step in reversed(steps) if step_rules.has_started(step)), None),
        "enableStructTransfer": row.enable_struct_transfer,
        "enableFullTransfer": row.enable_full_transfer,
        "enableIncrSync": row.enable_incr_transfer,
        "enableReverseIncrTransfer": row.enable_reverse_incr_transfer,
        "fullTransferProgress": streams.full and streams.full.progress,
        "incrSyncCheckpoint": _checkpoint(streams.forward),
        "reverseIncrTransferCheckpoint": _checkpoint(streams.reverse),
    }


def _checkpoint(stream: Step | None) -> Checkpoint | None:
    return None if stream is None else stream.info.incr_timestamp_checkpoint
