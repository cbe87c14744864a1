"""Pin the packages of the environments in which an Airflow is tested: ``constraints/airflow-*.txt``.

python3 scripts/constraints.py [--airflow 3.1]     pin packages that pyproject.toml newly requires
python3 scripts/constraints.py --upgrade           pin the newest version of every package

This asks PyPI. Review the difference before you commit it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import environment
from versions import AIRFLOWS, Airflow

#: Packages that ``published_before`` doesn't apply to: they work with every Airflow, or their older versions decompress
#: answers without a limit.
ALWAYS_NEW = ("apache-airflow-providers-common-compat", "aiohttp", "urllib3")


def file_of(version: str) -> Path:
    """Return the file with the pins of an Airflow.

    :param version: a key of ``AIRFLOWS``
    """
    return environment.ROOT / "constraints" / f"airflow-{version}.txt"


def wanted(airflow: Airflow) -> list[str]:
    """Return the requirements in addition to those of ``pyproject.toml``.

    :param airflow: the version
    """
    exact = [f"apache-airflow=={airflow.release}"]
    if re.search("[a-z]", airflow.release):
        # A package in a pre-release is taken only if it is named.
        exact += [f"apache-airflow-core=={airflow.release}", "apache-airflow-task-sdk>=1.0.0a0"]
    return exact


def pin(version: str, upgrade: bool) -> None:
    """Write the file with the pins of an Airflow.

    :param version: a key of ``AIRFLOWS``
    :param upgrade: renew all pins
    """
    airflow = AIRFLOWS[version]
    options = ["--python-version", min(airflow.pythons, key=_parts), "--no-header", "--no-annotate", "--quiet"]
    if airflow.published_before:
        today = datetime.now(UTC).date().isoformat()
        options += ["--exclude-newer", airflow.published_before]
        options += [word for name in ALWAYS_NEW for word in ("--exclude-newer-package", f"{name}={today}")]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as asked:
        asked.write("".join(f"{line}\n" for line in wanted(airflow)))
        asked.flush()
        where = ["--constraint", asked.name, "--output-file", file_of(version)]
        where += ["--upgrade"] if upgrade else []
        command = [environment.uv(), "pip", "compile", "pyproject.toml", "--group", "test", "--group", "lint"]
        subprocess.run([*command, *options, *where], cwd=environment.ROOT, check=True)


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--airflow", choices=AIRFLOWS, action="append", help="this version; may be given again")
    parser.add_argument("--upgrade", action="store_true", help="pin the newest version of every package")
    given = parser.parse_args()
    for version in given.airflow or AIRFLOWS:
        pin(version, given.upgrade)
        print(file_of(version).relative_to(environment.ROOT), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
