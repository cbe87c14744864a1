"""The state machine: what a project is at a moment, from its description and what was done to it.

:func:`evaluate` is pure: the same description, history and time give the same state, however often and whenever it is
asked. Nothing ticks in the background.
"""

from __future__ import annotations

import heapq
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.model import Failure, Pause, Project, Table
from airflow_provider_oms.simulator.modifications import (
    STATUS_OF_PHASE,
    Databases,
    Modification,
    Modifications,
    ModifyRecord,
    difference,
    union,
)

#: OMS collects checkpoints every 10 s.
SAMPLE_EVERY = 10.0

_EPS = 1e-6


class NotAllowed(Exception):
    """An action that the project's state doesn't allow."""


@dataclass(frozen=True)
class Event:
    """Something that was done to a project, and when."""

    time: float
    kind: str
    args: Mapping[str, Any] = field(default_factory=dict)
    scripted: bool = False


@dataclass
class StepState:
    """A step at a moment. ``spent`` is its own running time; ``before`` the status to return to after a pause.

    A verification that somebody skipped has ``cut_at``, the percentage at which; ``marked`` is whether ``stepInfo``
    tells so. ``round`` counts its runs, and ``stale`` is what rows still show of the last run: ``verdict`` or ``row``.
    """

    name: str
    duration: float
    status: str = "INIT"
    start: float | None = None
    finish: float | None = None
    spent: float = 0.0
    before: str | None = None
    error: Failure | None = None
    failed_at: float | None = None
    cut_at: int | None = None
    marked: bool = False
    round: int = 1
    stale: str | None = None

    @property
    def active(self) -> bool:
        """Whether the step is at work."""
        return self.status in ("RUNNING", "MONITORING")

    @property
    def fraction(self) -> float:
        """How much of the step is done, from 0 to 1."""
        if self.cut_at is not None:
            return self.cut_at / 100
        if self.status == "FINISHED":
            return 1.0
        if self.start is None:
            return 0.0
        return 1.0 if self.duration <= 0 else min(1.0, self.spent / self.duration)

    @property
    def progress(self) -> int:
        """The percentage as OMS shows it. A switchover stays at 0 until it is done, a continuous step at 99."""
        if self.cut_at is not None:
            return self.cut_at
        if self.status == "FINISHED" or "MONITORING" in (self.status, self.before):
            return 100
        if self.start is None or self.name == steps.SWITCH:
            return 0
        if self.name in steps.CONTINUOUS:
            return 99
        return min(100, int(self.fraction * 100 + _EPS))


@dataclass
class Stream:
    """A direction of incremental synchronization: the true lag, and what OMS sampled of it."""

    start: float | None = None
    lag: float = 0.0
    sampled_at: float | None = None
    checkpoint: float | None = None
    frozen: bool = False


class State:
    """A project at a moment. Made by :func:`evaluate`; read only for everybody else."""

    def __init__(self, project: Project, created: float) -> None:
        self.project = project
        self.time = created
        self.created = created
        self.modified = created
        self.started: float | None = None
        self.finished: float | None = None
        self.status = "INIT"
        self.steps = {name: StepState(name, project.duration(name)) for name in project.step_names}
        self.sequence = [name for name in self.steps if name != steps.INCR_VERIFY]
        self.current: str | None = None
        self.held = False
        self.forward = Stream()
        self.reverse = Stream()
        self.idle_source = project.idle_source
        self.steady_lag = project.steady_lag
        self.catch_up_rate = project.catch_up_rate
        self.status_override = project.status_override
        self.wait_after = set(project.wait_after)
        self.modifications = Modifications(project.mapping.get("databases") or [])
        self.tables = list(project.tables)
        self.shown: dict[str, Any] = dict(project.shown)
        self.not_allowed: list[str] = []
        self.stop_at: float | None = None
        self.release_at: float | None = None
        self.recover_at: float | None = None
        self._triggers: list[Failure | Pause] = [*project.failures, *project.pauses]
        self._used = [0] * len(self._triggers)

    # -- what others read ------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the project is at work."""
        return self.status == "RUNNING"

    @property
    def shown_status(self) -> str:
        """The status as the API shows it: RUNNING_MODIFYING or RUNNING_MERGING while objects are being added."""
        phase = self.modifications.phase if self.running else None
        return self.status_override or (self.status if phase is None else STATUS_OF_PHASE[phase])

    @property
    def current_step(self) -> str:
        """The step that the project is at: its first before the start, its last at the end."""
        return self.current or next(iter(self.steps))

    @property
    def waits_for_person(self) -> bool:
        """Whether the project waits for AdvanceProject."""
        return self.running and self.held

    def stream(self, step: str) -> Stream:
        """Return the stream that belongs to a step."""
        return self.reverse if step == steps.REVERSE else self.forward

    # -- time ------------------------------------------------------------------------------------------------------

    def until(self, end: float) -> None:
        """Let everything happen that happens by itself until a moment."""
        for _ in range(100_000):
            due = min(self._due(), key=lambda item: item[0], default=None)
            if due is None or due[0] > end:
                self._flow(max(end, self.time))
                return
            self._flow(max(due[0], self.time))
            due[1]()
            self.modified = self.time
        raise RuntimeError(f"Project {self.project.id} never comes to rest")  # pragma: no cover

    def _due(self) -> list[tuple[float, Callable[[], None]]]:
        now, due = self.time, []
        if self.stop_at is not None:
            due.append((self.stop_at, self._suspend))
        if self.release_at is not None:
            due.append((self.release_at, self._released))
        if self.recover_at is not None:
            due.append((self.recover_at, self._recover))
        if not self.running:
            return due
        due += self.modifications.due(now)
        for index, trigger in enumerate(self._triggers):
            step = self.steps.get(trigger.step)
            times = trigger.times if isinstance(trigger, Failure) else 1
            if step is None or not step.active or self._used[index] >= times or step.finish is not None:
                continue
            at = trigger.after if trigger.after is not None else step.duration * trigger.at / 100
            due.append((now + max(0.0, at - step.spent), lambda i=index: self._trigger(i)))  # type: ignore[misc]
        for step in self.steps.values():
            if step.status != "RUNNING" or (self.held and step.name == self.current):
                continue
            wait = max(0.0, step.duration - step.spent)
            if step.name in (steps.INCR, steps.REVERSE):
                wait = self._time_to_threshold(self.stream(step.name), wait)
                if math.isfinite(wait):
                    due.append((now + wait, lambda s=step: self._monitor(s)))  # type: ignore[misc]
            elif step.name == steps.INCR_VERIFY:
                due.append((now + wait, lambda s=step: self._monitor(s)))  # type: ignore[misc]
            elif step.name != steps.SWITCH:
                due.append((now + wait, lambda s=step: self._finish_timed(s)))  # type: ignore[misc]
        return due

    def _time_to_threshold(self, stream: Stream, at_least: float) -> float:
        threshold = self.project.monitoring_threshold
        if self._lag_after(stream.lag, at_least) <= threshold:
            return at_least
        if self.idle_source or self.catch_up_rate <= 1 or self.steady_lag > threshold:
            return math.inf
        return (stream.lag - threshold) / (self.catch_up_rate - 1)

    def _lag_after(self, lag: float, seconds: float) -> float:
        if self.idle_source:
            return lag + seconds
        if lag < self.steady_lag:
            return min(self.steady_lag, lag + seconds)
        return max(self.steady_lag, lag - (self.catch_up_rate - 1) * seconds)

    def _flow(self, end: float) -> None:
        seconds = end - self.time
        if self.running:
            self.modifications.flow(seconds)
            for step in self.steps.values():
                if step.active and not (self.held and step.name == self.current):
                    step.spent += seconds
        for name in (steps.INCR, steps.REVERSE):
            if name in self.steps:
                self._flow_stream(self.steps[name], self.stream(name), end)
        self.time = end

    def _flow_stream(self, step: StepState, stream: Stream, end: float) -> None:
        if stream.start is None or stream.frozen:
            return
        seconds = end - self.time
        if not (self.running and step.active):
            stream.lag += seconds
            return
        sample = stream.start + SAMPLE_EVERY * math.floor((end - stream.start) / SAMPLE_EVERY + _EPS)
        if stream.sampled_at is None or sample > stream.sampled_at + _EPS:
            stream.sampled_at = sample
            moved = sample - self._lag_after(stream.lag, max(0.0, sample - self.time))
            stream.checkpoint = moved if stream.checkpoint is None else max(stream.checkpoint, moved)
        stream.lag = self._lag_after(stream.lag, seconds)

    # -- what happens by itself ------------------------------------------------------------------------------------

    def _begin(self, name: str) -> None:
        step = self.steps[name]
        self.current, self.held = name, False
        step.status, step.start = "RUNNING", self.time
        if name in (steps.INCR, steps.REVERSE):
            stream = self.stream(name)
            stream.start = stream.sampled_at = self.time
            stream.lag = self.project.initial_lag if name == steps.INCR else self.steady_lag
            if name == steps.INCR and self.project.start_timestamp is not None:
                stream.lag = max(0.0, self.time - self.project.start_timestamp)
            stream.checkpoint = self.time - stream.lag
        elif name == steps.SWITCH:
            self.held = True

    def _finish(self, step: StepState) -> None:
        step.status, step.finish, step.spent, step.before, step.error = "FINISHED", self.time, step.duration, None, None

    def _following(self) -> str | None:
        index = self.sequence.index(self.current) + 1 if self.current else 0
        return self.sequence[index] if index < len(self.sequence) else None

    def _next(self) -> None:
        following = self._following()
        if following is not None:
            self._begin(following)
        elif self.current not in steps.CONTINUOUS:
            self.status, self.finished, self.stop_at = "FINISHED", self.time, None

    def _finish_timed(self, step: StepState) -> None:
        step.spent = step.duration
        if step.name != self.current:
            self._finish(step)
            return
        if step.name == steps.FULL_VERIFY and self._following() is not None:
            # OMS goes on reporting RUNNING at 100, with a finishTime, until a person goes to the next stage.
            step.finish, self.held = self.time, True
            return
        self._finish(step)
        if step.name in self.wait_after:
            self.held = True
        else:
            self._next()

    def _monitor(self, step: StepState) -> None:
        step.status = "MONITORING"
        if step.name == steps.INCR:
            if steps.INCR_VERIFY in self.steps:
                verifier = self.steps[steps.INCR_VERIFY]
                verifier.status, verifier.start = "RUNNING", self.time
            if self.current == steps.INCR:
                if steps.INCR in self.wait_after:
                    self.held = True
                else:
                    self._next()

    def _trigger(self, index: int) -> None:
        self._used[index] += 1
        trigger = self._triggers[index]
        if isinstance(trigger, Failure):
            self._fail(trigger)
        else:
            self._suspend()

    def _fail(self, failure: Failure) -> None:
        step = self.steps[failure.step]
        step.before = step.before or (step.status if step.active or step.status == "FINISHED" else "RUNNING")
        step.status, step.error, step.failed_at = "FAILED", failure, self.time
        if not failure.step_only:
            self.status, self.stop_at = "FAILED", None
        if failure.recover_after is not None:
            self.recover_at = self.time + failure.recover_after

    def _suspend(self) -> None:
        self.status, self.stop_at = "SUSPEND", None
        for step in self.steps.values():
            if step.active:
                step.before, step.status = step.status, "SUSPEND"

    def _recover(self) -> None:
        """Recover by itself; a project that was paused meanwhile stays so."""
        self.recover_at = None
        if self.status in ("RUNNING", "FAILED"):
            self._resume()

    def _resume(self) -> None:
        self.recover_at = None
        self.status = "RUNNING"
        for step in self.steps.values():
            if step.status in ("SUSPEND", "FAILED"):
                step.status, step.before, step.error = step.before or "RUNNING", None, None
        if self.current == steps.FULL_VERIFY and self.steps[steps.FULL_VERIFY].status == "FINISHED" and not self.held:
            self._next()  # it was skipped while the project was paused

    def _released(self) -> None:
        self.status, self.release_at = "RELEASED", None

    def _switched(self) -> None:
        for name in (steps.SWITCH, steps.INCR, steps.INCR_VERIFY):
            if name in self.steps:
                self._finish(self.steps[name])
        self.forward.frozen = True
        self.held = False
        self._next()

    # -- what others do to it --------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Apply what was done at ``event.time``.

        :raises NotAllowed: where OMS's console doesn't offer the operation in this state.
        """
        self.until(event.time)
        getattr(self, f"_on_{event.kind}")(**event.args)
        self.modified = self.time

    def _need(self, operation: str, *allowed: str) -> None:
        if self.status not in allowed:
            raise NotAllowed(
                f"The project cannot be {operation} in status {self.shown_status}; it needs {' or '.join(allowed)}."
            )

    def _on_start(self) -> None:
        self._need("started", "INIT")
        self.status, self.started = "RUNNING", self.time
        self._begin(self.sequence[0])

    def _on_stop(self) -> None:
        self._need("stopped", "RUNNING")
        if self.stop_at is None:
            self.stop_at = self.time + self.project.stop_delay

    def _on_resume(self) -> None:
        self._need("resumed", "SUSPEND", "FAILED")
        self._resume()

    def _on_release(self) -> None:
        self._need("released", "SUSPEND", "FAILED", "FINISHED")
        self.status, self.recover_at = "RELEASING", None
        self.forward.frozen = self.reverse.frozen = True
        self.release_at = self.time + self.project.release_delay

    def _on_delete(self) -> None:
        self._need("deleted", "INIT", "RELEASED")

    def _on_configure(self, wait_after_struct: bool = False) -> None:
        self._need("modified", "INIT", "SUSPEND", "FAILED")
        self.wait_after.discard(steps.STRUCT)
        if wait_after_struct:
            self.wait_after.add(steps.STRUCT)

    def _on_advance(self) -> None:
        self._need("advanced", "RUNNING")
        if not self.held or self.current is None:
            raise NotAllowed(f"The step {self.current_step} does not wait for being advanced.")
        if self.current == steps.SWITCH:
            self._switched()
            return
        if self.current not in steps.CONTINUOUS:
            self._finish(self.steps[self.current])
        self.held = False
        self._next()

    def _on_switchover(self) -> None:
        if self.running and self.current == steps.FULL_VERIFY and self.held:
            self._on_advance()
        if not self.running or self.current != steps.SWITCH:
            raise NotAllowed(f"The project is at {self.current_step} ({self.status}), not at the forward switchover.")
        self._switched()

    def _on_reset_incr(self, timestamp: float, reverse: bool = False) -> None:
        self._need("modified", "SUSPEND", "FAILED")
        stream = self.reverse if reverse else self.forward
        if stream.start is None:
            raise NotAllowed("The incremental synchronization has not started.")
        stream.lag, stream.checkpoint, stream.sampled_at = self.time - timestamp, timestamp, self.time

    def _on_fail(self, failure: Failure | None = None, step: str | None = None, **given: Any) -> None:
        self._need("failed", "RUNNING", "SUSPEND")
        failure = failure or Failure(step or self.current_step, **given)
        if failure.step not in self.steps:
            raise NotAllowed(f"The project has no step {failure.step}.")
        failed = self.steps[failure.step]
        failed.start = self.time if failed.start is None else failed.start
        self._fail(failure)

    def _on_recover(self) -> None:
        if any(step.status == "FAILED" for step in self.steps.values()):
            self._recover()

    def _on_pause(self) -> None:
        self._need("paused", "RUNNING")
        self._suspend()

    def _on_set(self, **values: Any) -> None:
        lag = values.pop("lag", None)
        for key, value in values.items():
            setattr(self, key, value)
        if lag is not None:
            stream = self.reverse if self.reverse.start is not None else self.forward
            if stream.start is None:
                raise NotAllowed("The incremental synchronization has not started.")
            stream.lag, stream.checkpoint, stream.sampled_at = lag, self.time - lag, self.time

    def _on_show(self, where: str, **values: Any) -> None:
        """Show values instead of the simulated ones; ``where`` is ``progress``, ``row`` or a step's name."""
        if where in ("progress", "row"):
            self.shown[where] = {**self.shown.get(where, {}), **values}
            return
        by_step = dict(self.shown.get("steps", {}))
        name = steps.canonical(where)
        by_step[name] = {**by_step.get(name, {}), **values}
        self.shown["steps"] = by_step

    def _on_show_nothing(self) -> None:
        self.shown = {}

    # -- full verification -----------------------------------------------------------------------------------------

    def _verifying(self, operation: str) -> StepState:
        step = self.steps.get(steps.FULL_VERIFY)
        if step is None or self.current != steps.FULL_VERIFY or step.status == "FINISHED":
            raise NotAllowed(f"The full verification cannot be {operation} at the step {self.current_step}.")
        return step

    def _on_skip_verification(self, marked: bool = True) -> None:
        self._need("modified", "RUNNING", "SUSPEND", "FAILED")
        step = self._verifying("skipped")
        step.cut_at, step.marked = step.progress, marked
        at_work = self.running
        if self.status == "FAILED":
            self.status, self.recover_at, at_work = "RUNNING", None, True
        spent = step.spent
        self._finish(step)
        step.spent, self.held = spent, False
        if at_work:
            self._next()

    def _on_reverify(self, stale: str | None = "verdict") -> None:
        """Verify again. ``stale`` is what a table's row shows until its turn: its ``verdict`` or ``row`` of before."""
        self._need("verified again", "RUNNING")
        if stale not in (None, "verdict", "row"):
            raise ValueError(f"stale is verdict, row or null, not {stale!r}")
        step = self._verifying("repeated")
        if step.finish is None and step.status != "FAILED":
            raise NotAllowed("The full verification is not through yet.")
        step.status, step.finish, step.before, step.error, step.spent = "RUNNING", None, None, None, 0.0
        step.round, step.stale, self.held = step.round + 1, stale, False

    def _on_table(self, schema: str, table: str, **values: Any) -> None:
        """Change what full verification finds in a table."""
        for number, known in enumerate(self.tables):
            if (known.schema, known.table) == (schema, table):
                self.tables[number] = replace(known, **values)
                return
        self.tables.append(Table(schema, table, **values))

    # -- objects that are added or removed -------------------------------------------------------------------------

    def _on_modify(
        self,
        databases: Databases | None = None,
        add: Mapping[str, Iterable[str]] | None = None,
        remove: Mapping[str, Iterable[str]] | None = None,
        **plan: Any,
    ) -> None:
        """Add and remove objects: ``databases`` is the whole new list; else tables by schema come and go."""
        self._need("modified", "INIT", "RUNNING", "SUSPEND", "FAILED")
        if self.modifications.current is not None:
            raise NotAllowed(f"The objects are being modified already ({self.shown_status}).")
        target = self.modifications.databases if databases is None else databases
        target = difference(union(target, _databases(add or {})), _databases(remove or {}))
        if difference(target, self.modifications.databases):
            self._check_add()
        created = self.modifications.create(target, replace(self.project.modification, **plan), self.time)
        if not created:
            raise NotAllowed("There is nothing to add or remove.")
        if self.status == "INIT":
            for record in created:
                self._finish_modification(record)

    def _check_add(self) -> None:
        copying = [self.steps[name] for name in (steps.FULL, steps.INCR) if name in self.steps]
        stuck = [step.name for step in copying if step.status in ("SUSPEND", "FAILED")]
        if self.status == "FAILED" or stuck or self.current == steps.REVERSE:
            where = stuck[0] if stuck else self.current_step
            raise NotAllowed(f"No object can be added to a project in status {self.shown_status} at the step {where}.")

    def _record(self, number: int | None, *allowed: str) -> ModifyRecord:
        record = self.modifications.current
        if number is not None:
            record = next((record for record in self.modifications.records if record.number == number), None)
        if record is None:
            raise NotAllowed("The objects are not being modified.")
        if record.status not in allowed:
            raise NotAllowed(f"The record is {record.status}; it needs to be {' or '.join(allowed)}.")
        return record

    def _on_cancel_modification(self, number: int) -> None:
        self.modifications.set_status(self._record(number, "PENDING"), "CANCELED", self.time)

    def _on_stop_modification(self, number: int | None = None) -> None:
        self.modifications.set_status(self._record(number, "RUNNING", "FAILED"), "STOPPED", self.time)

    def _on_retry_modification(self, number: int | None = None) -> None:
        self.modifications.set_status(self._record(number, "FAILED"), "RUNNING", self.time)

    def _on_fail_modification(self, number: int | None = None, **why: Any) -> None:
        record = self._record(number, "RUNNING")
        record.plan = replace(record.plan, **why)
        self.modifications.fail(record, self.time)

    def _on_finish_modification(self, number: int | None = None) -> None:
        self._finish_modification(self._record(number, "PENDING", "RUNNING", "FAILED"))

    def _finish_modification(self, record: ModifyRecord) -> None:
        self.modifications.finish(record, self.time)

    def _on_stand_modifying(self, phase: str) -> None:
        """Stand in a phase of an addition until something is done about it."""
        plan = Modification(modifying=math.inf, merging=math.inf)
        added = ModifyRecord(1, "INCREASE_OBJECT", _databases({"added": ["added"]}), plan, self.time, "RUNNING", phase)
        self.modifications.records.append(added)

    def _on_jump(self, step: str | None, progress: float = 0.0) -> None:
        """Stand in the middle: steps before ``step`` are done; with None all of them are, and the project too."""
        before = self.sequence[: self.sequence.index(step)] if step else list(self.sequence)
        at = self.time
        for name in reversed(before):
            state = self.steps[name]
            state.status, state.spent, state.finish = "FINISHED", state.duration, at
            at -= state.duration
            state.start = at
            if name in (steps.INCR, steps.REVERSE):
                stream = self.stream(name)
                stream.start = stream.sampled_at = at
                stream.lag = self.steady_lag
                stream.sampled_at = at + SAMPLE_EVERY * math.floor((self.time - at) / SAMPLE_EVERY + _EPS)
                stream.checkpoint = stream.sampled_at - stream.lag
        self.started = at
        self.status = "RUNNING"
        if step is None:
            self.current, self.status, self.finished = self.sequence[-1], "FINISHED", self.time
            self.forward.frozen = self.reverse.frozen = True
            if steps.INCR_VERIFY in self.steps:
                self._finish(self.steps[steps.INCR_VERIFY])
            return
        if steps.SWITCH in before:
            self.forward.frozen = True
        elif steps.INCR in before:
            self.steps[steps.INCR].status, self.steps[steps.INCR].finish = "MONITORING", None
            if steps.INCR_VERIFY in self.steps:
                verifier = self.steps[steps.INCR_VERIFY]
                verifier.status, verifier.start = "MONITORING", self.time
        self._begin(step)
        self.steps[step].spent = self.steps[step].duration * progress / 100


def _databases(tables: Mapping[str, Iterable[str]]) -> Databases:
    return [
        {"name": schema, "mappedName": schema, "tables": [{"name": name, "mappedName": name} for name in names]}
        for schema, names in tables.items()
    ]


#: What a scenario's ``script`` may do.
SCRIPTABLE = tuple(
    name.removeprefix("_on_")
    for name in vars(State)
    if name.startswith("_on_") and name not in ("_on_jump", "_on_delete", "_on_stand_modifying")
)


def script(project: Project, created: float) -> list[Event]:
    """Return a project's script as events, oldest first.

    :raises ValueError: naming what can't be done.
    """
    events = []
    for item in sorted(project.script, key=lambda item: item.after):
        where = f"project {project.name!r}, script"
        if item.do not in SCRIPTABLE:
            raise ValueError(f"{where}: unknown do {item.do!r}; known are {', '.join(sorted(SCRIPTABLE))}")
        try:
            inspect.signature(getattr(State, f"_on_{item.do}")).bind(None, **item.args)
        except TypeError as error:
            raise ValueError(f"{where}: {item.do}: {error}") from None
        # Behind the project's beginning, and before what is done to it at the same time.
        events.append(Event(created + max(item.after, 0.001), item.do, item.args, scripted=True))
    return events


def evaluate(project: Project, created: float, history: Iterable[Event], now: float) -> State:
    """Return what a project is at a moment.

    :param project: its description.
    :param created: when it was described to the simulator.
    :param history: what was done to it, oldest first.
    :param now: the moment.
    """
    state = State(project, created)
    for event in heapq.merge(script(project, created), history, key=lambda event: event.time):
        if event.scripted and event.time > now:
            continue
        try:
            state.apply(event)
        except NotAllowed as error:
            if not event.scripted:
                raise
            state.not_allowed.append(f"{event.kind}: {error}")
    state.until(now)
    return state
