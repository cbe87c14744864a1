"""The milestones: what each waits for, and how it is told. One class a milestone, one ``check`` each.

Every ``check`` decides first whether the milestone is reached, since what is reached stays reached; only then does
the project's status say whether it still can be (:meth:`Look.not_yet`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from airflow_provider_oms.client.errors import plain
from airflow_provider_oms.client.models import ProjectProgress, Step
from airflow_provider_oms.client.operations import Dialogue
from airflow_provider_oms.client.protocol import Answer, utc_text
from airflow_provider_oms.milestones import actions, arguments, freshness, verification
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.look import Look, known
from airflow_provider_oms.milestones.status import DELETED, Outlook, is_running, may_follow, outlook
from airflow_provider_oms.milestones.steps import StepKind
from airflow_provider_oms.milestones.verdict import Verdict

# A step by any one of its names: that finds it under all of them.
_FULL = (StepKind.FULL.value[0],)
_INCREMENTAL = (StepKind.INCREMENTAL.value[0],)
_REVERSE = (StepKind.REVERSE.value[0],)
_VERIFICATION = (StepKind.FULL_VERIFICATION.value[0],)


class Milestone:
    """What a gate waits for. Subclasses are frozen dataclasses whose fields are plain JSON."""

    kind: ClassVar[str]

    @abstractmethod
    def describe(self) -> str:
        """Say what is waited for."""

    @abstractmethod
    def check(self, look: Look) -> Dialogue[Verdict]:
        """Ask what is needed and decide."""

    def reached_by_absence(self) -> bool:
        """Tell whether a project that is gone is what was waited for."""
        return False

    def needs_memory(self) -> str | None:
        """Name the setting that can't work where nothing is remembered between two looks."""
        return None

    def caution(self) -> str | None:
        """Say what a person should know before waiting."""
        return None


@dataclass(frozen=True)
class StepMilestone(Milestone):
    """A step is done, or has started.

    :param step: the step, in any of OMS's vocabularies
    :param until: ``done`` or ``started``
    """

    step: str
    until: str = "done"
    kind: ClassVar[str] = "step"

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", arguments.name_of("step", self.step))
        arguments.choice("until", self.until, ("done", "started"))

    def describe(self) -> str:
        return f"step {self.step} {'to be done' if self.until == 'done' else 'to start'}"

    def check(self, look: Look) -> Dialogue[Verdict]:
        progress = yield from look.progress()
        steps = (yield from look.steps()).data
        found = step_rules.find(steps, self.step)
        if not found:
            return (yield from self._absent(look, progress, steps))
        step = found[-1]
        passed = step_rules.is_done if self.until == "done" else step_rules.has_started
        reached = all(passed(one) for one in found)
        seen = look.sighting(progress, step=step.name, progress=known(step, Step.progress))
        message = f"Step {step.name} is {plain(step.status, 60)}{_percent(seen.progress)}."
        if reached:
            return look.reached(message, seen)
        return (yield from look.not_yet(message, progress, seen, steps=steps, awaits=[self.step]))

    def _absent(self, look: Look, progress: Answer[ProjectProgress], steps: list[Step]) -> Dialogue[Verdict]:
        seen = look.sighting(progress, step=self.step, progress=None)
        if steps:
            listed = plain(step_rules.names(steps))
            return look.failed(f"The project has no step {self.step}. Its steps are {listed}. Correct step.", seen)
        return (yield from look.not_yet("The project lists no steps yet.", progress, seen, steps=steps))


@dataclass(frozen=True)
class FullTransferMilestone(Milestone):
    """The full transfer has reached a percentage.

    :param progress: the percentage
    """

    progress: float = 100.0
    kind: ClassVar[str] = "full_transfer"

    def __post_init__(self) -> None:
        object.__setattr__(self, "progress", arguments.percentage("progress", self.progress))

    def describe(self) -> str:
        return f"the full transfer at {self.progress:g} %"

    def check(self, look: Look) -> Dialogue[Verdict]:
        answer = yield from look.progress()
        seen = look.sighting(answer)
        done = answer.data.full_transfer_progress
        if answer.data.enable_full_transfer is False:
            return look.failed("The project has no full transfer (enableFullTransfer is false).", seen)
        if done is None:
            message = "OMS gives no percentage of the full transfer yet."
        else:
            message = f"The full transfer is at {done:g} % of {self.progress:g} %."
            if done >= self.progress:
                return look.reached(message, seen)
        return (yield from look.not_yet(message, answer, seen, awaits=_FULL))


@dataclass(frozen=True)
class CheckpointLagMilestone(Milestone):
    """The checkpoint lies at most so many seconds behind, now and on every look for a while.

    :param max_lag: seconds
    :param direction: ``forward`` or ``reverse``
    :param hold_for: seconds
    """

    max_lag: float
    direction: str = "forward"
    hold_for: float = 0.0
    kind: ClassVar[str] = "checkpoint_lag"

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_lag", arguments.seconds("max_lag", self.max_lag))
        object.__setattr__(self, "hold_for", arguments.seconds("hold_for", self.hold_for))
        arguments.choice("direction", self.direction, freshness.DIRECTIONS)

    def describe(self) -> str:
        held = f" for {self.hold_for:g} s" if self.hold_for else ""
        return f"the {self.direction} checkpoint within {self.max_lag:g} s{held}"

    def needs_memory(self) -> str | None:
        return "hold_for" if self.hold_for else None

    def caution(self) -> str | None:
        return freshness.caution(self.max_lag)

    def check(self, look: Look) -> Dialogue[Verdict]:
        answer = yield from look.progress()
        reading = freshness.read(answer, self.direction)
        seen = look.sighting(answer, checkpoint=reading.checkpoint, lag=reading.lag)
        # Counted by one clock only: the difference between two would count as time that has passed.
        same_clock = look.memory.within_clock == answer.clock
        since = look.memory.within_since if same_clock else None
        look.memory.within_since = look.memory.within_clock = None
        if reading.impossible:
            return look.failed(reading.problem, seen)
        if reading.problem:
            awaits = _step_of(self.direction)
            return (yield from look.not_yet(reading.problem, answer, seen, awaits=awaits, alarming=reading.alarming))
        if not is_running(answer.data.status):
            return (yield from look.not_yet("A lag counts only while the project is running.", answer, seen))
        lag = reading.trusted_lag
        message = f"The {self.direction} checkpoint lies {lag:.0f} s behind; {self.max_lag:g} s are allowed."
        if lag > self.max_lag:
            awaits = _step_of(self.direction)
            return (yield from look.not_yet(message + reading.remark, answer, seen, awaits=awaits))
        since = min(answer.at, since) if since is not None else answer.at
        look.memory.within_since, look.memory.within_clock = since, answer.clock
        if answer.at - since >= self.hold_for:
            return look.reached(message, seen)
        held = f" It has been for {answer.at - since:.0f} s of {self.hold_for:g} s."
        return (yield from look.not_yet(message + held, answer, seen))


@dataclass(frozen=True)
class CheckpointReachedMilestone(Milestone):
    """The checkpoint has passed a moment, so every change up to it has arrived.

    :param checkpoint: the moment, Unix seconds
    :param direction: ``forward`` or ``reverse``
    """

    checkpoint: float
    direction: str = "forward"
    kind: ClassVar[str] = "checkpoint_reached"

    def __post_init__(self) -> None:
        object.__setattr__(self, "checkpoint", arguments.moment("checkpoint", self.checkpoint))
        arguments.choice("direction", self.direction, freshness.DIRECTIONS)

    def describe(self) -> str:
        return f"the {self.direction} checkpoint past {utc_text(self.checkpoint)}"

    def check(self, look: Look) -> Dialogue[Verdict]:
        answer = yield from look.progress()
        reading = freshness.read(answer, self.direction)
        seen = look.sighting(answer, checkpoint=reading.checkpoint, lag=reading.lag)
        if reading.impossible:
            return look.failed(reading.problem, seen)
        if reading.problem:
            awaits = _step_of(self.direction)
            return (yield from look.not_yet(reading.problem, answer, seen, awaits=awaits, alarming=reading.alarming))
        message = (
            f"The {self.direction} checkpoint is at {utc_text(reading.trusted_checkpoint)}; "
            f"it must pass {utc_text(self.checkpoint)}."
        )
        # Strictly: a change made in the very second of the checkpoint may still be on its way.
        if reading.trusted_checkpoint > self.checkpoint:
            return look.reached(message, seen)
        awaits = _step_of(self.direction)
        return (yield from look.not_yet(message + reading.remark, answer, seen, awaits=awaits))


@dataclass(frozen=True)
class FullVerificationMilestone(Milestone):
    """Full verification is done and found every table consistent."""

    kind: ClassVar[str] = "full_verification"

    def describe(self) -> str:
        return "full verification to find every table consistent"

    def check(self, look: Look) -> Dialogue[Verdict]:
        progress = yield from look.progress()
        steps = (yield from look.steps()).data
        found = step_rules.find(steps, _VERIFICATION[0])
        if not found and steps:
            listed = plain(step_rules.names(steps))
            return look.failed(
                f"The project has no full verification. Its steps are {listed}.", look.sighting(progress)
            )
        finding = yield from verification.look_at(look, found)
        seen = look.sighting(progress, step=_VERIFICATION[0], progress=finding.progress)
        if finding.consistent:
            return look.reached(finding.message, seen)
        if finding.inconsistent:
            return look.failed(finding.message, seen)
        awaits, alarming = _VERIFICATION, finding.alarming
        return (yield from look.not_yet(finding.message, progress, seen, steps=steps, awaits=awaits, alarming=alarming))


@dataclass(frozen=True)
class ProjectStatusMilestone(Milestone):
    """The project's status is one of a few.

    :param target_statuses: the statuses
    """

    target_statuses: tuple[str, ...]
    kind: ClassVar[str] = "project_status"

    def __post_init__(self) -> None:
        object.__setattr__(self, "target_statuses", arguments.names_of("target_statuses", self.target_statuses))

    def describe(self) -> str:
        return f"the project to be {' or '.join(self.target_statuses)}"

    def reached_by_absence(self) -> bool:
        return DELETED in self.target_statuses

    def check(self, look: Look) -> Dialogue[Verdict]:
        answer = yield from look.progress()
        seen = look.sighting(answer)
        status = answer.data.status
        message = f"The project is {plain(status, 60)}."
        if status in self.target_statuses:
            return look.reached(message, seen)
        if may_follow(status, self.target_statuses):
            return look.waiting(message, seen)
        return (yield from look.not_yet(message, answer, seen))


@dataclass(frozen=True)
class CutoverReadyMilestone(Milestone):
    """All that a safe switchover needs.

    :param max_lag: seconds that the forward checkpoint may lie behind
    """

    max_lag: float = 25.0
    kind: ClassVar[str] = "cutover_ready"

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_lag", arguments.seconds("max_lag", self.max_lag))

    def describe(self) -> str:
        return f"the project to be ready for the cut-over (lag within {self.max_lag:g} s)"

    def caution(self) -> str | None:
        return freshness.caution(self.max_lag)

    def check(self, look: Look) -> Dialogue[Verdict]:
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
        elif reading.trusted_lag > self.max_lag:
            missing.append(f"the lag is {reading.trusted_lag:.0f} s of {self.max_lag:g} s{reading.remark}")
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


@dataclass(frozen=True)
class ActionMilestone(Milestone):
    """An action that was sent has its effect: what an operator waits for.

    :param goal: the action that is wanted: start, stop, resume, release or delete
    :param sent: the action that was sent: the same, or one that has to come before it
    :param stop_first: whether what stands in the way may be stopped and released
    :param since: when it was sent (OMS's clock, Unix seconds), if it was
    """

    goal: str
    sent: str
    stop_first: bool = False
    since: float | None = None
    kind: ClassVar[str] = "action"

    def __post_init__(self) -> None:
        arguments.choice("goal", self.goal, actions.ACTIONS)
        arguments.choice("sent", self.sent, actions.ACTIONS)

    def describe(self) -> str:
        return f"{actions.name_of(self.sent)} to take effect"

    def reached_by_absence(self) -> bool:
        return bool(actions.has_effect(self.goal, self.sent, DELETED, stop_first=self.stop_first))

    def check(self, look: Look) -> Dialogue[Verdict]:
        answer = yield from look.progress()
        seen = look.sighting(answer)
        status = answer.data.status
        message = f"The project is {plain(status, 60)}."
        effect = actions.has_effect(self.goal, self.sent, status, stop_first=self.stop_first)
        if effect:
            return look.reached(message, seen)
        # What OMS shows just after an action may be what was before it, an old failure as well; but not for ever.
        new = self.since is not None and answer.at - self.since <= look.gate.failure_grace
        if effect is False and (new or outlook(status) is not Outlook.FAILED):
            return look.waiting(message, seen)
        return (yield from look.not_yet(message, answer, seen))


_KINDS: dict[str, type[Milestone]] = {
    kind.kind: kind
    for kind in (
        StepMilestone,
        FullTransferMilestone,
        CheckpointLagMilestone,
        CheckpointReachedMilestone,
        FullVerificationMilestone,
        ProjectStatusMilestone,
        CutoverReadyMilestone,
        ActionMilestone,
    )
}


def to_dict(milestone: Milestone) -> dict[str, Any]:
    """Return a milestone as JSON."""
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(milestone).items()}  # type: ignore[call-overload]
    return {"kind": milestone.kind, **fields}


def from_dict(stored: Mapping[str, Any]) -> Milestone:
    """Read what :func:`to_dict` returned."""
    fields = dict(stored)
    return _KINDS[fields.pop("kind")](**fields)


def _percent(progress: float | None) -> str:
    return "" if progress is None else f" at {progress:g} %"


def _step_of(direction: str) -> tuple[str, ...]:
    """Return the step whose checkpoint a direction reads."""
    return _INCREMENTAL if direction == "forward" else _REVERSE
