"""Set up and run the demo: a DAG gated on a simulated migration, through a real Airflow.

python3 scripts/demo.py [--airflow 2.11] [options of the demo; --help lists them]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import environment
from versions import MAIN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=MAIN, default=MAIN[0])
    known, options = parser.parse_known_args()
    python = environment.make(known.airflow, "demo")
    return subprocess.run([python, "-m", "demo", *options], cwd=environment.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
