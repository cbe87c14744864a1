"""Fetches the result of full verification as data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client.actions import PAGE_SIZE
from airflow_provider_oms.client.models import TableVerification
from airflow_provider_oms.client.safe_text import LONGEST_VALUE, safe_json
from airflow_provider_oms.exceptions import OmsOperationError
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.verification import Finding, describe, is_consistent, judge
from airflow_provider_oms.operators.base import OmsProjectOperator
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_oms.hooks.oms import OmsHook

#: The most tables with differences for which rows and SQL are fetched.
DEFAULT_MAX_TABLES = 100


class OmsFullVerificationReportOperator(OmsProjectOperator):
    """Fetch the result of full verification: the tables that differ, with counts, and optionally rows and SQL.

    The operator changes nothing, and doesn't fail because of differences; ``OmsFullVerificationSensor`` does. It uses
    ``ListProjectFullVerifyResult``, ``ListFullVerifyInconsistenciesResult`` and ``ListFullVerifyCorrectionsResult``.

    Returns as XCom ``project``, ``consistent`` (None while the result isn't certain), ``message``, ``different_rows``,
    ``tables`` (how many there are), ``different_tables`` (how many of them differ, or have no result) and
    ``differences``: for each of these ``schema``, ``table``, ``target_schema``, ``result``, ``message``, the counts
    ``source_only``, ``target_only``, ``mismatched``, ``consistent``, and ``rows`` and ``sql`` if requested. With
    ``path`` the differences are written to that file, and the XCom holds its ``path`` instead.

    Rows are data from the database. If they are private, set ``path`` to a place that only the right people can read.

    :param path: a file for the report, as JSON; it is replaced (templated)
    :param max_rows: the most differing rows to fetch for each table; 0 for none
    :param max_sql: the most corrective SQL statements to fetch for each table; 0 for none
    :param max_tables: the most tables with differences to report
    :param source_schemas: report only these schemas of the source (templated)
    :param project_id: the project's id (templated)
    :param project_name: the project's name instead; it is looked up with ``ListProjects`` (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("project_id", "project_name", "path", "source_schemas", "oms_conn_id")
    template_fields_renderers = {"source_schemas": "json"}

    oms_action = "ListProjectFullVerifyResult"

    def __init__(
        self,
        *,
        path: str | None = None,
        max_rows: int = 0,
        max_sql: int = 0,
        max_tables: int = DEFAULT_MAX_TABLES,
        source_schemas: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.max_rows = _count("max_rows", max_rows)
        self.max_sql = _count("max_sql", max_sql)
        self.max_tables = _count("max_tables", max_tables)
        self.source_schemas = source_schemas
        self._verified: tuple[str, str, list[TableVerification]] | None = None
        self._check(rendered=False)

    def carry_out(self, context: Context, hook: OmsHook) -> dict[str, Any]:
        """Fetch the report.

        :param context: Airflow's context
        :param hook: the open hook
        :raises OmsOperationError: if the file can't be written
        """
        path, schemas = self._check(rendered=True)
        project_id = self.need_project(hook)
        self.announce(context, hook, project_id)
        pages = list(hook.list_project_full_verify_result(project_id, source_schemas=schemas))
        tables = [table for page in pages for table in page.tables]
        differing = [table for table in tables if not is_consistent(table)]
        finding = judge(pages)
        report = {
            "project": project_id,
            "consistent": _verdict(finding),
            "message": finding.message,
            "different_rows": max((page.different_number or 0 for page in pages), default=0),
            "tables": len(tables),
            "different_tables": len(differing),
        }
        differences = [self._describe(hook, project_id, table) for table in differing[: self.max_tables]]
        self.log.info("%s", finding.message)
        self._verified = project_id, finding.message, tables
        if path is None:
            return {**report, "differences": differences}
        try:
            write_json(path, {**report, "differences": differences})
        except OSError as error:
            raise OmsOperationError(f"The report can't be written to {path!r}: {error.strerror}.") from None
        return {**report, "path": path}

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Return which tables were verified, with counts and verdicts (the extra ``[openlineage]``).

        :param task_instance: Airflow's task instance, which isn't used
        """
        if self._verified is None:
            return None
        from airflow_provider_oms.lineage.extraction import of_verification

        return of_verification(self.oms_conn_id, *self._verified)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> None:
        """Return no lineage. Without this method, Airflow would call the one for a report that has succeeded.

        :param task_instance: Airflow's task instance, which isn't used
        """

    def _check(self, *, rendered: bool) -> tuple[str | None, list[str] | None]:
        """Check the arguments that aren't templates, or all once they are rendered."""
        path = schemas = None
        if self.path is not None and (rendered or is_literal(self.path)):
            path = arguments.proper_name("path", self.path)
        if self.source_schemas is not None and (rendered or is_literal(self.source_schemas)):
            schemas = arguments.texts("source_schemas", self.source_schemas)
        return path, schemas

    def _describe(self, hook: OmsHook, project_id: str, table: TableVerification) -> dict[str, Any]:
        described = describe(table)
        schema, name = described["schema"], described["table"]
        if schema and name and self.max_rows:
            size = min(self.max_rows, PAGE_SIZE)
            rows = hook.list_full_verify_inconsistencies_result(project_id, schema, name, page_size=size)
            described["rows"] = [safe_json(row.raw, LONGEST_VALUE) for row in islice(rows, self.max_rows)]
        if schema and name and self.max_sql:
            size = min(self.max_sql, PAGE_SIZE)
            statements = hook.list_full_verify_corrections_result(project_id, schema, name, page_size=size)
            described["sql"] = list(islice(statements, self.max_sql))
        return described


def write_json(path: str, content: Mapping[str, Any]) -> None:
    """Write a file as JSON, atomically and readable for its owner only.

    The temporary file has an unpredictable name and is always new, because in a folder to which others may write, they
    could have put a link or an open file in its place.

    :param path: the file
    :param content: its content
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise


def _verdict(finding: Finding) -> bool | None:
    return True if finding.consistent else False if finding.inconsistent else None


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number, not negative; it is {value!r}")
    return value
