"""``verify``: the result of full verification."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_provider_oms.cli.asking import Asker, find_project
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.pictures import verification
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.words import said
from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsRejectedError
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Project, VerificationResult
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullVerificationMilestone
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.milestones.verification import describe, is_consistent, judge


def run(given: Namespace, screen: Screen) -> Exit:
    """Show the result. The verdict is that of ``OmsFullVerificationSensor`` at this moment.

    :param given: the arguments
    :param screen: the output
    :raises OmsError: when OMS gives no usable answer
    """
    with OmsHook(given.conn_id) as hook:
        asker = Asker(hook)
        found = asker.run_flow(find_project(given.project))
        milestone = FullVerificationMilestone()
        poll = PollContext(
            Gate(milestone, project_id=found.id, oms_conn_id=given.conn_id), Memory(kept=False), found.id
        )
        # poll() isn't used: it turns errors into a verdict, but here an error ends the command.
        verdict = asker.run_flow(check(milestone, poll))
        try:
            pages = asker.run_flow(actions.list_project_full_verify_result(found.id).whole())
        except (
            OmsRejectedError
        ):  # nothing was verified; if the verdict had needed the pages, the asker would have them already
            pages = []
    report = {
        "project": found.id,
        "name": None if found.row is None else value_or_none(found.row, Project.name),
        **_report(verdict, pages),
    }
    screen.write_json(report)
    screen.show(verification.picture(report))
    return {True: Exit.OK, False: Exit.FAILED, None: Exit.UNKNOWN}[report["consistent"]]


def _report(verdict: Verdict, pages: list[VerificationResult]) -> dict[str, Any]:
    """Return a verdict and the tables that aren't known to be consistent, with the keys of the report operator."""
    tables = [table for page in pages for table in page.tables]
    differing = [table for table in tables if not is_consistent(table)]
    finding = judge(pages)
    differ = verdict.state is State.FAILED and finding.inconsistent
    return {
        "consistent": True if verdict.state is State.REACHED else False if differ else None,
        "message": said(verdict.message),
        "progress": finding.progress if verdict.observed.progress is None else verdict.observed.progress,
        "different_rows": max((page.different_number or 0 for page in pages), default=0),
        "tables": len(tables),
        "different_tables": len(differing),
        "differences": [describe(table) for table in differing],
    }
