"""The cut-over gate and OceanBase's own client ODC, on the answers in ODC's tests, if these are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gate_cases import Case, odc_cases
from tests.milestones.support import poll_case

CAPTURED = Path(__file__).parents[2].parent / "shared" / "odc"


def _cases() -> list[Case]:
    files = [CAPTURED / "project_step.json", CAPTURED / "verify_result.json"]
    if not all(file.exists() for file in files):
        return []
    steps, pages = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return list(odc_cases("captured", steps, [pages]))


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("case", _cases(), ids=str)
def test_captured_answers(case: Case, kept: bool):
    verdict = poll_case(case, kept=kept)
    assert verdict.state == (case.expected if kept else case.expected_without_memory), verdict.message
