"""The pytest fixture, as users' own tests use it."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_users_test(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["airflow_provider_oms.simulator.pytest_plugin"]\n')
    (tmp_path / "test_mine.py").write_text(
        "import json, os\n"
        "from airflow_provider_oms.simulator import Project\n"
        "def test_mine(oms_simulator):\n"
        "    assert json.loads(os.environ['AIRFLOW_CONN_OMS_DEFAULT'])['port'] == oms_simulator.port\n"
        "    before = oms_simulator.clock.now()\n"
        "    assert oms_simulator.clock.now() == before\n"
        "    oms_simulator.add_project(Project(name='shop'))\n"
        "    assert oms_simulator.projects\n"
        "def test_the_next_one_begins_again(oms_simulator):\n"
        "    assert not oms_simulator.projects\n"
        "def test_without():\n"
        "    assert 'AIRFLOW_CONN_OMS_DEFAULT' not in os.environ\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "AIRFLOW_CONN_OMS_DEFAULT"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
