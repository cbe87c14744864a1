"""Draw the pictures of the terminal in the docs: the real commands, run against the simulator.

python3 scripts/terminal_pictures.py
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import environment
from versions import NEWEST


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    command = [environment.make(NEWEST, "test", "lint"), Path(__file__).with_name("draw_terminal.py")]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
