"""``python -m reliability.mutations``: checks with a random sample of mutants that a test notices a wrong rule.

Each mutant is one small change in one module (:mod:`reliability.mutants`), in a copy of the checkout. The tests that
run its line (:mod:`reliability.selection`) run on it until one fails (:mod:`reliability.trials`). A mutant that no test
notices has survived: it is listed, and is either explained in ``reliability/survivors.toml`` or a hole in the tests.

The results are stored in a file (``--kept``), so an interrupted run can be continued. A mutant that has survived
without an explanation is tried again.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from reliability.mutants import Mutant, mutants
from reliability.selection import Measured, digest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "airflow_provider_oms"

#: The areas of the package whose mutants are tried.
AREAS = ("milestones/*.py", "triggers/*.py", "client/protocol.py", "client/paging.py", "operators/*.py")

#: Modules that take long to import and that no mutant changes.
LIBRARIES = (
    "aiohttp",
    "airflow.models",
    "airflow.providers.common.compat.sdk",
    "airflow.sensors.base",
    "airflow.triggers.base",
    "blockbuster",
    "hypothesis",
    "jinja2",
    "pendulum",
    "pydantic",
    "pytest",
    "requests_mock",
    "rich",
    "sqlalchemy.orm",
)

#: The share of mutants that the tests must notice.
LEAST = 0.95


@dataclass
class Outcome:
    """The result for one mutant.

    :param area: one of ``AREAS``
    :param module: the module, below the package
    :param line: the line that was changed
    :param code: that line
    :param change: a description of the change
    :param noticed_by: the first test that failed; empty if none did
    :param key: identifies the mutant, see :func:`keyed`
    :param reason: why it may survive, from ``survivors.toml``
    """

    area: str
    module: str
    line: int
    code: str
    change: str
    noticed_by: str
    key: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.change}: {self.code}"


def sources(area: str) -> dict[str, str]:
    """Return the text of each module of an area, by its path below the package."""
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.glob(area))
    }


def keyed(module: str, source: str) -> dict[str, Mutant]:
    """Return the mutants of a module by key, a digest of the top-level statement with the mutant, and its place there.

    So the mutants of a function keep their keys when other parts of the module change.
    """
    ends = [0]
    for line in source.splitlines(keepends=True):
        ends.append(ends[-1] + len(line))
    found = {}
    statements = [(ends[one.lineno - 1], ends[one.end_lineno or one.lineno]) for one in ast.parse(source).body]
    for mutant in mutants(source):
        begin, end = next((begin, end) for begin, end in statements if begin <= mutant.start < end)
        found[digest(module, source[begin:end], str(mutant.start - begin), mutant.text)] = mutant
    return found


def chosen(area: str, most: int, seed: int) -> list[tuple[str, str, Mutant]]:
    """Choose mutants of an area at random, each with its key and module. A larger sample contains each smaller one."""
    known = [
        (key, module, mutant)
        for module, source in sources(area).items()
        for key, mutant in keyed(module, source).items()
    ]
    return sorted(known, key=lambda one: digest(str(seed), one[0]))[:most]


def functions_around(source: str, line: int) -> Iterator[tuple[int, int]]:
    """Iterate over the functions around a line, the innermost first, each as its first and last line."""
    functions = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [(one.lineno, one.end_lineno or line) for one in functions if one.lineno < line <= (one.end_lineno or 0)]
    yield from sorted(around, key=lambda span: span[1] - span[0])


def tests_of(measured: Measured, module: str, source: str, line: int, most: float) -> dict[str, float]:
    """Return the tests to run on a mutant, with the seconds of each, in the order in which they are run.

    These are the tests that execute its line, or its function if none is known for the line. If the line is outside
    functions, they are the tests that execute any line of the module, and then all others.

    :param measured: the duration and the executed lines of each test
    :param module: the module, below the package
    :param source: its text
    :param line: the line that is changed
    :param most: how many seconds they may take together
    """
    around = list(functions_around(source, line))
    found = next(filter(None, (measured.tests_of(module, *span) for span in [(line, line), *around])), {})
    if not around:
        found = measured.tests_of(module, 1, source.count("\n") + 1) | measured.all_tests(module)
    left = most
    return {test: seconds for test, seconds in found.items() if (left := left - seconds) > 0}


@contextmanager
def checkout() -> Iterator[Path]:
    """Copy the files that git tracks to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="oms-mutants-") as folder:
        copy = Path(folder)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (source := ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy / name)
        yield copy


def explanations() -> dict[tuple[str, str, str], str]:
    """Return why mutants may survive, by module, line of code and change."""
    listed = tomllib.loads((ROOT / "reliability" / "survivors.toml").read_text(encoding="utf-8"))
    return {(one["module"], one["code"], one["change"]): one["reason"] for one in listed.get("survivor", [])}


def read_kept(kept: Path) -> list[Outcome]:
    """Return the latest result of earlier runs for each mutant that still exists."""
    if not kept.exists():
        return []
    found = [Outcome(**json.loads(line)) for line in kept.read_text(encoding="utf-8").splitlines()]
    there = {key for area in AREAS for module, source in sources(area).items() for key in keyed(module, source)}
    reasons = explanations()
    last = {one.key: one for one in found if one.key in there}
    for one in last.values():
        if not one.noticed_by:
            one.reason = reasons.get((one.module, one.code, one.change), "")
    return list(last.values())


def load_libraries() -> None:
    """Import the modules that every run needs, but nothing of the package itself."""
    from tests import conftest  # before Airflow, which reads its home when it is imported

    os.environ["OMS_TESTS_HOME"] = str(conftest._HOME)
    for name in LIBRARIES:
        importlib.import_module(name)
    # Airflow imports parts of the package, and conftest was imported above; both must be imported again with a mutant.
    for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE.name, "tests")]:
        del sys.modules[name]


def run(given: argparse.Namespace, known: set[str]) -> Iterator[Outcome]:
    """Try the mutants that have not been tried yet."""
    from reliability.trials import TESTS, Trials

    load_libraries()
    texts = {module: source for area in AREAS for module, source in sources(area).items()}
    measured = Measured(given.measured, ROOT, texts)
    with checkout() as folder:
        trials = Trials(folder, given.tests or TESTS)
        for missing in measured.missing(trials.tests):
            measured.keep(**trials.measure(list(texts), missing))
        measured.there = frozenset(trials.tests)
        for area in given.area or AREAS:
            for key, module, mutant in chosen(area, given.per_area, given.seed):
                if key in known or module not in (given.only or texts):
                    continue
                source = texts[module]
                tests = tests_of(measured, module, source, mutant.line, given.seconds)
                lines = mutant.line, mutant.line + source[mutant.start : mutant.end].count("\n")
                noticed_by = trials.first_to_notice(module, source, mutant.apply(source), lines, tests)
                measured.noticed(module, noticed_by)
                yield Outcome(area, module, mutant.line, mutant.code, mutant.change, noticed_by, key)
        trials.close()


def summary(outcomes: Sequence[Outcome], there: Mapping[str, int]) -> str:
    """Return the table of the results by area.

    :param outcomes: the result for each mutant that was tried
    :param there: how many mutants each area has
    """
    lines = [
        "| area | mutants | tried | noticed | explained | holes | noticed of those tried |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for area in [*there, ""]:
        of = [one for one in outcomes if area in ("", one.area)]
        noticed, reasons = sum(bool(one.noticed_by) for one in of), sum(bool(one.reason) for one in of)
        name, number = (f"`{area}`", there[area]) if area else ("all", sum(there.values()))
        share = f"{noticed / len(of):.1%}" if of else ""
        lines.append(
            f"| {name} | {number:,} | {len(of)} | {noticed} | {reasons} | {len(of) - noticed - reasons} | {share} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reliability.mutations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--per-area", type=int, default=100, help="how many mutants of each area at most")
    parser.add_argument("--seed", type=int, default=1, help="decides which mutants are chosen")
    parser.add_argument("--area", choices=AREAS, action="append", help="only this area; repeatable")
    parser.add_argument(
        "--only", metavar="MODULE", action="append", help="only this module, such as milestones/steps.py; repeatable"
    )
    parser.add_argument("--tests", metavar="PATH", action="append", help="only these tests, such as tests/client")
    parser.add_argument("--seconds", type=float, default=60, help="how long the tests of one mutant may take together")
    parser.add_argument(
        "--kept", type=Path, default=ROOT / ".mutants.jsonl", help="the file with the result for each mutant"
    )
    parser.add_argument(
        "--measured",
        type=Path,
        default=ROOT / ".mutants-tests.json",
        help="the file with the lines that each test executes",
    )
    parser.add_argument("--report", action="store_true", help="try nothing, print the stored results")
    given = parser.parse_args()
    if not given.report:
        known = {one.key for one in read_kept(given.kept) if one.noticed_by or one.reason}
        for one in run(given, known):
            with given.kept.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps(asdict(one)) + "\n")
            if not one.noticed_by:
                print(f"survived: {one}", flush=True)
    outcomes = read_kept(given.kept)
    holes = [one for one in outcomes if not one.noticed_by and not one.reason]
    for one in holes:
        print(f"not explained: {one}")
    print(summary(outcomes, {area: sum(len(keyed(*one)) for one in sources(area).items()) for area in AREAS}))
    share = sum(bool(one.noticed_by) for one in outcomes) / max(1, len(outcomes))
    return 0 if share >= LEAST and not holes else 1


if __name__ == "__main__":
    sys.exit(main())
