"""The operations on a project: those of OMS's API and console, and failures and the like, which only a test causes.

Each is a function that changes a :class:`State` at its current time. It raises :class:`NotAllowed` if OMS's console
doesn't offer the operation in that state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.model import Failure, Table
from airflow_provider_oms.simulator.modifications import Databases, Modification, ModifyRecord, difference, union
from airflow_provider_oms.simulator.state import NotAllowed, State, StepState, last_sample

#: The attributes that the operation ``set`` may change, besides the lag.
SETTABLE = {"idle_source", "steady_lag", "catch_up_rate", "status_override"}

OPERATIONS: dict[str, Callable[..., None]] = {}


def operation(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as an operation.

    :param name: the operation's name in a script.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        OPERATIONS[name] = function
        return function

    return register


def _need(state: State, operation: str, *allowed: str) -> None:
    if state.status not in allowed:
        raise NotAllowed(
            f"The project cannot be {operation} in status {state.shown_status}; it needs {' or '.join(allowed)}."
        )


@operation("start")
def start(state: State) -> None:
    """StartProject."""
    _need(state, "started", "INIT")
    state.status, state.started = "RUNNING", state.time
    state.begin(state.sequence[0])


@operation("stop")
def stop(state: State) -> None:
    """StopProject."""
    _need(state, "stopped", "RUNNING")
    if state.stop_at is None:
        state.stop_at = state.time + state.project.stop_delay


@operation("resume")
def resume(state: State) -> None:
    """ResumeProject."""
    _need(state, "resumed", "SUSPEND", "FAILED")
    state.resume()


@operation("release")
def release(state: State) -> None:
    """ReleaseProject."""
    _need(state, "released", "SUSPEND", "FAILED", "FINISHED")
    state.status, state.recover_at = "RELEASING", None
    state.forward.frozen = state.reverse.frozen = True
    state.release_at = state.time + state.project.release_delay


@operation("delete")
def delete(state: State) -> None:
    """DeleteProject: whether the project may be deleted."""
    _need(state, "deleted", "INIT", "RELEASED")


@operation("configure")
def configure(state: State, wait_after_struct: bool = False) -> None:
    """UpdateProjectConfig."""
    _need(state, "modified", "INIT", "SUSPEND", "FAILED")
    state.wait_after.discard(steps.STRUCT)
    if wait_after_struct:
        state.wait_after.add(steps.STRUCT)


@operation("advance")
def advance(state: State) -> None:
    """AdvanceProject: go to the next stage."""
    _need(state, "advanced", "RUNNING")
    if not state.held or state.current is None:
        raise NotAllowed(f"The step {state.current_step} does not wait for being advanced.")
    if state.current == steps.SWITCH:
        state.switch_over()
        return
    if state.current not in steps.CONTINUOUS:
        state.finish(state.steps[state.current])
    state.held = False
    state.go_on()


@operation("switchover")
def switchover(state: State) -> None:
    """Complete the forward switchover as a person does."""
    if state.running and state.current == steps.FULL_VERIFY and state.held:
        advance(state)
    if not state.running or state.current != steps.SWITCH:
        raise NotAllowed(f"The project is at {state.current_step} ({state.status}), not at the forward switchover.")
    state.switch_over()


@operation("reset_incr")
def reset_incr(state: State, timestamp: float, reverse: bool = False) -> None:
    """ResetIncrStartTimestamp."""
    _need(state, "modified", "SUSPEND", "FAILED")
    stream = state.reverse if reverse else state.forward
    if stream.start is None:
        raise NotAllowed("The incremental synchronization has not started.")
    stream.lag, stream.checkpoint, stream.sampled_at = state.time - timestamp, timestamp, state.time


@operation("fail")
def fail(state: State, failure: Failure | None = None, step: str | None = None, **given: Any) -> None:
    """Let a step fail, the current one when not given; ``given`` are the other fields of ``Failure``."""
    failure = failure or Failure(step or state.current_step, **given)
    _need(state, "failed", "RUNNING", "SUSPEND")
    if failure.step not in state.steps:
        raise NotAllowed(f"The project has no step {failure.step}.")
    failed = state.steps[failure.step]
    failed.start = state.time if failed.start is None else failed.start
    state.fail(failure)


@operation("recover")
def recover(state: State) -> None:
    """Let failed steps recover as if by themselves."""
    if any(step.status == "FAILED" for step in state.steps.values()):
        state.recover()


@operation("pause")
def pause(state: State) -> None:
    """Suspend the project at once."""
    _need(state, "paused", "RUNNING")
    state.suspend()


@operation("set")
def set_values(state: State, **values: Any) -> None:
    """Set attributes of the state, or the lag of the running direction."""
    lag = values.pop("lag", None)
    if unknown := sorted(set(values) - SETTABLE):
        raise ValueError(f"Cannot set {', '.join(unknown)}; only lag, {', '.join(sorted(SETTABLE))}")
    for key, value in values.items():
        setattr(state, key, value)
    if lag is not None:
        stream = state.reverse if state.reverse.start is not None else state.forward
        if stream.start is None:
            raise NotAllowed("The incremental synchronization has not started.")
        stream.lag, stream.checkpoint, stream.sampled_at = lag, state.time - lag, state.time


@operation("show")
def show(state: State, where: str, **values: Any) -> None:
    """Show values instead of the simulated ones; ``where`` is ``progress``, ``row`` or a step's name."""
    if where in ("progress", "row"):
        state.shown[where] = {**state.shown.get(where, {}), **values}
        return
    by_step = dict(state.shown.get("steps", {}))
    name = steps.canonical(where)
    by_step[name] = {**by_step.get(name, {}), **values}
    state.shown["steps"] = by_step


@operation("show_nothing")
def show_nothing(state: State) -> None:
    """Show the simulated values again."""
    state.shown = {}


def _verifying(state: State, operation: str) -> StepState:
    step = state.steps.get(steps.FULL_VERIFY)
    if step is None or state.current != steps.FULL_VERIFY or step.status == "FINISHED":
        raise NotAllowed(f"The full verification cannot be {operation} at the step {state.current_step}.")
    return step


@operation("skip_verification")
def skip_verification(state: State, marked: bool = True) -> None:
    _need(state, "modified", "RUNNING", "SUSPEND", "FAILED")
    step = _verifying(state, "skipped")
    step.cut_at, step.marked = step.progress, marked
    at_work = state.running
    if state.status == "FAILED":
        state.status, state.recover_at, at_work = "RUNNING", None, True
    spent = step.spent
    state.finish(step)
    step.spent, state.held = spent, False
    if at_work:
        state.go_on()


@operation("reverify")
def reverify(state: State, stale: str | None = "verdict") -> None:
    """Verify again. ``stale`` is what a table's row shows until its turn: its ``verdict`` or ``row`` of before."""
    if stale not in (None, "verdict", "row"):
        raise ValueError(f"stale is verdict, row or null, not {stale!r}")
    _need(state, "verified again", "RUNNING")
    step = _verifying(state, "repeated")
    if step.finish is None and step.status != "FAILED":
        raise NotAllowed("The full verification is not complete yet.")
    step.status, step.finish, step.before, step.error, step.spent = "RUNNING", None, None, None, 0.0
    step.round, step.stale, state.held = step.round + 1, stale, False


@operation("table")
def table(state: State, schema: str, table: str, **values: Any) -> None:
    """Change the result of full verification for a table."""
    for number, known in enumerate(state.tables):
        if (known.schema, known.table) == (schema, table):
            state.tables[number] = replace(known, **values)
            return
    state.tables.append(Table(schema, table, **values))


@operation("modify")
def modify(
    state: State,
    databases: Databases | None = None,
    add: Mapping[str, Iterable[str]] | None = None,
    remove: Mapping[str, Iterable[str]] | None = None,
    **plan: Any,
) -> None:
    """Add and remove objects: ``databases`` is the whole new list; otherwise tables are given by schema."""
    how = replace(state.project.modification, **plan)
    _need(state, "modified", "INIT", "RUNNING", "SUSPEND", "FAILED")
    if state.modifications.current is not None:
        raise NotAllowed(f"The objects are being modified already ({state.shown_status}).")
    target = state.modifications.databases if databases is None else databases
    target = difference(union(target, _databases(add or {})), _databases(remove or {}))
    if difference(target, state.modifications.databases):
        _check_add(state)
    created = state.modifications.create(target, how, state.time)
    if not created:
        raise NotAllowed("There is nothing to add or remove.")
    if state.status == "INIT":
        for record in created:
            state.modifications.finish(record, state.time)


def _check_add(state: State) -> None:
    copying = [state.steps[name] for name in (steps.FULL, steps.INCR) if name in state.steps]
    stuck = [step.name for step in copying if step.status in ("SUSPEND", "FAILED")]
    if state.status == "FAILED" or stuck or state.current == steps.REVERSE:
        where = stuck[0] if stuck else state.current_step
        raise NotAllowed(f"No object can be added to a project in status {state.shown_status} at the step {where}.")


def _record(state: State, number: int | None, *allowed: str) -> ModifyRecord:
    record = state.modifications.current
    if number is not None:
        record = next((record for record in state.modifications.records if record.number == number), None)
    if record is None:
        raise NotAllowed("The objects are not being modified.")
    if record.status not in allowed:
        raise NotAllowed(f"The record is {record.status}; it needs to be {' or '.join(allowed)}.")
    return record


@operation("cancel_modification")
def cancel_modification(state: State, number: int) -> None:
    """CancelProjectModifyRecord."""
    state.modifications.set_status(_record(state, number, "PENDING"), "CANCEL", state.time)


@operation("stop_modification")
def stop_modification(state: State, number: int | None = None) -> None:
    """StopProjectModifyRecords."""
    state.modifications.set_status(_record(state, number, "RUNNING", "FAILED"), "TERMINATED", state.time)


@operation("retry_modification")
def retry_modification(state: State, number: int | None = None) -> None:
    """RetryProjectModifyRecords."""
    state.modifications.set_status(_record(state, number, "FAILED"), "RUNNING", state.time)


@operation("fail_modification")
def fail_modification(state: State, number: int | None = None, **why: Any) -> None:
    """Let a record fail; ``why`` are fields of ``Modification``."""
    replace(Modification(), **why)  # raises for an unknown field
    record = _record(state, number, "RUNNING")
    record.plan = replace(record.plan, **why)
    state.modifications.fail(record, state.time)


@operation("finish_modification")
def finish_modification(state: State, number: int | None = None) -> None:
    """Finish a record."""
    state.modifications.finish(_record(state, number, "PENDING", "RUNNING", "FAILED"), state.time)


@operation("stand_modifying")
def stand_modifying(state: State, phase: str) -> None:
    """Put the project into a phase of an addition, which lasts until an operation ends it."""
    plan = Modification(modifying=math.inf, merging=math.inf)
    added = ModifyRecord(1, "INCREASE_OBJECT", _databases({"added": ["added"]}), plan, state.time, "RUNNING", phase)
    state.modifications.records.append(added)


@operation("jump")
def jump(state: State, step: str | None, progress: float = 0.0) -> None:
    """Put the project into the middle: the steps before ``step`` are done; with None everything is."""
    before = state.sequence[: state.sequence.index(step)] if step else list(state.sequence)
    at = state.time
    for name in reversed(before):
        done = state.steps[name]
        done.status, done.spent, done.finish = "FINISHED", done.duration, at
        at -= done.duration
        done.start = at
        if name in (steps.INCR, steps.REVERSE):
            stream = state.stream(name)
            stream.start = stream.sampled_at = at
            stream.lag = state.steady_lag
            stream.sampled_at = last_sample(at, state.time)
            stream.checkpoint = stream.sampled_at - stream.lag
    state.started = at
    state.status = "RUNNING"
    if step is None:
        state.current, state.status, state.finished = state.sequence[-1], "FINISHED", state.time
        state.forward.frozen = state.reverse.frozen = True
        if steps.INCR_VERIFY in state.steps:
            state.finish(state.steps[steps.INCR_VERIFY])
        return
    if steps.SWITCH in before:
        state.forward.frozen = True
    elif steps.INCR in before:
        state.steps[steps.INCR].status, state.steps[steps.INCR].finish = "MONITORING", None
        if steps.INCR_VERIFY in state.steps:
            verifier = state.steps[steps.INCR_VERIFY]
            verifier.status, verifier.start = "MONITORING", state.time
    state.begin(step)
    state.steps[step].spent = state.steps[step].duration * progress / 100


def _databases(tables: Mapping[str, Iterable[str]]) -> Databases:
    return [
        {"name": schema, "mappedName": schema, "tables": [{"name": name, "mappedName": name} for name in names]}
        for schema, names in tables.items()
    ]
