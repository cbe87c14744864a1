"""The functions for assets: what users pass, what is refused, and what a DAG that an event has started can read."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_oms import assets
from airflow_provider_oms.assets import (
    CheckpointLag,
    CheckpointReached,
    Completed,
    CutoverReady,
    FullTransfer,
    FullVerification,
    ProjectStatus,
    Step,
    complete_until,
    completed,
    oms_alarm_asset,
    oms_asset,
    oms_complete_until_asset,
)
from airflow_provider_oms.milestones.watchers import from_json
from airflow_provider_oms.tasks.airflow_version import has_task_state_store

from_3_3 = pytest.mark.skipif(not has_task_state_store(), reason="asset watchers need Airflow 3.3")
below_3_3 = pytest.mark.skipif(has_task_state_store(), reason="from Airflow 3.3 on it works")

#: One call of each function, with the arguments that it requires.
EACH = {
    "milestone": lambda name="a", **more: oms_asset(
        name, **{"milestone": FullTransfer(100), "project_name": "shop", **more}
    ),
    "complete_until": lambda name="a", **more: oms_complete_until_asset(name, **{"project_name": "shop", **more}),
    "alarm": lambda name="a", **more: oms_alarm_asset(name, **{"min_lag": 600, "project_name": "shop", **more}),
}
each = pytest.mark.parametrize("kind", EACH)


def trigger_of(asset):
    (watcher,) = asset.watchers
    return watcher.trigger


@below_3_3
@each
def test_below_3_3_they_refuse_with_a_message(kind):
    from airflow import __version__

    with pytest.raises(ValueError, match=rf"need Airflow 3\.3 or later.*{__version__}.*Use a gate"):
        EACH[kind]()


@from_3_3
class TestAnAsset:
    @each
    def test_it_has_one_watcher_that_keeps_every_argument(self, kind):
        asset = EACH[kind]("shop_a", oms_conn_id="other", poke_interval=timedelta(minutes=2), project_type="SYNC")
        assert asset.name == "shop_a"
        watcher = from_json(trigger_of(asset).watcher)
        assert watcher.kind == kind
        assert (watcher.gate.project_name, watcher.gate.oms_conn_id) == ("shop", "other")
        assert (watcher.gate.poke_interval, watcher.gate.project_type) == (120.0, "SYNC")

    @each
    def test_two_assets_that_watch_the_same_have_triggers_of_their_own(self, kind):
        """Otherwise Airflow would make one trigger for both, whose state store belongs to neither."""
        from airflow.triggers.base import BaseEventTrigger

        one, again, other = (trigger_of(EACH[kind](name)) for name in ("a", "a", "b"))
        hashes = [BaseEventTrigger.hash(*trigger.serialize()) for trigger in (one, again, other)]
        assert hashes[0] == hashes[1] != hashes[2]

    @each
    def test_what_airflow_keeps_is_text_without_a_secret(self, kind, monkeypatch):
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", '{"conn_type": "oms", "host": "x", "password": "s3cret"}')
        _, kwargs = trigger_of(EACH[kind]()).serialize()
        assert all(isinstance(value, str) for value in kwargs.values())
        assert "s3cret" not in json.dumps(kwargs)

    def test_the_settings_of_each(self):
        arguments = {"on": ["failed", "reached"], "rearm_after": 9, "failure_grace": 8, "allow_modifying": True}
        milestone: Any = from_json(trigger_of(EACH["milestone"](**arguments)).watcher)
        assert (milestone.gate.failure_grace, milestone.gate.allow_modifying) == (8.0, True)
        assert (milestone.on, milestone.rearm_after) == (("failed", "reached"), 9.0)
        arguments = {"every": "6h", "timezone": "UTC", "direction": "reverse", "allow_modifying": True}
        until: Any = from_json(trigger_of(EACH["complete_until"](**arguments)).watcher)
        assert until.gate.allow_modifying
        assert (until.boundaries.every, until.boundaries.timezone) == ("6h", "UTC")
        assert until.gate.milestone.direction == "reverse"
        alarm = trigger_of(EACH["alarm"](hold_for=1, still_for=2, rearm_after=3, on="behind", outage_tolerance=4))
        watcher: Any = from_json(alarm.watcher)
        assert (watcher.hold_for, watcher.still_for, watcher.rearm_after, watcher.on) == (1.0, 2.0, 3.0, ("behind",))
        assert (watcher.gate.outage_tolerance, watcher.gate.milestone.min_lag) == (4.0, 600.0)

    @pytest.mark.parametrize(
        "milestone",
        [
            Step("FULL_TRANSFER"),
            FullTransfer(50),
            CheckpointLag(max_lag=25, hold_for=60),
            CheckpointReached("2027-01-01"),
            FullVerification(),
            ProjectStatus(("FINISHED",)),
            CutoverReady(),
        ],
        ids=repr,
    )
    def test_any_milestone(self, milestone):
        assert from_json(trigger_of(EACH["milestone"](milestone=milestone)).watcher).gate.milestone == milestone

    @pytest.mark.parametrize(
        ("kind", "arguments", "named"),
        [
            ("milestone", {"milestone": "FULL_TRANSFER"}, "milestone must be a milestone such as"),
            ("milestone", {"on": ()}, "on must be"),
            ("milestone", {"on": "done"}, "on must be"),
            ("milestone", {"rearm_after": -1}, "rearm_after must be"),
            ("milestone", {"project_name": None}, "project_id or project_name"),
            ("milestone", {"project_name": "{{ params.project }}"}, "project_name is a template"),
            ("complete_until", {"every": "5h"}, "every must be"),
            ("complete_until", {"timezone": "Shanghai"}, "timezone must be"),
            ("complete_until", {"direction": "sideways"}, "direction must be"),
            ("alarm", {"min_lag": "much"}, "min_lag must be"),
            ("alarm", {"on": ["late"]}, "on must be"),
            ("alarm", {"still_for": None}, "still_for must be"),
        ],
    )
    def test_a_wrong_argument_is_named_when_the_dag_is_parsed(self, kind, arguments, named):
        with pytest.raises(ValueError, match=named):
            EACH[kind](**arguments)

    def test_parsing_imports_no_http_and_asks_nobody(self):
        code = (
            "import socket, sys\n"
            "from airflow.sdk import DAG\n"
            "before = set(sys.modules)\n"
            "socket.socket.connect = None\n"
            "from airflow_provider_oms.assets import *\n"
            "oms_complete_until_asset('a', project_name='shop')\n"
            "new = {name for name in set(sys.modules) - before}\n"
            "print(sorted(new & {'aiohttp', 'requests', 'tenacity', 'airflow_provider_oms.triggers.watching'}))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
        assert done.stdout.strip().endswith("[]"), done.stderr


def event(until, begin, number="1"):
    payload = {"complete_until": until, "complete_from": begin, "id": number}
    return SimpleNamespace(extra={"from_trigger": True, "payload": payload})


THURSDAY, FRIDAY, SATURDAY = (f"2026-11-{day}T00:00:00+08:00" for day in (26, 27, 28))


@dataclass(frozen=True)
class Named:
    """An Airflow asset as a key: an object with a name."""

    name: str


class TestWhatAWokenDagReads:
    def test_the_latest_moment(self):
        found = {"asset": [event(SATURDAY, FRIDAY, "2"), event(FRIDAY, THURSDAY, "1")]}
        assert complete_until(found) == datetime.fromisoformat(SATURDAY)
        assert complete_until(found).utcoffset() == timedelta(hours=8)

    def test_everything_that_the_run_stands_for_once_and_in_order(self):
        friday, saturday = event(FRIDAY, THURSDAY, "1"), event(SATURDAY, FRIDAY, "2")
        found = completed({"asset": [saturday, friday, saturday, friday]})
        assert [one.id for one in found] == ["1", "2"]
        assert found[0] == Completed(datetime.fromisoformat(THURSDAY), datetime.fromisoformat(FRIDAY), "1")

    def test_of_the_asset_that_is_named(self):
        found = {Named("one"): [event(FRIDAY, THURSDAY)], Named("other"): [event(SATURDAY, FRIDAY)]}
        assert complete_until(found, "one") == datetime.fromisoformat(FRIDAY)
        with pytest.raises(ValueError, match="named 'third'"):
            complete_until(found, "third")

    @pytest.mark.parametrize(
        "found", [{}, {"asset": []}, {"asset": [SimpleNamespace(extra={})]}, {"asset": [SimpleNamespace(extra=None)]}]
    )
    def test_a_run_by_hand_says_so(self, found):
        with pytest.raises(ValueError, match="was not started by an event of oms_complete_until_asset"):
            complete_until(found)


def test_everything_public_is_named():
    assert set(assets.__all__) >= {"FullTransfer", "CheckpointLag", "oms_asset", "complete_until"}
