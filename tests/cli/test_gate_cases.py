"""Cases of each kind from the one table, with ``wait``, which must come to the same verdicts as the sensors."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from airflow_provider_oms.milestones.verdict import Observation
from airflow_provider_oms.simulator import Clock, Simulator
from tests.connections import connect
from tests.gate_cases import CASES, FAILED, NOW, REACHED, WAITING, serve
from tests.modes import one_of_each_kind

CODES = {REACHED: 0, FAILED: 1, WAITING: 3}

FLAGS = {
    "OmsFullVerificationSensor": ["--verified"],
    "OmsCutoverReadySensor": ["--cutover-ready"],
    "OmsFullTransferSensor": ["--full-transfer"],
}

OPTIONS = {"progress": "--full-transfer", "target_statuses": "--status"}


@pytest.fixture(scope="module")
def oms():
    with Simulator(clock=Clock(start=NOW, speed=0)) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def connection(oms, monkeypatch, pauses):
    connect(monkeypatch, oms)


def options(case):
    """Write a sensor's arguments as options."""
    written = [] if "progress" in case.arguments else list(FLAGS.get(case.sensor, []))
    for name, value in case.arguments.items():
        if name == "require_verification":
            name, value = "no_verification", not value
        option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
        if isinstance(value, bool):
            written += [option] if value else []
        elif isinstance(value, dict):
            written.append(
                f"{option}={','.join(f'{schema}.{one}' for schema, names in value.items() for one in names)}"
            )
        elif isinstance(value, datetime):
            written.append(f"{option}={value.isoformat()}")
        else:
            written.append(f"{option}={','.join(value) if isinstance(value, list | tuple) else value}")
    return written


@pytest.mark.parametrize("case", one_of_each_kind(CASES), ids=str)
def test_wait_comes_to_what_the_sensor_comes_to(case, oms, cli):
    serve(oms, case)
    result = cli("wait", "np_1", *options(case), "--timeout", "0", "--json")
    assert result.code == CODES[case.expected], result
    told = result.json
    assert told["outcome"] == {REACHED: "reached", FAILED: "failed", WAITING: "timeout"}[case.expected]
    assert set(told["observed"]) == set(Observation._fields)
    if case.message:
        assert re.search(case.message, told["message"])
    assert "clear this task" not in told["message"] + result.err
