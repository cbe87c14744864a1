"""Virtual environments, made with nothing but Python and pip: one for each Airflow, one for the documentation."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.3", "2.11")


def make(version: str, *groups: str) -> Path:
    """Make, or bring up to date, the environment with this checkout and one Airflow; return its Python.

    :param version: an Airflow that has a constraints file
    :param groups: dependency groups of ``pyproject.toml`` to install as well
    """
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        sys.exit(f"Python 3.11 or 3.12 is needed (Airflow 2.11 knows no later one); this is {sys.version.split()[0]}.")
    checkout = ["--editable", str(ROOT)]
    return _make("-".join([f".venv-airflow-{version}", *groups]), f"airflow-{version}", checkout, groups)


def make_docs() -> Path:
    """Make, or bring up to date, the environment that builds the documentation; return its Python."""
    return _make(".venv-docs", "docs", [], ["docs"])


def make_hosting() -> Path:
    """Make, or bring up to date, the environment that checks what the project's host reads, and builds releases.

    :returns: its Python
    """
    return _make(".venv-hosting", "hosting", [], ["hosting"])


def make_cloud() -> Path:
    """Make, or bring up to date, the environment of Alibaba Cloud's official SDK; return its Python."""
    return _make(".venv-cloud", "cloud", [], ["cloud"])


def _make(name: str, pins: str, checkout: Sequence[str], groups: Sequence[str]) -> Path:
    where = ROOT / name
    python = where / "bin" / "python"
    constraints = ROOT / "constraints" / f"{pins}.txt"
    project = ROOT / "pyproject.toml"
    wanted = hashlib.sha256(
        repr((sys.version, tuple(groups))).encode() + constraints.read_bytes() + project.read_bytes()
    )
    stamp = where / "made-from"
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return python
    print(f"Installing {pins} into {where.name} (once) ...", flush=True)
    venv.create(where, clear=True, with_pip=True)
    declared = tomllib.loads(project.read_text())["dependency-groups"]
    requirements = [requirement for group in groups for requirement in declared[group]]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--constraint", constraints, *checkout, *requirements], check=True)
    stamp.write_text(wanted.hexdigest())
    return python
