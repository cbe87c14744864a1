"""Run the tests, or some of them, on one or more versions of Airflow.

python3 scripts/test.py                       all tests on the newest version, on the others those that can differ
python3 scripts/test.py tests/milestones      only these tests, on the newest version
python3 scripts/test.py --airflow 3.1         all tests on one version
python3 scripts/test.py --ci                  what CI has time for, and scripts/check.py (.ci/run)
python3 scripts/test.py --matrix              all tests on each version, with each Python that is available

Options that the script doesn't know are passed to pytest (-k, -x, --pdb ...). It makes the environments that it needs
(.venv-*).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import environment
import results
from versions import AIRFLOWS, NEWEST

#: Python may store bytecode: otherwise each process compiles all tests again, which is half of the time of collecting.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

CORES = os.cpu_count() or 1

#: More processes than there are cores: many tests wait for an Airflow.
PROCESSES = min(6, CORES + 2)
#: At the end of a run only its long tests are left, which keep one core busy. So the next run is made meanwhile.
AT_ONCE = 2
#: Fewer processes for a part, because each of them collects all of its tests first.
PROCESSES_OF_A_PART = min(6, CORES + 1)


@dataclass(frozen=True)
class Run:
    """One run of pytest.

    :param airflow: a key of ``AIRFLOWS``
    :param python: a version of Python
    :param part: ``whole``, or a marker of ``tests/parts.py``
    """

    airflow: str
    python: str
    part: str = "whole"

    def interpreter(self) -> Path:
        """Return the Python of the run's environment, which is made first if needed."""
        return environment.make(self.airflow, "test", "lint", python=self.python)

    def prepare(self) -> str:
        """Make the run's environment; return why that isn't possible, or empty text."""
        try:
            self.interpreter()
        except environment.NoSuchPythonError as error:
            return str(error)
        return ""

    def run(self, options: Sequence[str], *, coverage: bool, alone: bool) -> results.Result:
        """Run pytest and return the result.

        :param options: for pytest
        :param coverage: measure it, and fail below what ``pyproject.toml`` asks for
        :param alone: whether no other run is made at the same time
        """
        release = AIRFLOWS[self.airflow].release
        print(f"\n=== Airflow {release}, Python {self.python}: {' '.join([self.part, *options])}", flush=True)
        marker = [] if self.part == "whole" else ["-m", self.part]
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            # Tests that take long begin first (tests/parts.py); an idle process takes tests from the others.
            processes = PROCESSES if self.part == "whole" else PROCESSES_OF_A_PART
            spread = ["--numprocesses", str(processes), "--dist", "worksteal"]
            pytest = ["pytest", *spread, f"--junit-xml={report}", *marker, *options]
            steps = [pytest]
            if coverage:
                steps = [
                    ["coverage", *step] for step in (["erase"], ["run", "-m", *pytest], ["combine", "-q"], ["report"])
                ]
            python = self.interpreter()
            codes = [call([python, "-m", *step], "" if alone else f"{release}: ") for step in steps]
            result = results.read(report, release, self.python, " ".join(options) or self.part)
        if any(codes) and not result.failed:
            return replace(result, problem=result.problem or "pytest or coverage failed, see above")
        return result


def call(command: Sequence[str | Path], label: str) -> int:
    """Run a command in the checkout and return its exit code.

    :param command: the command
    :param label: printed before each of its lines; without one it has the terminal for itself (``--pdb``)
    """
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if label else {}
    with subprocess.Popen(command, cwd=environment.ROOT, env=ENVIRONMENT, text=True, **output) as process:
        for line in process.stdout or ():
            print(f"{label}{line}", end="", flush=True)
    return process.returncode


def plan(given: argparse.Namespace, options: Sequence[str]) -> list[Run]:
    """Return the runs to make.

    :param given: the arguments of this script
    :param options: the others
    """
    versions = given.airflow or ([NEWEST] if options and not given.matrix else list(AIRFLOWS))
    if given.ci:
        parts = {version: airflow.in_ci for version, airflow in AIRFLOWS.items() if airflow.in_ci}
        return [Run(version, environment.python_for(version), part) for version, part in parts.items()]
    if given.matrix:
        return [Run(version, python) for version in versions for python in AIRFLOWS[version].pythons]
    whole = given.airflow or options
    return [
        Run(
            version,
            given.python or environment.python_for(version),
            given.part or ("whole" if whole else AIRFLOWS[version].tested),
        )
        for version in versions
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=AIRFLOWS, action="append", help="this version; may be given again")
    parser.add_argument("--python", help="the version of Python, such as 3.13")
    parser.add_argument("--part", help="which tests: whole, airflow, smoke, 'not once' (see tests/parts.py)")
    parser.add_argument("--ci", action="store_true", help="what CI has time for, and scripts/check.py")
    parser.add_argument("--matrix", action="store_true", help="each version with each Python that is available")
    parser.add_argument("--coverage", action="store_true", help=f"measure the coverage on Airflow {NEWEST}")
    given, options = parser.parse_known_args()
    runs = plan(given, options)
    with ThreadPoolExecutor() as pool:
        for of_some_tests in (environment.make_hosting, environment.make_cloud):
            pool.submit(of_some_tests)
        problems = list(pool.map(Run.prepare, runs))

    def result(run: Run, problem: str) -> results.Result:
        if problem:
            return results.Result(AIRFLOWS[run.airflow].release, run.python, run.part, missing=problem)
        return run.run(options, coverage=given.coverage and run.airflow == NEWEST, alone=len(runs) == 1)

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(AT_ONCE) as pool:
        # Beside the tests, because most of it uses only one core.
        checked = one.submit(call, [sys.executable, "scripts/check.py"], "check: ") if given.ci else None
        came_to = list(pool.map(result, runs, problems))
        unchecked = checked is not None and checked.result() != 0
    print(f"\n{results.table(came_to)}\n\n{results.summary(came_to)}", flush=True)
    if unchecked:
        print("scripts/check.py failed, see above.", flush=True)
    wrong = [result for result in came_to if result.failed or result.problem or (result.missing and not given.matrix)]
    return 1 if wrong or unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
