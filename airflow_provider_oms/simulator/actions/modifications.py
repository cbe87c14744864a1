"""The actions that add objects to a running project or remove them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_oms.simulator import render
from airflow_provider_oms.simulator.actions.parameters import text
from airflow_provider_oms.simulator.actions.registry import action
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]


@action("CreateProjectModifyRecords")
def create_project_modify_records(store: Store, payload: Payload) -> int:
    """CreateProjectModifyRecords: ``databases`` is the whole new list of objects (a guess); returns a record's id.

    The documents give one list for adding and for removing, so OMS can tell the two apart only by comparing.
    """
    live = store.named(payload)
    mapping = payload.get("transferMapping")
    databases = payload.get("databases")
    if databases is None and isinstance(mapping, Mapping):
        databases = mapping.get("databases")
    if not isinstance(databases, list) or not databases:
        raise OmsRefusal(PARAM_ERROR, "The parameter databases must name at least one database.")
    for database in databases:
        if not isinstance(database, Mapping) or not database.get("name"):
            raise OmsRefusal(PARAM_ERROR, "An item of databases must be an object with a name.")
    return live.record_id(live.modify(databases)[0])


@action("ListProjectModifyRecords")
def list_project_modify_records(store: Store, payload: Payload) -> list[dict[str, Any]]:
    """ListProjectModifyRecords: newest first (a guess)."""
    live = store.named(payload)
    return [render.modify_record(live, record) for record in reversed(live.state().modifications.records)]


def _on_record(name: str, do: Callable[[LiveProject, int], object]) -> None:
    @action(name)
    def handler(store: Store, payload: Payload) -> None:
        record_id = payload.get("id")
        live, record = store.record(str(record_id) if isinstance(record_id, int) else text(payload, "id"))
        do(live, record.number)


_on_record("CancelProjectModifyRecord", LiveProject.cancel_modification)
_on_record("StopProjectModifyRecords", LiveProject.stop_modification)
_on_record("RetryProjectModifyRecords", LiveProject.retry_modification)
