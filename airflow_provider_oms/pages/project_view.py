"""What the page of a task shows. It does no I/O and decides nothing; the rules are in ``milestones``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.milestones.attention import Attention, Level
from airflow_provider_oms.milestones.context import NO_TIME
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.pages import phrases
from airflow_provider_oms.pages.curve import LAG, RATE, Curve, Scale, curve_of
from airflow_provider_oms.pages.history import Track
from airflow_provider_oms.pages.known import Known
from airflow_provider_oms.pages.sources import ProjectSeen
from airflow_provider_oms.pages.tasks_seen import TaskSeen

T = TypeVar("T")

#: Airflow's states of a task that hasn't ended.
_WAITING = ("running", "deferred", "up_for_reschedule", "up_for_retry", "queued", "scheduled", "restarting", "None")


@dataclass(frozen=True)
class StepView:
    """A step.

    :param name: what the step does, in words
    :param oms_name: OMS's name of the step
    :param status: its status, in OMS's words
    :param state: its state, as :func:`~airflow_provider_oms.milestones.facts.state_of` returns it
    :param progress: its percentage; None if no bar is shown
    :param percent: the percentage in words
    :param figures: rows, rate and time left, in words
    :param times: when it began and ended, in words
    :param error: why it has failed; empty if it hasn't
    """

    name: str
    oms_name: str
    status: str
    state: str
    progress: float | None
    percent: str
    figures: str
    times: str
    error: str


@dataclass(frozen=True)
class LagView:
    """The lag of a direction.

    :param name: the name of the lag, with the direction
    :param lag: the lag in words; empty if it isn't known
    :param checkpoint: the checkpoint's time
    :param sampled: how long ago OMS read the checkpoint, in words
    :param problem: what a person should know about the lag; empty if nothing
    :param pace: how the lag moves, in words
    """

    name: str
    lag: str
    checkpoint: str
    sampled: str
    problem: str
    pace: str = ""


@dataclass(frozen=True)
class ChartView:
    """A figure over the last hours.

    :param curve: the drawing
    :param step: the step that the figure belongs to
    :param source: who has recorded the figure, in words
    """

    curve: Curve
    step: str
    source: str


@dataclass(frozen=True)
class WaitView:
    """What the task waits for, or has waited for.

    :param task: the task's id
    :param operator: its class
    :param state: its state in Airflow
    :param what: what it waits for, in words; empty for a task that isn't a gate
    :param since: when it began to wait, ISO 8601, UTC; empty before it has begun
    :param lasted: for how long it has waited, in words
    :param says: why the milestone isn't reached yet; empty if that isn't known
    """

    task: str
    operator: str
    state: str
    what: str
    since: str
    lasted: str
    says: str


@dataclass(frozen=True)
class ProjectView:
    """A project, and the task that is about it.

    :param title: the project's name, or its id
    :param project_id: its id
    :param about: what kind of project it is
    :param status: its status, in OMS's words
    :param tone: the colour of the status
    :param attention: why a person is needed; empty if nobody is
    :param urgent: whether a person is needed now
    :param wait: what the task waits for
    :param steps: its steps; None if OMS doesn't list them
    :param lags: its lags
    :param lag_chart: the lag over the last hours; None if there is nothing to draw
    :param rate_chart: the rows per second of one step over the last hours; None if there is nothing to draw
    :param seen: when OMS answered, ISO 8601
    :param age: how long ago that was, in words
    :param problem: why there is no newer answer; empty if the answer is current
    :param summary: a sentence about all of it, which a screen reader reads out when it changes
    """

    title: str
    project_id: str
    about: str
    status: str
    tone: str
    attention: str
    urgent: bool
    wait: WaitView
    steps: tuple[StepView, ...] | None
    lags: tuple[LagView, ...]
    lag_chart: ChartView | None
    rate_chart: ChartView | None
    seen: str
    age: str
    problem: str
    summary: str


def wait_view(task: TaskSeen, seen: ProjectSeen | None, now: datetime) -> WaitView:
    """Return what a task waits for.

    :param task: the task
    :param seen: its project; None if nothing is known about it
    :param now: the time
    """
    gate, waiting = task.gate(), str(task.state) in _WAITING
    end = now if waiting or task.ended is None else task.ended
    verdict = verdict_of(gate, seen) if gate and seen and waiting else ""
    index = f" [{task.map_index}]" if task.map_index >= 0 else ""
    return WaitView(
        task=f"{task.task_id}{index}",
        operator=task.operator,
        state=(task.state or "no state yet").replace("_", " "),
        what=gate.milestone.describe() if gate else "",
        since=phrases.iso(task.began) if task.began else "",
        lasted=duration(int(max(0.0, (end - task.began).total_seconds()))) if task.began else "",
        says=phrases.shown(verdict, 1000),
    )


def verdict_of(gate: Gate, seen: ProjectSeen) -> str:
    """Return the message of the gate's own rule for OMS's last answers; empty if the rule needs other answers.

    :param gate: the gate's settings
    :param seen: the project
    """
    if gate.milestone.needs_memory():
        return ""
    here = replace(gate, project_id=seen.facts["id"], project_name=None)
    try:
        return run_flow(_Answered(seen.answers), poll(here, Memory(kept=False), NO_TIME, seen.oms)).message
    except _NotAskedError:
        return ""


class _NotAskedError(Exception):
    """The answer to a call isn't among those that OMS has given."""


class _Answered:
    """Answers calls with the answers that OMS has given already."""

    def __init__(self, answers: Mapping[str, Answer[Any]]) -> None:
        self._answers = answers

    def send(self, call: Call[T]) -> Answer[T]:
        try:
            return self._answers[call.key]
        except KeyError:
            raise _NotAskedError from None


def project_view(task: TaskSeen, known: Known[ProjectSeen], seen: ProjectSeen, now: datetime) -> ProjectView:
    """Return what the page of a task shows.

    :param task: the task
    :param known: what is known about its project, for the age and the problem
    :param seen: the project, as OMS showed it
    :param now: the time
    """
    facts, need = seen.facts, seen.attention()
    lags = tuple(_lag(one, facts) for one in facts["lags"] if _is_told(one, facts))
    status = phrases.shown(facts["status"], 40) or "no status"
    title = phrases.shown(facts["name"]) or phrases.shown(facts["id"])
    return ProjectView(
        title=title,
        project_id=phrases.shown(facts["id"]),
        about=_about(facts),
        status=status,
        tone=phrases.tone_of(facts["status"]),
        attention=need.reason,
        urgent=need.level is Level.ACT,
        wait=wait_view(task, seen, now),
        steps=None if facts["steps"] is None else tuple(map(step_view, facts["steps"])),
        lags=lags,
        lag_chart=_chart(seen.history.lag, LAG),
        rate_chart=_chart(seen.history.rate, RATE),
        seen=facts["time"],
        age=phrases.ago(known.age),
        problem=phrases.shown(known.problem, 1000),
        summary=_summary(title, status, need, facts),
    )


def step_view(step: Mapping[str, Any]) -> StepView:
    """Return what is shown of a step.

    :param step: the step, as :func:`~airflow_provider_oms.milestones.facts.of_step` describes it
    """
    begun = step["state"] != "not begun" or bool(step["progress"])
    error = ""
    if step["error"]:
        told = (phrases.shown(step["error"][key], 1000) for key in ("code", "message"))
        error = " ".join(filter(None, told)) or "OMS gives no error."
        if step["error"]["time"]:
            error += f" (since {phrases.clock(step['error']['time'])})"
    times = [f"began {phrases.clock(step['started'])}"] if step["started"] and begun else []
    times += [f"ended {phrases.clock(step['finished'])}"] if step["finished"] and step["state"] == "done" else []
    return StepView(
        name=phrases.step_name(step["name"]),
        oms_name=phrases.shown(step["name"], 60),
        status=phrases.shown(step["status"], 40) or "no status",
        state=step["state"],
        progress=step["progress"] if begun else None,
        percent=phrases.percent(step["progress"]) if begun else "",
        figures=phrases.figures(step) if begun else "",
        times=", ".join(times),
        error=error,
    )


def _chart(track: Track, scale: Scale) -> ChartView | None:
    curve = curve_of(track.points, scale)
    source = "recorded by OMS" if track.is_recorded else "as seen by this page"
    return ChartView(curve, phrases.step_name(track.step), source) if curve else None


def _about(facts: Mapping[str, Any]) -> str:
    ends = [phrases.shown(facts[end], 40) for end in ("source_type", "target_type")]
    parts = (
        phrases.shown(facts["type"], 40).capitalize(),
        " to ".join(ends) if all(ends) else "",
        f"labels {', '.join(phrases.shown(label, 80) for label in facts['labels'])}" if facts["labels"] else "",
    )
    return ", ".join(filter(None, parts))


def _is_told(one: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Return whether a lag is shown: the reverse one only if it has a checkpoint, which is so after a switchover."""
    return one["direction"] == "forward" or one["checkpoint"] is not None


def _lag(one: Mapping[str, Any], facts: Mapping[str, Any]) -> LagView:
    moves = one["direction"] == (facts["direction"] or "forward")
    ago = one["sampled_seconds_ago"]
    return LagView(
        name="Lag" if one["direction"] == "forward" else "Reverse lag",
        lag=phrases.lag(one["lag"]),
        checkpoint=phrases.clock(one["checkpoint_time"]),
        sampled="" if ago is None else phrases.ago(ago),
        problem=phrases.shown(one["problem"], 500),
        pace=facts["movement"]["message"] if moves and facts["movement"] else "",
    )


def _summary(title: str, status: str, need: Attention, facts: Mapping[str, Any]) -> str:
    step = phrases.step_name(facts["step"]) if facts["step"] else ""
    return f"{title}: {status}{f', {step}' if step else ''}. {need.reason}".strip()
