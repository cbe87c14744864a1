"""A project's state at a moment, and how it changes as time passes. Nothing runs in the background."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.model import Failure, Pause, Project
from airflow_provider_oms.simulator.modifications import STATUS_OF_PHASE, Modifications

#: OMS collects checkpoints every 10 s.
SAMPLE_EVERY = 10.0

_EPS = 1e-6


class NotAllowed(Exception):
    """An action that the project's state doesn't allow."""


def last_sample(start: float, now: float) -> float:
    """Return when OMS last sampled the checkpoints of a stream."""
    return start + SAMPLE_EVERY * math.floor((now - start) / SAMPLE_EVERY + _EPS)


@dataclass
class StepState:
    """A step's state at a moment. ``spent`` is its running time; ``before`` the status to return to after a pause.

    A skipped verification has ``cut_at``, the percentage at which it was skipped; ``marked`` is whether ``stepInfo``
    says so. ``round`` counts its runs, and ``stale`` is what rows still show of the last run: ``verdict`` or ``row``.
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
        """Whether the step is in progress."""
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
    """A direction of incremental synchronization: the true lag, and the lag that OMS last sampled."""

    start: float | None = None
    lag: float = 0.0
    sampled_at: float | None = None
    checkpoint: float | None = None
    frozen: bool = False


class State:
    """A project's state at a moment. Made by ``machine.evaluate``; other modules only read it."""

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
        """Whether the project is running."""
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
        """Apply all changes that happen by themselves until a moment."""
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
            due.append((self.stop_at, self.suspend))
        if self.release_at is not None:
            due.append((self.release_at, self._released))
        if self.recover_at is not None:
            due.append((self.recover_at, self.recover))
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
        sample = last_sample(stream.start, end)
        if stream.sampled_at is None or sample > stream.sampled_at + _EPS:
            stream.sampled_at = sample
            moved = sample - self._lag_after(stream.lag, max(0.0, sample - self.time))
            stream.checkpoint = moved if stream.checkpoint is None else max(stream.checkpoint, moved)
        stream.lag = self._lag_after(stream.lag, seconds)

    # -- what happens by itself ------------------------------------------------------------------------------------

    def begin(self, name: str) -> None:
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

    def finish(self, step: StepState) -> None:
        step.status, step.finish, step.spent, step.before, step.error = "FINISHED", self.time, step.duration, None, None

    def _following(self) -> str | None:
        index = self.sequence.index(self.current) + 1 if self.current else 0
        return self.sequence[index] if index < len(self.sequence) else None

    def go_on(self) -> None:
        following = self._following()
        if following is not None:
            self.begin(following)
        elif self.current not in steps.CONTINUOUS:
            self.status, self.finished, self.stop_at = "FINISHED", self.time, None

    def _finish_timed(self, step: StepState) -> None:
        step.spent = step.duration
        if step.name != self.current:
            self.finish(step)
            return
        if step.name == steps.FULL_VERIFY and self._following() is not None:
            # OMS goes on reporting RUNNING at 100, with a finishTime, until a person goes to the next stage.
            step.finish, self.held = self.time, True
            return
        self.finish(step)
        if step.name in self.wait_after:
            self.held = True
        else:
            self.go_on()

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
                    self.go_on()

    def _trigger(self, index: int) -> None:
        self._used[index] += 1
        trigger = self._triggers[index]
        if isinstance(trigger, Failure):
            self.fail(trigger)
        else:
            self.suspend()

    def fail(self, failure: Failure) -> None:
        step = self.steps[failure.step]
        step.before = step.before or (step.status if step.active or step.status == "FINISHED" else "RUNNING")
        step.status, step.error, step.failed_at = "FAILED", failure, self.time
        if not failure.step_only:
            self.status, self.stop_at = "FAILED", None
        if failure.recover_after is not None:
            self.recover_at = self.time + failure.recover_after

    def suspend(self) -> None:
        self.status, self.stop_at = "SUSPEND", None
        for step in self.steps.values():
            if step.active:
                step.before, step.status = step.status, "SUSPEND"

    def recover(self) -> None:
        """Recover by itself; a project that was paused meanwhile stays paused."""
        self.recover_at = None
        if self.status in ("RUNNING", "FAILED"):
            self.resume()

    def resume(self) -> None:
        self.recover_at = None
        self.status = "RUNNING"
        for step in self.steps.values():
            if step.status in ("SUSPEND", "FAILED"):
                step.status, step.before, step.error = step.before or "RUNNING", None, None
        if self.current == steps.FULL_VERIFY and self.steps[steps.FULL_VERIFY].status == "FINISHED" and not self.held:
            self.go_on()  # it was skipped while the project was paused

    def _released(self) -> None:
        self.status, self.release_at = "RELEASED", None

    def switch_over(self) -> None:
        for name in (steps.SWITCH, steps.INCR, steps.INCR_VERIFY):
            if name in self.steps:
                self.finish(self.steps[name])
        self.forward.frozen = True
        self.held = False
        self.go_on()
