"""Tests of stopping a process together with all processes that it has started."""

from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from demo.process import Process, runs

#: A parent that doesn't stop, and a child in a session of its own that ignores signals.
STUBBORN = """
import os, signal, subprocess, sys, time
child = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; print('child', flush=True); "
child += "time.sleep(600)"
started = subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
if sys.argv[1:] == ["stubborn"]:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("parent", started.pid, flush=True)
time.sleep(600)
"""


def start(tmp_path, *arguments):
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    return Process([sys.executable, "-c", STUBBORN, *arguments], environment, tmp_path / "log")


def child_of(tmp_path):
    """Return the child's id, once both processes have started."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        said = (tmp_path / "log").read_text()
        if "child\n" in said and "parent " in said and said.endswith("\n"):
            return int(said.split("parent ")[1].split()[0])
        time.sleep(0.02)
    raise AssertionError("it didn't start")


def is_gone(pid):
    try:
        return not runs(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("arguments", [(), ("stubborn",)], ids=["ends when asked", "doesn't"])
def test_nothing_is_left(tmp_path, arguments, monkeypatch):
    monkeypatch.setattr("demo.process.SHORT_PATIENCE", 0.2)
    process = start(tmp_path, *arguments)
    child = child_of(tmp_path)
    process.stop(patience=0.5)
    assert process.exit_code() is not None
    assert is_gone(process.pid)
    assert is_gone(child)


def test_also_when_the_block_is_left_by_an_exception(tmp_path, monkeypatch):
    monkeypatch.setattr("demo.process.SHORT_PATIENCE", 0.2)
    pids = []

    def interrupted():
        with start(tmp_path) as process:
            pids.extend([process.pid, child_of(tmp_path)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(map(is_gone, pids))


def test_stopping_what_has_ended_does_nothing(tmp_path):
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    process = Process([sys.executable, "-c", "print('done')"], environment, tmp_path / "log")
    process.stop(patience=30)
    process.stop()
    assert process.exit_code() is not None
