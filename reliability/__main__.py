"""``python -m reliability``: runs the faults, generated answers, crashes and soak, and prints one table of the results.

``--airflow`` names the Python of each environment whose Airflow is to be tested; the default is the Python that runs
this. Everything runs on this machine. With two Airflows it takes about 40 minutes, with ``--quick`` about 20. The part
``distributed``, which takes about 20 minutes for each Airflow, is run only with ``--only distributed``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from reliability import postgres, redis, report

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("faults", "answers", "crashes", "soak")

#: Parts that are run only when they are named: they take about 20 minutes for each Airflow.
LONG = ("distributed",)


class Run:
    """Runs parts, each of which writes a file with its result.

    :param folder: the folder of these files
    :param quick: whether the runs are short
    :param seed: decides what is killed and when
    """

    def __init__(self, folder: Path, *, quick: bool, seed: int) -> None:
        self.folder, self.quick, self.seed = folder, quick, seed
        self.failed: list[str] = []
        self.not_run: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def suites(self, python: str, parts: Sequence[str]) -> None:
        """Run the tests of faults, and count them."""
        files = [*(report.FAULTS if "faults" in parts else ()), *([report.ANSWERS] if "answers" in parts else [])]
        result = self.folder / "suites.json"
        result.unlink(missing_ok=True)
        options = ["-q", "-p", "reliability.counting", "-p", "no:cacheprovider"]
        self._call("tests", [python, "-m", "pytest", *options, *files], {"RELIABILITY_COUNTS": str(result)})

    def crashes(self, python: str) -> None:
        """Run the crash campaign on each database."""
        for database in ("sqlite", "postgresql"):
            if database == "postgresql" and not postgres.usable(python):
                self.not_run.append(f"crashes on PostgreSQL with {version_of(python)}: no server, or no psycopg2")
                continue
            self._module("crashes", python, database, ["--database", database, "--seed", str(self.seed)])

    def distributed(self, python: str) -> None:
        """Run the campaign on a distributed Airflow."""
        if not redis.usable(python) or not postgres.usable(python):
            self.not_run.append(f"a distributed Airflow {version_of(python)}: no Redis, PostgreSQL, driver or Celery")
            return
        self._module("distributed", python, "", ["--seed", str(self.seed)])

    def soak(self, python: str) -> None:
        """Run the soak test."""
        self._module("soak", python, "", [])

    def _module(self, name: str, python: str, label: str, options: Sequence[str]) -> None:
        parts = [name, version_of(python), label]
        result = self.folder / f"{'-'.join(filter(None, parts))}.json"
        result.unlink(missing_ok=True)
        more = ["--quick"] if self.quick else []
        self._call(
            " ".join(filter(None, parts)),
            [python, "-m", f"reliability.{name}", *options, *more, "--result", str(result)],
            {},
        )

    def _call(self, name: str, command: Sequence[str], environment: dict[str, str]) -> None:
        print(f"\n=== {name}", flush=True)
        given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=sys.stderr)
        try:
            code = process.wait()
        except BaseException as error:
            # It must still stop its Airflow. Ctrl-C has already reached it.
            if not isinstance(error, KeyboardInterrupt):
                process.terminate()
            process.wait(120)
            raise
        if code:
            self.failed.append(name)

    def finish(self) -> None:
        """Write a file with the names of the parts that could not be run."""
        note = self.folder / "not_run.json"
        note.unlink(missing_ok=True)
        if self.not_run:
            note.write_text(json.dumps(self.not_run), encoding="utf-8")


def version_of(python: str) -> str:
    """Return the version of the Airflow that a Python has."""
    code = "import importlib.metadata as m; print(m.version('apache-airflow'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reliability", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="10 gates, 2 lifecycles and 3 kills; a soak of 30 s")
    parser.add_argument("--report", action="store_true", help="run nothing, print what earlier runs have left")
    parser.add_argument("--only", choices=[*PARTS, *LONG], action="append", help="only this part; may be repeated")
    parser.add_argument("--airflow", metavar="PYTHON", action="append", help="an environment's Python; repeatable")
    parser.add_argument("--seed", type=int, default=1, help="what the crashes are chosen by")
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "reliability", help="where the results go")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    failed: list[str] = []
    if not given.report:
        pythons, parts = given.airflow or [sys.executable], given.only or PARTS
        run = Run(given.results.resolve(), quick=given.quick, seed=given.seed)
        if {"faults", "answers"} & set(parts):
            run.suites(pythons[0], parts)
        for python in pythons:
            if "crashes" in parts:
                run.crashes(python)
            if "distributed" in parts:
                run.distributed(python)
            if "soak" in parts:
                run.soak(python)
        run.finish()
        failed = run.failed
    results = report.read(given.results)
    text = report.markdown(results)
    (given.results / "report.md").write_text(text, encoding="utf-8") if results else None
    print(f"\n{text}")
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed or report.wrong(report.totals(results)) else 0


if __name__ == "__main__":
    sys.exit(main())
