"""``airflow-oms`` in a separate process: signals, stdout, and a connection that is only in Airflow's database."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from airflow_provider_oms.simulator import Clock, Project, Simulator

PASSWORD = "correct-horse-battery"


@pytest.fixture
def oms():
    project = Project(id="np_1", name="shop", status="RUNNING", step="FULL_TRANSFER", step_progress=40)
    with Simulator([project], clock=Clock(speed=0), password=PASSWORD) as simulator:
        yield simulator


@pytest.mark.parametrize(
    ("number", "code", "outcome"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, None)]
)
def test_a_signal_ends_it_and_leaves_the_project_alone(oms, number, code, outcome):
    environment = {**os.environ, "AIRFLOW_CONN_OMS_DEFAULT": oms.connection_json}
    with subprocess.Popen(
        ["airflow-oms", "wait", "shop", "--full-transfer", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts a command with `&` lets it ignore Ctrl-C, and whatever runs these tests may do the same.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        first = process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=600)
    assert "FULL" in first.upper(), first + err
    assert process.returncode == code, err
    assert (json.loads(out)["outcome"] if out else None) == outcome
    assert "Traceback" not in err
    assert oms.project("shop").status == "RUNNING"


def test_a_connection_out_of_airflow_s_database(oms, airflow_db):
    from airflow.models import Connection
    from airflow.utils.session import create_session

    fields = json.loads(oms.connection_json)
    with create_session() as session:
        session.add(Connection(conn_id="oms_stored", **fields))
    done = subprocess.run(
        ["airflow-oms", "wait", "shop", "--full-transfer", "30", "--json", "--conn-id", "oms_stored"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "reached"
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    ["projects", "projects --json", "wait shop --status RELEASED --timeout 0 --json 2>&1"],
)
def test_a_reader_that_has_observed_enough_gets_no_success(oms, command):
    environment = {**os.environ, "AIRFLOW_CONN_OMS_DEFAULT": oms.connection_json}
    done = subprocess.run(
        ["bash", "-c", f"airflow-oms {command} | true; exit ${{PIPESTATUS[0]}}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 141, done.stderr
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
