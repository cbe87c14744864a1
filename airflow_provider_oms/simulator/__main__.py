"""The command line: ``python -m airflow_provider_oms.simulator`` runs a local OMS until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import shlex
import signal
import sys
import threading
from collections.abc import Sequence

from airflow_provider_oms.simulator import ctl
from airflow_provider_oms.simulator.clock import Clock
from airflow_provider_oms.simulator.editions import EDITIONS
from airflow_provider_oms.simulator.page import NOTICE
from airflow_provider_oms.simulator.scenario import DEFAULT
from airflow_provider_oms.simulator.service import APIS
from airflow_provider_oms.simulator.simulator import Simulator

_EPILOG = "`ctl` makes something happen in a simulator that runs: see `ctl --help`."


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    program = "python -m airflow_provider_oms.simulator"
    made = argparse.ArgumentParser(prog=program, description="A local OMS. " + NOTICE, epilog=_EPILOG)
    made.add_argument("--scenario", default=str(DEFAULT), help="YAML file with the projects to begin with")
    made.add_argument("--load", metavar="REPORT", help="answer as the OMS of a report that `airflow-oms doctor` wrote")
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    made.add_argument("--port", type=int, default=8089, help="port; 0 takes a free one")
    made.add_argument("--speed", type=float, default=1.0, help="simulated seconds per real second")
    made.add_argument("--login", default="admin")
    made.add_argument("--password", default="oms-simulator")
    made.add_argument("--api", choices=APIS, default="both", help="endpoints to serve")
    made.add_argument("--edition", choices=tuple(EDITIONS), help="whose actions and projects to simulate")
    made.add_argument("--casing", choices=("camel", "pascal"), default="camel", help="how keys are spelled")
    made.add_argument("--unsupported", action="append", default=[], metavar="ACTION", help="an action it doesn't know")
    return made


def banner(sim: Simulator) -> str:
    """Return what is printed once the simulator listens."""
    lines = [
        NOTICE,
        f"Address:  {sim.url}   (open it in a browser)",
        f"Login:    {sim.login} / {sim.password}",
        "Projects:",
        *(f"  {live.id:<18} {live.name:<18} {live.status:<10} {live.current_step}" for live in sim.projects.values()),
        "Connection for Airflow:",
        f"  export AIRFLOW_CONN_OMS_DEFAULT={shlex.quote(sim.connection_json)}",
        "From another terminal `python -m airflow_provider_oms.simulator ctl --help` lists what you can make happen.",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Run the simulator until SIGINT or SIGTERM (or ``stop``), or what ``ctl`` asks for; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["ctl"]:
        return ctl.main(arguments[1:])
    given = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        sim = Simulator(
            given.scenario,
            login=given.login,
            password=given.password,
            host=given.host,
            port=given.port,
            clock=Clock(speed=given.speed),
            api=given.api,
            edition=given.edition,
            casing=given.casing,
            actions_unsupported=given.unsupported,
        )
        if given.load:
            sim.load_report(given.load)
        sim.start()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The simulator cannot start: {error}\n")
        return 1
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    try:
        sys.stdout.write(banner(sim))
        sys.stdout.flush()
        stop.wait()
    finally:
        sim.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
