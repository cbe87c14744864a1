"""The progress of a step in a message: never an exception, whatever numbers OMS sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_oms.client.models import Step
from airflow_provider_oms.milestones.figures import figures_of
from tests.gate_cases import step


def _told(**info: Any) -> str:
    return figures_of([Step(step("FULL_TRANSFER", "RUNNING", 42, stepInfo=info))])


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, ""),
        ({"capacity": 9, "dstRps": 3}, ""),
        ({"processedRecords": 0}, "FULL_TRANSFER: 0 rows"),
        ({"processedRecords": 4200, "capacity": 10_000}, "FULL_TRANSFER: 4,200 of about 10,000 rows"),
        (
            {"processedRecords": 4200, "capacity": 10_000, "dstRps": 58, "srcRps": 99},
            "FULL_TRANSFER: 4,200 of about 10,000 rows, 58 rows/s, about 2 min left",
        ),
        ({"processedRecords": 5, "srcRps": 2}, "FULL_TRANSFER: 5 rows, 2 rows/s"),
        ({"processedRecords": 5, "capacity": 9, "dstRps": 0}, "FULL_TRANSFER: 5 of about 9 rows"),
        ({"processedRecords": 5, "capacity": 9, "dstRps": -3}, "FULL_TRANSFER: 5 of about 9 rows"),
        ({"processedRecords": 9, "capacity": 5, "dstRps": 3}, "FULL_TRANSFER: 9 of about 5 rows, 3 rows/s"),
        ({"processedRecords": "5", "capacity": "9"}, "FULL_TRANSFER: 5 of about 9 rows"),
        ({"processedRecords": "many"}, ""),
        ({"processedRecords": -1}, ""),
        ({"processedRecords": 1.5}, ""),
        ({"processedRecords": 5, "capacity": [9]}, ""),
        ({"processedRecords": 5, "dstRps": float("nan")}, ""),
        ({"processedRecords": 0, "capacity": 86_399_999_999_999_900, "dstRps": 1000}, None),
        ({"processedRecords": 0, "capacity": 10**17, "dstRps": 1e-300}, None),
    ],
)
def test_figures(info, expected):
    said = _told(**info)
    assert expected is None or said == expected


def test_several_steps():
    rows = [
        Step(step("A", stepInfo={"processedRecords": 1})),
        Step(step("B")),
        Step(step("C", stepInfo={"processedRecords": 2})),
    ]
    assert figures_of(rows) == "A: 1 row; C: 2 rows"
    assert figures_of([]) == ""


@pytest.mark.parametrize("info", [None, [], "rows", 7, {"processedRecords": None}])
def test_no_figures(info):
    assert figures_of([Step(step("FULL_TRANSFER", stepInfo=info))]) == ""


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(*[st.none() | st.integers() | st.floats() | st.text(max_size=5)] * 4)
def test_nothing_is_ever_raised(rows, capacity, target, source):
    _told(processedRecords=rows, capacity=capacity, dstRps=target, srcRps=source)
