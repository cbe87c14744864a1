"""The demo, as a user runs it."""

from __future__ import annotations

import io
import re
import signal
import socket
import sys
import urllib.request

import psutil
import pytest
from rich.console import Console

from demo import dag_test
from demo.command import main
from demo.migration import demo_project
from demo.process import Process, runs
from demo.screen import Screen


def in_order(output, *texts):
    """Return whether an output contains texts in this order."""
    place = -1
    for text in texts:
        place = output.find(text, place + 1)
        if place < 0:
            return False
    return True


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


def listening(process):
    """Return the addresses at which a process listens; none if it has ended meanwhile, as some of Airflow's do."""
    try:
        return {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        return set()


def test_downstream_runs_after_the_milestones(demo):
    running = demo("--deferrable")
    assert running.process.wait(600) == 0, running.output
    output = running.output
    assert "OMS is simulated" in output
    assert "\x1b" not in output
    assert in_order(output, "What happened when", "project started", "full transfer reached", "lag of 25 s reached")
    # On a slow machine the second milestone is reached before the first gate opens.
    for milestone, gate in (("full transfer", "full_transfer"), ("lag of 25 s", "lag")):
        assert in_order(
            output,
            "What happened when",
            f"{milestone} reached",
            f"gate {gate} opened",
            "downstream began",
            "downstream ran",
            "Downstream ran, and only after",
        )
    assert output.count("\nok    ") == 6
    assert "WRONG" not in output
    assert not running.left_behind()


def test_ctrl_c_leaves_nothing_behind(demo):
    running = demo()
    running.wait_for("Airflow makes its database")
    started = descendants(running.process)
    assert started
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(600) == 130
    assert "Stopped." in running.output
    assert not any(map(runs, started))
    assert not running.left_behind()


@pytest.fixture
def screen():
    return Screen(Console(file=io.StringIO(), highlight=False))


def test_a_migration_that_cannot_be_started_fails_the_demo(tmp_path, monkeypatch, screen):
    def released():
        project = demo_project()
        project.status = "RELEASED"
        return project

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(dag_test, "demo_project", released)
    # A task that OMS refuses isn't retried, so the demo ends at once.
    assert dag_test.run_demo(screen, deferrable=False, keep=False) == 1
    output = screen.console.file.getvalue()
    assert "WRONG downstream ran" in output
    assert "RELEASED" in output
    (log,) = tmp_path.iterdir()
    assert str(log) in output.replace("\n", "")


def test_an_airflow_that_does_not_start_fails_the_demo(tmp_path, monkeypatch, screen):
    class Broken(Process):
        def __init__(self, command, environment, log):
            super().__init__([sys.executable, "-c", "raise SystemExit('no Airflow here')"], environment, log)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(dag_test, "Process", Broken)
    assert dag_test.run_demo(screen, deferrable=False, keep=True) == 1
    output = screen.console.file.getvalue()
    assert "no Airflow here" in output
    assert "exit status 1" in output
    (home,) = tmp_path.iterdir()
    assert f"Airflow's home is kept: {home}" in output


def test_a_port_that_is_taken_is_said_at_once(capsys):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            assert main(["--ui", "--port", str(port)]) == 1
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    assert f"Port {port} is taken" in capsys.readouterr().out


@pytest.mark.slow
def test_the_pages_come_and_go(demo):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = demo("--ui", "--port", str(port))
    running.wait_for("Ctrl-C stops everything.\n\n")
    output = running.output
    assert re.search(r"Login: +admin / \S{8,}", output)
    assert f"Address:        http://127.0.0.1:{port}" in output
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
        assert page.status == 200
    started = descendants(running.process)
    processes = (psutil.Process(running.process.pid), *started)
    assert set().union(*map(listening, processes)) == {"127.0.0.1"}
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(600) == 130
    assert not any(map(runs, started))
    assert not running.left_behind()
