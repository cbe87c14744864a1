"""``scripts/demo.py --ui``: ``airflow standalone`` with the example DAGs and the simulated OMS, until Ctrl-C."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_oms.simulator import Simulator
from demo.dag_test import DAG_ID, DemoFailed, saved
from demo.home import (
    airflow_environment,
    airflow_version,
    example_dags,
    standalone_environment,
    throw_away_home,
)
from demo.migration import database_connections, example_projects
from demo.process import Process
from demo.screen import NOTICE, Screen

#: Seconds that Airflow has to become ready.
LIMIT = 240.0

_EVERY = 0.5
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def run_standalone(screen: Screen, *, deferrable: bool, keep: bool, port: int) -> int:
    """Run Airflow with its pages until Ctrl-C, and return the exit status if it ends by itself.

    :param screen: where to show it
    :param deferrable: whether the gates wait in the triggerer
    :param keep: whether to keep the throw-away home
    :param port: where its pages are to be
    :raises KeyboardInterrupt: at Ctrl-C, once everything is stopped
    """
    screen.say(NOTICE)
    if not is_free(port):
        screen.say(f"Port {port} is taken. Choose another one: python3 scripts/demo.py --ui --port {port + 1}")
        return 1
    with Simulator(example_projects()) as oms, throw_away_home(keep) as home:
        log = home / "standalone.log"
        environment = airflow_environment(home, example_dags(), oms.connection_json, deferrable=deferrable)
        environment |= standalone_environment(port) | database_connections()
        environment["AIRFLOW__OMS__PROGRESS_PAGE"] = "True"
        screen.say("Airflow starts (airflow standalone); this takes about half a minute. Ctrl-C stops everything.")
        try:
            with Process([sys.executable, "-m", "demo.loopback", "standalone"], environment, log) as airflow:
                wait_until_ready(airflow, home, port)
                _greet(screen, oms, home, port)
                while airflow.exit_code() is None:
                    time.sleep(_EVERY)
            raise DemoFailed(f"Airflow ended by itself (exit status {airflow.exit_code()}).")
        except DemoFailed as error:
            screen.failure(str(error), log if keep else saved(log))
            return 1
        finally:
            if keep:
                screen.say(f"Airflow's home is kept: {home}")


def _greet(screen: Screen, oms: Simulator, home: Path, port: int) -> None:
    user, password = read_login(home) or ("admin", "?")
    screen.say(
        f"""
Airflow is ready.
  Address:        http://127.0.0.1:{port}
  Login:          {user} / {password}
  Simulated OMS:  {oms.url}  (shows the migration and what was asked of it)

From Airflow 3.1 on, "Migration progress" in the navigation, and the link of that name on each task, show how the
migrations are getting on.
Open the DAG {DAG_ID}, switch it on and trigger it; its migration takes 20 s. Each other example DAG has a
project of its own. Later runs find their work done: restart the demo to begin again. Ctrl-C stops everything.
"""
    )


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def read_login(home: Path) -> tuple[str, str] | None:
    """Return the login that Airflow has generated, None before that.

    :param home: Airflow's home
    """
    generated = home / "simple_auth_manager_passwords.json.generated"
    if generated.exists():
        try:
            users = json.loads(generated.read_text(encoding="utf-8"))
        except ValueError:  # it is being written
            return None
        return next(iter(users.items()), None)
    text = home / "standalone_admin_password.txt"
    if text.exists() and (password := text.read_text(encoding="utf-8").strip()):
        return "admin", password
    return None


def is_healthy(said: Mapping[str, Any]) -> bool:
    """Tell from Airflow's health page whether every component on it is healthy."""
    parts = [said[name] for name in _COMPONENTS if said.get(name)]
    # 2.11 has no DAG processor of its own and gives its status as null.
    states = [part.get("status") for part in parts]
    return len([state for state in states if state == "healthy"]) >= 3 and not set(states) - {"healthy", None}


def wait_until_ready(airflow: Process, home: Path, port: int) -> None:
    """Wait until Airflow's components are healthy and it has generated the login.

    :param airflow: the running ``airflow standalone``
    :param home: its home
    :param port: where its pages are
    :raises DemoFailed: when it ends, or takes longer than :data:`LIMIT`
    """
    page = "/api/v2/monitor/health" if airflow_version() >= (3,) else "/health"
    until = time.monotonic() + LIMIT
    while not (is_healthy(_ask(f"http://127.0.0.1:{port}{page}")) and read_login(home)):
        if airflow.exit_code() is not None:
            raise DemoFailed(f"Airflow ended before it was ready (exit status {airflow.exit_code()}).")
        if time.monotonic() > until:
            raise DemoFailed(f"Airflow was not ready after {LIMIT:g} s.")
        time.sleep(_EVERY)


def _ask(url: str) -> Mapping[str, Any]:
    """Return the JSON of a page, or an empty mapping if it sends none. No proxy is used for this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            said = json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return {}
    return said if isinstance(said, Mapping) else {}
