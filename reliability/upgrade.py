"""Tests that waiting gates survive an upgrade of Airflow or of this package.

python -m reliability.upgrade --before PYTHON --after PYTHON [--package-before COMMIT]

The first Airflow defers gates and is stopped. Its database is copied, the second Airflow migrates the copy (``airflow
db migrate``) and is started. The simulated OMS doesn't change until all gates have polled there; then it continues.
The database is PostgreSQL, because on SQLite Airflow's own migration deletes every task instance. This Python and both
others need the ``reliability`` group of ``pyproject.toml``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_oms.simulator import Clock, Failure, Project, Simulator
from demo.home import airflow_environment, standalone_environment
from reliability import postgres
from reliability.__main__ import version_of
from reliability.cluster import ATTENTIVE, ROOT, Component, Database, components_of, patiently

DAG = "waiting"

#: How each task of ``waiting/gates.py`` must end once OMS continues.
ENDS = {
    **dict.fromkeys(("step", "full_transfer", "lag", "checkpoint", "verification", "status", "cutover"), "success"),
    **dict.fromkeys(("stored_connection", "reschedule", "operator"), "success"),
    "fails": "failed",
}

#: The state of each task while it waits.
WAITS = {name: "up_for_reschedule" if name == "reschedule" else "deferred" for name in ENDS}

#: The time on OMS's clock at the start, and how many real seconds to wait for a condition.
BEGIN, LIMIT = 1_800_000_000, 420.0


@dataclass
class Installation:
    """An Airflow with a version of this package, and its home.

    :param python: a Python that has that Airflow
    :param package: the folder with the package
    :param home: Airflow's home
    :param database: the address of its database, for SQLAlchemy
    :param settings: further environment variables
    """

    python: str
    package: Path
    home: Path
    database: str
    settings: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version of Airflow."""
        return version_of(self.python)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of its processes."""
        made = airflow_environment(self.home, ROOT / "reliability" / "waiting", "{}", deferrable=False)
        programs = [str(Path(self.python).parent), os.environ["PATH"]]
        return {
            **made,
            **standalone_environment(int(self.settings["OMS_RELIABILITY_PORT"])),
            **ATTENTIVE,
            "PATH": os.pathsep.join(programs),
            "PYTHONPATH": str(self.package),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            # No process is killed while a task runs, so a slow task must not count as dead.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "300",
            "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "10",
            "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "300",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database,
            **self.settings,
        }

    def airflow(self, *arguments: str) -> None:
        """Run a command of Airflow."""
        command = [self.python, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=self.home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"airflow {' '.join(arguments)} failed.\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")

    def tasks(self) -> dict[str, str | None]:
        """Return the state of each task."""
        states = patiently(Database(self.database).tasks)
        return {task: state for (dag, task), (state, _) in states.items() if dag == DAG}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the components of Airflow during the context."""
        parts = [
            Component([name, *rest], self.environment, self.home / f"{name}.log", self.python)
            for name, rest in components_of(tuple(int(part) for part in self.version.split(".")[:2])).items()
        ]
        try:
            for part in parts:
                part.start()
            yield
        except BaseException:
            for part in parts:
                if part.log.exists():
                    sys.stderr.write(f"--- {part.arguments[0]}\n{part.log.read_text(errors='replace')[-4000:]}\n")
            raise
        finally:
            for part in reversed(parts):
                part.kill()


def simulated() -> Simulator:
    """Return an OMS with a stopped clock."""
    shop = Project(
        name="shop", status="RUNNING", step="FULL_TRANSFER", durations={"FULL_TRANSFER": 300}, initial_lag=60
    )
    broken = Project(
        name="broken",
        status="RUNNING",
        step="FULL_TRANSFER",
        durations={"FULL_TRANSFER": 300},
        failures=[Failure("FULL_TRANSFER")],
    )
    quiet = Project(name="quiet", status="RUNNING", step="INCR_TRANSFER")
    slow = Project(name="slow", status="RUNNING", step="INCR_TRANSFER", stop_delay=300)
    return Simulator([shop, broken, quiet, slow], clock=Clock(start=BEGIN, speed=0))


def wait_until(said: str, holds: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait until a condition holds.

    :param said: a description of the condition, for the error
    :param holds: returns whether it holds
    :param limit: real seconds to wait at most
    :raises TimeoutError: the condition doesn't hold in that time
    """
    until = time.monotonic() + limit
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"Not so after {limit:g} s: {said}")
        time.sleep(1)


def package_of(commit: str, folder: Path) -> Path:
    """Extract the package of a commit into a folder, and return the folder."""
    packed = subprocess.run(
        ["git", "archive", commit, "airflow_provider_oms"], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def copy(database: str, to: str) -> None:
    """Copy a database that is not in use, on the same server.

    :param database: its address
    :param to: the address of the copy
    """
    from sqlalchemy import create_engine, text

    engine = create_engine(to.rsplit("/", 1)[0] + "/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name, new = database.rsplit("/", 1)[1], to.rsplit("/", 1)[1]
        connection.execute(text(f'CREATE DATABASE "{new}" TEMPLATE "{name}"'))
    engine.dispose()


def upgrade(before: Installation, after: Installation, oms: Simulator) -> list[dict[str, Any]]:
    """Let gates wait under one installation and end under another.

    :param before: the installation that defers them
    :param after: the installation under which they end, with a database that doesn't exist yet
    :param oms: the OMS that they ask
    :return: for each task its states before and after, and how it ended
    """
    before.airflow("db", "migrate")
    before.airflow("connections", "add", "oms_stored", "--conn-json", oms.connection_json)
    with before.running():
        wait_until("every gate waits", lambda: before.tasks() == WAITS)
    copy(before.database, after.database)
    after.airflow("db", "migrate")
    migrated = after.tasks()
    oms.clear_requests()
    with after.running():
        wait_until("each project was polled", lambda: len({*map(_asked, oms.requests)} & {*oms.projects}) == 4)
        time.sleep(10)
        early = {task for task, state in after.tasks().items() if state in ("success", "failed")}
        oms.project("quiet").stop()
        oms.clock.advance(3600)
        with contextlib.suppress(TimeoutError):
            wait_until("every gate has ended", lambda: {*after.tasks().values()} <= {"success", "failed"})
        ended = after.tasks()
    for task in sorted(early | {task for task, state in ended.items() if state != ENDS.get(task)}):
        for log in sorted((after.home / "logs").rglob(f"*task_id={task}/*.log")):
            sys.stderr.write(f"--- {log.relative_to(after.home)}\n{log.read_text(errors='replace')[-20000:]}\n")
    return [
        {
            "task": task,
            "waits": WAITS[task],
            "migrated": str(migrated.get(task)),
            "ended": str(ended.get(task)),
            "right": ended.get(task) == ENDS[task] and task not in early,
            "early": task in early,
        }
        for task in ENDS
    ]


def _asked(request: Any) -> Any:
    return request.payload.get("id") if isinstance(request.payload, dict) else None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reliability.upgrade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--before", required=True, metavar="PYTHON", help="the Python of the environment that defers the gates"
    )
    parser.add_argument(
        "--after", required=True, metavar="PYTHON", help="the Python of the environment in which they end"
    )
    parser.add_argument(
        "--package-before", metavar="COMMIT", help="the commit whose package defers them (default: this checkout)"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oms-upgrade-") as name, simulated() as oms, postgres.server() as database:
        folder = Path(name)
        package = package_of(given.package_before, folder / "package") if given.package_before else ROOT
        settings = {
            "AIRFLOW_CONN_OMS_DEFAULT": oms.connection_json,
            "OMS_RELIABILITY_PORT": str(postgres.free_port()),
            # As in production, every process has the key that encrypts rows and connections.
            "AIRFLOW__CORE__FERNET_KEY": _key(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__WEBSERVER__SECRET_KEY": secrets.token_hex(32),
        }
        for home in ("before", "after"):
            (folder / home).mkdir()
        python, other = (str(Path(path).absolute()) for path in (given.before, given.after))
        before = Installation(python, package, folder / "before", database, settings)
        after = Installation(other, ROOT, folder / "after", f"{database}_copy", settings)
        came = upgrade(before, after, oms)
    print(f"\nAirflow {before.version}, package {given.package_before or 'of this checkout'}, to {after.version}:\n")
    print("| task | waits in | after `db migrate` | in the end | |\n|---|---|---|---|---|")
    for row in came:
        verdict = "right" if row["right"] else "EARLY" if row["early"] else "LOST"
        print(f"| {row['task']} | {row['waits']} | {row['migrated']} | {row['ended']} | {verdict} |")
    return 0 if all(row["right"] for row in came) else 1


def _key() -> str:
    import base64

    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    sys.exit(main())
