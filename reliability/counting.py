"""A pytest plugin that counts tests by file, and the examples that hypothesis has generated.

``pytest -p reliability.counting``; ``RELIABILITY_COUNTS`` names the file that it writes (JSON).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: The number of tests by file and outcome.
outcomes: dict[str, Counter[str]] = {}

#: By file, the number of examples that hypothesis has generated and run, and of the OMS answers in them.
examples: Counter[str] = Counter()
answers: Counter[str] = Counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Count the examples of one test, whether the test calls hypothesis or is decorated by it."""
    from hypothesis.statistics import collector

    file = item.nodeid.split("::")[0]

    def note(statistics: Any) -> None:
        for phase in ("reuse-phase", "generate-phase"):
            cases = statistics.get(phase, {}).get("test-cases", [])
            examples[file] += sum(case["status"] in ("valid", "interesting") for case in cases)

    _count_answers(item, file)
    with collector.with_value(note):
        return (yield)


def _count_answers(item: pytest.Item, file: str) -> None:
    """Count the answers of the generated OMS in the property tests."""
    heard = getattr(getattr(item, "module", None), "HeardOms", None)
    if heard is None or hasattr(heard, "uncounted"):
        return
    heard.uncounted = heard._reply

    def counted(self: Any, action: str, payload: Any) -> Any:
        answers[file] += 1
        return self.uncounted(action, payload)

    heard._reply = counted


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a test once: by its call, or by the phase that failed or skipped it."""
    if report.when == "call" or report.outcome != "passed":
        outcomes.setdefault(report.nodeid.split("::")[0], Counter())[report.outcome] += 1


def pytest_sessionfinish() -> None:
    """Write the counts."""
    counts = {
        file: {**counter, "examples": examples[file], "answers": answers[file]} for file, counter in outcomes.items()
    }
    if target := os.environ.get("RELIABILITY_COUNTS"):
        Path(target).write_text(json.dumps(counts, indent=2), encoding="utf-8")
