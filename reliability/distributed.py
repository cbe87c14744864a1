"""A campaign on a distributed Airflow with Celery, Redis and PostgreSQL, which kills every component.

``python -m reliability.distributed --size narrow --seed 1``, with a Python that has the Airflow to be tested, and the
``test``, ``reliability`` and ``distributed`` groups of ``pyproject.toml``.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from airflow_provider_oms.simulator.model import DataSource
from demo.home import airflow_version
from reliability import clocks, oms, wide
from reliability.cluster import ROOT, Database, patiently
from reliability.course import ENDED, Course, Tasks
from reliability.distributed_airflow import AHEAD, DistributedAirflow
from reliability.plan import LIFECYCLE
from reliability.postgres import Server
from reliability.redis import Redis
from reliability.upgrade import package_of
from reliability.verdicts import Held, judge_events, judged, leaks


class Campaign:
    """One campaign on a distributed Airflow.

    :param size: its size
    :param seed: decides what is killed and when
    :param before: the commit whose package is used until the upgrade; None for the checkout's package and no upgrade
    :param out: the stream for messages about the progress
    """

    def __init__(self, size: wide.Wide, seed: int, before: str | None, out: TextIO = sys.stderr) -> None:
        self.size, self.seed, self.before, self.out = size, seed, before, out
        self.dice = random.Random(seed)

    def run(self) -> dict[str, Any]:
        """Run the campaign and return its result."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oms-distributed-")))
            begin = float(int(time.time()))
            events = airflow_version() >= (3, 3)
            content = wide.content(begin, self.size, with_events=events)
            sources = [
                DataSource(name="shop_mysql", type="MYSQL"),
                DataSource(name="shop_oceanbase", type="OB_MYSQL"),
            ]
            for name in ("oms", "postgres", "redis", "package"):
                (folder / name).mkdir()
            folder.chmod(0o755)
            plan = folder / "plan.json"
            plan.write_text(json.dumps(wide.to_json(content, self.size, in_triggerer=events)), encoding="utf-8")
            oms.prepare(folder / "oms", [plan.project for plan in content.plans], sources, begin)
            simulated = stack.enter_context(oms.Oms(folder / "oms"))
            postgres = Server(folder / "postgres")
            stack.callback(postgres.stop)
            redis = Redis(folder / "redis")
            redis.start()
            stack.callback(redis.stop)
            environment = {
                "AIRFLOW_CONN_OMS_DEFAULT": simulated.connection_json(oms.GATES),
                "AIRFLOW_CONN_OMS_LIFECYCLES": simulated.connection_json(oms.LIFECYCLES),
                "RELIABILITY_PLAN": str(plan),
            }
            package = package_of(self.before, folder / "package") if self.before else ROOT
            cluster = stack.enter_context(DistributedAirflow(simulated, postgres, redis, environment, package))
            course = self._course(cluster, content)
            tasks = course.run()
            left = leaks(cluster.sockets())
            found = {**self._judge(cluster, content, tasks), "leaks": left}
            if wrong(found):
                course.say(cluster.tail())
                for why in [*found["lost"], *found["early"]][:5]:
                    task = why.split(":")[0]
                    noted = patiently(lambda task=task: Database(cluster.database).told_of(task))
                    course.say("\n".join([why, *noted, cluster.logs_of(task)]))
            return {**self._figures(cluster, course, tasks), **found}

    def _course(self, cluster: DistributedAirflow, content: wide.Content) -> Course:
        steps = wide.steps(self.size, self.dice, upgrade=self.before is not None, clocks=clocks.compiler() is not None)
        gates = len(content.gates)
        return Course(
            cluster,
            Database(cluster.database).tasks,
            lambda: cluster.oms.begin(self.size.speed),
            steps[::-1],
            gates=gates,
            tasks=gates + self.size.lifecycles * len(LIFECYCLE) + len(content.events),
            pause=self.size.pause,
            limit=self.size.limit,
            dice=self.dice,
            out=self.out,
            until_started=self.size.limit / 3,
        )

    def _judge(self, cluster: DistributedAirflow, content: wide.Content, tasks: Tasks) -> dict[str, Any]:
        database = Database(cluster.database)
        returned = patiently(database.returned)
        fired = patiently(database.events) if content.events else {}
        kept = {which: cluster.oms.kept(which) for which in (oms.GATES, oms.LIFECYCLES)}
        held = {
            which: Held(one.simulator.projects, one.seen, one.changes, one.answers(), one.simulator.clock.now(), speed)
            for (which, one), speed in zip(kept.items(), (self.size.speed, 1.0), strict=True)
        }
        asked, life = held[oms.GATES], held[oms.LIFECYCLES]
        found = judged(content.gates, self.size.lifecycles, asked, life, tasks, returned)
        return judge_events(found, content.events, asked, tasks, fired)

    def _figures(self, cluster: DistributedAirflow, course: Course, tasks: Tasks) -> dict[str, Any]:
        return {
            "airflow": version("apache-airflow"),
            "database": "postgresql",
            "executor": cluster.environment["AIRFLOW__CORE__EXECUTOR"],
            "seed": self.seed,
            "projects": self.size.projects,
            "by_label": self.size.by_label,
            "kills": {what: course.kills[what] for what in wide.PARTS},
            "upgraded_from": self.before if course.kills[wide.UPGRADE] else None,
            "clocks_ahead": AHEAD if course.kills[wide.CLOCKS] else 0,
            "not_done": course.to_kill,
            "killed": course.killed,
            "died_by_itself": cluster.died,
            "tries_more_than_one": sum(tries > 1 for _, tries in tasks.values()),
            "not_ended": sum(state not in ENDED for state, _ in tasks.values()),
            "seconds": round(course.seconds()),
        }


def wrong(found: Mapping[str, Any]) -> bool:
    """Return whether a result shows an error."""
    return any(found[name] for name in ("lost", "twice", "early", "leaks"))


def commit_before() -> str | None:
    """Return the commit before the last one that changed the package; None if it can't be found."""
    command = ["git", "rev-parse", "--verify", "--quiet"]
    last = ["git", "log", "-1", "--format=%H", "--", "airflow_provider_oms"]
    try:
        found = subprocess.run(last, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        done = subprocess.run([*command, f"{found}~1"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()[:12] or None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reliability.distributed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", choices=wide.SIZES, default="wide", help="200, 60 or 20 gates")
    parser.add_argument("--quick", action="store_const", dest="size", const="quick", help="the same as --size quick")
    parser.add_argument(
        "--package-before",
        metavar="COMMIT",
        default=commit_before(),
        help="the commit whose package is used until the upgrade; empty: no upgrade",
    )
    parser.add_argument("--result", type=Path, help="the file to write the result to (JSON)")
    given = parser.parse_args()
    # SIGTERM must run the context managers' exits, so that no process of Airflow is left running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    found = Campaign(wide.SIZES[given.size], given.seed, given.package_before or None).run()
    text = json.dumps(found, indent=2)
    print(text)
    if given.result:
        given.result.write_text(text, encoding="utf-8")
    return 1 if wrong(found) else 0


if __name__ == "__main__":
    sys.exit(main())
