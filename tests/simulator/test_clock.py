"""The clock stands still, runs, is advanced, and never goes back."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import Clock


def test_speed_zero_stands_still_until_advanced():
    clock = Clock(speed=0, start=1000)
    assert clock.now() == 1000
    assert clock.advance(2.5) == 1002.5
    assert clock.now() == 1002.5


def test_speed_multiplies_real_time(monkeypatch):
    real = [50.0]
    monkeypatch.setattr("airflow_provider_oms.simulator.clock.time.monotonic", lambda: real[0])
    clock = Clock(speed=60, start=1000)
    real[0] += 2
    assert clock.now() == 1120
    clock.speed = 1
    real[0] += 2
    assert clock.now() == 1122


def test_it_never_goes_back():
    clock = Clock(speed=0)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="backwards"):
        Clock(speed=-1)
    with pytest.raises(ValueError, match="backwards"):
        clock.speed = -2
