"""An operator's surroundings: a simulated OMS without retries in the client, and nobody who sleeps."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.simulator import Clock, Simulator
from tests.operators.running import Runner, no_sleep


@pytest.fixture
def sim(monkeypatch):
    """A simulated OMS whose clock moves with the pauses only."""
    with Simulator(clock=Clock(speed=0)) as simulator:
        connection = {**simulator.connection_kwargs, "extra": {"retries": 0, "timeout": 5}}
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(connection))
        yield simulator


@pytest.fixture
def runner(sim, monkeypatch):
    """Runs operators."""
    made = Runner(sim)
    no_sleep(monkeypatch, made)
    return made
