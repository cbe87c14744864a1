"""Runs an Airflow on Celery, whose components can be killed, upgraded and given wrong clocks.

There are two schedulers, triggerers and workers. It uses the installed Redis and PostgreSQL. Afterwards nothing is left
running or on disk.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from demo.home import airflow_version
from reliability import clocks
from reliability.cluster import ROOT, Cluster, Component
from reliability.oms import Oms
from reliability.postgres import Server
from reliability.redis import Redis
from reliability.wide import CLOCKS, UPGRADE

#: Settings for a machine with two cores, with which Airflow still notices within a minute that a process has died.
SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "AIRFLOW__CORE__PARALLELISM": "16",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
    "AIRFLOW__CELERY__SYNC_PARALLELISM": "1",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
    "AIRFLOW__SCHEDULER__PARSING_PROCESSES": "1",
    "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "60",
    "AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR": "True",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    # Above this number Airflow fails a task that was lost with the queue or stuck in it, whatever its retries.
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "120",
    "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "50",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "60",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "3",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__WEBSERVER__WORKERS": "1",
}

#: By how many seconds some clocks are set ahead, and the components whose clocks these are.
AHEAD, SKEWED = 90, ("worker-2", "triggerer-2")

#: Real seconds that a component has to end after SIGTERM when it is upgraded.
GRACE = 15.0


def components_of(version: tuple[int, ...], home: Path) -> dict[str, list[str]]:
    """Return the components by name, each with its arguments. If there are two of a kind, the names end with numbers.

    :param version: the version of Airflow
    :param home: Airflow's home
    """
    quiet = ["--skip-serve-logs"]
    parts = {"web": ["webserver" if version < (3,) else "api-server"], "dag-processor": ["dag-processor"]}
    for number in "12":
        parts[f"scheduler-{number}"] = ["scheduler", *quiet]
        parts[f"triggerer-{number}"] = ["triggerer", *quiet]
        name = f"worker-{number}"
        of_its_own = ["--celery-hostname", f"{name}@%h", "--pid", str(home / f"{name}.pid")]
        parts[name] = ["celery", "worker", *quiet, "--without-mingle", "--without-gossip", *of_its_own]
    return parts


class DistributedAirflow(Cluster):
    """A distributed Airflow. Leaving the context ends and deletes all of it.

    :param oms: the OMS of its tasks; it is killed as well
    :param postgres: its database
    :param redis: its broker
    :param environment: environment variables with its connections, and others that its tasks need
    :param package: the folder with the package that is used until the upgrade
    """

    def __init__(self, oms: Oms, postgres: Server, redis: Redis, environment: Mapping[str, str], package: Path) -> None:
        celery = {
            "AIRFLOW__CELERY__BROKER_URL": redis.address,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{postgres.address}",
            "PYTHONPATH": str(package),
        }
        super().__init__({**SETTINGS, **celery, **environment}, postgres.address)
        self.oms = oms
        self.services: dict[str, Any] = {"oms": oms, "postgresql": postgres, "redis": redis}
        self.components = {
            name: Component(arguments, dict(self.environment), self.home / f"{name}.log")
            for name, arguments in components_of(airflow_version(), self.home).items()
        }

    def tend(self) -> None:
        """Start each component again that has ended by itself; fail if OMS has."""
        self.oms.check()
        super().tend()

    def kill(self, what: str, dice: random.Random) -> str | None:
        """Kill a component and start it again, or upgrade all of them, or set clocks ahead.

        :param what: one of :data:`~reliability.wide.PARTS`, or ``UPGRADE`` or ``CLOCKS``
        :param dice: decides which component is killed, and after how many seconds it is started again
        :return: a description of what was done
        """
        if what == UPGRADE:
            return self._upgrade()
        if what == CLOCKS:
            return self._set_clocks()
        name = dice.choice(sorted(self._named(what)))
        part = self._named(what)[name]
        count = part.kill()
        time.sleep(dice.uniform(0, 3))
        part.start()
        return f"{name} ({count} processes)"

    def _named(self, what: str) -> dict[str, Any]:
        parts = {**self.services, **self.components}
        return {name: part for name, part in parts.items() if name.rstrip("-12") == what}

    def _upgrade(self) -> str:
        """Restart the components one after the other with the package of this checkout."""
        for component in self.components.values():
            component.environment = {**component.environment, "PYTHONPATH": str(ROOT)}
            component.end(GRACE)
            component.start()
            time.sleep(3)
        return f"{len(self.components)} components were upgraded"

    def _set_clocks(self) -> str:
        ahead = clocks.ahead(AHEAD, self.home)
        for name in SKEWED:
            self.components[name].environment = {**self.components[name].environment, **ahead}
            self.components[name].kill()
            self.components[name].start()
        return f"the clocks of {' and '.join(SKEWED)} are {AHEAD} s ahead"

    def logs_of(self, task_id: str, size: int = 6000) -> str:
        """Return the ends of all logs of a task.

        :param task_id: the task
        :param size: how many characters of each log
        """
        files = sorted((self.home / "logs").rglob(f"*task_id={task_id}/*"))
        parts = [f"--- {file.name}\n{file.read_text(errors='replace')[-size:]}" for file in files if file.is_file()]
        return "\n".join(parts)

    def sockets(self) -> dict[str, int]:
        """Return how many connections to OMS each component has."""
        found: dict[str, int] = {}
        for name, component in self.components.items():
            for process in component.members():
                with contextlib.suppress(psutil.Error):
                    connections = getattr(process, "net_connections", None) or process.connections
                    to_oms = [one for one in connections(kind="tcp") if one.raddr and one.raddr.port in self.oms.ports]
                    found[name] = found.get(name, 0) + len(to_oms)
        return found

    def stop(self) -> None:
        """Kill all components of Airflow, and delete its home."""
        for component in self.components.values():
            component.kill()
        shutil.rmtree(self.home, ignore_errors=True)
