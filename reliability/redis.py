"""A temporary Redis on this machine that can be killed, from the installed binary."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from pathlib import Path

from reliability import background
from reliability.postgres import free_port


def binary() -> str | None:
    """Return the path of ``redis-server``, or None."""
    return shutil.which("redis-server")


def usable(python: str) -> bool:
    """Return whether a server is installed here, and the Celery provider with its driver in an environment.

    :param python: the environment's Python
    """
    code = "import importlib.metadata as m, celery, redis; m.version('apache-airflow-providers-celery')"
    done = subprocess.run([python, "-c", code], capture_output=True, timeout=60, check=False)
    return binary() is not None and done.returncode == 0


class Redis:
    """A server that stores nothing on disk, so that a kill loses the queue.

    :param folder: an empty folder for its log
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The server's address for Celery."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server; return once it answers.

        :raises FileNotFoundError: where Redis isn't installed
        """
        program = binary()
        if program is None:
            raise FileNotFoundError("Redis isn't installed here (no redis-server)")
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        log = self.folder / "redis.log"
        self._process = background.start([program, *settings, "--dir", self.folder], log)
        if not background.wait_until(self._answers, self._process, 30):
            self.kill()
            raise RuntimeError(f"Redis doesn't start.\n{log.read_text(errors='replace')[-2000:]}")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as asked:
            asked.sendall(b"PING\r\n")
            return asked.recv(16).startswith(b"+PONG")
        return False

    def kill(self) -> int:
        """Kill the server with SIGKILL; return how many processes there were."""
        if self._process is None:
            return 0
        self._process.kill()
        self._process.wait(30)
        self._process = None
        return 1

    stop = kill
