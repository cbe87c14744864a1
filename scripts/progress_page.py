"""Test the page "Migration progress" in a real browser, on each Airflow that has it, and make the docs' pictures.

python3 scripts/progress_page.py [--airflow 3.3] [--to docs/images/progress]

It needs Chromium and npm, which fetches axe (on Debian: apt-get install chromium npm). Without --to it makes no
pictures, and only tests.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import environment

#: The versions of Airflow that have the page.
VERSIONS = ("3.3", "3.2", "3.1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=VERSIONS, action="append", help="only this one")
    parser.add_argument("--to", type=Path, help="the folder for the pictures: docs/images/progress")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (default: /usr/bin/chromium)")
    parser.add_argument("--port", type=int, default=18090, help="for Airflow")
    given = parser.parse_args()
    if given.to:
        given.to.mkdir(parents=True, exist_ok=True)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        axe = fetch_axe(Path(folder))
        for version in given.airflow or VERSIONS:
            python = environment.make(version, "screenshots")
            print(f"\n=== Airflow {version}", flush=True)
            arguments = [version, given.port, given.chromium, axe, *([given.to.resolve()] if given.to else [])]
            if not environment.run_script(python, "browse_progress.py", *arguments):
                failed.append(version)
    print("\n" + (f"Failed: {', '.join(failed)}" if failed else "All checks passed."), flush=True)
    return 1 if failed else 0


def fetch_axe(folder: Path) -> Path:
    """Download axe from npm's registry; return its script.

    :param folder: where it goes
    """
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm isn't installed; it is needed to download axe.")
    subprocess.run([npm, "pack", "--silent", "axe-core@4"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("axe-core-*.tgz")
    with tarfile.open(package) as opened:
        opened.extract("package/axe.min.js", folder, filter="data")
    return folder / "package" / "axe.min.js"


if __name__ == "__main__":
    sys.exit(main())
