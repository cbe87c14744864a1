"""The files that the project's host reads, parsed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path for path in sorted((GITHUB / "workflows").glob("*.yml"))}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def read(path: Path) -> Any:
    """Read a file of YAML, which JSON is, too. The key ``on`` of a workflow is read as true."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs() -> dict[str, dict[str, Any]]:
    """Return every job of every workflow, by the names of both."""
    return {
        f"{workflow}: {name}": job for workflow, path in WORKFLOWS.items() for name, job in read(path)["jobs"].items()
    }


def steps() -> list[dict[str, Any]]:
    """Return every step of every workflow."""
    return [step for job in jobs().values() for step in job["steps"]]


def pinned(pins: str) -> dict[str, str]:
    """Return what a file of constraints pins: packages and their versions.

    :param pins: the file's name, without its suffix
    """
    lines = (ROOT / "constraints" / f"{pins}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)
