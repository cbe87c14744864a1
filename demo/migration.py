"""The simulated migration of the demo, and its state at any moment according to the simulator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_oms.simulator import LiveProject, Project, Table
from airflow_provider_oms.simulator.machine import SAMPLE_EVERY, State, evaluate

FULL_TRANSFER = "FULL_TRANSFER"
INCREMENTAL = "INCR_TRANSFER"

#: The parameters of the example DAG: its project, and how far the changes may be behind (seconds).
PROJECT = "demo_shop"
MAX_LAG = 25.0

#: Seconds of a migration after which the search for a small lag is given up.
_LONGEST = 3600.0


def demo_project() -> Project:
    """Return a migration that has all rows 9 s after its start, and a small lag 11 s later."""
    return Project(
        id="np_demo",
        name=PROJECT,
        rows=100_000,
        durations={"STRUCT_TRANSFER": 1, "FULL_TRANSFER": 6},
        initial_lag=60,
        verification=[
            Table(schema="shop", table="orders", consistent=60_000),
            Table(schema="shop", table="customers", consistent=40_000),
        ],
    )


def example_projects() -> list[Project]:
    """Return the projects of all the example DAGs, each in the state that its DAG expects."""
    verified = [Table(schema="shop", table="orders", consistent=60_000)]
    return [
        demo_project(),
        Project(name="shop_running", status="RUNNING", step=INCREMENTAL, initial_lag=60),
        Project(name="shop_cutover", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=verified),
        *(Project(id=f"np_shop_{number}", name=f"shop_{number}") for number in (1, 2, 3)),
        Project(name="shop_old", status="RUNNING", step=INCREMENTAL),
    ]


def database_connections() -> dict[str, str]:
    """Return variables with the connections of the examples' data sources. The databases themselves don't exist."""
    source = {"conn_type": "mysql", "host": "shop-mysql.example", "port": 3306, "login": "oms", "password": "no-secret"}
    target = {**source, "host": "shop-oceanbase.example", "port": 2883, "login": "oms@shop#demo"}
    key = {"conn_type": "generic", "login": "key", "password": "no-secret"}
    connections = {
        "SHOP_MYSQL": source,
        "SHOP_OCEANBASE": target,
        "SHOP_KAFKA": {**source, "conn_type": "generic", "host": "shop-kafka.example", "port": 9092},
        "SHOP_ODP": {**target, "host": "shop-odp.example", "login": "oms"},
        "SHOP_POLARDB": {**source, "host": "shop-polardb.example"},
        "SHOP_ACCESS_KEY": key,
    }
    return {f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in connections.items()}


@dataclass(frozen=True)
class Progress:
    """A step, for a progress bar.

    :param name: the step's name
    :param percent: how much of it is done
    :param status: its status, in OMS's words
    :param detail: the lag of a continuous step, or the rows of a step that copies
    :param landmark: changes when a new line should be written
    """

    name: str
    percent: int
    status: str
    detail: str = ""
    landmark: object = None


class Record:
    """What the simulator knows about a project, with which Airflow's actions are compared.

    :param live: the project in the running simulator
    """

    def __init__(self, live: LiveProject) -> None:
        self._live = live

    @property
    def project_id(self) -> str:
        """The project's id."""
        return self._live.id

    def at(self, moment: float) -> State:
        """Return the project's state at a moment (Unix seconds); in the future, its state if nobody acts."""
        history = [event for event in self._live.history if event.time <= moment]
        return evaluate(self._live.project, self._live.created, history, max(moment, self._live.created))

    def started(self) -> float | None:
        """Return when the project was started."""
        return self._live.state().started

    def full_transfer_reached(self) -> float | None:
        """Return when all rows had arrived."""
        return self._live.state().steps[FULL_TRANSFER].finish

    def lag_reached(self, max_lag: float) -> float | None:
        """Return when OMS first showed a checkpoint within that lag. It moves checkpoints only at intervals.

        :param max_lag: seconds
        """
        now = self._live.state()
        moment = now.forward.start
        while moment is not None and moment <= min(now.time, (now.forward.start or 0.0) + _LONGEST):
            checkpoint = self.at(moment).forward.checkpoint
            if checkpoint is not None and moment - checkpoint <= max_lag:
                return moment
            moment += SAMPLE_EVERY
        return None

    def steps(self) -> Sequence[Progress]:
        """Return the steps as they are now."""
        state = self._live.state()
        return [
            Progress(step.name, step.progress, step.status, _detail(state, step.name), _landmark(state, step.name))
            for step in state.steps.values()
        ]

    def finished_waiting(self) -> bool:
        """Tell whether the project now waits for a person."""
        return self._live.state().waits_for_person


def _detail(state: State, name: str) -> str:
    step = state.steps[name]
    if step.start is None:
        return ""
    if name == INCREMENTAL and state.forward.checkpoint is not None:
        return f"{max(0.0, state.time - state.forward.checkpoint):.0f} s behind"
    if name == FULL_TRANSFER:
        return f"{int(state.project.rows * step.fraction + 1e-6):,} rows"
    return ""


def _landmark(state: State, name: str) -> object:
    step = state.steps[name]
    if name == INCREMENTAL:
        return step.status, state.forward.checkpoint
    return step.status, step.progress // 25 if name == FULL_TRANSFER else step.progress == 100
