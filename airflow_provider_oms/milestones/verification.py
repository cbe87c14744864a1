"""The result of full verification: all its pages, and whether every table is consistent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsMalformedAnswerError, safe_text
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Project, Step, TableVerification, VerificationResult
from airflow_provider_oms.client.numbers import counted, verb
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.changes import Table, named, tables_in
from airflow_provider_oms.milestones.context import PollContext

#: The status of a table that couldn't be compared; the others are those of steps.
#: Source: docs/develop/oms-facts.md#verification-result
_ERROR = "ERROR"

# docs/develop/oms-facts.md#verification-result-types
_CONSISTENT = ("CONSISTENT", "BOTH_EMPTY")

#: The result of a table that differs but was compared completely. The other bad results mean that the comparison ended
#: early or never began.
#: Source: docs/develop/oms-facts.md#verification-result-types (inferred from the words)
_COMPARED = "INCONSISTENT"

#: The results that mean a difference, of those that OceanBase's client ODC knows. RUNNING isn't a result yet.
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

#: The counts of a table's rows that are known to differ.
_COUNTS = (
    TableVerification.source_only_count,
    TableVerification.target_only_count,
    TableVerification.mismatched_count,
)

#: The progress of a table that was compared completely; it is a fraction, not a percentage.
#: Source: docs/develop/oms-facts.md#verification-result
_WHOLE = 1

#: The most tables to name in a message.
_NAMED = 20


@dataclass(frozen=True)
class Finding:
    """The result of verification: consistent, inconsistent, or neither yet.

    :param message: the result in words
    :param progress: percentage of the verification
    :param consistent: whether every table is consistent
    :param inconsistent: whether at least one table isn't
    :param alarming: whether a person should look at it although neither is known
    :param untold: whether the result is missing although nothing is in progress that could still produce one
    :param compared: schema and name of each table with a result
    """

    message: str
    progress: float | None = None
    consistent: bool = False
    inconsistent: bool = False
    alarming: bool = False
    untold: bool = False
    compared: frozenset[Table] = frozenset()


def finding_of(poll: PollContext, steps: Sequence[Step]) -> Flow[Finding]:
    """Ask for the result once the step is done, and evaluate it.

    Sources: docs/develop/oms-facts.md#full-verification-done, docs/develop/oms-facts.md#verification-result,
    docs/develop/oms-facts.md#full-verification-skipped

    :param poll: the poll of the project
    :param steps: its verification steps
    """
    progress = min((done for step in steps if (done := value_or_none(step, Step.progress)) is not None), default=None)
    if steps and all(step_rules.is_done(step) for step in steps):
        return judge((yield from actions.list_project_full_verify_result(poll.project_id).whole()), progress)
    told = "; ".join(map(step_rules.describe, steps)) or "no step for it is listed"
    if any(step_rules.is_cut_short(step) for step in steps):
        message = f"Full verification was skipped or cut short: {told}. Its result says nothing about the other tables."
        return Finding(message, progress, alarming=True, untold=True)
    return Finding(f"Full verification isn't done: {told}.", progress)


def is_configured(poll: PollContext) -> Flow[bool]:
    """Ask OMS whether the project's configuration has a full verification (``DescribeProject``).

    :param poll: the poll of the project
    """
    return (yield actions.describe_project(poll.project_id)).data.enable_full_verify is True


def weakness(poll: PollContext, compared: frozenset[Table]) -> Flow[str]:
    """Ask OMS for restrictions of "consistent" in this project, and return them in words; empty if there are none.

    A table without a result, such as one that was added later, doesn't make the gate wait: which tables OMS compares
    isn't documented.

    Source: docs/develop/oms-facts.md#verification-in-mode

    :param poll: the poll of the project
    :param compared: the tables with a result
    """
    try:
        project = (yield actions.describe_project(poll.project_id)).data
        in_mode = project.full_transfer_config.allow_dest_table_not_empty is True
    except OmsError as error:  # only an explanation, so it must not fail the gate
        return f"It isn't known whether rows that only the target has were looked for (IN mode): {error}"
    said = [_left_out(project, compared)]
    if in_mode:
        said.append(
            "Rows that only the target has were not looked for: the comparison uses IN mode (allowDestTableNotEmpty)."
        )
    return " ".join(filter(None, said))


def _left_out(project: Project, compared: frozenset[Table]) -> str:
    """Return, in words, which tables of a project have no result; empty if that isn't known. Case doesn't matter."""
    try:
        tables = tables_in(project, views=False) or frozenset()
    except OmsMalformedAnswerError:
        return ""
    known = {(schema.lower(), name.lower()) for schema, name in compared}
    left = [table for table in tables if (table[0].lower(), table[1].lower()) not in known]
    return f"The verification has no result for {named(left)}." if left else ""


def judge(pages: Sequence[VerificationResult], progress: float | None = None) -> Finding:
    """Evaluate the pages of a verification's result. Null is not 0, and a result without tables is not consistent.

    A table that is being compared again still shows its old result, which doesn't count.

    Sources: docs/develop/oms-facts.md#verification-result, docs/develop/oms-facts.md#odc-verdict,
    docs/develop/oms-facts.md#full-verification-skipped

    :param pages: all pages
    :param progress: percentage of the verification
    """
    tables = [table for page in pages for table in page.tables]
    different = [page.different_number for page in pages]
    bad = [table for table in tables if _is_bad(table)]
    under_way = [table for table in tables if _is_under_way(table)]
    if bad or (any(number for number in different) and not under_way):
        rows = max(number or 0 for number in different)
        return Finding(
            f"Full verification found differences: {counted(rows, 'row')}; "
            f"{len(bad):,} of {counted(len(tables), 'table')}: "
            f"{_listed(bad) or 'no table named'}. "
            "Fix them in OMS (its console shows rows and corrective SQL), verify again, then clear this task.",
            progress,
            inconsistent=True,
        )
    not_through = [table for table in tables if not _is_through(table)]
    if not_through:
        count, have = len(not_through), verb(len(not_through), "has", "have")
        message = f"{count:,} of {counted(len(tables), 'table')} {have} no conclusive result: {_listed(not_through)}."
        paused = any(value_or_none(table, TableVerification.status) == step_rules.SUSPEND for table in not_through)
        odd = len(not_through) > len(under_way)
        return Finding(message, progress, alarming=odd, untold=not under_way and not paused)
    if not tables or None in different:
        message = "Full verification is done, but OMS doesn't give its result."
        return Finding(message, progress, alarming=True, untold=True)
    every, are = "" if len(tables) == 1 else "All ", verb(len(tables), "is", "are")
    compared = frozenset(
        (
            value_or_none(table, TableVerification.source_schema) or "",
            value_or_none(table, TableVerification.source_table) or "",
        )
        for table in tables
    )
    message = f"{every}{counted(len(tables), 'table')} {are} consistent."
    return Finding(message, progress, consistent=True, compared=compared)


def is_consistent(table: TableVerification) -> bool:
    """Return whether one table is consistent, by the rule of :func:`judge`."""
    return _alone(table).consistent


def verdict_of(table: TableVerification) -> bool | None:
    """Return whether one table is consistent, by the rule of :func:`judge`; None if that isn't known yet."""
    finding = _alone(table)
    return True if finding.consistent else False if finding.inconsistent else None


def counted_rows(table: TableVerification) -> tuple[int | None, int | None]:
    """Return how many rows of the source and of the target were compared; None if not all of them were.

    Source: docs/develop/oms-facts.md#verification-result
    """
    whole = value_or_none(table, TableVerification.progress) in (None, _WHOLE)
    through = value_or_none(table, TableVerification.status) == step_rules.FINISHED
    result = value_or_none(table, TableVerification.result_type)
    counts = [value_or_none(table, field) for field in (TableVerification.consistent_count, *_COUNTS)]
    if not (whole and through and result in (*_CONSISTENT, _COMPARED)) or None in counts:
        return None, None
    consistent, source_only, target_only, mismatched = counts
    return consistent + source_only + mismatched, consistent + target_only + mismatched


def _alone(table: TableVerification) -> Finding:
    alone = {"differentNumber": 0, "fullVerifyTableStatistics": [table.raw]}
    return judge([VerificationResult(alone, table.source)])


def describe(table: TableVerification) -> dict[str, Any]:
    """Return a table's result as JSON, for reports only."""
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
    """Decide whether a table differs or couldn't be compared at all. Both are final.

    Sources: docs/develop/oms-facts.md#verification-result-types, docs/develop/oms-facts.md#verification-result
    """
    if _is_under_way(table):
        return False
    failed = value_or_none(table, TableVerification.status) == _ERROR
    return failed or table.result_type in _INCONSISTENT or any(value_or_none(table, field) for field in _COUNTS)


def _is_under_way(table: TableVerification) -> bool:
    """Decide whether a table is being compared, or compared again.

    Source: docs/develop/oms-facts.md#full-verification-skipped
    """
    status = value_or_none(table, TableVerification.status)
    return status == step_rules.RUNNING or (table.result_type == step_rules.RUNNING and status != _ERROR)


def _is_through(table: TableVerification) -> bool:
    """Decide whether a table was compared completely, and nothing in its row says that it differs.

    A malformed value doesn't count as good: a count may be absent, but not malformed.

    Sources: docs/develop/oms-facts.md#verification-result, docs/develop/oms-facts.md#verification-result-types
    """
    try:
        return (
            table.status == step_rules.FINISHED
            and table.result_type in _CONSISTENT
            and table.progress in (None, _WHOLE)
            and not any(getattr(table, field.attribute) for field in _COUNTS)
        )
    except OmsMalformedAnswerError:
        return False


def _listed(tables: Sequence[TableVerification]) -> str:
    more = f" and {len(tables) - _NAMED} more" if len(tables) > _NAMED else ""
    return f"{', '.join(map(_name, tables[:_NAMED]))}{more}"


def _name(table: TableVerification) -> str:
    """Return a table's name and what OMS says about it.

    Source: docs/develop/oms-facts.md#failed-time (its details)
    """
    schema, name, status = (
        safe_text(value_or_none(table, field), 80)
        for field in (TableVerification.source_schema, TableVerification.source_table, TableVerification.status)
    )
    said = [safe_text(table.result_type, 40)]
    if status != step_rules.FINISHED:
        said.append(f"status {status}")
    progress = value_or_none(table, TableVerification.progress)
    if progress not in (None, _WHOLE):
        said.append(f"progress {progress:g}")
    if table.result_type in _CONSISTENT:  # otherwise the result type says it
        said += [f"{field.names[0]} {number:,}" for field in _COUNTS if (number := value_or_none(table, field))]
    details = step_rules.details_of(value_or_none(table, TableVerification.error_details))
    return f"{schema}.{name} ({', '.join(said)}{': ' if details else ''}{details})"
