"""What full verification found: all pages of it, and whether every table is consistent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.models import Step, TableVerification, VerificationResult
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.poll import PollContext, value_or_none

# docs/develop/oms-facts.md#verification-result-types
_CONSISTENT = ("CONSISTENT", "BOTH_EMPTY")

#: The results that OMS's client ODC knows and that are no consistency. RUNNING is missing: it is no result yet.
#: Source: docs/develop/oms-facts.md#verification-result-types
_INCONSISTENT = (
    "SCHEMA_MISMATCH",
    "INDEX_CONFLICT",
    "TARGET_TABLE_NOT_EXIST",
    "RUNTIME_EXCEPTION",
    "INCONSISTENT",
    "SOURCE_EMPTY",
    "TARGET_EMPTY",
    "MISMATCH_LIMIT",
    "MISMATCH_LIMIT_NO_PK",
    "NOT_CATEGORIZED",
)

#: Tables named in a message; a thousand of them would hide the rest of it.
_NAMED = 20


@dataclass(frozen=True)
class Finding:
    """What verification came to: consistent, inconsistent, or neither yet.

    :param message: in words
    :param progress: percentage of the verification
    :param consistent: whether every table is consistent
    :param inconsistent: whether one isn't
    :param alarming: whether a person should look at it although neither is known
    """

    message: str
    progress: float | None = None
    consistent: bool = False
    inconsistent: bool = False
    alarming: bool = False


def finding_of(poll: PollContext, steps: Sequence[Step]) -> Flow[Finding]:
    """Ask for the result once the step is done, and judge it.

    Sources: docs/develop/oms-facts.md#full-verification-done, docs/develop/oms-facts.md#verification-result

    :param poll: the poll of the project
    :param steps: its verification steps
    """
    progress = min((done for step in steps if (done := value_or_none(step, Step.progress)) is not None), default=None)
    if not steps or not all(step_rules.is_done(step) for step in steps):
        told = "; ".join(f"{step.name} is {safe_text(step.status, 60)}" for step in steps) or "no steps are listed"
        at = "" if progress is None else f" at {progress:g} %"
        return Finding(f"Full verification isn't done: {told}{at}.", progress)
    return judge((yield from actions.list_project_full_verify_result(poll.project_id).whole()), progress)


def judge(pages: Sequence[VerificationResult], progress: float | None = None) -> Finding:
    """Judge the pages of a verification's result. Null is not 0, and no table at all is no consistency.

    Sources: docs/develop/oms-facts.md#verification-result, docs/develop/oms-facts.md#odc-verdict

    :param pages: all the pages
    :param progress: percentage of the verification
    """
    tables = [table for page in pages for table in page.tables]
    different = [page.different_number for page in pages]
    bad = [table for table in tables if _is_bad(table)]
    if bad or any(number for number in different):
        rows = max(number or 0 for number in different)
        named = ", ".join(map(_name, bad[:_NAMED])) or "no table named"
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        return Finding(
            f"Full verification found differences: {rows:,} rows; {len(bad)} of {len(tables)} tables: {named}{more}. "
            "Fix them in OMS (its console shows rows and corrective SQL), verify again, then clear this task.",
            progress,
            inconsistent=True,
        )
    open_tables = [table for table in tables if table.result_type not in _CONSISTENT]
    if open_tables:
        named = ", ".join(map(_name, open_tables[:_NAMED]))
        return Finding(
            f"{len(open_tables)} of {len(tables)} tables have no result that counts: {named}.",
            progress,
            alarming=any(table.result_type != step_rules.RUNNING for table in open_tables),
        )
    if not tables or None in different:
        return Finding("Full verification is done, but OMS doesn't tell its result.", progress, alarming=True)
    return Finding(f"All {len(tables)} tables are consistent.", progress, consistent=True)


def is_consistent(table: TableVerification) -> bool:
    """Decide about one table by the very same rule."""
    alone = {"differentNumber": 0, "fullVerifyTableStatistics": [table.raw]}
    return judge([VerificationResult(alone, table.source)]).consistent


def describe(table: TableVerification) -> dict[str, Any]:
    """Return what is known of a table as JSON: for reports, not for decisions."""
    return {
        "schema": value_or_none(table, TableVerification.source_schema),
        "table": value_or_none(table, TableVerification.source_table),
        "target_schema": value_or_none(table, TableVerification.target_schema),
        "result": value_or_none(table, TableVerification.result_type),
        "message": value_or_none(table, TableVerification.message),
        "source_only": value_or_none(table, TableVerification.source_only_count),
        "target_only": value_or_none(table, TableVerification.target_only_count),
        "mismatched": value_or_none(table, TableVerification.mismatched_count),
        "consistent": value_or_none(table, TableVerification.consistent_count),
    }


def _is_bad(table: TableVerification) -> bool:
    """Decide whether a table differs, or couldn't be compared at all: neither passes by itself.

    Sources: docs/develop/oms-facts.md#verification-result-types, docs/develop/oms-facts.md#verification-result
    """
    result = table.result_type
    return result in _INCONSISTENT or (
        result not in _CONSISTENT and value_or_none(table, TableVerification.status) == "ERROR"
    )


def _name(table: TableVerification) -> str:
    schema, name = (
        value_or_none(table, TableVerification.source_schema),
        value_or_none(table, TableVerification.source_table),
    )
    return f"{safe_text(schema, 80)}.{safe_text(name, 80)} ({safe_text(table.result_type, 40)})"
