"""The actions on projects: create, control, list, describe, labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_oms.simulator import render
from airflow_provider_oms.simulator.actions.parameters import paged, text, values
from airflow_provider_oms.simulator.actions.registry import action
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, Page
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import Label, Project, Table, new_id
from airflow_provider_oms.simulator.state import NotAllowed
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]

_CONFIG_KEYS = ("commonTransferConfig", "structTransferConfig", "fullTransferConfig", "incrTransferConfig")


def _flag(payload: Payload, key: str, otherwise: bool) -> bool:
    value = payload.get(key)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be true or false, not {value!r}.")
    return value


def _tables(mapping: Mapping[str, Any]) -> list[Table]:
    """Return the tables of a transferMapping as the result of a later verification: all consistent."""
    found = []
    for database in mapping.get("databases") or []:
        if not isinstance(database, Mapping):
            raise OmsRefusal(PARAM_ERROR, "An item of transferMapping.databases must be an object.")
        source = str(database.get("name") or "")
        for table in database.get("tables") or []:
            if isinstance(table, Mapping) and table.get("name"):
                found.append(Table(source, str(table["name"]), dest_schema=str(database.get("mappedName") or source)))
    return found


def _described(store: Store, payload: Payload, **more: Any) -> Project:
    """Return the project that a body of CreateProject (or SubmitPreCheck) describes; ``more`` are further fields."""
    name, kind = text(payload, "name"), text(payload, "type")
    if any(letter.isspace() for letter in name):
        raise OmsRefusal(PARAM_ERROR, "The project name must not contain spaces.")
    kinds = ("MIGRATION", "SYNC", "VERIFY") if store.edition.verify_projects else ("MIGRATION", "SYNC")
    if kind not in kinds:
        raise OmsRefusal(PARAM_ERROR, f"The parameter type must be one of {', '.join(kinds)}, not {kind!r}.")
    verifies = _flag(payload, "enableFullVerify", kind == "VERIFY")
    ends = []
    for key in ("sourceEndpointId", "sinkEndpointId"):
        end = text(payload, key)
        if end not in store.data_sources:
            raise OmsRefusal(PARAM_ERROR, f"The data source {end} ({key}) does not exist.")
        ends.append(store.data_sources[end])
    mapping = payload.get("transferMapping")
    if not isinstance(mapping, Mapping):
        raise OmsRefusal(PARAM_ERROR, "The parameter transferMapping must be given.")
    if mapping.get("mode") not in ("SPECIFIC", "WILDCARD", "COMPLEX"):
        raise OmsRefusal(PARAM_ERROR, "The parameter transferMapping.mode must be SPECIFIC or WILDCARD.")
    if not isinstance(mapping.get("databases"), list) or not mapping["databases"]:
        raise OmsRefusal(PARAM_ERROR, "The parameter transferMapping.databases must name at least one database.")
    labels = values(payload, "labelIds")
    if len(labels) > 5:
        raise OmsRefusal(PARAM_ERROR, "A project has at most five labels.")
    for label in labels:
        if label not in store.labels:
            raise OmsRefusal(PARAM_ERROR, f"The label {label} does not exist.")
    struct = payload.get("structTransferConfig")
    waits = isinstance(struct, Mapping) and struct.get("autoProcessedToNextStep") is False
    incr, full = _flag(payload, "enableIncrTransfer", False), _flag(payload, "enableFullTransfer", False)
    config = payload.get("incrTransferConfig")
    start = config.get("startTimestamp") if isinstance(config, Mapping) else None
    if start is not None and (full or not incr):
        raise OmsRefusal(
            PARAM_ERROR, "incrTransferConfig.startTimestamp needs incremental synchronization without full migration."
        )
    try:
        begin = None if start is None else float(start)
    except (TypeError, ValueError):
        words = f"incrTransferConfig.startTimestamp must be Unix seconds, not {start!r}."
        raise OmsRefusal(PARAM_ERROR, words) from None
    return Project(
        name=name,
        type=kind,
        source_type=ends[0].type,
        sink_type=ends[1].type,
        source_endpoint_id=ends[0].id,
        sink_endpoint_id=ends[1].id,
        enable_struct=_flag(payload, "enableStructTransfer", False),
        enable_full=full,
        enable_incr=incr,
        enable_full_verify=verifies and (kind == "VERIFY" or store.edition.verifies_inside),
        enable_incr_verify=_flag(payload, "enableIncrVerify", False),
        enable_reverse_incr=_flag(payload, "enableReverseIncrTransfer", False),
        start_timestamp=begin,
        wait_after=["STRUCT_TRANSFER"] if waits else [],
        verification=_tables(mapping),
        labels=list(labels),
        owner=store.owner,
        transfer_mapping=dict(mapping),
        config={key: payload[key] for key in _CONFIG_KEYS if payload.get(key) is not None},
        **more,
    )


@action("CreateProject")
def create_project(store: Store, payload: Payload) -> str:
    """CreateProject: the name is unique, the data sources exist, transferMapping names something."""
    return add_described(store, payload)


def add_described(store: Store, payload: Payload, **more: Any) -> str:
    """Add the project that a body of CreateProject describes, and return its id."""
    project = _described(store, payload, **more)
    if any(live.name == project.name for live in store.projects.values()):
        raise OmsRefusal(PARAM_ERROR, f"The project name {project.name} already exists.", "Use another name.")
    return store.add_project(project).id


def _control(name: str, do: Callable[[LiveProject], object]) -> None:
    @action(name)
    def handler(store: Store, payload: Payload) -> None:
        do(store.named(payload))


_control("StartProject", LiveProject.start)
_control("StopProject", LiveProject.stop)
_control("ResumeProject", LiveProject.resume)
_control("ReleaseProject", LiveProject.release)


@action("DeleteProject")
def delete_project(store: Store, payload: Payload) -> None:
    """DeleteProject: from INIT and RELEASED only; afterwards the project is unknown."""
    live = store.named(payload)
    live.check_delete()
    del store.projects[live.id]


@action("AdvanceProject")
def advance_project(store: Store, payload: Payload) -> str | None:
    """AdvanceProject: returns the name of the step that is about to run."""
    return store.named(payload).advance()


@action("DescribeProjectProgress")
def describe_project_progress(store: Store, payload: Payload) -> dict[str, Any]:
    """DescribeProjectProgress."""
    return render.progress(store.named(payload).state())


@action("DescribeProjectSteps")
def describe_project_steps(store: Store, payload: Payload) -> list[dict[str, Any]]:
    """DescribeProjectSteps."""
    return render.step_rows(store.named(payload).state())


@action("DescribeProject")
def describe_project(store: Store, payload: Payload) -> list[dict[str, Any]]:
    """DescribeProject: documented as an object, but the document's sample is an array of one, and so is this answer."""
    return [render.project_row(store.named(payload), store.labels, store.data_sources)]


@action("DescribeProjectComponents")
def describe_project_components(store: Store, payload: Payload) -> dict[str, Any]:
    """DescribeProjectComponents."""
    return render.components(store.named(payload).state())


@action("ListProjects")
def list_projects(store: Store, payload: Payload) -> Page:
    """ListProjects: newest first, pages of 10, at most 150."""
    found = list(store.projects.values())
    key = payload.get("searchKey")
    if key:
        found = [live for live in found if str(key) in live.name or str(key) == live.id]
    if payload.get("type"):
        found = [live for live in found if live.project.type in values(payload, "type")]
    if statuses := values(payload, "status"):
        found = [live for live in found if live.status in statuses]
    if labels := values(payload, "labelIds"):
        found = [live for live in found if set(labels) & set(live.project.labels)]
    if kinds := values(payload, "sourceEndpointTypes"):
        found = [live for live in found if live.project.source_type in kinds]
    if kinds := values(payload, "sinkEndpointTypes"):
        found = [live for live in found if live.project.sink_type in kinds]
    field = payload.get("sortField") or "gmtCreate"
    if field not in ("gmtCreate", "gmtModified"):
        raise OmsRefusal(PARAM_ERROR, f"The parameter sortField must be gmtCreate or gmtModified, not {field!r}.")
    newest_first = str(payload.get("order") or "descend") not in ("asc", "ascend")
    positions = {live.id: number for number, live in enumerate(store.projects.values())}

    def rank(live: LiveProject) -> tuple[float, int]:
        return (live.state().modified if field == "gmtModified" else live.created, positions[live.id])

    found.sort(key=rank, reverse=newest_first)
    page = paged(payload, found)
    page.data = [render.project_row(live, store.labels, store.data_sources) for live in page.data]
    return page


def _by_label(name: str, status: Callable[[str], bool], do: Callable[[LiveProject], None]) -> None:
    @action(name)
    def handler(store: Store, payload: Payload) -> dict[str, Any]:
        label = text(payload, "id")
        if label not in store.labels:
            raise OmsRefusal(PARAM_ERROR, f"The label {label} does not exist.")
        succeeded, failed = [], []
        for live in store.projects.values():
            if label in live.project.labels and status(live.state().status):
                try:
                    do(live)
                    succeeded.append(live.id)
                except NotAllowed:  # pragma: no cover - the status was checked under the same lock
                    failed.append(live.id)
        return {
            "total": len(succeeded) + len(failed),
            "succeedProjectIds": succeeded,
            "failedProjectIds": failed,
        }


# By the document, the first action affects only projects that are not started, the second only running ones.
_by_label("StartProjectsByLabel", lambda status: status == "INIT", LiveProject.start)
_by_label("StopProjectsByLabel", lambda status: status == "RUNNING", LiveProject.stop)


@action("CreateLabel")
def create_label(store: Store, payload: Payload) -> str:
    """CreateLabel: a name that exists already is refused (a guess)."""
    name = text(payload, "name")
    if any(label.name == name for label in store.labels.values()):
        raise OmsRefusal(PARAM_ERROR, f"The label {name} already exists.")
    label = Label(name)
    store.labels[label.id] = label
    return label.id


@action("ListAllLabels")
def list_all_labels(store: Store, payload: Payload) -> list[dict[str, str]]:
    """ListAllLabels."""
    return [{"id": label.id, "name": label.name} for label in store.labels.values()]


@action("SubmitPreCheck")
def submit_pre_check(store: Store, payload: Payload) -> str:
    """SubmitPreCheck: for a project that exists (projectId), or for one described as in CreateProject."""
    if payload.get("projectId"):
        project_id: str | None = store.named(payload, "projectId").id
    else:
        _described(store, payload)
        project_id = None
    check = new_id("pc")
    store.prechecks[check] = {"projectId": project_id, "time": store.clock.now()}
    return check


@action("GetPreCheckResult")
def get_pre_check_result(store: Store, payload: Payload) -> dict[str, Any]:
    """GetPreCheckResult: done after two seconds; the keys of both editions' documents."""
    check = store.prechecks.get(text(payload, "id"))
    if check is None:
        raise OmsRefusal(PARAM_ERROR, f"The precheck {payload['id']} does not exist.")
    done = min(1.0, (store.clock.now() - check["time"]) / 2)
    status = "FINISHED" if done >= 1 else "RUNNING"
    items = [
        {
            "name": name,
            "endpointType": side,
            "checkType": kind,
            "status": status,
            "message": None,
            "skippable": False,
            "role": None,
        }
        for side, kind, name in (
            ("SOURCE", "CONNECTIVITY", "Connectivity of the source"),
            ("DEST", "CONNECTIVITY", "Connectivity of the destination"),
        )
    ]
    return {
        "preCheckId": payload["id"],
        "preCheckStatus": status,
        "projectId": check["projectId"],
        "projectStatus": status,
        "progress": done * 100,
        "preCheckResults": items,
    }
