"""Build a release into ``dist/`` and check it; refuse a release that isn't ready to be published.

python3 scripts/release.py [--tag v0.1.0] [--dry-run]
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment

#: The placeholder for addresses and names that are known only to whoever publishes the project.
PLACEHOLDER = "replace-me"

#: The files that name the project's host.
ADDRESSED = ("pyproject.toml", ".github/CODEOWNERS")


def version(root: Path) -> str:
    """Return the version of a checkout, without importing it.

    :param root: the checkout
    """
    source = (root / "airflow_provider_oms" / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)[0]


def obstacles(root: Path, tag: str | None = None) -> list[str]:
    """Return the reasons why a checkout can't be published yet, one sentence each.

    :param root: the checkout
    :param tag: the tag that it is to be published as, if there is one already
    """
    found = []
    for name in ADDRESSED:
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        if left := [str(number) for number, line in enumerate(lines, 1) if PLACEHOLDER in line]:
            found.append(f"{name} still has the placeholder {PLACEHOLDER!r}, in line {', '.join(left)}.")
    released = version(root)
    if not re.search(
        rf"^## {re.escape(released)} \(\d{{4}}-\d\d-\d\d\)$",
        (root / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    ):
        found.append(f"CHANGELOG.md has no heading '## {released} (date of the release, as in 2026-01-31)'.")
    if tag not in (None, f"v{released}"):
        found.append(f"The tag is {tag}, but __version__ is {released}, whose tag is v{released}.")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", help="the tag to publish; it must be the version's")
    parser.add_argument("--dry-run", action="store_true", help="build and check even if a release would be refused")
    options = parser.parse_args()
    in_the_way = obstacles(environment.ROOT, options.tag)
    for obstacle in in_the_way:
        print(f"{'Before a release' if options.dry_run else 'Refused'}: {obstacle}", flush=True)
    if in_the_way and not options.dry_run:
        return 1
    python = environment.make_hosting()
    dist = environment.ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    # Built with the versions that constraints/hosting.txt pins, not with the newest on PyPI.
    subprocess.run([python, "-m", "build", "--no-isolation", environment.ROOT], check=True)
    subprocess.run([python, "-m", "twine", "check", "--strict", *sorted(dist.iterdir())], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
