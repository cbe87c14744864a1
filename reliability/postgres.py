"""A throw-away PostgreSQL server on this machine, from the binaries that are installed, if any are."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def binaries() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``, the newest where there are several; None without any."""
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
    """Tell whether there is a server here, and a driver for it in an environment.

    :param python: the environment's Python
    """
    # Airflow 3 wants a second driver, for what it does asynchronously.
    code = "import importlib.metadata as m, psycopg2; m.version('apache-airflow')[0] < '3' or __import__('asyncpg')"
    done = subprocess.run([python, "-c", code], capture_output=True, timeout=60, check=False)
    return binaries() is not None and done.returncode == 0


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server with an empty database, and return its address for SQLAlchemy. Nothing of it is left afterwards.

    :raises FileNotFoundError: where PostgreSQL isn't installed
    """
    folder = binaries()
    if folder is None:
        raise FileNotFoundError("PostgreSQL isn't installed here (no initdb)")
    base = Path(tempfile.mkdtemp(prefix="oms-postgres-"))
    # It refuses to run as root.
    somebody: dict[str, Any] = {"user": _nobody(), "group": _group()} if os.geteuid() == 0 else {}
    data, port = base / "data", free_port()
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(base)}
    if somebody:
        shutil.chown(base, somebody["user"])
    run = {"cwd": base, "env": environment, "check": True, "capture_output": True, "timeout": 60, **somebody}
    started = False
    try:
        subprocess.run([folder / "initdb", "-D", data, "-U", "airflow", "-A", "trust", "-E", "UTF8", "-N"], **run)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={base} -c fsync=off"
        options += " -c max_connections=300"
        control = [folder / "pg_ctl", "-D", data, "-l", base / "log", "-w"]
        # Its output goes to the log: the server would keep a pipe open.
        quiet = {**run, "capture_output": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*control, "-o", options, "start"], **quiet)
        started = True
        subprocess.run([folder / "createdb", "-h", base, "-p", str(port), "-U", "airflow", "airflow"], **run)
        yield f"postgresql+psycopg2://airflow@127.0.0.1:{port}/airflow"
    finally:
        if started:
            subprocess.run([*control, "-m", "immediate", "stop"], **{**quiet, "check": False})
        shutil.rmtree(base, ignore_errors=True)


def _nobody() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group() -> int:
    return pwd.getpwnam(_nobody()).pw_gid
