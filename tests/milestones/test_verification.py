"""The result of full verification, over all pages."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_oms.client.models import VerificationResult
from airflow_provider_oms.milestones.verification import Finding, judge
from tests.gate_cases import ALL_DONE, NOW, Reply, caught_up, page, project, success, table
from tests.milestones.support import FakeOms, gate_of, poll_once


def _judge(*pages: dict[str, Any]) -> Finding:
    return judge([VerificationResult(one) for one in pages])


def test_consistent():
    finding = _judge(page(table("a"), table("b", "BOTH_EMPTY")), page(table("c")))
    assert (finding.consistent, finding.inconsistent) == (True, False)
    assert "3 tables" in finding.message


def test_many_tables_are_not_all_named():
    finding = _judge(page(*[table(f"t{number}", "INCONSISTENT") for number in range(50)], different=1_234_567))
    assert finding.inconsistent
    assert "1,234,567 rows; 50 of 50 tables" in finding.message
    assert "shop.t19 " in finding.message
    assert "shop.t20 " not in finding.message
    assert "30 more" in finding.message


def test_a_table_is_named_on_one_line():
    bad = table("a\nb", "INCONSISTENT", sourceSchemaName=None)
    assert _judge(page(bad)).message.isprintable()
    odd = table("a", "INCONSISTENT", sourceSchemaName={"odd": 1})
    assert "None.a" in _judge(page(odd)).message


def test_rows_that_differ_without_a_table_fail_too():
    finding = _judge(page(table(), different=4))
    assert finding.inconsistent
    assert "no table named" in finding.message


@pytest.mark.parametrize("pages", [(), (page(),), (page(different=None),), (page(table(), different=None),)])
def test_no_result_is_neither(pages):
    finding = _judge(*pages)
    assert (finding.consistent, finding.inconsistent) == (False, False)
    assert finding.alarming


@pytest.mark.parametrize("status", ["ERROR", "error"])
def test_a_table_that_could_not_be_compared_fails(status):
    for result in (None, "RUNNING", "MOSTLY_FINE"):
        assert _judge(page(table("t", result, status=status))).inconsistent


def test_an_odd_table_status_is_neither():
    for result in ("CONSISTENT", None):
        finding = _judge(page(table(result=result, status=["odd"])))
        assert (finding.consistent, finding.inconsistent, finding.untold) == (False, False, True)


def test_a_table_is_named_with_all_that_speaks_against_it():
    bad = table("t", status="SUSPEND", progress="0.5", mismatchedCount=1234, sourceOnlyCount=0)
    assert "shop.t (CONSISTENT, status SUSPEND, progress 0.5, mismatchedCount 1,234)" in _judge(page(bad)).message


@pytest.mark.parametrize("status", ["RUNNING", "SUSPEND"])
def test_a_table_that_is_being_compared_owes_nothing(status):
    finding = _judge(page(table("a"), table("b", None, status=status), table("c", "MOSTLY_FINE")))
    assert (finding.consistent, finding.inconsistent, finding.untold) == (False, False, False)
    assert finding.alarming


def _paged(count: int, size: int, total: Any, bad: int | None = None) -> FakeOms:
    """Answer as an OMS with a number of tables that decides itself how many are on a page."""
    tables = [table(f"t{number}", "INCONSISTENT" if number == bad else "CONSISTENT") for number in range(count)]

    def reply(action: str, payload: Any) -> Reply:
        if action == "DescribeProjectProgress":
            return Reply(success(caught_up()))
        if action == "DescribeProjectSteps":
            return Reply(success(ALL_DONE))
        if action == "DescribeProject":
            return Reply(success(project()))
        begin = (payload["pageNumber"] - 1) * size
        return Reply(success(page(*tables[begin : begin + size]), total))

    return FakeOms(reply, NOW)


@pytest.mark.parametrize("total", ["rows", None, 0])
@pytest.mark.parametrize(("count", "size"), [(1, 100), (100, 100), (101, 100), (250, 100), (25, 10)])
def test_every_page_is_read(count, size, total):
    gate = gate_of("OmsFullVerificationSensor")
    told = count if total == "rows" else total
    assert poll_once(gate, _paged(count, size, told)).state == "reached"
    verdict = poll_once(gate, _paged(count, size, told, bad=count - 1))
    assert verdict.state == "failed"
    assert f"shop.t{count - 1} " in verdict.message


def test_a_list_that_ends_too_early_is_not_believed():
    verdict = poll_once(gate_of("OmsFullVerificationSensor"), _paged(100, 100, 101))
    assert verdict.state == "waiting"
    assert "isn't complete" in verdict.message
