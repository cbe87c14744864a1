"""The section ``[oms]`` of Airflow's configuration."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from airflow_provider_oms.client.settings import DEFAULT_MAX_CONCURRENT_REQUESTS
from airflow_provider_oms.get_provider_info import get_provider_info
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.hooks.options import DEFAULT_LIST_ABOVE, list_above
from airflow_provider_oms.simulator import Simulator
from airflow_provider_oms.triggers.shared import shared_oms

VARIABLE = "AIRFLOW__OMS__MAX_CONCURRENT_REQUESTS"
OPTIONS = get_provider_info()["config"]["oms"]["options"]


def limit():
    return asyncio.run(OmsHook().get_async_settings()).max_concurrent_requests


def test_the_default_is_the_one_in_the_provider_s_metadata(sim):
    assert limit() == DEFAULT_MAX_CONCURRENT_REQUESTS == int(OPTIONS["max_concurrent_requests"]["default"])


def test_a_deployment_sets_it(sim, monkeypatch):
    monkeypatch.setenv(VARIABLE, "3")
    assert limit() == 3


@pytest.mark.parametrize("text", ["0", "-1", "many", "2.5", ""])
def test_a_wrong_value_stops_no_gate_and_is_warned_about(sim, monkeypatch, caplog, text):
    monkeypatch.setenv(VARIABLE, text)
    assert limit() == DEFAULT_MAX_CONCURRENT_REQUESTS
    assert "[oms] max_concurrent_requests must be a whole number" in caplog.text


def test_how_many_projects_are_asked_for_one_by_one(monkeypatch, caplog):
    assert list_above() == DEFAULT_LIST_ABOVE == int(OPTIONS["list_above"]["default"])
    monkeypatch.setenv("AIRFLOW__OMS__LIST_ABOVE", "0")
    assert list_above() == 0
    monkeypatch.setenv("AIRFLOW__OMS__LIST_ABOVE", "-1")
    assert list_above() == DEFAULT_LIST_ABOVE
    assert "[oms] list_above must be a whole number, 0 or more" in caplog.text


def test_a_hook_reads_nothing_before_it_is_used(monkeypatch):
    monkeypatch.setattr("airflow_provider_oms.hooks.oms.max_concurrent_requests", lambda: pytest.fail("too early"))
    OmsHook()


@pytest.mark.parametrize("most", [1, 4])
def test_the_gates_of_a_triggerer_keep_to_it(monkeypatch, most):
    """Ten gates on ten projects poll at once, but OMS never has more requests at a time than the setting allows."""
    under_way, observed = 0, []

    async def poll(oms, number):
        from airflow_provider_oms.client import actions

        return await oms.ask(actions.describe_project_progress(f"np_{number}"), fresh_for=0)

    async def main():
        async with shared_oms("oms_default") as share:
            oms = await share.session()
            client = oms.client
            really = client._session.request

            class Counted:
                def __init__(self, *arguments, **more):
                    self.request = really(*arguments, **more)

                async def __aenter__(self):
                    nonlocal under_way
                    under_way += 1
                    observed.append(under_way)
                    return await self.request.__aenter__()

                async def __aexit__(self, *exc_info):
                    nonlocal under_way
                    under_way -= 1
                    return await self.request.__aexit__(*exc_info)

            client._session.request = Counted
            return await asyncio.gather(*(poll(oms, number) for number in range(10)), return_exceptions=True)

    with Simulator() as oms:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", oms.connection_json)
        monkeypatch.setenv(VARIABLE, str(most))
        asyncio.run(main())
    assert len(observed) == 10
    assert max(observed) == most


def test_airflow_s_command_line_knows_it(airflow_home):
    command = [sys.executable, "-m", "airflow", "config", "get-value", "oms", "max_concurrent_requests"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "20"
