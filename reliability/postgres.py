"""A temporary PostgreSQL server on this machine, from the installed binaries."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reliability import background


def binaries() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``, the newest if there are several, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).parent)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _version(folder: Path) -> float:
    with contextlib.suppress(ValueError):
        return float(folder.parent.name)
    return 0.0


def usable(python: str) -> bool:
    """Return whether a server is installed here, and a driver for it in an environment.

    :param python: the environment's Python
    """
    # Airflow 3 needs a second driver for its asynchronous code.
    code = "import importlib.metadata as m, psycopg2; m.version('apache-airflow')[0] < '3' or __import__('asyncpg')"
    done = subprocess.run([python, "-c", code], capture_output=True, timeout=60, check=False)
    return binaries() is not None and done.returncode == 0


def free_port() -> int:
    """Return an unused port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server with an empty database that can be killed and started again.

    :param base: an empty folder; its owner changes, because PostgreSQL refuses to run as root
    :raises FileNotFoundError: where PostgreSQL isn't installed
    """

    def __init__(self, base: Path) -> None:
        folder = binaries()
        if folder is None:
            raise FileNotFoundError("PostgreSQL isn't installed here (no initdb)")
        self.folder, self.base, self.port = folder, base, free_port()
        self._somebody: dict[str, Any] = {"user": _nobody(), "group": _group()} if os.geteuid() == 0 else {}
        if self._somebody:
            shutil.chown(base, self._somebody["user"])
        self._environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(base)}
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", base / "data", "-U", "airflow", "-A", "trust", "-E", "UTF8", "-N")
        self.start()
        try:
            self._run("createdb", "-h", base, "-p", self.port, "-U", "airflow", "airflow")
        except BaseException:
            self.stop()
            raise

    @property
    def address(self) -> str:
        """The database's address for SQLAlchemy."""
        return f"postgresql+psycopg2://airflow@127.0.0.1:{self.port}/airflow"

    def start(self) -> None:
        """Start the server; return once it accepts connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.base,
            "fsync": "off",
            "max_connections": 300,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [self.folder / "postgres", "-D", self.base / "data", *options]
        log = self.base / "log"
        self._process = background.start(command, log, cwd=self.base, env=self._environment, **self._somebody)
        if not background.wait_until(self._ready, self._process, 60):
            self.stop()
            raise RuntimeError(f"PostgreSQL doesn't start.\n{log.read_text()[-2000:]}")

    def _ready(self) -> bool:
        command = [self.folder / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "airflow"]
        return subprocess.run(command, env=self._environment, check=False, timeout=30).returncode == 0

    def kill(self) -> int:
        """Kill all processes of the server with SIGKILL; return how many there were."""
        import psutil

        if self._process is None:
            return 0
        members = [self._process, *psutil.Process(self._process.pid).children(recursive=True)]
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait(30)
        psutil.wait_procs(members[1:], timeout=30)
        self._process = None
        return len(members)

    def stop(self) -> None:
        """Stop the server immediately."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(word) for word in (self.folder / program, *arguments)]
        options: dict[str, Any] = {"cwd": self.base, "env": self._environment, **self._somebody}
        subprocess.run(command, check=True, capture_output=True, timeout=60, **options)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server with an empty database; yield its address for SQLAlchemy. Afterwards it is stopped and deleted.

    :raises FileNotFoundError: where PostgreSQL isn't installed
    """
    base = Path(tempfile.mkdtemp(prefix="oms-postgres-"))
    try:
        running = Server(base)
        try:
            yield running.address
        finally:
            running.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _nobody() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group() -> int:
    return pwd.getpwnam(_nobody()).pw_gid
