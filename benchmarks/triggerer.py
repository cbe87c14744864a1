"""The cost of a waiting gate in a real ``airflow triggerer``, compared with a sleeping trigger. Airflow 3 only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from benchmarks.answers import project_id
from benchmarks.gates import VARIED, logging_to_nowhere
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms

AIM = 1.2

INTERVAL = 30.0

#: The file in Airflow's home with the triggerer's output.
LOG = "triggerer.log"

#: Figures by name.
Held = dict[str, float]

#: Airflow's warning that the event loop was blocked for more than 0.2 s.
_BLOCKED = re.compile(r"was blocked for ([\d.]+) seconds")


class SleepTrigger(BaseTrigger):
    """A trigger that only sleeps."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", {"number": self.number}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:  # noqa: ASYNC110 - as a trigger that polls does
            await asyncio.sleep(INTERVAL)
        yield TriggerEvent({})


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the memory, CPU and start-up time of a triggerer for each number of gates."""
    from airflow import __version__

    if __version__.startswith("2."):
        yield Skipped("gates in a real triggerer", "written for Airflow 3")
        return
    make_database()
    seconds = size.of(INTERVAL, 2.0)
    empty = hold(oms, 0, projects=0, seconds=seconds)
    for gates in size.of([1000, 5000], [20]):
        ours = hold(oms, gates, projects=20, seconds=seconds)
        sleeping = empty if size.quick else hold(oms, gates, projects=0, seconds=seconds)
        yield from rows(f"{gates} gates in one triggerer", gates, ours, sleeping, empty)


def rows(what: str, gates: int, ours: Held, sleeping: Held, empty: Held) -> Iterator[Row]:
    """Yield the cost of gates in a triggerer, compared with triggers that only sleep.

    :param what: a description of the gates
    :param empty: the cost of a triggerer without triggers
    """
    peer = "triggers that only sleep"
    kib = 1024 * (ours["memory"] - empty["memory"]) / gates
    note = f"{kib:.0f} KiB a gate; with none it has {empty['memory']:.0f} MiB"
    yield Row(f"{what}, memory", ours["memory"], peer, sleeping["memory"], "MiB", aim=AIM, note=note)
    note = f"with none {empty['cpu']:.1f} %; OMS got {ours['requests']:.0f} requests in {ours['seconds']:g} s"
    yield Row(f"{what}, CPU", ours["cpu"], peer, sleeping["cpu"], "% of a core", aim=AIM, note=note)
    note = f"with none {empty['start']:.1f} s"
    yield Row(f"{what}, CPU until all run", ours["start"], peer, sleeping["start"], "s", aim=AIM, note=note)
    yield Row(f"{what}, time until all run", ours["until"], peer, sleeping["until"], "s", aim=AIM)
    yield Row(f"{what}, open files", ours["files"], peer, sleeping["files"], aim=AIM)


def make_database() -> None:
    """Create Airflow's database."""
    subprocess.run(["airflow", "db", "migrate"], env=_environment(), check=True, capture_output=True, timeout=300)


def hold(oms: CannedOms, gates: int, *, projects: int, seconds: float) -> Held:
    """Run a triggerer with triggers for a while; return what they cost.

    :param gates: how many triggers
    :param projects: on how many projects; with 0 the triggers only sleep
    :param seconds: how long to measure, once every gate has polled
    """
    import psutil

    with started(gates, projects) as (process, home):
        began = time.monotonic()
        leader = psutil.Process(process.pid)
        # A triggerer without triggers is ready after about ten seconds; a trigger runs once its log file is open.
        while _waiting(home) or _files(leader) < gates or time.monotonic() - began < 15:
            time.sleep(1)
            if process.poll() is not None or time.monotonic() - began > 600:
                raise RuntimeError(log_of(home)[-3000:])
        until = time.monotonic() - began
        family = [leader, *leader.children(recursive=True)]
        start = _cpu(family)
        time.sleep(1.2 * seconds)  # until every gate has polled
        oms.configure()
        before, asked = _cpu(family), time.monotonic()
        time.sleep(seconds)
        return {
            "until": until,
            "start": start,
            "seconds": seconds,
            "cpu": 100 * (_cpu(family) - before) / (time.monotonic() - asked),
            "requests": float(sum(oms.configure()["asked"].values())),
            "memory": sum(one.memory_full_info().pss for one in family) / 1024**2,
            "files": float(_files(leader)),
            "blocked": max(map(float, _BLOCKED.findall(log_of(home))), default=0.0),
        }


@contextlib.contextmanager
def started(gates: int, projects: int, files: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a triggerer whose database has triggers, and kill it in the end; yield its process and Airflow's home.

    :param gates: how many triggers
    :param projects: on how many projects; with 0 the triggers only sleep
    :param files: how many files each of its processes may have open; 0 for as many as the system allows
    """
    with logging_to_nowhere():
        _store(gates, projects)
    home = Path(os.environ["AIRFLOW_HOME"])
    with (home / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs", "--capacity", str(max(gates, 1) + 100)],
            env=_environment(),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(_may_open, files),
        )
    try:
        yield process, home
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def log_of(home: Path) -> str:
    """Return the triggerer's output."""
    return (home / LOG).read_text(errors="replace")


def _files(leader: Any) -> int:
    return sum(one.num_fds() for one in [leader, *leader.children(recursive=True)])


def _cpu(family: list[Any]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in family)


def _may_open(files: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files or hard, hard))


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PYTHONPATH": root, "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO"}


def _waiting(home: Path) -> int:
    """Return how many triggers no triggerer has claimed yet."""
    with closing(sqlite3.connect(f"file:{home}/airflow.db?mode=ro", uri=True, timeout=20)) as connection:
        return int(connection.execute("SELECT count(*) FROM trigger WHERE triggerer_id IS NULL").fetchone()[0])


def _store(gates: int, projects: int) -> None:
    """Store deferred tasks in the database, each a mapped task instance with a trigger."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger
    from airflow.providers.common.compat.sdk import DAG, BaseOperator
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, TaskInstanceState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import delete

    now = datetime.now(UTC)
    with DAG(f"held_{int(time.time() * 1000)}", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None) as dag:
        BaseOperator(task_id="gate")
    with create_session() as session:
        session.execute(delete(TaskInstance))
        session.execute(delete(Trigger))
        session.merge(DagBundleModel(name="bench"))
        session.flush()
        SerializedDAG.bulk_write_to_db("bench", None, [dag], session=session)
        data = DagSerialization.to_dict(dag)
        SerializedDagModel.write_dag(LazyDeserializedDAG(data=data), "bench", session=session)
        session.flush()
        stored = DagSerialization.from_dict(data)
        created = stored.create_dagrun(
            run_id="held",
            logical_date=now,
            data_interval=(now, now),
            run_after=now,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        session.flush()
        (only,) = created.get_task_instances(session=session)
        version = only.dag_version_id
        session.delete(only)
        session.flush()
        for number in range(gates):
            trigger = Trigger(*_trigger(number, projects))
            session.add(trigger)
            session.flush()
            task = TaskInstance(stored.get_task("gate"), run_id="held", map_index=number, dag_version_id=version)
            task.state, task.try_number, task.start_date = TaskInstanceState.DEFERRED, 1, now
            task.trigger_id, task.next_method, task.next_kwargs = trigger.id, "execute_complete", {}
            session.add(task)


def _trigger(number: int, projects: int) -> tuple[str, dict[str, Any]]:
    if not projects:
        return SleepTrigger(number).serialize()
    from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

    gate = {
        "project_id": project_id(number % projects),
        "poke_interval": INTERVAL,
        "milestone": VARIED[number // projects % len(VARIED)],
    }
    kwargs = OmsMilestoneTrigger(gate=gate).serialize()
    return kwargs[0], json.loads(json.dumps(kwargs[1]))
