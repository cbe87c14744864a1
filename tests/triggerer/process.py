"""A real ``airflow triggerer`` process, which can be killed as a whole and started again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

#: Seconds without a heartbeat after which Airflow assigns a triggerer's triggers to another one.
TAKEN_OVER_AFTER = 5

#: Real seconds to wait for anything at most.
PATIENCE = 600.0

SETTINGS = {
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": str(TAKEN_OVER_AFTER),
    "PYTHONUNBUFFERED": "1",
    "NO_COLOR": "1",
    "COLUMNS": "1000",
}

_BLOCKED = re.compile(r"was blocked for ([\d.]+) seconds")


class Triggerer:
    """Airflow's triggerer. Leaving the context kills all its processes.

    :param log: the file that its output is added to
    :param settings: further environment variables
    """

    def __init__(self, log: Path, **settings: str) -> None:
        self.log = log
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process in a session of its own."""
        environment = {**os.environ, **SETTINGS, **self._settings}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"],
                env=environment,
                cwd=environment["AIRFLOW_HOME"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> int:
        """Kill all its processes with SIGKILL, and return how many there were."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        members = session(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait(30)
        psutil.wait_procs(members, timeout=30)
        return len(members)

    def check(self) -> None:
        """Fail with its log if it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"The triggerer ended by itself ({self._process.returncode}).\n{self.text()[-5000:]}")

    def text(self) -> str:
        """Return its output so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def blocked(self, since: int = 0) -> list[float]:
        """Return how many seconds the event loop was blocked, each time that Airflow warned about it.

        :param since: how many characters of :meth:`text` to skip
        """
        return [float(seconds) for seconds in _BLOCKED.findall(self.text()[since:])]

    def __enter__(self) -> Triggerer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        _note_that_none_runs()


def _note_that_none_runs() -> None:
    """Record in Airflow's database that the killed triggerers don't run.

    Otherwise ``dag.test()`` of 2.11 leaves deferred tasks to a triggerer with a recent heartbeat, and waits for ever.
    """
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session

    with create_session() as session:
        running = session.query(Job).filter(Job.job_type == "TriggererJob", Job.state == "running")
        running.update({"state": "failed"}, synchronize_session=False)


def wait_for(what: str, condition: Callable[[], bool], triggerer: Triggerer) -> None:
    """Wait for something that a triggerer does, however long the machine takes."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        triggerer.check()
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {PATIENCE:g} s: {what}.\n{triggerer.text()[-5000:]}")
        time.sleep(0.2)


def session(leader: int) -> list[psutil.Process]:
    """Return the processes of a session, and those that they have started in other sessions."""
    members: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader:
                for one in (process, *process.children(recursive=True)):
                    members[one.pid] = one
    return list(members.values())
