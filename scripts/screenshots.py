"""Test the provider on Airflow's own pages in a real browser, and make the pictures of docs/airflow-ui.md.

python3 scripts/screenshots.py [--airflow 2.11] [--to FOLDER]

It needs Chromium (on Debian: apt-get install chromium). Without --to it makes no pictures, and only tests.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import environment
from versions import MAIN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=MAIN, action="append", help="only this one")
    parser.add_argument("--to", type=Path, help="the folder for the pictures: docs/images/ui")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (default: /usr/bin/chromium)")
    parser.add_argument("--port", type=int, default=18080, help="for Airflow; the next one is the simulator's")
    given = parser.parse_args()
    if given.to:
        given.to.mkdir(parents=True, exist_ok=True)
    failed = []
    for version in given.airflow or MAIN:
        python = environment.make(version, "screenshots")
        print(f"\n=== Airflow {version}", flush=True)
        arguments = [version, given.port, given.chromium, *([given.to.resolve()] if given.to else [])]
        if not environment.run_script(python, "browse.py", *arguments):
            failed.append(version)
    print("\n" + (f"Failed: {', '.join(failed)}" if failed else "All checks passed."), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
