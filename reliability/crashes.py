"""A crash campaign in a real Airflow: gates and lifecycles run while tasks, triggerer and scheduler are killed.

``python -m reliability.crashes --database sqlite --seed 1``, with a Python that has the Airflow to be tested.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from airflow_provider_oms.simulator import Clock, Simulator
from airflow_provider_oms.simulator.model import DataSource
from reliability import postgres
from reliability.cluster import Cluster, Database, patiently
from reliability.course import Course, Tasks
from reliability.plan import LIFECYCLE, ONE_BY_ONE, QUICK, WHOLE, Size, plans, written
from reliability.verdicts import Held, judged
from tests.triggerer.witness import Witness


class Campaign:
    """One crash campaign.

    :param size: its size
    :param seed: decides what is killed and when
    :param database: ``sqlite`` or ``postgresql``
    :param out: the stream for messages about the progress
    """

    def __init__(self, size: Size, seed: int, database: str, out: Any = sys.stderr) -> None:
        self.size, self.seed, self.database, self.out = size, seed, database, out
        self.dice = random.Random(seed)
        self.witness = Witness()
        self._records: list[Any] = []
        self._made: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Run the campaign and return its result."""
        with ExitStack() as stack:
            oms = stack.enter_context(Simulator(clock=Clock(speed=0), on_request=self.witness))
            life = stack.enter_context(Simulator(on_request=self._records.append))
            for name, kind in (("shop_mysql", "MYSQL"), ("shop_oceanbase", "OB_MYSQL")):
                life.add_data_source(DataSource(name=name, type=kind))
            projects = plans(oms.clock.now(), self.size)
            for plan in projects:
                oms.add_project(plan.project)
            gates = [gate for plan in projects for gate in plan.gates]
            address = stack.enter_context(postgres.server()) if self.database == "postgresql" else None
            connections = {
                "AIRFLOW_CONN_OMS_DEFAULT": oms.connection_json,
                "AIRFLOW_CONN_OMS_LIFECYCLES": life.connection_json,
            }
            cluster = Cluster(connections, address)
            plan_file = cluster.home / "plan.json"
            cluster.environment["RELIABILITY_PLAN"] = str(plan_file)
            plan_file.write_text(json.dumps(written(gates, self.size)), encoding="utf-8")
            stack.enter_context(cluster)
            course = self._course(cluster, oms, life, len(gates))
            tasks = course.run()
            returned = patiently(lambda: Database(cluster.database).returned())
            held = Held(oms.projects, {}, [], self.witness.answers, oms.clock.now(), self.size.speed)
            life_held = Held(life.projects, self._made, self._records, [], life.clock.now())
            found = judged(gates, self.size.lifecycles, held, life_held, tasks, returned)
            if found["lost"] or found["early"] or found["twice"]:
                course.say(cluster.tail())
            return {**self._figures(cluster, course, tasks), **found}

    def _course(self, cluster: Cluster, oms: Simulator, life: Simulator, gates: int) -> Course:
        to_kill = [what for what, times in self.size.kills.items() for _ in range(times)]
        self.dice.shuffle(to_kill)

        def begin() -> None:
            for project in oms.projects.values():
                project.start()
            oms.clock.speed = self.size.speed

        return Course(
            cluster,
            Database(cluster.database).tasks,
            begin,
            to_kill,
            gates=gates,
            tasks=gates + self.size.lifecycles * len(LIFECYCLE),
            pause=self.size.pause,
            limit=self.size.limit,
            dice=self.dice,
            out=self.out,
            each=lambda: self._made.update(life.projects),
        )

    def _figures(self, cluster: Cluster, course: Course, tasks: Tasks) -> dict[str, Any]:
        return {
            "airflow": version("apache-airflow"),
            "database": self.database,
            "executor": cluster.environment["AIRFLOW__CORE__EXECUTOR"],
            "seed": self.seed,
            "kills": dict(course.kills),
            "killed": course.killed,
            "died_by_itself": cluster.died,
            "tries_more_than_one": sum(tries > 1 for _, tries in tasks.values()),
            "seconds": round(course.seconds()),
        }


def size_of(quick: bool, database: str) -> Size:
    """Return the size of a campaign with this Airflow and database."""
    if version("apache-airflow").startswith("2.") and database == "sqlite":
        return replace(QUICK, speed=2.0, limit=600.0) if quick else ONE_BY_ONE
    return QUICK if quick else WHOLE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reliability.crashes", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="10 gates, 2 lifecycles, 3 kills")
    parser.add_argument("--result", type=Path, help="the file to write the result to (JSON)")
    given = parser.parse_args()
    # SIGTERM must run the context managers' exits, so that no process of Airflow is left running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    size = size_of(given.quick, given.database)
    found = Campaign(size, given.seed, given.database).run()
    text = json.dumps(found, indent=2)
    print(text)
    if given.result:
        given.result.write_text(text, encoding="utf-8")
    return 1 if found["lost"] or found["early"] or found["twice"] else 0


if __name__ == "__main__":
    sys.exit(main())
