"""Runs an Airflow whose components are separate processes, which can be killed and started again.

The Python that runs this must have that Airflow. Afterwards nothing is left running or on disk.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import psutil

from demo.home import airflow_environment, airflow_version, standalone_environment
from reliability import background
from reliability.postgres import free_port
from tests.triggerer.process import SETTINGS as TRIGGERER_SETTINGS
from tests.triggerer.process import session

ROOT = Path(__file__).resolve().parent.parent

#: Settings with which Airflow notices within seconds, not minutes, that a process was killed.
ATTENTIVE = {
    **TRIGGERER_SETTINGS,
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    # 3.x
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "25",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    # 2.11
    "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "25",
    "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "5",
}

#: Matches the command line of a process that runs or supervises a task.
_TASK = re.compile(
    r"airflow worker -- [0-9a-f]{8}-[0-9a-f]{4}-"  # 3.x
    r"|airflow worker -- LocalExecutor: (?!<idle>)"
    r"|airflow task (runner|supervisor): "  # 2.11
)


class Component:
    """A component of Airflow, which runs in a session of its own.

    :param arguments: arguments of the command ``airflow``
    :param environment: its environment variables
    :param log: the file to which its output is appended
    :param python: a Python that has the Airflow
    """

    def __init__(
        self, arguments: list[str], environment: Mapping[str, str], log: Path, python: str = sys.executable
    ) -> None:
        self.arguments, self.environment, self.log, self.python = arguments, environment, log, python
        self.died = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the component."""
        command = [self.python, "-m", "airflow", *self.arguments]
        environment = dict(self.environment)
        self._process = background.start(command, self.log, env=environment, cwd=environment["AIRFLOW_HOME"])

    def members(self) -> list[psutil.Process]:
        """Return the component's processes, including those that they have started."""
        return [] if self._process is None else session(self._process.pid)

    def kill(self) -> int:
        """Kill all processes of the component with SIGKILL; return how many there were."""
        if self._process is None:
            return 0
        process = self._process
        members = self.members()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        psutil.wait_procs(members, timeout=30)
        # Processes that were forked while the others were killed.
        for member in session(process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process = None
        return len(members)

    def end(self, grace: float) -> None:
        """Stop the component with SIGTERM, and later kill the processes that are left.

        :param grace: real seconds to wait before the remaining processes are killed
        """
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self.kill()

    def tend(self) -> None:
        """Start the component again if it has ended by itself, as a service manager does."""
        if self._process is not None and self._process.poll() is not None:
            self.died += 1
            self.kill()
            self.start()


def runs_a_task(command_line: str) -> bool:
    """Return whether a process with this command line runs or supervises a task."""
    return bool(_TASK.search(command_line))


class Cluster:
    """An Airflow: its database, its home and its components. Leaving the context ends and deletes all of it.

    :param connections: environment variables with its connections, and others that its tasks need
    :param database: the database's address for SQLAlchemy; None for SQLite in its home
    """

    def __init__(self, connections: Mapping[str, str], database: str | None = None) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="oms-reliability-"))
        self.database = database or f"sqlite:///{self.home}/airflow.db"
        one_by_one = airflow_version() < (3,) and database is None
        port = free_port()
        self.environment = {
            **airflow_environment(self.home, ROOT / "reliability" / "dags", "{}", deferrable=True),
            **standalone_environment(port),
            **ATTENTIVE,
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database,
            "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor" if one_by_one else "LocalExecutor",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": "",
            # All components must have the same secrets; by default each generates its own.
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__WEBSERVER__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "64",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "10",
            **connections,
        }
        self.components = {
            name: self._component(name, *rest) for name, rest in components_of(airflow_version()).items()
        }

    def _component(self, name: str, *arguments: str) -> Component:
        return Component([name, *arguments], self.environment, self.home / f"{name}.log")

    def __enter__(self) -> Self:
        try:
            self._migrate()
            for component in self.components.values():
                component.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _migrate(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            timeout=240,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"airflow db migrate failed.\n{done.stderr.decode(errors='replace')[-3000:]}")

    def stop(self) -> None:
        """Kill all components, and delete Airflow's home."""
        for component in reversed(list(self.components.values())):
            component.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def tend(self) -> None:
        """Start each component again that has ended by itself."""
        for component in self.components.values():
            component.tend()

    @property
    def died(self) -> int:
        """How often components have ended by themselves."""
        return sum(component.died for component in self.components.values())

    def kill(self, what: str, dice: random.Random) -> str | None:
        """Kill a whole component and start it again, or kill a process that runs a task.

        :param what: ``scheduler``, ``triggerer`` or ``task``
        :param dice: decides which task is killed, or after how many seconds the component is started again
        :return: a description of what was killed; None if no task was running
        """
        if what != "task":
            count = self.components[what].kill()
            time.sleep(dice.uniform(0, 3))
            self.components[what].start()
            return f"{what} ({count} processes)"
        victims = {}
        for process in self.components["scheduler"].members():
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if runs_a_task(line):
                    victims[process.pid] = (process, line)
        if not victims:
            return None
        process, line = victims[dice.choice(sorted(victims))]
        with contextlib.suppress(psutil.Error):
            # Its child processes are killed too, as if the worker's machine had failed.
            children = process.children(recursive=True)
            for one in (process, *children):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            return line[:120]
        return None

    def tail(self, size: int = 3000) -> str:
        """Return the end of each component's log."""
        parts = []
        for name in self.components:
            log = self.home / f"{name}.log"
            text = log.read_text(errors="replace") if log.exists() else ""
            parts.append(f"--- {name}\n{text[-size:]}")
        return "\n".join(parts)


def components_of(version: tuple[int, ...]) -> dict[str, list[str]]:
    """Return the components of an Airflow by name, each with its arguments.

    :param version: the version of Airflow
    """
    if version < (3,):
        return {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}
    return {
        "api-server": [],
        "dag-processor": [],
        "scheduler": ["--skip-serve-logs"],
        "triggerer": ["--skip-serve-logs"],
    }


class Database:
    """Queries of Airflow's database that don't use Airflow's own code.

    :param address: the database's address for SQLAlchemy
    """

    def __init__(self, address: str) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        if address.startswith("sqlite:///"):
            # Read-only, so that a query never blocks Airflow.
            address = f"sqlite:///file:{address.removeprefix('sqlite:///')}?mode=ro&uri=true"
        self._engine = create_engine(address, poolclass=NullPool)

    def _read(self, query: str) -> list[Any]:
        from sqlalchemy import text

        with self._engine.connect() as connection:
            return list(connection.execute(text(query)))

    def tasks(self) -> dict[tuple[str, str], tuple[str | None, int]]:
        """Return the state and the number of tries of each task, by DAG id and task id.

        If a DAG has several runs, a task instance that hasn't succeeded takes precedence.
        """
        rows = self._read("SELECT dag_id, task_id, state, try_number FROM task_instance")
        found: dict[tuple[str, str], tuple[str | None, int]] = {}
        for dag, task, state, tries in rows:
            if found.get((dag, task), ("success", 0))[0] == "success":
                found[dag, task] = (state, int(tries or 0))
        return found

    def returned(self) -> dict[tuple[str, str], Any]:
        """Return the return value of each task, by DAG id and task id."""
        rows = self._read("SELECT dag_id, task_id, value FROM xcom WHERE key = 'return_value'")
        return {(row[0], row[1]): decoded(row[2]) for row in rows}

    def told_of(self, task_id: str) -> list[str]:
        """Return Airflow's log entries about a task, oldest first.

        :param task_id: the task; it is put into the query unquoted, so it must come from this code
        """
        rows = self._read(f"SELECT dttm, event, extra FROM log WHERE task_id = '{task_id}' ORDER BY id")
        return [" ".join(str(part) for part in row) for row in rows]

    def events(self) -> dict[str, list[dict[str, Any]]]:
        """Return the payloads of the asset events, by the asset's name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for name, extra in self._read("SELECT a.name, e.extra FROM asset_event e JOIN asset a ON a.id = e.asset_id"):
            found.setdefault(name, []).append(decoded(extra)["payload"])
        return found


def decoded(value: Any) -> Any:
    """Return an XCom's value. Depending on version and database, its JSON is stored as bytes or encoded twice."""
    import json

    if isinstance(value, memoryview):
        value = bytes(value)
    while isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return value


def patiently(read: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Call a function until it succeeds: the database may be locked or not exist yet."""
    until = time.monotonic() + seconds
    while True:
        try:
            return read()
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
