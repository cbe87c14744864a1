"""Formats a project's state as OMS does: progress, steps, list rows, components, the progress of the 3.x endpoints."""

from __future__ import annotations

from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.envelope import millis_text, seconds_text
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import DataSource, Label
from airflow_provider_oms.simulator.modifications import ADD, ModifyRecord
from airflow_provider_oms.simulator.state import State, StepState, Stream

_RATES = ("srcRps", "srcRt", "srcIops", "dstRps", "dstRt", "dstIops")
_REFERENCES = {"srcRpsRef": 8000, "srcRtRef": 1, "dstRpsRef": 8000, "dstRtRef": 1, "srcIopsRef": 8388608}
_BYTES_PER_ROW = 292


def checkpoint(state: State, stream: Stream) -> int | str | None:
    """Return a stream's checkpoint: Unix seconds, a text for a Sybase source, null before it starts."""
    if stream.checkpoint is None:
        return None
    if state.project.sybase:
        return f"{int(stream.checkpoint - state.created) + 100},30"
    return int(stream.checkpoint + 1e-6)


def _sampled(stream: Stream) -> int | None:
    return None if stream.sampled_at is None else int(stream.sampled_at + 1e-6)


def _capacity(state: State, step: StepState) -> dict[str, Any]:
    if step.start is None:
        return dict.fromkeys(("processedRecords", "capacity", *_RATES, *_REFERENCES))
    capacity = state.project.rows
    working = step.status == "RUNNING" and step.finish is None and step.fraction < 1
    rps = int(capacity / step.duration) if working and step.duration > 0 else 0
    rates = (rps, 7 if rps else 0, rps * _BYTES_PER_ROW)
    return {
        "processedRecords": int(capacity * step.fraction + 1e-6),
        "capacity": capacity,
        **dict(zip(_RATES, (*rates, *rates), strict=True)),
        **_REFERENCES,
    }


def step_info(state: State, step: StepState) -> dict[str, Any] | None:
    """Return ``stepInfo`` of DescribeProjectSteps, whose keys differ from step to step."""
    if step.name in (steps.FULL, steps.FULL_VERIFY):
        return {**_capacity(state, step), **({"skipped": True, "validated": False} if step.marked else {})}
    if step.name == steps.INCR or (step.name == steps.REVERSE and step.start is not None):
        stream = state.stream(step.name)
        return {
            "incrTimestampCheckpoint": checkpoint(state, stream),
            "checkpointSampleTimestamp": _sampled(stream),
            "enableIncrStatistics": True if step.start is not None else None,
        }
    if step.name == steps.SWITCH:
        return {"checkpointSampleTimestamp": _sampled(state.forward) if step.start is not None else None}
    return None


def extra_info(step: StepState | None) -> dict[str, Any]:
    """Return ``extraInfo``; a step that recovered keeps its failedTime, as in OceanBase's DescribeProject sample."""
    error = step.error if step else None
    details = None
    if error is not None:
        details = error.details
        if details is None:
            details = [{"code": error.code, "level": "ERROR", "message": error.message, "proposal": error.proposal}]
    return {
        "errorDetails": details,
        "errorCode": error.code if error else None,
        "errorMsg": error.message if error else None,
        "errorParam": {} if error else None,
        "failedTime": millis_text(step.failed_at) if step else None,
    }


def step_row(state: State, step: StepState, order: int) -> dict[str, Any]:
    """Return a step as in DescribeProjectSteps."""
    status, finish = step.status, step.finish
    if step.name == steps.FULL and state.project.defer_index and status == "FINISHED":
        index = state.steps.get(steps.INDEX)
        if index is not None and index.status != "FINISHED":
            status, finish = state.status if state.status in ("SUSPEND", "FAILED") else "RUNNING", None
    row: dict[str, Any] = {
        "order": order,
        "name": steps.spelled(step.name, state.project.vocabulary, state.project.type),
        "description": steps.DESCRIPTIONS[step.name],
        "status": status,
        "extraInfo": extra_info(step),
        "startTime": seconds_text(step.start),
        "finishTime": seconds_text(finish),
        "progress": step.progress,
        "stepInfo": step_info(state, step),
    }
    for key, value in state.shown.get("steps", {}).get(step.name, {}).items():
        merges = key in ("stepInfo", "extraInfo") and isinstance(value, dict)
        row[key] = {**(row[key] or {}), **value} if merges else value
    return row


def step_rows(state: State) -> list[dict[str, Any]]:
    """Return the data of DescribeProjectSteps."""
    return [step_row(state, step, order) for order, step in enumerate(state.steps.values(), 1)]


def _progress_of(state: State, name: str) -> int | None:
    return state.steps[name].progress if name in state.steps else None


def _current(state: State, vocabulary: str) -> str:
    return steps.spelled(state.current_step, vocabulary, state.project.type)


def progress(state: State) -> dict[str, Any]:
    """Return the data of DescribeProjectProgress."""
    project = state.project
    legacy = project.current_step_legacy or project.vocabulary == "legacy"
    return {
        "projectId": project.id,
        "status": state.shown_status,
        "alarmLevel": project.alarm_level,
        "enableIncrSync": steps.INCR in state.steps,
        "currentStep": _current(state, "legacy" if legacy else "v2"),
        "incrSyncCheckpoint": checkpoint(state, state.forward),
        "enableStructTransfer": steps.STRUCT in state.steps,
        "enableFullTransfer": steps.FULL in state.steps,
        "structTransferProgress": _progress_of(state, steps.STRUCT),
        "fullTransferProgress": _progress_of(state, steps.FULL),
        "enableReverseIncrTransfer": steps.REVERSE in state.steps,
        "reverseIncrTransferCheckpoint": checkpoint(state, state.reverse),
        **state.shown.get("progress", {}),
    }


def legacy_migration_progress(state: State) -> dict[str, Any]:
    """Return the data of GET /api/omsp/v2/migrations/{id}/progress. currentStep leaves full verification out."""
    current = steps.INCR if state.current_step == steps.FULL_VERIFY and steps.INCR in state.steps else None
    return {
        "status": state.shown_status,
        "importance": state.project.alarm_level,
        "enableStructMigration": steps.STRUCT in state.steps,
        "enableFullMigration": steps.FULL in state.steps,
        "enableIncrSync": steps.INCR in state.steps,
        "enableReverseIncrSync": steps.REVERSE in state.steps,
        "currentStep": steps.LEGACY_MIGRATION[current or state.current_step],
        "structMigrationProgress": _progress_of(state, steps.STRUCT),
        "fullMigrationProgress": _progress_of(state, steps.FULL),
        "incrSyncCheckpoint": checkpoint(state, state.forward),
        "reverseIncrSyncCheckpoint": checkpoint(state, state.reverse),
    }


def legacy_sync_progress(state: State) -> dict[str, Any]:
    """Return the data of GET /api/omsp/v2/sync/{id}/progress, where the checkpoint is a text."""
    at = checkpoint(state, state.forward)
    return {
        "status": state.shown_status,
        "importance": state.project.alarm_level,
        "enableStructSync": steps.STRUCT in state.steps,
        "enableFullSync": steps.FULL in state.steps,
        "enableIncrSync": steps.INCR in state.steps,
        "currentStep": _current(state, "legacy"),
        "structSyncProgress": _progress_of(state, steps.STRUCT),
        "fullSyncProgress": _progress_of(state, steps.FULL),
        "incrSyncCheckpoint": None if at is None else str(at),
    }


def connect_info(endpoint_id: str | None, kind: str, source: DataSource | None) -> dict[str, Any]:
    """Return sourceConnectInfo or sinkConnectInfo of a list row."""
    return {
        "id": "c_" + (endpoint_id or "e_unknown")[2:],
        "endpointName": source.name if source else None,
        "endpointId": endpoint_id,
        "endpointSide": None,
        "dbEngine": source.type if source else kind,
        "connectionInfo": None,
        "username": source.username if source else None,
        "version": None,
        "timezone": "+00:00",
        "charset": "utf8mb4",
        "nlsLengthSemantics": None,
        "operatingSystem": None,
        "region": source.region if source else None,
        "ocpName": source.ocp_name if source else None,
        "connExtraAttributes": None,
        "owner": source.owner if source else None,
        "host": source.ip if source else None,
        "port": source.port if source else None,
    }


def project_row(live: LiveProject, labels: dict[str, Label], sources: dict[str, DataSource]) -> dict[str, Any]:
    """Return a project as in ListProjects and DescribeProject."""
    state, project = live.state(), live.project
    phase = state.modifications.phase
    failed = next((s for s in state.steps.values() if s.status == "FAILED"), None)
    return {
        "workerGradeId": project.worker_grade_id,
        "id": project.id,
        "type": project.type,
        "name": project.name,
        "labels": [{"id": i, "name": labels[i].name} for i in project.labels if i in labels],
        "owner": project.owner,
        "importance": project.alarm_level,
        "status": state.shown_status,
        "gmtCreate": seconds_text(state.created),
        "gmtModified": seconds_text(state.modified),
        "gmtStart": seconds_text(state.started),
        "gmtFinish": seconds_text(state.finished),
        "destConnId": None,
        "isMerging": phase == "merging",
        "isModifying": phase == "modifying",
        "isSubProject": False,
        "sourceEndpointType": project.source_type,
        "sinkEndpointType": project.sink_type,
        "transferMapping": {**project.mapping, "databases": state.modifications.databases},
        "commonTransferConfig": live.config.get("commonTransferConfig"),
        "enableStructTransfer": steps.STRUCT in state.steps,
        "structTransferConfig": live.config.get("structTransferConfig"),
        "enableFullTransfer": steps.FULL in state.steps,
        "enableFullVerify": steps.FULL_VERIFY in state.steps,
        "fullTransferConfig": live.config.get("fullTransferConfig"),
        "enableIncrTransfer": steps.INCR in state.steps,
        "enableIncrVerify": steps.INCR_VERIFY in state.steps,
        "enableReverseIncrTransfer": steps.REVERSE in state.steps,
        "incrTransferConfig": live.config.get("incrTransferConfig"),
        "sourceConnectInfo": connect_info(
            project.source_endpoint_id, project.source_type, sources.get(project.source_endpoint_id or "")
        ),
        "sinkConnectInfo": connect_info(
            project.sink_endpoint_id, project.sink_type, sources.get(project.sink_endpoint_id or "")
        ),
        "steps": step_rows(state),
        "extraInfo": extra_info(failed) if failed else None,
        "alarmStats": {
            "target": project.id,
            "alarming": state.status == "FAILED",
            "recentlyTriggerCount": 0,
            "ruleToRecentlyTriggerCount": {},
            "alarmContent": None,
            "openMonitor": True,
        },
        **state.shown.get("row", {}),
    }


def modify_record(live: LiveProject, record: ModifyRecord) -> dict[str, Any]:
    """Return a record as in ListProjectModifyRecords."""
    number, error = live.record_id(record), record.error
    began = record.status not in ("PENDING", "CANCEL")
    merging = record.kind == ADD and record.phase == "merging" and began
    return {
        "id": number,
        "subProjectId": f"np_{number:x}" if record.kind == ADD and began else None,
        "mergeRequestId": number + 1 if merging else None,
        "updateRequestId": number + 1 if record.kind != ADD and began else None,
        "type": record.kind,
        "status": record.shown_status,
        "databases": record.databases,
        "gmtModified": seconds_text(record.modified),
        "errorDetail": error
        and {
            "code": error.code,
            "level": "ERROR",
            "message": error.message,
            "reason": None,
            "proposal": error.proposal,
        },
    }


def components(state: State) -> dict[str, Any]:
    """Return the data of DescribeProjectComponents, with the keys that its document shows."""
    project = state.project

    def component(kind: str, step: StepState, stream: Stream | None = None) -> list[dict[str, Any]] | None:
        if step.start is None:
            return None
        row: dict[str, Any] = {
            "region": "cn-local",
            "name": f"127.0.0.1-9000:connector_v2:{project.id}-{kind}-1-0:0000000001",
            "ip": "127.0.0.1",
            "identity": project.id,
            "progress": step.progress,
            "status": step.status,
            "config": {},
            "gmtCreate": seconds_text(step.start),
            "gmtModify": seconds_text(state.time),
            "errorDetails": extra_info(step)["errorDetails"],
        }
        if stream is not None and stream.sampled_at is not None and stream.checkpoint is not None:
            row["delay"] = max(0, int(stream.sampled_at - stream.checkpoint))
            row["checkpoint"] = checkpoint(state, stream)
            row["checkpointSampleTimestamp"] = _sampled(stream)
        return [row]

    def of(kind: str, name: str, stream: Stream | None = None) -> list[dict[str, Any]] | None:
        return component(kind, state.steps[name], stream) if name in state.steps else None

    store = None
    if steps.LOG_PULL in state.steps and state.steps[steps.LOG_PULL].start is not None:
        store = [
            {
                "name": f"127.0.0.1-7145:{project.source_type}_{project.id}_1-0:0000000001",
                "ip": "127.0.0.1",
                "region": "cn-local",
                "topic": f"{project.source_type}_{project.id}_1",
                "subtopic": f"{project.source_type}_{project.id}_1-0",
                "tps": 0,
                "delay": 1,
                "gmt": int(state.time),
                "conn": 1,
                "status": "ACTIVE" if state.running else "SUSPEND",
                "errorDetails": None,
                "beginCheckpoint": seconds_text(state.steps[steps.LOG_PULL].start),
                "endCheckpoint": seconds_text(state.time),
                "config": None,
                "errMsg": None,
                "latelyHeartbeatTimeSec": int(state.time),
            }
        ]
    return {
        "storeList": store,
        "reverseStoreList": None,
        "fullVerifyComponents": of("full_verify", steps.FULL_VERIFY),
        "fullImportComponents": of("full_trans", steps.FULL),
        "incrSyncComponents": of("incr_trans", steps.INCR, state.forward),
        "reverseIncrSyncComponents": of("reverse_incr_trans", steps.REVERSE, state.reverse),
    }


def data_source_row(source: DataSource) -> dict[str, Any]:
    """Return a data source as in ListDataSource; passwords are not among the keys."""
    text = None if source.created is None else (millis_text(source.created) or "") + "+00:00"
    return {
        "id": source.id,
        "name": source.name,
        "type": source.type,
        "role": None,
        "owner": source.owner,
        "tenant": source.tenant,
        "cluster": source.cluster,
        "schema": source.schema,
        "ip": source.ip,
        "port": source.port,
        "userName": source.username,
        "region": source.region,
        "description": source.description,
        "ocpName": source.ocp_name,
        "operatingSystem": None,
        "version": None,
        "timezone": "+00:00",
        "charset": "utf8mb4",
        "tryKeepHb": source.try_keep_hb,
        "gmtCreate": text,
        "gmtModified": text,
        "partnerId": None,
        "connExtraAttributes": source.attributes,
    }
