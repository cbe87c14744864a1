"""The simulator in a test: start and stop, port, Date header, TLS, records, threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from airflow_provider_oms.simulator import Clock, Project, Simulator
from tests.certificates import Authority

from .conftest import post


def test_start_stop_and_again_on_the_same_port():
    threads = threading.active_count()
    sim = Simulator([Project(name="kept")])
    with pytest.raises(RuntimeError, match="not running"):
        sim.down()
    sim.start()
    with pytest.raises(RuntimeError, match="already"):
        sim.start()
    port = sim.port
    assert post(sim, "ListProjects").json()["totalCount"] == 1
    sim.stop()
    sim.stop()
    assert threading.active_count() == threads
    with pytest.raises(requests.ConnectionError):
        post(sim, "ListProjects")
    with sim:
        assert sim.port == port
        assert post(sim, "ListProjects").json()["data"][0]["name"] == "kept"


def test_a_port_in_use_is_an_error_and_leaves_no_thread(sim):
    threads = threading.active_count()
    with pytest.raises(OSError, match="use"):
        Simulator(port=sim.port).start()
    assert threading.active_count() == threads


def test_down_and_up(sim):
    with requests.Session() as session:
        session.auth = (sim.login, sim.password)
        url = f"{sim.url}/api/v2?Action=ListAllLabels"
        assert session.post(url, timeout=60).status_code == 200
        sim.down()
        sim.down()
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                session.post(url, timeout=60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((sim.host, sim.port), 60)
        sim.up()
        sim.up()
        assert session.post(url, timeout=60).status_code == 200


def test_an_outage_ends_by_itself(sim):
    sim.outage(0.2)
    for _ in range(3000):
        try:
            assert post(sim, "ListAllLabels").status_code == 200
            return
        except requests.ConnectionError:
            time.sleep(0.02)
    pytest.fail("The port did not come back")


def test_stop_during_an_outage():
    sim = Simulator().start()
    sim.outage(3600)
    with pytest.raises(requests.ConnectionError):
        post(sim, "ListAllLabels")
    sim.stop()
    with sim:
        assert post(sim, "ListAllLabels").status_code == 200


def test_down_may_be_called_from_within_a_request():
    with Simulator(on_request=lambda record: sim.outage(0.05)) as sim:
        url = f"{sim.url}/api/v2?Action=ListAllLabels"
        refused = 0
        for _ in range(50):
            try:
                requests.post(url, timeout=60)
            except requests.ConnectionError:
                refused += 1
        assert refused


def test_the_date_header_is_the_simulated_clock():
    clock = Clock(speed=0, start=1_000_000_000)
    with Simulator(clock=clock) as sim:
        assert post(sim, "ListAllLabels").headers["Date"] == "Sun, 09 Sep 2001 01:46:40 GMT"
        clock.advance(61)
        assert post(sim, "ListAllLabels").headers["Date"] == "Sun, 09 Sep 2001 01:47:41 GMT"
        sim.date_header = -1
        assert post(sim, "ListAllLabels").headers["Date"] == "Sun, 09 Sep 2001 01:47:40 GMT"
        sim.date_header = "none"
        assert "Date" not in post(sim, "ListAllLabels").headers
        sim.date_header = "real"
        assert "2001" not in post(sim, "ListAllLabels").headers["Date"]


def test_the_connection(sim):
    assert sim.connection_kwargs == {
        "conn_type": "oms",
        "host": "127.0.0.1",
        "port": sim.port,
        "schema": "http",
        "login": "admin",
        "password": "oms-simulator",
    }
    assert json.loads(sim.connection_json) == sim.connection_kwargs
    assert sim.url == f"http://127.0.0.1:{sim.port}"


def test_it_listens_on_this_machine_only_unless_told_otherwise():
    assert Simulator().host == "127.0.0.1"
    assert Simulator(host="0.0.0.0").connection_kwargs["host"] == "127.0.0.1"  # noqa: S104


def test_https(tmp_path):
    authority = Authority(tmp_path)
    with Simulator(ssl_context=authority.server("127.0.0.1")) as sim:
        assert sim.connection_kwargs["schema"] == "https"
        url = f"{sim.url}/api/v2?Action=ListAllLabels"
        auth = (sim.login, sim.password)
        assert requests.post(url, auth=auth, verify=str(authority.bundle), timeout=60).json()["success"] is True
        with pytest.raises(requests.exceptions.SSLError):
            requests.post(url, auth=auth, timeout=60)


def test_projects_by_name_and_id(sim):
    project = sim.add_project({"name": "shop", "rows": 5})
    assert sim.project("shop") is sim.project(project) is sim.projects[project]
    with pytest.raises(KeyError, match="nope"):
        sim.project("nope")
    with pytest.raises(ValueError, match=project):
        sim.add_project(Project(id=project))


def test_requests_are_recorded(sim):
    project = sim.add_project(Project())
    observed = []
    sim._records._on_request = observed.append
    post(sim, "StartProject", id=project)
    post(sim, "StartProject", id=project)
    first, second = sim.requests
    assert (first.action, first.project_id, first.status, first.outcome) == ("StartProject", project, 200, "success")
    assert first.payload == {"id": project}
    assert (second.outcome, second.executed) == ("GHANA-OPEROR000001", False)
    assert observed == [first, second]
    sim.clear_requests()
    assert sim.requests == []


def test_many_threads_at_once(sim):
    ids = [sim.add_project(Project()) for _ in range(5)]

    def work(number: int) -> int:
        project = ids[number % 5]
        post(sim, "StartProject", id=project)
        sim.clock.advance(0.1)
        assert post(sim, "DescribeProjectSteps", id=project).json()["success"] is True
        return len(sim.requests) and len(sim.projects)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(40))) == {5}
    assert len(sim.requests) == 80
    assert sum(r.outcome == "success" for r in sim.requests if r.action == "StartProject") == 5


def test_it_imports_nothing_else_of_the_provider_and_no_airflow():
    code = (
        "import sys, airflow_provider_oms.simulator, airflow_provider_oms.simulator.__main__\n"
        "bad = [m for m in sys.modules if m.split('.')[0] == 'airflow' or (m.startswith('airflow_provider_oms.')"
        " and not m.startswith('airflow_provider_oms.simulator'))]\n"
        "print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_client_is_left_waiting_when_the_port_goes_down():
    """Connections that are being accepted at that moment are closed as well."""
    ended, late = threading.Event(), []

    def hammer() -> None:
        while not ended.is_set():
            try:
                requests.post(f"{sim.url}/api/v2?Action=ListAllLabels", timeout=60)
            except requests.ConnectionError:
                pass
            except requests.Timeout as error:
                late.append(error)

    with Simulator() as sim:
        threads = [threading.Thread(target=hammer) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(15):
            sim.down()
            sim.up()
            sim.outage(0.001 * number)
            time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join(120)
    assert late == []


def test_health_needs_no_login(sim):
    assert requests.get(f"{sim.url}/oms/health", timeout=60).json() == {"data": {"healthy": True}}
    sim.healthy = False
    assert requests.get(f"{sim.url}/oms/health", timeout=60).json() == {"data": {"healthy": False}}


def test_it_can_be_used_within_an_event_loop():
    async def life() -> int:
        with Simulator(clock=Clock(speed=0)) as sim:
            answer = await asyncio.to_thread(requests.get, sim.url, timeout=60)
        return answer.status_code

    assert asyncio.run(life()) == 200
