"""Tests of the demo's migration, and of the times that the simulator reports."""

from __future__ import annotations

import re

import pytest

from airflow_provider_oms.simulator import Clock, Simulator
from demo.home import example_dags
from demo.migration import MAX_LAG, Record, demo_project, example_projects

START = 1_800_000_000.0


@pytest.fixture
def demo():
    sim = Simulator([demo_project()], clock=Clock(speed=0, start=START))
    return sim, Record(sim.project("demo_shop"))


def test_nothing_is_reached_before_the_start(demo):
    sim, record = demo
    sim.clock.advance(100)
    assert record.started() is None
    assert record.full_transfer_reached() is None
    assert record.lag_reached(MAX_LAG) is None


def test_the_milestones_come_within_20_seconds_of_the_start(demo):
    sim, record = demo
    sim.clock.advance(5)
    sim.project("demo_shop").start()
    sim.clock.advance(60)
    assert record.started() == START + 5
    assert record.full_transfer_reached() == pytest.approx(START + 14)
    assert record.lag_reached(MAX_LAG) == pytest.approx(START + 25)


def test_the_lag_is_not_reached_before_oms_shows_it(demo):
    sim, record = demo
    sim.project("demo_shop").start()
    sim.clock.advance(19.9)
    assert record.lag_reached(MAX_LAG) is None
    sim.clock.advance(0.2)
    assert record.lag_reached(MAX_LAG) == pytest.approx(START + 20)


def test_it_knows_what_was(demo):
    sim, record = demo
    sim.clock.advance(5)
    sim.project("demo_shop").start()
    sim.clock.advance(60)
    assert record.at(START + 1).status == "INIT"
    assert record.at(START + 9).current_step == "FULL_TRANSFER"
    assert record.at(START + 9).status == "RUNNING"


def test_steps_for_the_bars(demo):
    sim, record = demo
    sim.project("demo_shop").start()
    sim.clock.advance(6)
    full = next(step for step in record.steps() if step.name == "FULL_TRANSFER")
    assert (full.percent, full.status, full.detail) == (50, "RUNNING", "50,000 rows")
    sim.clock.advance(15)
    assert next(step.detail for step in record.steps() if step.name == "INCR_TRANSFER") == "2 s behind"


def test_every_example_finds_its_project():
    text = "".join(file.read_text() for file in example_dags().glob("example_oms_*.py"))
    wanted = set(re.findall(r'"project": "(\w+)"', text)) | set(re.findall(r'"(shop_[0-9]+)"', text))
    # The example of a migration creates its project itself.
    assert wanted - {"shop_migration"} == {"demo_shop", "shop_running", "shop_cutover", "shop_old"} | {
        f"shop_{number}" for number in (1, 2, 3)
    }
    with Simulator(example_projects()) as sim:
        for name in wanted - {"shop_migration"}:
            assert sim.project(name)
