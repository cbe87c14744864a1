"""The actions on the result of a full verification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.actions import action, paged, text, values
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, Page
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import Table
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]

_WORDS = {
    "CONSISTENT": "Consistent",
    "INCONSISTENT": "Inconsistent",
    "BOTH_EMPTY": "Both tables are empty",
    "RUNNING": "Running",
}


def _tables(live: LiveProject) -> list[tuple[Table, bool]]:
    """Return the tables that the verification has come to, and whether each is done."""
    step = live.state().steps.get(steps.FULL_VERIFY)
    if step is None or step.start is None:
        return []
    project = live.project
    tables = project.verification or [Table("test", "t1", consistent=project.rows)]
    done = len(tables) if step.progress >= 100 else int(len(tables) * step.fraction)
    return [(table, number < done) for number, table in enumerate(tables)]


def _row(table: Table, done: bool) -> dict[str, Any]:
    result = table.result_type if done else "RUNNING"
    words = _WORDS.get(result or "", result)
    return {
        "sourceTableName": table.table,
        "sourceSchemaName": table.schema,
        "destSchemaName": table.dest_schema or table.schema,
        "sourceOnlyCount": table.source_only if done else 0,
        "destOnlyCount": table.dest_only if done else 0,
        "mismatchedCount": table.mismatched if done else 0,
        "consistentCount": table.consistent if done else 0,
        "progress": table.progress if done else "0.0",
        "message": (table.message or words) if done else words,
        "status": table.status if done else "RUNNING",
        "resultType": result,
        "resultDesc": words,
        "errorDetails": table.error_details if done else None,
    }


@action("ListProjectFullVerifyResult")
def list_project_full_verify_result(store: Store, payload: Payload) -> Page:
    """ListProjectFullVerifyResult: takes ``projectId``, not ``id``. Before the verification starts differentNumber is
    null (a guess)."""
    live = store.named(payload, "projectId")
    found = _tables(live)
    number = sum(table.different for table, done in found if done) if found else None
    if schemas := values(payload, "sourceSchemas"):
        found = [item for item in found if item[0].schema in schemas]
    if schemas := values(payload, "destSchemas"):
        found = [item for item in found if (item[0].dest_schema or item[0].schema) in schemas]
    rows = [_row(table, done) for table, done in found]
    if statuses := values(payload, "status"):
        rows = [row for row in rows if row["status"] in statuses]
    page = paged(payload, rows)
    page.data = {"differentNumber": number, "fullVerifyTableStatistics": page.data}
    return page


def _differing(table: Table) -> list[dict[str, Any]]:
    if table.differing:
        return table.differing
    kinds = (
        ["MASTER_ONLY"] * min(table.source_only, 1000)
        + ["IMAGE_ONLY"] * min(table.dest_only, 1000)
        + ["MISMATCHED"] * min(table.mismatched, 1000)
    )
    return [
        {
            "failedRecordDetails": [
                {
                    "columnName": "value",
                    "sourceValue": None if kind == "IMAGE_ONLY" else f"source {number}",
                    "destValue": None if kind == "MASTER_ONLY" else f"destination {number}",
                }
            ],
            "failedRecordUniqueKeys": [{"columnName": "id", "columnValue": str(number)}],
            "type": kind,
        }
        for number, kind in enumerate(kinds, 1)
    ]


def _table(store: Store, payload: Payload) -> Table | None:
    live = store.named(payload, "projectId")
    schema, name = text(payload, "schema"), text(payload, "table")
    for table, done in _tables(live):
        if (table.schema, table.table) == (schema, name):
            return table if done else None
    raise OmsRefusal(PARAM_ERROR, f"The verification of the project has no table {schema}.{name}.")


@action("ListFullVerifyInconsistenciesResult")
def list_full_verify_inconsistencies_result(store: Store, payload: Payload) -> Page:
    """ListFullVerifyInconsistenciesResult."""
    table = _table(store, payload)
    rows = _differing(table) if table else []
    return paged(payload, [{k: v for k, v in row.items() if k != "correction"} for row in rows])


def _correction(table: Table, row: Mapping[str, Any]) -> str:
    if row.get("correction"):
        return str(row["correction"])
    keys = row.get("failedRecordUniqueKeys") or []
    where = " AND ".join(f"{key.get('columnName')}='{key.get('columnValue')}'" for key in keys) or "1=0"
    verb = "DELETE FROM" if row.get("type") == "IMAGE_ONLY" else "-- write the source's row to"
    return f"{verb} {table.dest_schema or table.schema}.{table.table} WHERE {where}"


@action("ListFullVerifyCorrectionsResult")
def list_full_verify_corrections_result(store: Store, payload: Payload) -> Page:
    """ListFullVerifyCorrectionsResult: SQL texts. What OMS writes in them is not documented."""
    table = _table(store, payload)
    return paged(payload, [_correction(table, row) for row in _differing(table)] if table else [])
