"""Check everything except the tests: format, lint, types, the documentation site, workflows and other host files.

python3 scripts/check.py [--fix]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any

import environment
from versions import NEWEST

#: Folders whose types are checked in addition to the package. ``scripts`` is checked separately, because it has
#: modules of the same names.
OTHERS = ("benchmarks", "demo", "reliability", "tests")

#: Where mypy finds modules that are imported without a package.
PATHS = {"MYPYPATH": os.pathsep.join(("scripts", "tests/client"))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true", help="first format the code and let the linter fix what it can")
    fix = parser.parse_args().fix
    python = environment.make(NEWEST, "test", "lint")
    steps: list[list[Any]] = [
        [python, "-m", "ruff", "format", "--quiet", *([] if fix else ["--check"]), "."],
        [python, "-m", "ruff", "check", "--quiet", *(["--fix"] if fix else []), "."],
        [python, "-m", "mypy"],
        [python, "-m", "mypy", "--config-file", "tests/mypy.ini", *OTHERS],
        [python, "-m", "mypy", "--config-file", "tests/mypy.ini", "scripts"],
        [sys.executable, "scripts/docs.py"],
        [sys.executable, "scripts/hosting.py"],
    ]
    failed = []
    for step in steps:
        name = " ".join(map(str, step[1:])).removeprefix("-m ")
        print(f"=== {name}", flush=True)
        if subprocess.run(step, cwd=environment.ROOT, env=os.environ | PATHS, check=False).returncode:
            failed.append(name)
    print("Failed: " + "; ".join(failed) if failed else "All checks passed.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
