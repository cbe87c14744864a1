"""The tables of results: they have the totals, name what was not run, and never hide an error."""

from __future__ import annotations

import json

import pytest

from reliability import cluster, report, soak
from reliability.soak import Sample
from reliability.wide import PARTS

CRASHES = {
    "airflow": "3.3.2",
    "database": "sqlite",
    "executor": "LocalExecutor",
    "seed": 1,
    "kills": {"task": 2, "scheduler": 1},
    "gates": 10,
    "gates_open": 6,
    "gates_failed_rightly": 4,
    "lifecycles": 2,
    "lifecycles_done": 2,
    "lost": [],
    "twice": [],
    "early": [],
    "seconds": 100,
}
BEFORE = Sample(10, 1000, 300 * 2**20, 70, 3)
SOAK = {
    "airflow": "3.3.2",
    "gates": 45,
    "seconds": 30,
    "requests": 900,
    "before": vars(BEFORE),
    "after": vars(BEFORE),
    "leaks": [],
    "lost": [],
}
DISTRIBUTED = {
    **CRASHES,
    "executor": "CeleryExecutor",
    "kills": dict.fromkeys(PARTS, 2),
    "projects": 20,
    "by_label": 6,
    "events": 4,
    "upgraded_from": "0123456789ab",
    "clocks_ahead": 90,
    "leaks": [],
}
SUITES = {
    "tests/client/test_parity.py": {"passed": 179, "examples": 0, "answers": 0},
    "tests/milestones/test_property.py": {"passed": 29, "examples": 8400, "answers": 19000},
}
RESULTS = {"crashes-3.3.2-sqlite": CRASHES, "crashes-2.11.2-sqlite": CRASHES, "soak-3.3.2": SOAK, "suites": SUITES}


def test_everything_is_added_up():
    found = report.totals(RESULTS)
    assert (found["faults"], found["answers"], found["histories"], found["crashes"]) == (179, 19000, 8400, 6)
    assert not report.wrong(found)
    text = report.markdown(RESULTS)
    assert "| answers generated | 19,000, in 8,400 histories |" in text
    assert "| crashes survived | 6 of 6 |" in text
    assert "| gates opened early | 0 |" in text
    assert "300.0 to 300.0" in text


def test_a_distributed_airflow_has_a_table_of_its_own():
    results = {**RESULTS, "distributed-3.3.2": DISTRIBUTED}
    assert report.totals(results)["crashes"] == 6 + 2 * len(PARTS)
    row = "| 3.3.2 | 1 | 20 | 10: 6, 4 | 6 | 4 | 2 of 2 | 2, 2, 2, 2, 2, 2, 2 | 0123456 | 90 s | 0 | 0 | 0 | 0 | 100 |"
    assert row in report.markdown(results)
    without = {**DISTRIBUTED, "upgraded_from": None, "clocks_ahead": 0}
    assert "| 2, 2, 2, 2, 2, 2, 2 | - | - | 0 |" in report.markdown({"distributed-3.3.2": without})
    for name in ("lost", "twice", "early", "leaks"):
        assert report.wrong(report.totals({"distributed-3.3.2": {**DISTRIBUTED, name: ["this"]}}))


def test_what_was_not_run_is_no_zero():
    found = report.totals({})
    assert set(found.values()) == {None}
    assert report.markdown({}).count("not run") >= 8
    assert "Not run: PostgreSQL." in report.markdown({"not_run": ["PostgreSQL"]})


@pytest.mark.parametrize("key", ["lost", "twice", "early"])
def test_a_campaign_that_went_wrong_is_wrong(key):
    found = report.totals({**RESULTS, "crashes-3.3.2-sqlite": {**CRASHES, key: ["this", "that"]}})
    assert found[key] == 2
    assert (found["survived"], found["crashes"]) == (3, 6)
    assert report.wrong(found)


def test_a_leak_or_a_failed_test_is_wrong():
    assert report.wrong(report.totals({**RESULTS, "soak-3.3.2": {**SOAK, "leaks": ["fds"]}}))
    failed = {**SUITES, "tests/client/test_parity.py": {"passed": 1, "failed": 1, "examples": 0, "answers": 0}}
    assert report.wrong(report.totals({**RESULTS, "suites": failed}))


def test_results_are_read_by_name(tmp_path):
    (tmp_path / "soak-3.3.2.json").write_text(json.dumps(SOAK))
    assert report.of_kind(report.read(tmp_path), "soak") == [SOAK]
    assert report.read(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, None),
        ({"fds": 72}, None),
        ({"fds": 73}, "fds"),
        ({"fds": 67 + soak.POOL, "sockets": soak.POOL}, None),
        ({"fds": 77 + soak.POOL, "sockets": soak.POOL}, "fds"),
        ({"fds": 70 + soak.POOL, "sockets": soak.POOL + 3}, "sockets"),
        ({"requests": 11_000, "rss": BEFORE.rss + 2 * 2**20}, None),
        ({"requests": 11_000, "rss": BEFORE.rss + 12 * 2**20}, "memory"),
    ],
)
def test_what_grows_with_the_requests_is_a_leak(change, named):
    found = soak.leaks(BEFORE, Sample(**{**vars(BEFORE), **change}))
    assert [named] == [one.split()[0] for one in found] if named else found == []


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("airflow worker -- 01a20662-5165-7c02-a66c-a148a2218592", True),
        ("airflow worker -- LocalExecutor: 01a20661-ae7e-7834-9799-d88770661db6", True),
        ("airflow worker -- LocalExecutor: <idle>", False),
        ("airflow task supervisor: ['airflow', 'tasks', 'run', 'one']", True),
        ("airflow task runner: one two run", True),
        ("airflow worker -- LocalExecutor", False),
        ("airflow executor -- LocalExecutor", False),
        ("airflow scheduler -- DagFileProcessorManager", False),
    ],
)
def test_processes_in_which_a_task_runs(line, runs):
    assert cluster.runs_a_task(line) is runs


@pytest.mark.parametrize("stored", [{"a": 1}, '{"a": 1}', b'{"a": 1}', '"{\\"a\\": 1}"', memoryview(b'{"a": 1}')])
def test_what_a_task_returned_is_read_from_any_database(stored):
    assert cluster.decoded(stored) == {"a": 1}
