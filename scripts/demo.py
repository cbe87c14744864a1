"""Set up and run the demo: a DAG gated on a simulated migration, through a real Airflow.

python3 scripts/demo.py [--airflow 2.11] [options of oms-demo]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import environment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=environment.VERSIONS, default=environment.VERSIONS[0])
    known, options = parser.parse_known_args()
    python = environment.make(known.airflow)
    return subprocess.run([python.with_name("oms-demo"), *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
