"""Runs a DAG in a separate process, for settings that Airflow reads once per process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.pages import ROOT


def run_dag(runner: str, file: Path, text: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Let a module of the tests run a DAG, and return how its process ended.

    :param runner: the module, whose argument is the file
    :param file: the file that the DAG is saved as while it runs
    :param text: the DAG's source
    :param environment: further environment variables
    """
    file.write_text(text)
    try:
        return subprocess.run(
            [sys.executable, "-m", runner, str(file)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
    finally:
        file.unlink()
