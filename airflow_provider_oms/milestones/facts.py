"""What OMS says about a project, as JSON, for the command line and the progress page.

The keys are those of ``--json``, which the docs describe. Nothing here decides anything; values that can't be read are
null. Times are ISO 8601 in UTC, lengths are seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsMalformedAnswerError, OmsUnsupportedActionError
from airflow_provider_oms.client.fields import Checkpoint, value_of, value_or_none
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
from airflow_provider_oms.milestones.attention import Why, attention
from airflow_provider_oms.milestones.context import lag_of, time_of
from airflow_provider_oms.milestones.figures import seconds_left
from airflow_provider_oms.milestones.kinds import DIRECTIONS
from airflow_provider_oms.milestones.status import outlook

#: The kinds of components, and the fields of the answer that list them.
_COMPONENTS = {
    "log pull": ProjectComponents.stores,
    "full transfer": ProjectComponents.full_imports,
    "full verification": ProjectComponents.full_verifications,
    "incremental": ProjectComponents.incr_syncs,
    "reverse log pull": ProjectComponents.reverse_stores,
    "reverse incremental": ProjectComponents.reverse_incr_syncs,
}

#: The keys of every project, in ``airflow-oms projects`` and ``airflow-oms status``.
ROW_KEYS = (
    *("id", "name", "type", "source_type", "target_type", "labels", "owner"),
    *("status", "step", "step_status", "progress", "direction", "checkpoint", "checkpoint_time", "lag"),
    *("attention", "error", "alarms", "alarm_level"),
    *("created", "modified", "started", "finished", "objects_changing", "time"),
)

#: The keys that only ``airflow-oms status`` has.
STATUS_KEYS = (
    *("clock", "current_step", "struct_transfer_progress", "full_transfer_progress"),
    *("lags", "steps", "movement"),
)


def of_row(row: Project, at: float) -> dict[str, Any]:
    """Return a row of ``ListProjects`` as JSON with the keys of :data:`ROW_KEYS`.

    :param row: the row
    :param at: when OMS answered, Unix seconds
    """
    try:
        steps = row.steps
    except OmsMalformedAnswerError:
        steps = []
    status, alarms = value_or_none(row, Project.status), _alarms(row)
    direction, checkpoint = _stream(steps)
    return {
        "id": value_or_none(row, Project.id),
        "name": value_or_none(row, Project.name),
        "type": value_or_none(row, Project.type),
        "source_type": value_or_none(row, Project.source_endpoint_type),
        "target_type": value_or_none(row, Project.sink_endpoint_type),
        "labels": _labels(row),
        "owner": value_or_none(row, Project.owner),
        "status": status,
        **_at(_current(steps)),
        "direction": direction,
        "checkpoint": checkpoint,
        "checkpoint_time": time_of(checkpoint),
        "lag": lag_of(checkpoint, at),
        "attention": _attention(status, steps, alarms),
        "error": _error(steps),
        "alarms": alarms,
        "alarm_level": value_or_none(row, Project.alarm_level),
        "created": _time(value_or_none(row, Project.created)),
        "modified": _time(value_or_none(row, Project.modified)),
        "started": _time(value_or_none(row, Project.started)),
        "finished": _time(value_or_none(row, Project.finished)),
        "objects_changing": value_or_none(row, Project.is_modifying),
        "time": utc_text(at),
    }


def of_project(project_id: str, row: Project | None, project_type: str = "MIGRATION") -> Flow[dict[str, Any]]:
    """Ask for a project's progress and steps, and return everything that is known about the project.

    The result has the keys of :data:`ROW_KEYS` and :data:`STATUS_KEYS`.

    :param project_id: the project
    :param row: its row of ``ListProjects``; None if it wasn't read. No other answer has the name, type and labels
    :param project_type: ``MIGRATION`` or ``SYNC``; only API generation v3 needs it (docs/develop/oms-wire.md#v3)
    """
    answer: Answer[ProjectProgress] = yield actions.describe_project_progress(project_id, project_type)
    steps: list[Step] | None
    try:
        steps = (yield actions.describe_project_steps(project_id)).data
    except OmsUnsupportedActionError:  # OMS 3.3 doesn't offer them
        steps = None
    progress = answer.data
    lags = [_lag(answer, steps or [], direction) for direction in DIRECTIONS]
    shown = lags[1] if lags[1]["checkpoint"] is not None else lags[0]
    listed = {} if row is None else of_row(row, answer.at)
    status, alarms = value_or_none(progress, ProjectProgress.status), listed.get("alarms")
    at = _at(_current(steps or []))
    if steps is None:
        at["step"] = value_or_none(progress, ProjectProgress.current_step)
    return {
        **dict.fromkeys(ROW_KEYS),
        "labels": [],
        **listed,
        "id": project_id,
        "status": status,
        **at,
        "direction": shown["direction"] if shown["checkpoint"] is not None else None,
        "checkpoint": shown["checkpoint"],
        "checkpoint_time": shown["checkpoint_time"],
        "lag": shown["lag"],
        "attention": _attention(status, steps or [], alarms),
        "error": _error(steps or []),
        "alarms": alarms,
        "alarm_level": value_or_none(progress, ProjectProgress.alarm_level),
        "time": utc_text(answer.at),
        "clock": answer.clock,
        "current_step": value_or_none(progress, ProjectProgress.current_step),
        "struct_transfer_progress": value_or_none(progress, ProjectProgress.struct_transfer_progress),
        "full_transfer_progress": value_or_none(progress, ProjectProgress.full_transfer_progress),
        "lags": [lag for lag in lags if lag["enabled"] is not False],
        "steps": None if steps is None else [of_step(step) for step in steps],
        "movement": None,  # it takes several polls to see one
    }


def of_step(step: Step) -> dict[str, Any]:
    """Return a step as JSON: its state, its figures, and its error if it has failed.

    :param step: the step
    """
    info = step.info
    rows, total = value_or_none(info, StepInfo.processed_records), value_or_none(info, StepInfo.capacity)
    rate = value_or_none(info, StepInfo.target_rps) or value_or_none(info, StepInfo.source_rps)
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
        "error": _error([step]),
    }


def _at(step: Step | None) -> dict[str, Any]:
    """Return the name, status and percentage of a step, under the keys of a project."""
    return {
        "step": step and value_or_none(step, Step.name),
        "step_status": step and value_or_none(step, Step.status),
        "progress": step and value_or_none(step, Step.progress),
    }


def _error(steps: Sequence[Step]) -> dict[str, Any] | None:
    """Return the error of the first step that has failed."""
    broken = next((step for step in steps if state_of(step) == "failed"), None)
    if broken is None:
        return None
    return {
        "step": value_or_none(broken, Step.name),
        "code": value_or_none(broken.extra, StepExtra.error_code),
        "message": value_or_none(broken.extra, StepExtra.error_message),
        "time": _time(value_or_none(broken.extra, StepExtra.failed_time)),
    }


def _attention(status: str | None, steps: Sequence[Step], alarms: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return why a project needs a person or is worth looking at; None if neither is true."""
    need = attention(status, [of_step(step) for step in steps], alarms)
    if need.why is None:
        return None
    return {"level": need.level.name.lower(), "why": need.why.value, "message": need.reason}


def urgency_of(project: Mapping[str, Any]) -> int:
    """Return a number to sort projects by; the most urgent project has the smallest.

    :param project: as :func:`of_row` describes it
    """
    need = project["attention"]
    return len(Why) if need is None else list(Why).index(Why(need["why"]))


def summary_of(projects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count projects: those that need a person or are worth looking at by the reason, the others by their outlook.

    :param projects: as :func:`of_row` describes them
    """
    counted: dict[str, Counter[str]] = {"act": Counter(), "look": Counter(), "others": Counter()}
    for one in projects:
        need = one["attention"]
        kind, word = (need["level"], need["why"]) if need else ("others", outlook(one["status"]).value)
        counted[kind][word] += 1
    return {"projects": len(projects), **{kind: dict(words) for kind, words in counted.items()}}


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
    """Return the last step that has begun; None if none has."""
    begun = [step for step in steps if state_of(step) in ("failed", "paused", "done", "under way")]
    return begun[-1] if begun else None


def _find(steps: Sequence[Step], direction: str) -> list[Step]:
    """Return the incremental steps of a direction."""
    return step_rules.find([step for step in steps if value_or_none(step, Step.name)], step_rules.stream_of(direction))


def _stream(steps: Sequence[Step]) -> tuple[str | None, Checkpoint | None]:
    """Return the direction whose checkpoint moves, and the checkpoint; after a switchover this is the reverse one."""
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
        "checkpoint_time": time_of(checkpoint),
        "lag": lag,
        "sampled_seconds_ago": None if sampled is None else max(0.0, answer.at - sampled),
        "problem": problem or None,
    }


def of_components(components: ProjectComponents) -> list[dict[str, Any]]:
    """Return the components that carry out a project, as JSON.

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
    labels = row.get("labels")  # not Project.labels, which fails as a whole if one label is malformed
    found = [value_of(label, "name") for label in labels if isinstance(label, dict)] if isinstance(labels, list) else []
    return [name for name in found if isinstance(name, str)]


def _alarms(row: Project) -> dict[str, Any] | None:
    """Return the known keys of ``alarmStats``; OceanBase documents its keys, but not their meaning."""
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
