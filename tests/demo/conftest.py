"""Fixtures of the demo's tests: the marker for tests that start a whole Airflow, and a demo in a subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a whole Airflow with its pages; takes a minute")


class RunningDemo:
    """The demo in a subprocess.

    :param arguments: its arguments
    :param folder: the folder for its temporary files
    """

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo", *arguments],
                cwd=ROOT,
                env={**os.environ, "TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """The output so far."""
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, text: str, seconds: float = 600.0) -> None:
        """Wait until the output contains a text."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} in its output (exit status {self.process.poll()}):\n{self.output}")
            time.sleep(0.05)

    def left_behind(self) -> list[str]:
        """Return the temporary files that still exist."""
        return [path.name for path in self.temporary.iterdir()]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., RunningDemo]]:
    """Start the demo, with these arguments."""
    started: list[RunningDemo] = []

    def start(*arguments: str) -> RunningDemo:
        running = RunningDemo(list(arguments), tmp_path)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.terminate()  # which also stops its Airflow
        running.process.wait(600)
