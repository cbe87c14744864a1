"""What a row of ``ListProjects`` may say: "not yet".

A row holds a project's steps, with percentages and checkpoints (docs/develop/oms-facts.md#lag-elsewhere), so one page
answers for 150 projects. How fresh a real OMS's rows are is not documented. So no gate opens or fails by one: a row may
only say "not yet", and the precise calls decide, at least every tenth poll in any case. That a project isn't in a list
proves nothing.

The rule is the milestone's own: it is given the row's values in the place of the answers that it asks for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple
from zlib import crc32

from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.fields import Checkpoint
from airflow_provider_oms.client.models import Project, ProjectProgress, Step
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.paging import PagedCall
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import State, Verdict

#: Of so many polls in a row one asks the precise calls, whatever rows say.
PRECISE_EVERY = 10

#: Rows of a page: OMS allows 150 (docs/develop/oms-wire.md#paging), and so many with their steps are about 1 MB.
ROWS_A_PAGE = 150


@dataclass
class Listing:
    """A whole list of projects.

    :param rows: its rows by the project's id
    :param read: when OMS told it: the oldest of its pages. It holds no data
    :param pages: how many requests it took
    :param without_id: how many rows have no id
    """

    rows: Mapping[str, Project]
    read: Answer[None]
    pages: int = 1
    without_id: int = 0
    _names: dict[str, list[Project]] = field(default_factory=dict)

    def named(self, name: str) -> list[Project]:
        """Return the rows of a project's name: more than one where several have it.

        :param name: the whole name
        """
        if not self._names and self.rows:
            names = defaultdict(list)
            for row in self.rows.values():
                names[row.name or ""].append(row)
            self._names = dict(names)
        return self._names.get(name, [])


def listing(paged: PagedCall[Project]) -> Flow[Listing]:
    """Read a whole list of projects.

    :param paged: the call
    :raises OmsError: when OMS doesn't tell it, or not as a whole
    """
    answers: list[Answer[Any]] = []
    reading = paged.whole()
    call = next(reading)
    while True:
        answer = yield call
        answers.append(answer)
        try:
            call = reading.send(answer)
        except StopIteration as end:
            every: list[Project] = end.value
            oldest = min(answers, key=lambda one: one.at)
            found = {row.id: row for row in every if row.id}
            without_id = sum(not row.id for row in every)
            return Listing(found, oldest._replace(data=None), len(answers), without_id)


class Hint(Enum):
    """What a row is good for.

    ``CANDIDATE``: nothing in the row stands against the milestone, which the precise calls must say.
    """

    NOT_YET = "not yet"
    CANDIDATE = "candidate"
    ASK = "ask"


class Told(NamedTuple):
    """What a row says.

    :param hint: what it is good for
    :param verdict: what the milestone's rule makes of it; None where nothing
    """

    hint: Hint
    verdict: Verdict | None = None


#: Nothing.
ASK = Told(Hint.ASK)


def told_by(gate: Gate, row: Project | None, read: Answer[None], known_steps: Iterable[str] = ()) -> Told:
    """Decide what a row says of a gate's project.

    "Not yet" only where the project is well: what fails, is counted over time, is unknown, or needs another question,
    is for the precise calls.

    :param gate: the gate's settings
    :param row: the project's row; None where it isn't listed
    :param read: when OMS told it
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


def is_due(memory: Memory, project_id: str) -> bool:
    """Decide whether the precise calls are due whatever rows say, and count the polls.

    Which of ten polls that is depends on the project, so that a thousand aren't asked for at the same one.

    :param memory: what is remembered of the project; changed on the way
    :param project_id: the project
    """
    if not memory.kept:  # nobody knows how many polls there were
        return True
    if memory.by_row is None:
        memory.by_row = crc32(project_id.encode()) % PRECISE_EVERY
    memory.by_row += 1
    return memory.by_row >= PRECISE_EVERY


class _Streams(NamedTuple):
    """The steps of a row that say how far it is; None where there is none, or more than one."""

    full: Step | None
    forward: Step | None
    reverse: Step | None

    @classmethod
    def of(cls, steps: list[Step]) -> _Streams:
        """Find them."""
        kinds = [step_rules.kind_of(step.name) for step in steps]
        found = (
            steps[kinds.index(kind)] if kinds.count(kind) == 1 else None
            for kind in (StepKind.FULL, StepKind.INCREMENTAL, StepKind.REVERSE)
        )
        return cls(*found)


def _judged(
    gate: Gate, row: Project, steps: list[Step], streams: _Streams, read: Answer[None], trial: Memory
) -> Verdict | None:
    """Have the milestone's rule judge the row; None where it asks for more than a row can tell."""
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
    """Decide whether a row tells what it may: whatever it leaves out, the precise calls know better."""
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
