"""Support a new Airflow: pin its packages, list what differs from the newest one, and run the tests that can differ.

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
    """Return what the package uses of an Airflow, a line each.

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


def tell(title: str, before: Iterable[str], after: Iterable[str]) -> None:
    """Print what was removed and what is new.

    :param title: of what
    :param before: lines
    :param after: lines
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
    tell(f"Packages other than with {NEWEST}", *pins)
    tell(f"What we use of Airflow, other than in {NEWEST}", surface(NEWEST), surface(given.airflow))
    tests = [sys.executable, Path(__file__).with_name("test.py"), "--airflow", given.airflow, "--part", given.part]
    return subprocess.run(tests, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
