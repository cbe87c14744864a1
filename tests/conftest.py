"""A temporary Airflow home for the test run, made before anything imports Airflow, and fixtures for all tests."""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

# A program that has already imported Airflow passes its home: reliability/mutations.py.
_HOME = Path(os.environ.get("OMS_TESTS_HOME") or tempfile.mkdtemp(prefix="oms-tests-"))
if "OMS_TESTS_HOME" not in os.environ:
    atexit.register(shutil.rmtree, _HOME, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "OMS_"))]:
    del os.environ[_name]
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]  # all servers of the tests are on this machine
os.environ.update(
    AIRFLOW_HOME=str(_HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(_HOME / "dags"),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
    AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK="False",
)
# Subprocesses find the command ``airflow`` in the folder of this Python.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
(_HOME / "dags").mkdir(exist_ok=True)

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from airflow_provider_oms.simulator import Clock, Simulator  # noqa: E402
from tests import rows  # noqa: E402
from tests.clocks import pause_at_once  # noqa: E402
from tests.parts import MARKERS, deal, markers, may_hold  # noqa: E402

# Examples may take any time on a slow machine, and are the same in each run.
settings.register_profile(
    "any machine", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_addoption(parser):
    parser.addoption("--rows", default="", help="of tests that run a table, only the rows whose name contains this")


def pytest_configure(config):
    rows.chosen = config.getoption("--rows")
    # pytest-asyncio before 1.5 would otherwise create an event loop to restore, and leave it open.
    asyncio.set_event_loop(None)


def pytest_ignore_collect(collection_path, config):
    """Ignore files without tests of the requested part, because collecting all files takes as long as such a part."""
    part = config.option.markexpr
    if part in MARKERS and collection_path.suffix == ".py":
        file = collection_path.relative_to(config.rootpath).as_posix()
        return None if may_hold(file, part) else True
    return None


def pytest_collection_modifyitems(items):
    """Mark the tests of each part (``scripts/test.py --part``), and run tests that take long first."""
    for item in items:
        for marker in markers(item.nodeid):
            item.add_marker(marker)
    items[:] = deal(items, lambda item: item.nodeid, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


@pytest.fixture(scope="session")
def airflow_home():
    """The throw-away Airflow home, without a database until ``airflow_db`` makes one."""
    return _HOME


@pytest.fixture(scope="session")
def airflow_db(airflow_home, tmp_path_factory):
    """The throw-away Airflow with its database: for what needs a real DAG run. It is made once for all processes."""
    folder = tmp_path_factory.getbasetemp()
    made = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "airflow.db"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            subprocess.run(["airflow", "db", "migrate"], check=True, capture_output=True, timeout=600)
            _copy(airflow_home / "airflow.db", made)
        else:  # even if the file exists: on 3.0 a test that looks up a connection has made one without tables
            _copy(made, airflow_home / "airflow.db")
    return airflow_home


def _copy(database, to):
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


@pytest.fixture
def sim(monkeypatch):
    """A simulated OMS whose clock stands still, behind the connection ``oms_default``."""
    with Simulator(clock=Clock(speed=0)) as simulator:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", simulator.connection_json)
        yield simulator


@pytest.fixture
def logged(capsys, caplog):
    """Return what the tasks have logged: Airflow 3 writes it to stdout."""
    return lambda: capsys.readouterr().out + caplog.text


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that were asked for, in seconds. Nobody sleeps."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    pause_at_once(monkeypatch, asked.append)
    return asked
