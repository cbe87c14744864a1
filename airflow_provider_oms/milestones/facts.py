"""What OMS said of a project, as JSON: what the command line and the progress page show.

The keys are those of ``--json``, which the docs describe. Nothing here decides anything; values that can't be read are
null. Times are ISO 8601 in UTC, lengths are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsMalformedAnswerError, OmsUnsupportedActionError
from airflow_provider_oms.client.fields import Checkpoint, value_or_none
from airflow_provider_oms.client.models import (
    AlarmStats,
    Component,
    Project,
    ProjectComponents,
    ProjectProgress,
    Step,
    StepExtra,
    StepInfo,
)
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer, utc_text
from airflow_provider_oms.milestones import freshness
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.context import lag_of
from airflow_provider_oms.milestones.figures import seconds_left
from airflow_provider_oms.milestones.kinds import DIRECTIONS
from airflow_provider_oms.milestones.steps import StepKind

#: What the components of an answer do.
_COMPONENTS = {
    "log pull": ProjectComponents.stores,
    "full transfer": ProjectComponents.full_imports,
    "full verification": ProjectComponents.full_verifications,
    "incremental": ProjectComponents.incr_syncs,
    "reverse log pull": ProjectComponents.reverse_stores,
    "reverse incremental": ProjectComponents.reverse_incr_syncs,
}

_STREAMS = {"forward": StepKind.INCREMENTAL.value[0], "reverse": StepKind.REVERSE.value[0]}


def of_row(row: Project, at: float) -> dict[str, Any]:
    """Return a row of ``ListProjects``.

    :param row: the row
    :param at: when OMS said so, Unix seconds
    """
    try:
        steps = row.steps
    except OmsMalformedAnswerError:
        steps = []
    current = _current(steps)
    direction, checkpoint = _stream(steps)
    return {
        "id": value_or_none(row, Project.id),
        "name": value_or_none(row, Project.name),
        "type": value_or_none(row, Project.type),
        "source_type": value_or_none(row, Project.source_endpoint_type),
        "target_type": value_or_none(row, Project.sink_endpoint_type),
        "labels": _labels(row),
        "status": value_or_none(row, Project.status),
        "step": current and value_or_none(current, Step.name),
        "progress": current and value_or_none(current, Step.progress),
        "direction": direction,
        "checkpoint": checkpoint,
        "lag": lag_of(checkpoint, at),
        "alarms": _alarms(row),
        "alarm_level": value_or_none(row, Project.alarm_level),
        "created": _time(value_or_none(row, Project.created)),
        "modified": _time(value_or_none(row, Project.modified)),
        "started": _time(value_or_none(row, Project.started)),
        "finished": _time(value_or_none(row, Project.finished)),
        "objects_changing": value_or_none(row, Project.is_modifying),
        "time": utc_text(at),
    }


def of_project(project_id: str, row: Project | None, project_type: str = "MIGRATION") -> Flow[dict[str, Any]]:
    """Ask for a project's progress and steps, and return all that is known of it.

    :param project_id: the project
    :param row: its row of ``ListProjects``, which alone has its name, type and labels; None where there is none
    :param project_type: ``MIGRATION`` or ``SYNC``; only API generation v3 needs it (docs/develop/oms-wire.md#v3)
    """
    answer: Answer[ProjectProgress] = yield actions.describe_project_progress(project_id, project_type)
    steps: list[Step] | None
    try:
        steps = (yield actions.describe_project_steps(project_id)).data
    except OmsUnsupportedActionError:  # OMS 3.3 has none to tell
        steps = None
    progress = answer.data
    current = _current(steps or [])
    lags = [_lag(answer, steps or [], direction) for direction in DIRECTIONS]
    shown = lags[1] if lags[1]["checkpoint"] is not None else lags[0]
    listed = {} if row is None else of_row(row, answer.at)
    return {
        "id": project_id,
        "name": None,
        "type": None,
        "source_type": None,
        "target_type": None,
        "labels": [],
        **listed,
        "status": value_or_none(progress, ProjectProgress.status),
        "step": value_or_none(progress, ProjectProgress.current_step)
        if steps is None
        else current and value_or_none(current, Step.name),
        "progress": value_or_none(current, Step.progress) if current else None,
        "direction": shown["direction"] if shown["checkpoint"] is not None else None,
        "checkpoint": shown["checkpoint"],
        "lag": shown["lag"],
        "alarms": listed.get("alarms"),
        **{key: listed.get(key) for key in ("created", "modified", "started", "finished", "objects_changing")},
        "alarm_level": value_or_none(progress, ProjectProgress.alarm_level),
        "time": utc_text(answer.at),
        "clock": answer.clock,
        "current_step": value_or_none(progress, ProjectProgress.current_step),
        "struct_transfer_progress": value_or_none(progress, ProjectProgress.struct_transfer_progress),
        "full_transfer_progress": value_or_none(progress, ProjectProgress.full_transfer_progress),
        "lags": [lag for lag in lags if lag["enabled"] is not False],
        "steps": None if steps is None else [of_step(step) for step in steps],
        "movement": None,  # that takes several polls
    }


def of_step(step: Step) -> dict[str, Any]:
    """Return a step: where it is, its figures, and why it has failed.

    :param step: the step
    """
    info, extra = step.info, step.extra
    rows, total = value_or_none(info, StepInfo.processed_records), value_or_none(info, StepInfo.capacity)
    rate = value_or_none(info, StepInfo.target_rps) or value_or_none(info, StepInfo.source_rps)
    error = None
    if step_rules.failed([step]):
        error = {
            "code": value_or_none(extra, StepExtra.error_code),
            "message": value_or_none(extra, StepExtra.error_message),
            "time": _time(value_or_none(extra, StepExtra.failed_time)),
        }
    return {
        "name": value_or_none(step, Step.name),
        "status": value_or_none(step, Step.status),
        "state": state_of(step),
        "progress": value_or_none(step, Step.progress),
        "started": _time(value_or_none(step, Step.start_time)),
        "finished": _time(value_or_none(step, Step.finish_time)),
        "rows": rows,
        "rows_total": total,
        "rows_per_second": rate,
        "seconds_left": seconds_left(rows, total, rate),
        "error": error,
    }


def state_of(step: Step) -> str:
    """Return a step's state in one of a few words, by the rules of the gates."""
    try:
        if step_rules.failed([step]):
            return "failed"
        if step_rules.suspended([step]):
            return "paused"
        if step_rules.is_done(step):
            return "done"
        return "under way" if step_rules.has_started(step) else "not begun"
    except OmsMalformedAnswerError:
        return "unknown"


def _current(steps: Sequence[Step]) -> Step | None:
    """Return the last step that has begun, None if there is none."""
    begun = [step for step in steps if state_of(step) in ("failed", "paused", "done", "under way")]
    return begun[-1] if begun else None


def _find(steps: Sequence[Step], direction: str) -> list[Step]:
    """Return the steps of a direction's stream of changes."""
    return step_rules.find([step for step in steps if value_or_none(step, Step.name)], _STREAMS[direction])


def _stream(steps: Sequence[Step]) -> tuple[str | None, Checkpoint | None]:
    """Return the direction that moves, and its checkpoint; after a switchover that is the reverse one."""
    for direction in reversed(DIRECTIONS):
        for step in _find(steps, direction):
            checkpoint = value_or_none(step.info, StepInfo.incr_timestamp_checkpoint)
            if checkpoint is not None:
                return direction, checkpoint
    return None, None


def _lag(answer: Answer[ProjectProgress], steps: Sequence[Step], direction: str) -> dict[str, Any]:
    data = answer.data
    forward = direction == "forward"
    enabled = ProjectProgress.enable_incr_sync if forward else ProjectProgress.enable_reverse_incr_transfer
    checkpoint = value_or_none(
        data, ProjectProgress.incr_sync_checkpoint if forward else ProjectProgress.reverse_incr_transfer_checkpoint
    )
    lag = lag_of(checkpoint, answer.at)
    try:
        reading = freshness.read(answer, direction)
        problem = f"{reading.problem}{reading.remark}".strip()
    except OmsMalformedAnswerError as error:
        problem = str(error)
    sampled = next(
        (
            sample
            for step in _find(steps, direction)
            if (sample := value_or_none(step.info, StepInfo.checkpoint_sample_timestamp)) is not None
        ),
        None,
    )
    return {
        "direction": direction,
        "enabled": value_or_none(data, enabled),
        "checkpoint": checkpoint,
        "checkpoint_time": utc_text(checkpoint) if lag is not None and not isinstance(checkpoint, str) else None,
        "lag": lag,
        "sampled_seconds_ago": None if sampled is None else max(0.0, answer.at - sampled),
        "problem": problem or None,
    }


def of_components(components: ProjectComponents) -> list[dict[str, Any]]:
    """Return what a project is carried out by.

    :param components: the answer of ``DescribeProjectComponents``
    """
    return [
        _component(kind, component)
        for kind, field in _COMPONENTS.items()
        for component in value_or_none(components, field) or []
    ]


def _component(kind: str, component: Component) -> dict[str, Any]:
    checkpoint = value_or_none(component, Component.checkpoint)
    ends = value_or_none(component, Component.end_checkpoint)
    sampled = value_or_none(component, Component.checkpoint_sample_timestamp)
    at = utc_text(checkpoint) if isinstance(checkpoint, int | float) and checkpoint > 0 else _time(ends)
    return {
        "kind": kind,
        "name": value_or_none(component, Component.name),
        "host": value_or_none(component, Component.host),
        "status": value_or_none(component, Component.status),
        "progress": value_or_none(component, Component.progress),
        "delay": value_or_none(component, Component.delay),
        "checkpoint": checkpoint,
        "checkpoint_time": at,
        "sampled": None if sampled is None else utc_text(sampled),
        "error": _error_of(component),
    }


def _error_of(component: Component) -> str | None:
    details = value_or_none(component, Component.error_details) or []
    told = [value_or_none(component, Component.error), *(detail.summary for detail in details)]
    return "; ".join(dict.fromkeys(filter(None, told))) or None


def _labels(row: Project) -> list[str]:
    labels = row.get("labels")  # not Project.labels, which a label that makes no sense would take the others from
    found = [label.get("name") for label in labels if isinstance(label, dict)] if isinstance(labels, list) else []
    return [name for name in found if isinstance(name, str)]


def _alarms(row: Project) -> dict[str, Any] | None:
    """Return ``alarmStats`` as far as it is understood; OceanBase documents its keys, not their meaning."""
    if not row.part("alarmStats"):
        return None
    stats = row.alarm_stats
    return {
        "alarming": value_or_none(stats, AlarmStats.alarming),
        "recent": value_or_none(stats, AlarmStats.recently_trigger_count),
        "content": value_or_none(stats, AlarmStats.content),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
