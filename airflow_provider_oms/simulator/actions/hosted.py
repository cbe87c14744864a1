"""The actions that only the hosted OMS has, and those that differ in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.simulator.actions.data_sources import add_source, decoded
from airflow_provider_oms.simulator.actions.parameters import paged, text
from airflow_provider_oms.simulator.actions.projects import add_described
from airflow_provider_oms.simulator.actions.registry import HOSTED, action
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, Page, seconds_text
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]


@action("CreateProject", HOSTED)
def create_project(store: Store, payload: Payload) -> str:
    """CreateProject: configures a project that was bought before (``Id``), on a worker (``WorkerGradeId``)."""
    project_id, worker = text(payload, "id"), text(payload, "workerGradeId")
    if project_id in store.projects:
        raise OmsRefusal(PARAM_ERROR, f"The project {project_id} is configured already.")
    return add_described(store, payload, id=project_id, worker_grade_id=worker)


@action("CreateMySqlDataSource", HOSTED)
def create_mysql_data_source(store: Store, payload: Payload) -> str:
    """CreateMySqlDataSource: of an instance in the cloud, or of an address."""
    if not payload.get("instanceId") and not payload.get("dgInstanceId"):
        text(payload, "ip")
    return add_source(
        store,
        payload,
        str(payload.get("type") or "MYSQL"),
        username=text(payload, "userName"),
        password=decoded(payload, "password"),
    )


@action("CreateOmsMysqlDataSource", HOSTED)
def create_oms_mysql_data_source(store: Store, payload: Payload) -> dict[str, str]:
    """CreateOmsMysqlDataSource: like CreateMySqlDataSource, with other names and another answer."""
    port = str(payload.get("port") or "3306")
    renamed = {**payload, "userName": payload.get("username"), "port": int(port) if port.isdecimal() else port}
    return {"endpointId": create_mysql_data_source(store, renamed)}


@action("CreateRdsPostgreSQLDataSource", HOSTED)
def create_rds_postgresql_data_source(store: Store, payload: Payload) -> str:
    """CreateRdsPostgreSQLDataSource."""
    text(payload, "instanceId")
    return add_source(
        store,
        payload,
        "RDS_POSTGRESQL",
        username=text(payload, "userName"),
        password=decoded(payload, "password"),
        attributes={"databaseName": text(payload, "databaseName")},
    )


@action("ListWorkerInstances", HOSTED)
def list_worker_instances(store: Store, payload: Payload) -> Page:
    """ListWorkerInstances: those of the projects, and a free one."""
    rows = [
        _worker(store, live.project.worker_grade_id, live.id, live.name, live.project.type)
        for live in store.projects.values()
        if live.project.worker_grade_id
    ]
    free = [] if payload.get("onlyBindable") is False else [_worker(store, "w_free", None, None, None)]
    return paged(payload, free if payload.get("onlyBindable") else rows + free)


def _worker(
    store: Store, worker: str | None, project_id: str | None, name: str | None, kind: str | None
) -> dict[str, Any]:
    return {
        "id": worker,
        "name": worker,
        "region": "cn-local",
        "spec": "SMALL",
        "status": "ONLINE",
        "projectId": project_id,
        "projectName": name,
        "projectType": kind,
        "gmtCreate": seconds_text(store.clock.now()),
    }


@action("ReleaseWorkerInstance", HOSTED)
def release_worker_instance(store: Store, payload: Payload) -> None:
    """ReleaseWorkerInstance: refused while a project uses it (a guess)."""
    worker = text(payload, "id")
    for live in store.projects.values():
        if live.project.worker_grade_id == worker:
            raise OmsRefusal(PARAM_ERROR, f"The worker {worker} is used by the project {live.name}.")


@action("GetUploadOssUrl", HOSTED)
def get_upload_oss_url(store: Store, payload: Payload) -> dict[str, Any]:
    """GetUploadOssUrl: an address on which nothing listens."""
    minutes = payload.get("effectiveTimeMinutes") or 60
    return {
        "ossKey": f"oms/{store.ticket()}",
        "ossUrl": "https://oss.invalid/upload",
        "expectedExpirationTime": seconds_text(store.clock.now() + 60 * minutes),
    }
