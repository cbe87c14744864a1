"""The actions on the result of a full verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.actions.parameters import paged, text, values
from airflow_provider_oms.simulator.actions.registry import action
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, Page
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import Table
from airflow_provider_oms.simulator.modifications import tables_of
from airflow_provider_oms.simulator.state import State
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]

_WORDS = {
    "CONSISTENT": "Consistent",
    "INCONSISTENT": "Inconsistent",
    "BOTH_EMPTY": "Both tables are empty",
    "RUNNING": "Running",
}


@dataclass(frozen=True)
class _Verified:
    """A table, how much of it is verified, and what its row shows until then."""

    table: Table
    fraction: float
    stale: str | None

    @property
    def done(self) -> bool:
        """Whether the row is that of a verified table (in this run, or still shown from the run before)."""
        return self.fraction >= 1 or self.stale == "row"

    def row(self) -> dict[str, Any]:
        """Return its row in ListProjectFullVerifyResult."""
        if self.done or self.stale != "verdict":
            return _row(self.table, self.done, f"{self.fraction:.2f}")
        return {**_row(self.table, True), "status": "RUNNING", "progress": f"{self.fraction:.2f}"}


def _tables(live: LiveProject) -> list[_Verified]:
    """Return the tables of the verification, which verifies one after the other; none before it starts."""
    state = live.state()
    step = state.steps.get(steps.FULL_VERIFY)
    if step is None or step.start is None:
        return []
    tables = _current_tables(state)
    through = len(tables) * (1.0 if step.progress >= 100 else step.fraction)
    return [
        _Verified(table, min(1.0, max(0.0, through - number)), step.stale if step.round > 1 else None)
        for number, table in enumerate(tables)
    ]


def _current_tables(state: State) -> list[Table]:
    """Return the tables to verify: the first ones, those that were set, and those that were added later."""
    now = dict.fromkeys(tables_of(state.modifications.databases))
    begin = set(tables_of(state.project.mapping.get("databases") or []))
    known = {(table.schema, table.table) for table in state.tables}
    added = [Table(schema, name) for schema, name in now if (schema, name) not in known | begin]
    gone = begin - set(now)
    return [table for table in state.tables if (table.schema, table.table) not in gone] + added


def _row(table: Table, done: bool, progress: str = "0.00") -> dict[str, Any]:
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
        "progress": table.progress if done else progress,
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
    number = sum(item.table.different for item in found if item.done or item.stale) if found else None
    if schemas := values(payload, "sourceSchemas"):
        found = [item for item in found if item.table.schema in schemas]
    if schemas := values(payload, "destSchemas"):
        found = [item for item in found if (item.table.dest_schema or item.table.schema) in schemas]
    rows = [item.row() for item in found]
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
    for item in _tables(live):
        if (item.table.schema, item.table.table) == (schema, name):
            return item.table if item.done else None
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
