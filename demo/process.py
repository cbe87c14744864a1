"""A process of the demo's Airflow in a session of its own, which is stopped as a whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

#: Seconds for a process to end by itself after SIGINT, and for the session to end after SIGTERM.
PATIENCE = 15.0
SHORT_PATIENCE = 3.0


class Process:
    """A process whose output goes to a file. As a context manager it leaves nothing running behind.

    :param command: what to run
    :param environment: its environment
    :param log: the file that its output is added to
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._members: dict[int, psutil.Process] = {}
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only the demo, which then stops Airflow with the right signals.
            self._popen = subprocess.Popen(  # noqa: S603 - our own Python and arguments
                command,
                env=dict(environment),
                cwd=environment["AIRFLOW_HOME"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._popen.poll()

    def stop(self, patience: float = PATIENCE) -> None:
        """End the process and everything that it has started, and return when nothing is left.

        SIGINT first: on SIGTERM ``airflow standalone`` leaves its components behind.

        :param patience: seconds to end after SIGINT, before further signals are sent
        """
        try:
            if self._popen.poll() is None:
                self._remember()
                with contextlib.suppress(ProcessLookupError):
                    self._popen.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._popen.wait(patience)
            self._end_all(signal.SIGTERM, SHORT_PATIENCE)
        finally:
            self._end_all(signal.SIGKILL, SHORT_PATIENCE)
            self._popen.wait()

    def _end_all(self, number: signal.Signals, patience: float) -> None:
        left = self._remember()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        psutil.wait_procs(left, timeout=patience)

    def _remember(self) -> list[psutil.Process]:
        """Return the running processes of the session, and those that they have started in other sessions."""
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.pid:
                    self._members.setdefault(pid, psutil.Process(pid))
        for member in list(self._members.values()):
            with contextlib.suppress(psutil.Error):
                for child in member.children(recursive=True):
                    self._members.setdefault(child.pid, child)
        self._members = {pid: member for pid, member in self._members.items() if runs(member)}
        return list(self._members.values())


def runs(process: psutil.Process) -> bool:
    """Tell whether a process is running, and is not a zombie."""
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
