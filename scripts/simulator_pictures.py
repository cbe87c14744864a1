"""Test the simulator's page in a real browser, wide and narrow, light and dark, and make the pictures for the docs.

python3 scripts/simulator_pictures.py [--to docs/images/simulator]

It needs Chromium (on Debian: apt-get install chromium). Without --to it makes no pictures, and only tests.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import environment
from versions import MAIN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="the folder for the pictures: docs/images/simulator")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (default: /usr/bin/chromium)")
    given = parser.parse_args()
    python = environment.make(MAIN[0], "screenshots")
    command = [python, Path(__file__).with_name("browse_simulator.py"), given.chromium]
    command += [given.to.resolve()] if given.to else []
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
