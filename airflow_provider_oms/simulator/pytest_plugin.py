"""A pytest fixture with a local OMS, for tests of DAGs.

Enable it in a ``conftest.py``: ``pytest_plugins = ["airflow_provider_oms.simulator.pytest_plugin"]``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_oms.simulator.clock import Clock
from airflow_provider_oms.simulator.simulator import Simulator


@pytest.fixture
def oms_simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A started simulator without projects, whose clock stands still until ``oms_simulator.clock.advance(seconds)``.

    The Airflow connection ``oms_default`` points to it while the test runs.
    """
    with Simulator(clock=Clock(speed=0)) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        yield sim
