"""The context of a poll: the calls that a rule can make, and the rules that hold for every milestone.

Nothing here does I/O or reads a clock: calls are yielded, and their answers are sent in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    OmsMalformedAnswerError,
    OmsPermanentError,
    OmsProjectNotFoundError,
    OmsUnsupportedActionError,
    safe_text,
)
from airflow_provider_oms.client.fields import Checkpoint, value_or_none
from airflow_provider_oms.client.models import Project, ProjectProgress, Step
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer, utc_text
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.changes import pending_changes
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.figures import figures_of
from airflow_provider_oms.milestones.lookup import (
    looks_like_id,
    no_project_named,
    project_by_id_or_name,
    project_by_name,
    project_named,
)
from airflow_provider_oms.milestones.memory import Condition, Memory, Names, Now, was_and_is
from airflow_provider_oms.milestones.person import holds_up
from airflow_provider_oms.milestones.status import Outlook, is_changing, may_be_changing, outlook
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict

if TYPE_CHECKING:
    from airflow_provider_oms.milestones.gate import Gate

#: Seconds by which a time of OMS may be ahead of OMS's own clock and still be believed. How far ahead a correct time
#: can be isn't documented: docs/develop/oms-facts.md#checkpoint-ahead, docs/develop/oms-facts.md#times
BELIEVABLE_AHEAD = 300.0

#: The moment of a poll without a gate's memory.
NO_TIME = Now(0.0, 0.0)

#: How many polls in a row must be without an answer before an outage can fail a gate. Fewer may be chance, with a long
#: interval.
POLLS_OF_AN_OUTAGE = 3

_WAY_ON = "Fix the cause, resume the project in OMS, then clear this task."


# A waiting gate makes the same calls for days, so their descriptions are cached.
_progress_of = lru_cache(maxsize=4096)(actions.describe_project_progress)
_steps_of = lru_cache(maxsize=4096)(actions.describe_project_steps)


@dataclass
class PollContext:
    """The poll of a project, as a milestone's rule sees it.

    :param gate: the gate's settings
    :param memory: what the gate remembers; it is changed
    :param project_id: the project
    :param now: when the poll began; unused in a poll without a gate's memory
    :param before: since when the conditions held at the poll before (``memory.since`` is about this poll)
    :param changing: a sentence that says that objects are being added or removed, so that nothing is known about all
        data; empty otherwise
    :param apart: the project's id if it is polled in addition to the gate's own project; the memory uses it in its keys
    :param oms: the origin of the answers, empty if it isn't known
    """

    gate: Gate
    memory: Memory
    project_id: str
    now: Now = NO_TIME
    before: Mapping[str, float] = field(default_factory=dict)
    changing: str = ""
    apart: str = ""
    oms: str = ""

    # Calls

    def progress(self) -> Flow[Answer[ProjectProgress]]:
        """Ask for status, percentages and checkpoints."""
        answer: Answer[ProjectProgress] = yield _progress_of(self.project_id, self.gate.project_type)
        self.memory.observed[self.project_id] = self.oms
        self._see_changes(answer)
        if self.changing:
            self.changing = f"{self.changing} {yield from pending_changes(self.project_id)}".rstrip()
        return answer

    def steps(self) -> Flow[Answer[list[Step]]]:
        """Ask for the steps. This comes after :meth:`progress`, so that a finished project's steps are its final ones.

        :raises OmsMalformedAnswerError: when a step that was listed before is missing
        """
        answer: Answer[list[Step]] = yield _steps_of(self.project_id)
        if missing := step_rules.gone(answer.data, self.memory.steps.get(self.project_id, ())):
            raise OmsMalformedAnswerError(
                f"OMS listed step {', '.join(missing)} of project {self.project_id} before, and doesn't list it now, "
                "so this list of steps isn't trusted. If the step was removed on purpose, clear this task."
            )
        self.memory.steps[self.project_id] = [step.name for step in answer.data if step.name]
        return answer

    def verification_project(self, name: str) -> Flow[PollContext]:
        """Find the project that verifies this one, once per gate, and return a poll of it.

        :param name: its id or name
        """
        project_id = yield from _resolved(name, self.memory, self.oms, _find_verification_project)
        return replace(self, project_id=project_id, changing="", apart=project_id)

    def _see_changes(self, answer: Answer[ProjectProgress]) -> None:
        """Note whether objects are being added to the project.

        OMS copies them in a separate task, which the project's percentages, checkpoints and verification don't include.
        Source: docs/develop/oms-facts.md#objects-changing
        """
        status = value_or_none(answer.data, ProjectProgress.status)
        if not self.gate.milestone.needs_all_objects or self.gate.allow_modifying:
            return
        known, unknown = is_changing(status), may_be_changing(status)
        if known or unknown:
            since = utc_text(answer.at - self.lasted(Condition.CHANGING, answer))
        if unknown:
            self.changing = (
                f"OMS gives the project the status {safe_text(status, 60)} (seen since {since}), which is not known "
                "here, so objects may be being added to it or removed from it; allow_modifying=True ignores this."
            )
        if known:
            self.changing = (
                f"Objects are being added to the project or removed from it ({status}, seen since {since}), and "
                "its percentages and checkpoints don't include them; allow_modifying=True ignores this."
            )

    # Time

    def lasted(self, condition: Condition, answer: Answer[Any] | None = None, *, already: float = 0.0) -> float:
        """Note that a condition holds at this poll, and return the seconds for which it has held on every poll.

        If a condition isn't noted at a poll, its time starts again at 0 when it is noted next.

        :param condition: the condition
        :param answer: the answer that shows it; the condition begins when this answer arrived, without one at the poll
        :param already: seconds for which it is known to have lasted when it is first noted
        """
        late = 0.0 if answer is None else max(0.0, answer.received_at - self.now.wall)
        key = condition.of(self.apart)
        since = self.before.get(key, self.now.passed + late - already)
        self.memory.since[key] = since
        return max(0.0, self.now.passed - since)

    # Verdicts

    def observation(self, answer: Answer[ProjectProgress], **more: Any) -> Observation:
        """Return the observation of a progress answer.

        :param answer: the answer
        :param more: values that replace those of the answer
        """
        data = answer.data
        checkpoint = value_or_none(data, ProjectProgress.incr_sync_checkpoint)
        observed = Observation(
            self.project_id,
            value_or_none(data, ProjectProgress.status),
            value_or_none(data, ProjectProgress.current_step),
            value_or_none(data, ProjectProgress.full_transfer_progress),
            checkpoint,
            lag_of(checkpoint, answer.at),
            utc_text(answer.at),
        )
        return observed._replace(**more) if more else observed

    def reached(self, message: str, observed: Observation) -> Verdict:
        """Return reached, or waiting if the milestone is about all data and objects are being added or removed."""
        if self.changing:
            return self.waiting(f"{message} {self.changing}", observed, alarming=True)
        return Verdict(State.REACHED, message, observed)

    def failed(self, message: str, observed: Observation | None = None) -> Verdict:
        """Return failed: the milestone can't be reached any more, or only after somebody acts."""
        return Verdict(State.FAILED, message, observed or Observation(project=self.project_id))

    def waiting(self, message: str, observed: Observation, figures: str = "", *, alarming: bool = False) -> Verdict:
        """Return waiting."""
        return Verdict(State.WAITING, message, observed, figures, alarming)

    # Rules

    def never_told(self, untold: bool) -> str:
        """Measure for how long a result has been missing that OMS could give; return a message once that is too long.

        As for an outage, this takes at least three polls, so that with a long interval one late result doesn't count.

        :param untold: whether the result is missing at this poll
        :return: the message; empty while the result may still come
        """
        tolerance = self.gate.outage_tolerance
        lasted = self.lasted(Condition.UNTOLD) if untold else 0.0
        over = self.memory.kept and lasted >= max(tolerance, (POLLS_OF_AN_OUTAGE - 1) * self.gate.poke_interval)
        if not untold or not (over or tolerance == 0):
            return ""
        return (
            f"This has lasted for {duration(lasted)} (outage_tolerance is {duration(tolerance)}). "
            "Look at the project in the OMS console, then clear this task."
        )

    def grace_left(self, failed_at: Iterable[datetime | None], answer: Answer[ProjectProgress]) -> float | None:
        """Apply the FAILED rule: a gate waits ``failure_grace`` seconds, because OMS may recover by itself.

        OMS says how old the failure is when it is first observed; from then on our clock measures its age.

        Source: docs/develop/oms-facts.md#failed-recovers

        :param failed_at: when each of the failed parts failed; None for a part of which OMS doesn't say it
        :param answer: the progress that was polled
        :return: the seconds left to wait; None once the failure is too old
        """
        ages = [
            max(0.0, answer.at - at.timestamp())
            for at in failed_at
            if at is not None and at.timestamp() <= answer.at + BELIEVABLE_AHEAD
        ]
        lasted = self.lasted(Condition.FAILED, already=min(ages, default=0.0))
        old = not ages and not self.memory.kept  # its age is unknown and will stay unknown
        grace = self.gate.failure_grace
        return None if old or lasted > grace or not grace else max(0.0, grace - lasted)

    def not_yet(
        self,
        message: str,
        answer: Answer[ProjectProgress],
        observed: Observation,
        *,
        awaits: Sequence[str] = (),
        steps: list[Step] | None = None,
        alarming: bool = False,
    ) -> Flow[Verdict]:
        """Decide by the project's status whether a milestone that isn't reached can still be reached.

        Sources: docs/develop/oms-facts.md#project-status, docs/develop/oms-facts.md#failed-recovers

        :param message: what is still missing
        :param answer: the progress that was polled
        :param observed: the observation
        :param awaits: names of the steps that the milestone waits for. If one of these is FAILED or SUSPEND, that
            counts as if the project were; so does a FAILED precheck, because no step begins after it
        :param steps: the steps, if the milestone has asked for them already
        :param alarming: whether a person should look at what is missing
        """
        status = answer.data.status
        view = outlook(status)
        message = f"{message} {self.changing}".rstrip()
        if steps is None and (awaits or view is Outlook.FAILED):
            steps = yield from self._steps_if_any()
        if view is Outlook.FAILED:
            return self._failure(step_rules.failed(steps or []), "The project has failed", answer, observed)
        awaited = [step for name in awaits for step in step_rules.find(steps or [], name)]
        broken = step_rules.failed(awaited) or step_rules.failed_precheck(steps or [])
        if view is Outlook.UNDER_WAY and broken:
            return self._failure(broken, "The step has failed", answer, observed)
        if view is Outlook.GONE:
            return self.failed(f"{message} This can't change any more: the project is {status}.", observed)
        if view is Outlook.OVER:
            return self.failed(f"{message} Nothing more will happen: the project is {status}.", observed)
        figures = figures_of(awaited)
        if view is Outlook.UNDER_WAY:
            message = f"{message} {holds_up(steps or [], awaited)}".rstrip()
        if view is Outlook.PAUSED or (view is Outlook.UNDER_WAY and step_rules.suspended(awaited)):
            what = "The project is paused" if view is Outlook.PAUSED else "The step is paused"
            if self.gate.fail_on_suspend:
                return self.failed(f"{message} {what} (SUSPEND). Resume it in OMS, then clear this task.", observed)
            return self.waiting(
                f"{message} {what} (SUSPEND); waiting for somebody to resume it.", observed, figures, alarming=alarming
            )
        if view is Outlook.UNKNOWN and self.changing:
            return self.waiting(message, observed, figures, alarming=True)
        if view is Outlook.UNKNOWN:
            said = "no status" if status is None else f"the status {safe_text(status, 60)}, which is not known here"
            return self.waiting(f"{message} OMS gives the project {said}.", observed, figures, alarming=True)
        return self.waiting(message, observed, figures, alarming=alarming)

    def _steps_if_any(self) -> Flow[list[Step]]:
        """Ask for the steps; OMS 3.3 doesn't offer them: docs/develop/oms-wire.md#v3"""
        try:
            return (yield from self.steps()).data
        except OmsUnsupportedActionError:
            return []

    def _failure(
        self, broken: list[Step], what: str, answer: Answer[ProjectProgress], observed: Observation
    ) -> Verdict:
        """Judge failed steps: OMS recovers from some failures by itself, but not from a failed precheck."""
        said = "; ".join(step_rules.error_of(step) for step in broken) or "OMS gives no step and no error for it"
        message = f"{what}: {said}."
        left = self.grace_left((step.extra.failed_time for step in broken), answer)
        if left is None or any(map(step_rules.is_precheck, broken)):
            return self.failed(f"{message} {_WAY_ON}", observed)
        message = f"{message} OMS may recover by itself; waiting {duration(left)} more."
        return self.waiting(message, observed, alarming=True)


class NameUnreadableError(Exception):
    """A name was resolved before, but its id can't be read at this poll, or a new id couldn't be stored."""


class NameLostError(OmsPermanentError):
    """A name was resolved before, and its id was lost for good."""


def project_of(gate: Gate, memory: Memory) -> str | None:
    """Return the id of a gate's project; None while its name isn't resolved.

    :param gate: the gate's settings
    :param memory: what the gate remembers
    """
    return gate.project_id or memory.projects.get(gate.project_name or "")


def name_of(gate: Gate, memory: Memory) -> str | None:
    """Return the name of a gate's project, as far as it is known without asking.

    :param gate: the gate's settings
    :param memory: what it remembers
    """
    if gate.project_name is not None:
        return gate.project_name
    return next((name for name, known in memory.projects.items() if known == gate.project_id != name), None)


def resolve_name(name: str, memory: Memory, oms: str, rows: Sequence[Project] | None = None) -> Flow[str]:
    """Resolve a project's name, once for each OMS.

    :param name: the name
    :param memory: what the gate remembers; changed on the way
    :param oms: the origin of the answers, empty where it isn't known
    :param rows: the rows with that name in a list that was already read, which saves a request
    """

    def find(wanted: str) -> Flow[str]:
        listed = project_named(wanted, rows or ())
        # A project that a list leaves out may still exist.
        return listed.id if listed is not None and listed.id is not None else (yield from _find_project(wanted))

    return (yield from _resolved(name, memory, oms, find))


def _resolved(name: str, memory: Memory, oms: str, find: Callable[[str], Flow[str]]) -> Flow[str]:
    """Return the id of a project that is given by its id or name. A gate never changes to another project or OMS.

    :param name: the project's name, or its id
    :param memory: what the gate remembers; it is changed
    :param oms: the origin of the answers, empty if it isn't known
    :param find: looks up the project
    """
    known = memory.projects.get(name)
    if known is not None and not memory.observed_elsewhere(known, oms):
        return known
    if known is None and memory.names is Names.UNREADABLE:
        raise NameUnreadableError(
            f"Airflow's task state store can't be read or written now, so it isn't known which project was named "
            f"{safe_text(name, 200)!r} when this gate began, and OMS isn't asked."
        )
    if known is None and memory.names is Names.LOST:
        raise NameLostError(
            f"It isn't known any more which project this gate has watched under the name {safe_text(name, 200)!r}: "
            "Airflow's task state store has lost it. Another project may have that name by now."
        )
    found = yield from find(name)
    if known not in (None, found):
        there, here = was_and_is(memory.observed[str(known)], oms)
        raise OmsPermanentError(
            f"project {safe_text(repr(name), 200)} was {known} at {there} and is {found} "
            f"at {here}, where the Airflow connection leads now. A gate watches one project: clear this task to watch "
            "the other one."
        )
    memory.projects[name] = found
    return found


def _find_project(name: str) -> Flow[str]:
    """Look up a project's name."""
    found = yield from project_by_name(name)
    if found is None or found.id is None:
        raise no_project_named(name)
    return found.id


def _find_verification_project(name: str) -> Flow[str]:
    """Resolve the id or the name of a project of type VERIFY.

    Source: docs/develop/oms-facts.md#verification-project

    :param name: its id or name; an id wins over the same name of another project
    """
    found = yield from project_by_id_or_name(name)
    said = safe_text(repr(name), 200)
    if found is None or found.id is None:
        if looks_like_id(name):
            return name  # OMS may not list the project; if it doesn't exist, the next call fails
        raise OmsProjectNotFoundError(f"OMS shows this user no project with the id or the name {said}.")
    if found.type not in (None, "VERIFY"):
        raise OmsPermanentError(
            f"project {said} is of type {safe_text(found.type, 40)}, not VERIFY, so it can't verify another project."
        )
    return found.id


def lag_of(checkpoint: Checkpoint | None, at: float) -> float | None:
    """Return by how many seconds a checkpoint is behind; None if it isn't a time.

    Sources: docs/develop/oms-facts.md#checkpoint-units, docs/develop/oms-facts.md#checkpoint-missing,
    docs/develop/oms-facts.md#checkpoint-ahead (a negative lag counts as 0)
    """
    if isinstance(checkpoint, str) or checkpoint is None or checkpoint <= 0:
        return None
    return max(0.0, at - checkpoint)


def time_of(checkpoint: Checkpoint | None) -> str | None:
    """Return a checkpoint in ISO 8601, UTC; None if it isn't a time.

    Sources: docs/develop/oms-facts.md#checkpoint-units, docs/develop/oms-facts.md#checkpoint-missing
    """
    if isinstance(checkpoint, str) or checkpoint is None or checkpoint <= 0:
        return None
    text = utc_text(checkpoint)
    return text if "T" in text else None  # a number outside the calendar's range stays a number
