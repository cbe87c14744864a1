"""The result of a run of the tests, as a row of a table."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

HEAD = ("Airflow", "Python", "tests", "passed", "failed", "skipped", "minutes")


@dataclass(frozen=True)
class Result:
    """The result of one run of pytest.

    :param airflow: the release
    :param python: its version
    :param part: which tests
    :param passed: how many
    :param failed: how many, errors included
    :param seconds: how long it took
    :param skipped: why, and how many for that reason
    :param missing: why there was no run; empty if there was one
    :param problem: what else was wrong
    """

    airflow: str
    python: str
    part: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    skipped: Counter[str] = field(default_factory=Counter)
    missing: str = ""
    problem: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The run's row in the table."""
        if self.missing:
            return self.airflow, self.python, self.part, "-", "-", f"all: {self.missing}", "-"
        why = "; ".join(f"{count}: {reason}" for reason, count in self.skipped.most_common())
        count = f"{self.skipped.total():,}" + (f" ({why})" if why else "")
        failed = f"{self.failed:,}" + (f" ({self.problem})" if self.problem else "")
        return self.airflow, self.python, self.part, f"{self.passed:,}", failed, count, f"{self.seconds / 60:.1f}"


def read(report: Path, airflow: str, python: str, part: str) -> Result:
    """Read the result of a run from pytest's report.

    :param report: what ``--junit-xml`` wrote
    :param airflow: the release
    :param python: its version
    :param part: which tests
    """
    try:
        suites = ElementTree.parse(report).getroot().findall("testsuite")  # noqa: S314 - our own file
    except (FileNotFoundError, ElementTree.ParseError):
        return Result(airflow, python, part, problem="pytest ended without a report")
    total = {name: sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors")}
    skipped = Counter(skip.get("message", "") for suite in suites for skip in suite.iter("skipped"))
    failed = total["failures"] + total["errors"]
    return Result(
        airflow,
        python,
        part,
        passed=total["tests"] - failed - skipped.total(),
        failed=failed,
        seconds=sum(float(suite.get("time", 0)) for suite in suites),
        skipped=skipped,
    )


def table(results: Iterable[Result]) -> str:
    """Return the table, in Markdown.

    :param results: its rows
    """
    rows = [HEAD, ("---",) * len(HEAD), *(result.cells for result in results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def summary(results: Iterable[Result]) -> str:
    """Return the totals of all runs, in one line.

    :param results: the runs
    """
    total: Counter[str] = Counter()
    for result in results:
        total += Counter(passed=result.passed, failed=result.failed, skipped=result.skipped.total())
    return f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped"
