"""The table of cases on the pure decision, with memory and without, and what needs several polls."""

from __future__ import annotations

import re
from itertools import product

from airflow_provider_oms.milestones.verdict import State
from tests.gate_cases import CASES, Case
from tests.milestones.support import MILESTONES, poll_case
from tests.rows import each_row


@each_row("case", CASES)
def test_case(case: Case):
    verdict = poll_case(case)
    assert verdict.state == case.expected, verdict.message
    if case.message:
        assert re.search(case.message, verdict.message), verdict.message


@each_row("case", [case for case in CASES if not case.needs_memory])
def test_case_where_nothing_is_remembered(case: Case):
    verdict = poll_case(case, kept=False)
    assert verdict.state == case.expected_without_memory, verdict.message


def test_the_table_covers_every_gate_with_every_verdict():
    assert {(case.sensor, case.expected) for case in CASES} == set(product(MILESTONES, State))
