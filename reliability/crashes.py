"""A crash campaign in a real Airflow: gates and lifecycles run while tasks, triggerer and scheduler are killed.

``python -m reliability.crashes --database sqlite --seed 1``, with a Python that has the Airflow to be tried.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from airflow_provider_oms.simulator import Clock, Simulator
from airflow_provider_oms.simulator.model import DataSource
from reliability import postgres, truth
from reliability.cluster import Cluster, Database, patiently
from reliability.plan import GATES_DAG, LIFECYCLE, LIFECYCLES_DAG, ONE_BY_ONE, QUICK, WHOLE, Size, plans, written
from tests.triggerer.witness import Witness

#: States in which a task has ended.
ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}

#: Real seconds for all gates to wait in the triggerer before their projects are started all the same.
UNTIL_STARTED = 240.0


class Campaign:
    """One run.

    :param size: how much
    :param seed: decides what is killed when
    :param database: ``sqlite`` or ``postgresql``
    :param out: told how it goes
    """

    def __init__(self, size: Size, seed: int, database: str, out: Any = sys.stderr) -> None:
        self.size, self.seed, self.database, self.out = size, seed, database, out
        self.dice = random.Random(seed)
        self.witness = Witness()
        self.kills: Counter[str] = Counter()
        self.killed: list[str] = []
        self._records: list[Any] = []
        self._made: dict[str, Any] = {}
        self._deferred: set[str] = set()
        self._begun = time.monotonic()

    def run(self) -> dict[str, Any]:
        """Run it and return what came of it."""
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
            tasks = self._let_it_happen(cluster, oms, life, len(gates))
            returned = patiently(lambda: Database(cluster.database).returned())
            found = self._judge(gates, oms, life, tasks, returned)
            if found["lost"] or found["early"] or found["twice"]:
                self._say(cluster.tail())
            return {**self._figures(cluster, tasks), **found}

    def _let_it_happen(self, cluster: Cluster, oms: Simulator, life: Simulator, gates: int) -> dict[Any, Any]:
        """Kill, and wait until all tasks have ended; return the tasks."""
        database = Database(cluster.database)
        expected = gates + self.size.lifecycles * len(LIFECYCLE)
        to_kill = [what for what, times in self.size.kills.items() for _ in range(times)]
        self.dice.shuffle(to_kill)
        kept_back = len(to_kill) // 2  # for the time when gates open
        next_kill, started = None, False
        until = time.monotonic() + self.size.limit
        tasks: dict[Any, Any] = {}
        said = 0.0
        while time.monotonic() < until:
            cluster.tend()
            tasks = patiently(database.tasks, 60)
            self._made.update(life.projects)
            states = Counter(state for state, _ in tasks.values())
            self._deferred |= {
                task for (dag, task), (state, _) in tasks.items() if dag == GATES_DAG and state in {"deferred", *ENDED}
            }
            if time.monotonic() > said + 10:
                said = time.monotonic()
                self._say(f"{dict(states)}, killed {sum(self.kills.values())}")
            if len(tasks) >= expected and all(state in ENDED for state, _ in tasks.values()):
                return tasks
            running = bool(states["running"] or states["deferred"])
            if not started and running and (len(self._deferred) >= gates or self._seconds() > UNTIL_STARTED):
                started = True
                self._say("the projects are started")
                for project in oms.projects.values():
                    project.start()
                oms.clock.speed = self.size.speed
            if running and len(to_kill) > (0 if started else kept_back):
                if next_kill is None:
                    next_kill = time.monotonic() + self.dice.uniform(*self.size.pause)
                elif time.monotonic() >= next_kill and (what := cluster.kill(to_kill[-1], self.dice)):
                    self.kills[to_kill.pop()] += 1
                    self.killed.append(f"{self._seconds():.0f} s: {what}")
                    self._say(f"killed {what}")
                    next_kill = None
            time.sleep(0.5)
        self._say(f"not all have ended within {self.size.limit:g} s")
        return tasks

    def _judge(
        self, gates: list[Any], oms: Simulator, life: Simulator, tasks: dict[Any, Any], returned: dict[Any, Any]
    ) -> dict[str, Any]:
        now = oms.clock.now()
        verdicts: list[tuple[str, str]] = []
        for gate in gates:
            key = (GATES_DAG, gate.task_id)
            answers = [answer for answer in self.witness.answers if answer.project == gate.project]
            state = tasks.get(key, (None, 0))[0]
            live = oms.project(gate.project)
            word, why = truth.judge_gate(gate, live, state, returned.get(key), answers, now)
            verdicts.append((word, f"{gate.task_id}: {why}"))
        ended = Counter(tasks.get((GATES_DAG, gate.task_id), (None, 0))[0] for gate in gates)
        names = {id_: live.name for id_, live in self._made.items()}
        sent = truth.sent_by_name(self._records, names)
        by_name = {live.name: live for live in self._made.values()}
        whole = 0
        for number in range(self.size.lifecycles):
            name = f"life_{number}"
            states = {step: tasks.get((LIFECYCLES_DAG, f"{name}.{step}"), (None, 0))[0] for step in LIFECYCLE}
            gone = name not in {live.name for live in life.projects.values()}
            word, why = truth.judge_lifecycle(name, states, sent, by_name.get(name), gone)
            verdicts.append((word, why))
            whole += word == "right"
        duplicates = truth.twice(sent)
        if len(by_name) != len(self._made):
            duplicates.append(f"{len(self._made)} projects of {len(by_name)} names")
        return {
            "gates": len(gates),
            "gates_open": ended["success"],
            "gates_failed_rightly": ended["failed"],
            "lifecycles": self.size.lifecycles,
            "lifecycles_done": whole,
            "early": [why for word, why in verdicts if word == "early"],
            "lost": [why for word, why in verdicts if word == "lost"],
            "twice": duplicates,
            "sent": sum(sum(counter.values()) for counter in sent.values()),
        }

    def _figures(self, cluster: Cluster, tasks: dict[Any, Any]) -> dict[str, Any]:
        return {
            "airflow": version("apache-airflow"),
            "database": self.database,
            "executor": cluster.environment["AIRFLOW__CORE__EXECUTOR"],
            "seed": self.seed,
            "kills": dict(self.kills),
            "killed": self.killed,
            "died_by_itself": cluster.died,
            "tries_more_than_one": sum(tries > 1 for _, tries in tasks.values()),
            "seconds": round(self._seconds()),
        }

    def _seconds(self) -> float:
        return time.monotonic() - self._begun

    def _say(self, text: str) -> None:
        print(f"[{self._seconds():4.0f} s] {text}", file=self.out, flush=True)


def size_of(quick: bool, database: str) -> Size:
    """Return how much a campaign does here."""
    if version("apache-airflow").startswith("2.") and database == "sqlite":
        return replace(QUICK, speed=2.0, limit=600.0) if quick else ONE_BY_ONE
    return QUICK if quick else WHOLE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reliability.crashes", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="10 gates, 2 lifecycles, 3 kills")
    parser.add_argument("--result", type=Path, help="a file for what came of it (JSON)")
    given = parser.parse_args()
    # So that nothing of Airflow is left running.
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
