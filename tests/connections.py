"""Makes the Airflow connection to a simulator, without retries, so that no test waits for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_oms.simulator import Simulator


def connect(monkeypatch: pytest.MonkeyPatch, simulator: Simulator, conn_id: str = "oms_default", **extra: Any) -> None:
    """Define the connection in the environment.

    :param monkeypatch: removes it after the test
    :param simulator: the simulator that it leads to
    :param conn_id: its id
    :param extra: further settings in its extra
    """
    fields = {**simulator.connection_kwargs, "extra": {"retries": 0, "timeout": 60, **extra}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))
