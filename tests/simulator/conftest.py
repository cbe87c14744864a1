"""Fixtures of the simulator's tests: a simulator with a stopped clock, and a raw client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from airflow_provider_oms.simulator import Clock, Simulator

START = 1_800_000_000.0

Call = Callable[..., dict[str, Any]]


def post(sim: Simulator, action: str, **payload: Any) -> requests.Response:
    """Send an action with the right credentials; wait for the answer."""
    return requests.post(
        f"{sim.url}/api/v2",
        params={"Action": action},
        json=payload,
        auth=(sim.login, sim.password),
        timeout=60,
        allow_redirects=False,
    )


def until_down(sim: Simulator) -> None:
    """Wait until the port refuses connections."""
    try:
        while True:
            requests.get(sim.url, timeout=60)
    except requests.ConnectionError:
        pass


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(clock=Clock(speed=0, start=START)) as made:
        yield made


@pytest.fixture
def call(sim: Simulator) -> Call:
    """Send an action that must succeed, and return its data."""

    def send(action: str, **payload: Any) -> Any:
        answer = post(sim, action, **payload).json()
        assert answer["success"] is True, answer
        return answer["data"]

    return send


@pytest.fixture
def refused(sim: Simulator) -> Call:
    """Send an action that must be refused, and return its errorDetail."""

    def send(action: str, **payload: Any) -> Any:
        response = post(sim, action, **payload)
        answer = response.json()
        assert response.status_code == 200
        assert answer["success"] is False, answer
        assert answer["data"] is None
        assert answer["code"] == answer["errorDetail"]["code"]
        return answer["errorDetail"]

    return send
