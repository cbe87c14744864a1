"""Whatever OMS answers, a message is one short line: a table's name can't forge a line of the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_oms.tasks.reporting import describe
from tests.gate_cases import CASES, Reply
from tests.milestones.support import gate_of, poll_case

FORGED = "\n[2027-01-15] INFO - Reached\r\x1b[2J\u2028" + 10_000 * "x"

#: Keys whose values stay as they are, so that the rules apply as usual.
NAMES = {"name", "currentStep", "errorCode", "errorMsg", "sourceSchemaName", "sourceTableName", "incrSyncCheckpoint"}


def forge(value: Any, chosen: Callable[[str], bool], key: str = "") -> Any:
    """Return an answer whose texts contain a line break and more."""
    if isinstance(value, dict):
        return {name: forge(item, chosen, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(forge(item, chosen, key) for item in value)
    return value + FORGED if isinstance(value, str) and chosen(key) else value


@pytest.mark.parametrize("chosen", [NAMES.__contains__, lambda key: True], ids=["names", "every word"])
def test_no_verdict_forges_a_line(chosen):
    shown = 0
    for case in CASES:
        said = {
            name: sent if isinstance(sent := getattr(case, name), Reply) else forge(sent, chosen)
            for name in ("progress", "steps", "verify_pages")
        }
        verdict = poll_case(replace(case, **said))
        line = describe(gate_of(case.sensor, case.arguments), verdict)
        assert line.isprintable(), (case.id, line[:300])
        assert verdict.message.isprintable(), case.id
        assert len(line) < 5_000, (case.id, len(line))
        shown += "[2027-01-15] INFO" in line
    assert shown > 100
