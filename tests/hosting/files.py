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
    """Read a YAML or JSON file. YAML reads the key ``on`` of a workflow as true."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs() -> dict[str, dict[str, Any]]:
    """Return every job of every workflow, by the names of workflow and job."""
    return {
        f"{workflow}: {name}": job for workflow, path in WORKFLOWS.items() for name, job in read(path)["jobs"].items()
    }


def steps() -> list[dict[str, Any]]:
    """Return every step of every workflow."""
    return [step for job in jobs().values() for step in job["steps"]]


def pinned(pins: str) -> dict[str, str]:
    """Return the packages and versions that a file of constraints pins.

    :param pins: the file's name, without its suffix
    """
    lines = (ROOT / "constraints" / f"{pins}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)
