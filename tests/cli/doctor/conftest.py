"""Fixtures of doctor's tests, without real pauses; a pause also advances OMS's clock."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from airflow_provider_oms.cli.doctor import questions
from airflow_provider_oms.simulator import Clock, Modification, Project, Simulator, Table
from tests.cli.conftest import cli  # noqa: F401

#: Far from the present, so that a time that isn't shifted is noticed.
START = 1_800_000_000.0

FLAVOURS = {
    "4.2 Community": {"edition": "community-4.2.2"},
    "4.3.1 Enterprise": {"edition": "enterprise-4.3.1"},
    "hosted": {"api": "alibaba_cloud"},
}


@pytest.fixture
def oms(request, monkeypatch):
    """A simulated OMS of one kind, with a running project that is up to date."""
    flavour = FLAVOURS[getattr(request, "param", "4.3.1 Enterprise")]
    with Simulator(clock=Clock(start=START, speed=0), **flavour) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        monkeypatch.setattr(questions, "time", _clock(sim))
        apart = flavour.get("edition") == "enterprise-4.3.1"
        sim.add_project(
            Project(
                id="np_shop",
                name="shop",
                status="RUNNING",
                step="INCR_TRANSFER",
                initial_lag=1,
                enable_full_verify=not apart,
                verification=[Table("shop", "orders")],
                modification=Modification(pending=1, modifying=1, merging=1),
            )
        )
        sim.add_project(Project(id="np_sync", name="events", type="SYNC"))
        if apart:
            sim.add_project(Project(id="np_check", name="shop_check", type="VERIFY"))
        yield sim


def _clock(sim):
    return SimpleNamespace(time=sim.clock.now, sleep=lambda seconds: sim.clock.advance(seconds))


@pytest.fixture
def doctor(cli, oms):  # noqa: F811
    """Run doctor, and return its findings by point."""

    def run(*arguments):
        result = cli("doctor", *arguments, "--json")
        told = json.loads(result.out)
        by_point = {one["point"]: (one["outcome"], one["message"]) for one in (*told["points"], *told["checks"])}
        return SimpleNamespace(code=result.code, told=told, by_point=by_point, err=result.err)

    return run
