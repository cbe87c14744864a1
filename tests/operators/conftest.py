"""Fixtures of the operators' tests: a simulated OMS, a client without retries, and no real pauses."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Clock, Simulator
from tests.connections import connect
from tests.operators.running import Runner, no_sleep


@pytest.fixture
def sim(monkeypatch):
    """A simulated OMS whose clock advances only with the pauses."""
    with Simulator(clock=Clock(speed=0)) as simulator:
        connect(monkeypatch, simulator)
        yield simulator


@pytest.fixture
def runner(sim, monkeypatch):
    """Runs operators."""
    made = Runner(sim)
    no_sleep(monkeypatch, made)
    return made
