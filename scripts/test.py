"""Set up and run the tests, on every Airflow that is supported, the linters, and the build of the documentation.

python3 scripts/test.py [--airflow 3.3] [options of pytest]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import environment

LINTERS = (
    ["ruff", "check", "--quiet", "."],
    ["ruff", "format", "--quiet", "--check", "."],
    ["mypy"],
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=environment.VERSIONS, action="append", help="only this one")
    known, options = parser.parse_known_args()
    versions = known.airflow or list(environment.VERSIONS)
    with ThreadPoolExecutor() as pool:
        pool.submit(environment.make_hosting)  # tests/hosting wants it
        pool.submit(environment.make_cloud)  # tests/simulator/test_sdk.py wants it
        pythons = list(pool.map(lambda version: environment.make(version, "test", "lint"), versions))
    failed = []
    for version, python in zip(versions, pythons, strict=True):
        # One more than there are cores: some tests wait for an Airflow.
        processes = str(min(4, 1 + (os.cpu_count() or 1)))
        steps = [[python, "-m", "pytest", *(options or ["--numprocesses", processes])]]
        if version == environment.VERSIONS[0]:
            steps += [[python, "-m", *linter] for linter in LINTERS]
            steps += [[sys.executable, "scripts/docs.py"], [sys.executable, "scripts/hosting.py"]]
        for step in steps:
            name = f"Airflow {version}: {' '.join(map(str, step[1:])).removeprefix('-m ')}"
            print(f"\n=== {name}", flush=True)
            if subprocess.run(step, cwd=environment.ROOT, check=False).returncode:
                failed.append(name)
    print("\n" + ("Failed:\n  " + "\n  ".join(failed) if failed else "All passed."), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
