"""An operator's surroundings: a simulated OMS without retries in the client, and nobody who sleeps."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Clock, Simulator
from tests.connections import connect
from tests.operators.running import Runner, no_sleep


@pytest.fixture
def sim(monkeypatch):
    """A simulated OMS whose clock moves with the pauses only."""
    with Simulator(clock=Clock(speed=0)) as simulator:
        connect(monkeypatch, simulator)
        yield simulator


@pytest.fixture
def runner(sim, monkeypatch):
    """Runs operators."""
    made = Runner(sim)
    no_sleep(monkeypatch, made)
    return made
