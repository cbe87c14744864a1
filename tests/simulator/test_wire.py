"""What a client receives for each fault, and whether the action was carried out."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests

from airflow_provider_oms.simulator import Fault, Project, Simulator
from airflow_provider_oms.simulator.faults import KINDS

from .conftest import post

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def project(sim) -> str:
    return sim.add_project(Project())


def start(sim: Simulator, project: str, fault: Fault) -> requests.Response:
    sim.add_fault(fault)
    return post(sim, "StartProject", id=project)


def test_status_with_headers_and_body(sim, project):
    response = start(sim, project, Fault("status", status=429, headers={"Retry-After": "7"}, body="slow down"))
    assert (response.status_code, response.headers["Retry-After"], response.text) == (429, "7", "slow down")
    assert sim.project(project).status == "INIT"
    record = sim.requests[-1]
    assert (record.status, record.outcome, record.executed) == (429, "fault:status", False)


def test_a_replaced_answer_may_be_executed(sim, project):
    assert start(sim, project, Fault("status", status=502, execute=True)).status_code == 502
    assert sim.project(project).status == "RUNNING"


def test_redirect(sim, project):
    response = start(sim, project, Fault("redirect", location="http://elsewhere/"))
    assert (response.status_code, response.headers["Location"]) == (302, "http://elsewhere/")
    sim.clear_faults()
    assert start(sim, project, Fault("redirect", status=301)).status_code == 301


def test_error(sim, project):
    answer = start(sim, project, Fault("error", code="C-1", message="because", advice="wait")).json()
    assert (answer["success"], answer["code"], answer["advice"]) == (False, "C-1", "wait")
    assert answer["errorDetail"]["message"] == "because"


def test_bodies_that_are_none(sim, project):
    assert start(sim, project, Fault("html", times=1)).text.startswith("<!DOCTYPE html>")
    assert start(sim, project, Fault("empty", times=1)).content == b""
    with pytest.raises(ValueError, match="Expecting"):
        start(sim, project, Fault("invalid_json", times=1)).json()
    with pytest.raises(UnicodeDecodeError):
        start(sim, project, Fault("invalid_utf8", times=1)).content.decode()
    assert sim.project(project).status == "INIT"


def test_wrong_type(sim, project):
    response = start(sim, project, Fault("wrong_type"))
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.json()["success"] is True


@pytest.mark.parametrize(("kind", "status"), [("reset_before", "INIT"), ("reset_after", "RUNNING")])
def test_resets(sim, project, kind, status):
    with pytest.raises(requests.ConnectionError, match="reset"):
        start(sim, project, Fault(kind, times=1))
    assert sim.project(project).status == status
    assert sim.requests[-1].executed is (status == "RUNNING")
    assert sim.requests[-1].status is None
    assert post(sim, "ListAllLabels").status_code == 200


def test_truncate(sim, project):
    with pytest.raises(BROKEN, match="IncompleteRead"):
        start(sim, project, Fault("truncate"))
    assert sim.project(project).status == "RUNNING"


def test_wrong_length(sim, project):
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        start(sim, project, Fault("wrong_length")).json()


def test_cut_headers(sim):
    sim.add_fault(Fault("cut_headers"))
    with socket.create_connection((sim.host, sim.port), 60) as raw:
        raw.sendall(b"POST /api/v2?Action=ListAllLabels HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        raw.settimeout(60)
        data = b""
        while part := raw.recv(4096):
            data += part
    assert data.startswith(b"HTTP/1.1 ")
    assert b"\r\n\r\n" not in data


def test_delay(sim, project):
    begin = time.monotonic()
    assert start(sim, project, Fault("delay", seconds=0.2)).json()["success"] is True
    assert time.monotonic() - begin >= 0.2


@pytest.mark.parametrize("chunked", [False, True])
def test_huge(sim, chunked):
    sim.add_fault(Fault("huge", size=300_000, chunked=chunked))
    response = post(sim, "ListAllLabels")
    assert len(response.content) == 300_000
    assert ("Content-Length" in response.headers) is not chunked
    assert response.json()["success"] is True


def test_drip(sim):
    sim.add_fault(Fault("drip", seconds=0.001))
    assert post(sim, "ListAllLabels").json()["data"] == []


@pytest.mark.parametrize("kind", ["hang", "drip", "delay", "huge"])
def test_stop_ends_what_is_open(kind):
    """It doesn't wait until the response is complete, which would take an hour."""
    before = threading.active_count()
    observed = []
    with Simulator() as sim:
        sim.add_fault(Fault(kind, seconds=3600, size=1 << 40))
        reached = threading.Event()

        def client() -> None:
            try:
                with requests.post(
                    f"{sim.url}/api/v2?Action=ListAllLabels",
                    auth=(sim.login, sim.password),
                    timeout=600,
                    stream=True,
                ) as response:
                    reached.set()
                    for _ in response.iter_content(65536):
                        pass
                observed.append(response.status_code)
            except requests.RequestException as error:
                observed.append(type(error))

        thread = threading.Thread(target=client)
        thread.start()
        if kind in ("drip", "huge"):
            assert reached.wait(60)
        else:
            for _ in range(6000):
                if sim._service.faults._faults[0].fired:
                    break
                time.sleep(0.01)
    thread.join(60)
    assert not thread.is_alive()
    assert len(observed) == 1
    assert threading.active_count() == before


def test_every_kind_has_words():
    assert all(KINDS.values())
