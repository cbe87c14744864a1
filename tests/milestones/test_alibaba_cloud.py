"""The table of cases in the form of Alibaba Cloud's hosted OMS, with both clients: the verdicts are the same."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.operations import arun_flow, run_flow
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.simulator import Clock, Simulator
from airflow_provider_oms.simulator.envelope import pascal
from tests.gate_cases import CASES, NOW, serve
from tests.milestones.support import gate_of
from tests.modes import one_of_each_kind
from tests.rows import each_row


class Hosted:
    """A simulator for :func:`serve` that answers in PascalCase."""

    def __init__(self, simulator: Simulator) -> None:
        self.__dict__["simulator"] = simulator

    def __getattr__(self, name):
        return getattr(self.simulator, name)

    def __setattr__(self, name, value):
        setattr(self.simulator, name, value)

    def set_answer(self, action, written):
        self.simulator.set_answer(action, written and (lambda payload: in_pascal(written(payload))))


def in_pascal(body):
    """Convert a body's keys to those of the hosted OMS; leave a body that isn't JSON of OMS as it is."""
    try:
        return json.dumps(pascal(json.loads(body)))
    except ValueError:
        return body


@pytest.fixture(scope="module")
def oms():
    with Simulator(clock=Clock(start=NOW, speed=0), api="alibaba_cloud", login="LTAI-x", password="secret") as made:
        yield made


@pytest.fixture(scope="module")
def settings(oms):
    return ClientSettings(oms.url, "LTAI-x", "secret", timeout=30, retries=0, api_version="alibaba_cloud")


def matches(case, verdict):
    assert verdict.state == case.expected, verdict.message
    if case.message:
        assert re.search(case.message, verdict.message)


SENSORS = sorted({case.sensor for case in CASES})


@pytest.mark.parametrize("sensor", SENSORS)
def test_every_case_of_a_gate(sensor, oms, settings):
    with OmsClient(settings) as client:

        @each_row("case", [case for case in CASES if case.sensor == sensor])
        def check(case):
            serve(Hosted(oms), case)
            matches(case, run_flow(client, poll(gate_of(case.sensor, case.arguments), Memory(), Now(NOW, NOW))))

        check()


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_case_of_each_kind_with_the_asynchronous_client(sensor, oms, settings):
    async def all_of_them():
        async with AsyncOmsClient(settings) as client:
            for case in one_of_each_kind(CASES):
                if case.sensor == sensor:
                    serve(Hosted(oms), case)
                    gate = gate_of(case.sensor, case.arguments)
                    matches(case, await arun_flow(client, poll(gate, Memory(), Now(NOW, NOW))))

    asyncio.run(all_of_them())
