"""Runs the example DAGs by ``dag.test()``, against a simulated OMS whose clock runs fast."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_oms.simulator import Clock, RequestRecord, Simulator
from demo.home import example_dags
from demo.runner import load_dag, set_argument

#: Simulated seconds per real second: a migration of 20 s takes less than one.
SPEED = 20.0

DATABASES = {
    "SHOP_MYSQL": {"conn_type": "mysql", "host": "db1", "login": "oms", "password": "one", "port": 3306},
    "SHOP_OCEANBASE": {"conn_type": "mysql", "host": "db2", "login": "oms@shop#main", "password": "two", "port": 2883},
    "SHOP_KAFKA": {"conn_type": "generic", "host": "kafka", "login": "oms", "password": "three", "port": 9092},
    "SHOP_ODP": {"conn_type": "mysql", "host": "odp", "login": "oms", "password": "four", "port": 2883},
    "SHOP_POLARDB": {"conn_type": "mysql", "login": "oms", "password": "five"},
    "SHOP_ACCESS_KEY": {"conn_type": "generic", "login": "key", "password": "six"},
}


class Outcome:
    """The result of a run.

    :param run: Airflow's DAG run
    """

    def __init__(self, run: Any) -> None:
        self.run_state = str(getattr(run.state, "value", run.state))
        self._instances = list(run.get_task_instances())

    def states(self) -> dict[str, set[str]]:
        """Return the states of each task; a mapped one may have several."""
        found: dict[str, set[str]] = {}
        for instance in self._instances:
            state = str(getattr(instance.state, "value", instance.state))
            found.setdefault(instance.task_id, set()).add(state)
        return found

    def mapped(self, task_id: str) -> dict[str, str]:
        """Return the states of a mapped task, by ``map_index_template`` or, without one, by number."""
        return {
            instance.rendered_map_index or str(instance.map_index): str(
                getattr(instance.state, "value", instance.state)
            )
            for instance in sorted(self._instances, key=lambda instance: instance.map_index)
            if instance.task_id == task_id
        }

    def returned(self, task_id: str) -> Any:
        """Return the return value of a task."""
        instance = next(one for one in self._instances if one.task_id == task_id)
        return instance.xcom_pull(task_ids=task_id)


@pytest.fixture(scope="session")
def example_folder(airflow_db: Path) -> Path:
    """The example DAGs in Airflow's DAGs folder, because 3.3 runs no others."""
    folder = airflow_db / "dags"
    for file in example_dags().glob("example_oms_*.py"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture
def at_each_request() -> list[Callable[[RequestRecord], object]]:
    """A function to be called after each request to the simulated OMS."""
    return []


@pytest.fixture
def fast_sim(
    monkeypatch: pytest.MonkeyPatch, at_each_request: list[Callable[[RequestRecord], object]]
) -> Iterator[Simulator]:
    """A simulated OMS without projects, behind the connections that the examples use."""
    with Simulator(
        clock=Clock(speed=SPEED), on_request=lambda record: [happens(record) for happens in at_each_request]
    ) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        for name, connection in DATABASES.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
        yield sim


@pytest.fixture(params=[False, True], ids=["poke", "deferrable"])
def run_example(request: pytest.FixtureRequest, example_folder: Path) -> Callable[..., Outcome]:
    """Run an example, its tasks looking often; ``settings`` are more arguments of every task that knows them."""

    def run(dag_id: str, *, of: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any) -> Outcome:
        """Run it.

        :param dag_id: the example
        :param of: arguments of single tasks
        :param settings: arguments of all tasks that have them
        """
        dag = load_dag(example_folder / f"{dag_id}.py", dag_id)
        arguments = {"poke_interval": 1.0 if request.param else 0.2, "deferrable": request.param, "retries": 0}
        for name, value in (arguments | settings).items():
            set_argument(dag, name, value)
        for task_id, given in (of or {}).items():
            for name, value in given.items():
                setattr(dag.get_task(task_id), name, value)
        return Outcome(dag.test())

    return run
