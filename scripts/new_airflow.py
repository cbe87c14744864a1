"""Support a new Airflow: pin its packages, list its differences from the newest one, and run the tests that it affects.

python3 scripts/new_airflow.py 3.4 [--part smoke]

It must have an entry in ``scripts/versions.py``: docs/develop/new-airflow.md says what else there is to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import constraints
import environment
from versions import AIRFLOWS, NEWEST


def surface(version: str) -> list[str]:
    """Return the names that the package uses of an Airflow, with their signatures, one line each.

    :param version: a key of ``AIRFLOWS``
    """
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [environment.make(version, "test", "lint"), Path(__file__).with_name("surface.py")],
            env={**os.environ, "AIRFLOW_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [line for line in done.stdout.splitlines() if line.startswith("airflow.")]


def print_difference(title: str, before: Iterable[str], after: Iterable[str]) -> None:
    """Print removed and added lines.

    :param title: what the lines are
    :param before: the lines before
    :param after: the lines after
    """
    old, new = set(before), set(after)
    changed = sorted([(line, "-") for line in old - new] + [(line, "+") for line in new - old])
    print(f"\n=== {title}: {len(changed) or 'nothing'}", flush=True)
    for line, sign in changed:
        print(f"{sign} {line}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("airflow", choices=AIRFLOWS, help="its entry in scripts/versions.py")
    parser.add_argument("--part", choices=("whole", "airflow", "smoke"), default="airflow", help="which tests to run")
    given = parser.parse_args()
    constraints.pin(given.airflow, upgrade=False)
    pins = [constraints.file_of(version).read_text().splitlines() for version in (NEWEST, given.airflow)]
    print_difference(f"Packages, compared with {NEWEST}", *pins)
    print_difference(f"What we use of Airflow, compared with {NEWEST}", surface(NEWEST), surface(given.airflow))
    tests = [sys.executable, Path(__file__).with_name("test.py"), "--airflow", given.airflow, "--part", given.part]
    return subprocess.run(tests, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
