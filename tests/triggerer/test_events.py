"""Events in a real Airflow 3.3: scheduler, DAG processor, API server, and a triggerer that is killed.

One Airflow serves all tests of this file, in their order, because starting it takes longer than they do. The facts
about asset watchers that Airflow doesn't document are numbered in docs/develop/airflow-facts.md#assets.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from airflow_provider_oms.simulator import Clock, Project, Simulator
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from demo.home import example_dags

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_task_state_store(), reason="asset watchers need Airflow 3.3"),
]

#: Real seconds to wait for anything at most.
PATIENCE = 300.0

QUARTER = 900.0

DAGS = """
from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from airflow_provider_oms.assets import FullTransfer, oms_alarm_asset, oms_asset, oms_complete_until_asset

QUICK = {"poke_interval": 2}

ASSETS = [
    oms_complete_until_asset("killed", project_id="np_killed", every="15m", timezone="UTC", **QUICK),
    oms_complete_until_asset("paused", project_id="np_paused", every="15m", timezone="UTC", **QUICK),
    oms_alarm_asset("late", project_id="np_late", min_lag=60, hold_for=10**6, still_for=10**6, **QUICK),
    oms_asset("nowhere", milestone=FullTransfer(100), project_id="np_many", oms_conn_id="no_such_connection", **QUICK),
    *(
        oms_asset(f"twenty_{number:02}", milestone=FullTransfer(100), project_name="many", **QUICK)
        for number in range(20)
    ),
]

for asset in ASSETS:
    with DAG(f"on_{asset.name}", schedule=[asset], start_date=datetime(2026, 1, 1), catchup=False):
        EmptyOperator(task_id="nothing")
"""

ELSEWHERE = """
from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset

with DAG("elsewhere", schedule=[Asset.ref(name="twenty_00")], start_date=datetime(2026, 1, 1), catchup=False):
    EmptyOperator(task_id="nothing")
"""


class Airflow:
    """A whole Airflow, with a simulated OMS.

    :param folder: the folder of its DAG files
    """

    def __init__(self, folder: Path) -> None:
        from reliability.cluster import Cluster, Database

        self.oms = Simulator(clock=Clock(speed=0))
        for name in ("killed", "paused", "many", "shop_running"):
            self.oms.add_project(
                Project(id=f"np_{name}", name=name, status="RUNNING", step="INCR_TRANSFER", initial_lag=5)
            )
        self.oms.add_project(
            Project(
                id="np_late", name="late", status="RUNNING", step="INCR_TRANSFER", initial_lag=9999, idle_source=True
            )
        )
        self.oms.start()
        (folder / "events.py").write_text(DAGS)
        (folder / "elsewhere.py").write_text(ELSEWHERE)
        example = (example_dags() / "example_oms_event_driven.py").read_text()
        (folder / "example.py").write_text(example)
        self.cluster = Cluster({"AIRFLOW_CONN_OMS_DEFAULT": self.oms.connection_json})
        self.cluster.environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(folder)
        self.cluster.environment["AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL"] = "5"
        self.database = Database(self.cluster.database)
        self.triggerer_log = self.cluster.home / "triggerer.log"

    def __enter__(self) -> Airflow:
        self.cluster.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.stop()
        self.oms.stop()

    def until(self, what: str, found):
        """Wait until a function returns something, and return that."""
        from reliability.cluster import patiently

        deadline = time.monotonic() + PATIENCE
        while not (one := patiently(found)):
            self.cluster.tend()
            if time.monotonic() > deadline:
                raise AssertionError(f"Not within {PATIENCE:g} s: {what}.\n{self.cluster.tail(6000)}")
            time.sleep(0.3)
        return one

    def read(self, query: str) -> list[tuple]:
        return [tuple(row) for row in self.database._read(query)]

    def events(self, asset: str) -> list[dict]:
        """Return the payloads of an asset's events, in the order in which Airflow has stored them."""
        rows = self.read("SELECT a.name, e.extra FROM asset_event e JOIN asset a ON a.id = e.asset_id ORDER BY e.id")
        return [_json(extra)["payload"] for name, extra in rows if name == asset]

    def kept(self, asset: str) -> list[dict]:
        """Return the content of the asset's state store."""
        rows = self.read("SELECT a.name, s.value FROM asset_state_store s JOIN asset a ON a.id = s.asset_id")
        return [_json(value) for name, value in rows if name == asset]

    def parsed_after(self, times: dict[str, str]) -> dict[str, str]:
        """Return when two DAGs in two files were last parsed; empty until that is later than before."""
        rows = dict(self.read("SELECT dag_id, last_parsed_time FROM dag WHERE dag_id IN ('elsewhere', 'on_late')"))
        return rows if len(rows) == 2 and all(rows[dag] > at for dag, at in times.items()) else {}

    def one_more_event(self, asset: str) -> None:
        """Advance OMS's clock until an asset has another event, and wait for the event."""
        count = len(self.until("an event", lambda: self.events(asset)))
        self.oms.clock.advance(2 * QUARTER)
        self.until("one more", lambda: len(self.events(asset)) > count)

    def watched(self) -> dict[str, int]:
        """Return the trigger of each asset that has a watcher."""
        rows = self.read("SELECT a.name, w.trigger_id FROM asset_watcher w JOIN asset a ON a.id = w.asset_id")
        return dict(rows)

    def run_dags(self, *arguments: str) -> None:
        """Run a subcommand of ``airflow dags``."""
        subprocess.run(
            [sys.executable, "-m", "airflow", "dags", *arguments],
            env=self.cluster.environment,
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )

    def restart_triggerer(self) -> int:
        """Kill the triggerer as a whole and start it again; return the previous size of its log."""
        assert self.cluster.components["triggerer"].kill()
        size = self.triggerer_log.stat().st_size
        self.cluster.components["triggerer"].start()
        return size

    def boundary(self, project: str) -> float:
        """Return the last quarter of an hour that the checkpoint of a project has passed."""
        checkpoint = self.oms.clock.now() - 5
        return (checkpoint - 1) // QUARTER * QUARTER


def _json(value):
    while isinstance(value, str | bytes):
        value = json.loads(value)
    return value


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    with Airflow(tmp_path_factory.mktemp("dags")) as one:
        yield one


def test_twenty_assets_that_watch_the_same_each_have_their_event_once(airflow):
    """Facts 3 and 4: each has a trigger and a state store of its own."""
    names = [f"twenty_{number:02}" for number in range(20)]
    airflow.until("an event each", lambda: all(airflow.events(name) for name in names))
    airflow.until("all is kept", lambda: all(_told(airflow.kept(name)) for name in names))
    found = {name: airflow.events(name) for name in names}
    assert {len(events) for events in found.values()} == {1}
    assert len({events[0]["id"] for events in found.values()}) == 20
    assert {events[0]["project"] for events in found.values()} == {"np_many"}
    watched = airflow.watched()
    assert len({watched[name] for name in names}) == 20
    airflow.until(
        "a run each", lambda: set(airflow.read("SELECT dag_id FROM dag_run")) >= {(f"on_{n}",) for n in names}
    )


def _told(kept):
    return any(one["levels"].get("reached", {}).get("told") for one in kept)


def test_a_reference_in_another_file_leaves_the_watcher(airflow):
    """Fact 2."""
    before, parsed = airflow.watched(), {}
    for _ in range(3):
        parsed = airflow.until("both files are parsed again", partial(airflow.parsed_after, parsed))
    assert airflow.watched() == before


def test_each_boundary_comes_once_whatever_is_killed_or_away(airflow):
    """Fact 5: killed just after an event was stored, and before that was noted; and while OMS was away.

    An alarm that is being timed goes on where it was.
    """
    since = airflow.until("an alarm is being timed", lambda: _behind_since(airflow))
    kills = 2
    for _ in range(kills):
        airflow.one_more_event("killed")
        airflow.restart_triggerer()
    airflow.oms.stop()
    airflow.restart_triggerer()
    airflow.oms.clock.advance(3 * QUARTER)
    airflow.until("it is missed", lambda: "No usable answer from OMS" in _log_of(airflow))
    airflow.oms.start()
    last = airflow.boundary("np_killed")
    airflow.until("the last boundary", lambda: airflow.events("killed")[-1]["complete_until"] == _text(last))
    events = airflow.events("killed")
    by_id = {one["id"]: one["complete_until"] for one in events}
    moments = list(by_id.values())
    first = _unix(moments[0])
    assert moments == [_text(first + QUARTER * number) for number in range(round((last - first) / QUARTER) + 1)]
    assert len(moments) >= 2 * kills + 3
    # If it is killed at that moment, the event is sent again, with the same id and only once more.
    assert len(events) - len(moments) <= kills + 1
    assert _behind_since(airflow) == since
    assert airflow.events("late") == []


def _behind_since(airflow):
    return next((one["levels"]["behind"]["since"] for one in airflow.kept("late") if one["levels"]), None)


def _log_of(airflow):
    return airflow.triggerer_log.read_text(errors="replace")


def _text(moment):
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))


def _unix(text):
    return datetime.fromisoformat(text).timestamp()


def test_a_paused_dag_misses_no_boundary(airflow):
    """Fact 6: while it is paused it has no watcher."""
    airflow.until("an event", lambda: airflow.events("paused"))
    airflow.run_dags("pause", "--yes", "on_paused")
    airflow.until("nobody watches", lambda: "paused" not in airflow.watched())
    airflow.oms.clock.advance(3 * QUARTER)
    airflow.run_dags("unpause", "--yes", "on_paused")
    last = airflow.boundary("np_paused")
    airflow.until("the last boundary", lambda: airflow.events("paused")[-1]["complete_until"] == _text(last))
    moments = list({one["id"]: one["complete_until"] for one in airflow.events("paused")}.values())
    first = _unix(moments[0])
    assert moments == [_text(first + QUARTER * number) for number in range(len(moments))]
    assert moments[-1] == _text(last)


def test_no_trigger_ends_or_is_started_again(airflow):
    """Fact 1: even if there is no connection."""
    before = airflow.restart_triggerer()
    missing = "there is no Airflow connection 'no_such_connection'"
    airflow.until("the connection is missed", lambda: missing in _log_of(airflow)[before:])
    watched = airflow.watched()
    airflow.until("all are started", lambda: len(_started(_log_of(airflow)[before:])) == len(watched))
    asked = len(airflow.oms.requests)
    airflow.until("everything is polled on", lambda: len(airflow.oms.requests) > asked + 5)
    text = _log_of(airflow)[before:]
    started = _started(text)
    assert set(started.values()) <= {1}
    assert "exited with error" not in text
    assert "exited without sending an event" not in text


def _started(log):
    return Counter(re.findall(r"trigger ID (\d+) starting", log))


def test_a_woken_dag_asks_again_and_reads_its_day(airflow):
    """Fact 7, with the shipped example: from the event to the partition of the day."""
    query = "SELECT task_id, state FROM task_instance WHERE dag_id = 'example_oms_event_driven'"
    airflow.until(
        "both tasks are done", lambda: set(airflow.read(query)) == {("complete", "success"), ("report", "success")}
    )
    days = [one["complete_from"][:10] for one in airflow.events("oms_shop_complete")]
    keys = airflow.read(
        "SELECT e.partition_key FROM asset_event e JOIN asset a ON a.id = e.asset_id WHERE a.name = 'oms_shop_reported'"
    )
    assert days
    assert {key for (key,) in keys} == set(days)
