"""The command: its output, and that it stops cleanly."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import threading

import requests

from airflow_provider_oms.simulator.__main__ import main


def test_it_runs_until_ctrl_c():
    process = subprocess.Popen(
        [sys.executable, "-m", "airflow_provider_oms.simulator", "--port", "0", "--password", "it's"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        text = "".join(lines)
        assert "not from an OMS" in text
        assert "demo_shop" in text
        (export,) = [line for line in lines if "AIRFLOW_CONN_OMS_DEFAULT" in line]
        connection = json.loads(shlex.split(export)[1].partition("=")[2])
        answer = requests.post(
            f"http://{connection['host']}:{connection['port']}/api/v2?Action=ListProjects",
            auth=(connection["login"], connection["password"]),
            timeout=600,
        ).json()
        assert answer["totalCount"] == 4
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=600)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert 'action="ListProjects"' in errors


def test_a_wrong_scenario_and_a_port_in_use_are_reported(sim, tmp_path, capsys):
    assert main(["--scenario", str(tmp_path / "missing.yaml")]) == 1
    assert "missing.yaml" in capsys.readouterr().err
    assert main(["--port", str(sim.port)]) == 1
    assert "in use" in capsys.readouterr().err


def test_it_stops_when_told(capsys):
    stop = threading.Event()
    stop.set()
    assert main(["--port", "0"], stop) == 0
    assert "http://127.0.0.1:" in capsys.readouterr().out
