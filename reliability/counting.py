"""A pytest plugin that counts tests by file, and the histories that the property tests have generated.

``pytest -p reliability.counting``; ``RELIABILITY_COUNTS`` names the file that it writes (JSON).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

#: The number of tests by file and outcome.
outcomes: dict[str, Counter[str]] = {}

#: By file, the number of generated histories, and of the OMS answers in them.
examples: Counter[str] = Counter()
answers: Counter[str] = Counter()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Count what the property tests generate: each history has dice of its own, and an OMS that answers."""
    file, module = item.nodeid.split("::")[0], getattr(item, "module", None)
    _count(getattr(module, "Dice", None), "__init__", file, examples)
    _count(getattr(module, "HeardOms", None), "_reply", file, answers)


def _count(cls: type | None, method: str, file: str, counter: Counter[str]) -> None:
    """Count the calls of a method.

    :param cls: its class; None if the test's module has none
    :param file: what they are counted for
    """
    original = getattr(cls, method, None)
    if original is None or hasattr(original, "counts"):
        return

    def counted(*given: Any) -> Any:
        counter[file] += 1
        return original(*given)

    counted.counts = True  # type: ignore[attr-defined]
    setattr(cls, method, counted)


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
