"""The example DAG, gated on a simulated migration, once through ``dag.test()``."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from airflow_provider_oms.simulator import Simulator
from demo.home import airflow_environment, example_dags, throw_away_home
from demo.migration import MAX_LAG, PROJECT, Record, demo_project
from demo.process import Process
from demo.report import ReportReader
from demo.screen import NOTICE, Screen
from demo.verdict import Facts, checks, happenings

DAG_ID = "example_oms_gate"

#: Seconds between two polls of a gate, for a migration that takes 20 s.
POKE_INTERVAL = 2.0

#: Seconds after which the run is given up.
LIMIT = 300.0

_EVERY = 0.1
_PHASES = {
    "database": "Airflow makes its database (as `airflow db migrate` does)",
    "run": f"Airflow runs the DAG {DAG_ID} (dag.test)",
}


class DemoFailed(Exception):
    """Airflow didn't do what it should; the message says what."""


def run_demo(screen: Screen, *, deferrable: bool, keep: bool) -> int:
    """Run the example DAG and return the exit status: 0 when downstream ran, and after the milestones.

    :param screen: where to show it
    :param deferrable: whether the gates wait in a trigger
    :param keep: whether to keep the throw-away home
    """
    screen.say(NOTICE)
    with Simulator([demo_project()]) as oms, throw_away_home(keep) as home:
        log = home / "airflow.log"
        record = Record(oms.project(PROJECT))
        environment = airflow_environment(home, example_dags(), oms.connection_json, deferrable=deferrable)
        reader = ReportReader(home / "report.jsonl")
        try:
            with screen:
                _run_airflow(screen, record, reader, environment, log)
            facts = Facts(
                record.project_id,
                record.started(),
                record.full_transfer_reached(),
                record.lag_reached(MAX_LAG),
                MAX_LAG,
            )
            found = checks(facts, reader.run)
            screen.result(happenings(facts, reader.run), found)
            if not all(check.passed for check in found):
                raise DemoFailed("The demo failed: see what is WRONG above.")
            screen.say("\nDownstream ran, and only after the migration had reached its milestones.")
            return 0
        except DemoFailed as error:
            screen.failure(str(error), log if keep else saved(log))
            return 1
        finally:
            if keep:
                screen.say(f"Airflow's home is kept: {home}")


def _run_airflow(
    screen: Screen, record: Record, reader: ReportReader, environment: Mapping[str, str], log: Path
) -> None:
    file = Path(environment["AIRFLOW__CORE__DAGS_FOLDER"]) / f"{DAG_ID}.py"
    command = [sys.executable, "-m", "demo.runner", str(file), DAG_ID, str(reader.file)]
    command += ["--poke-interval", str(POKE_INTERVAL)]
    screen.phase("Airflow starts")
    until = time.monotonic() + LIMIT
    phase = ""
    with Process(command, environment, log) as runner:
        while True:
            code = runner.exit_code()
            run = reader.update()
            if run.phase != phase:
                phase = run.phase
                screen.phase(_PHASES.get(phase, phase))
            screen.show(record.steps(), run)
            if code is not None:
                break
            if time.monotonic() > until:
                raise DemoFailed(f"The demo failed: Airflow was not done after {LIMIT:g} s.")
            time.sleep(_EVERY)
    if reader.run.state is None:
        raise DemoFailed(f"The demo failed: Airflow's run didn't come to an end (exit status {code}).")
    screen.phase("Done")


def saved(log: Path) -> Path:
    """Copy the log out of a home that will be deleted, and return the path of the copy."""
    if not log.exists():
        return log
    with tempfile.NamedTemporaryFile(prefix="oms-demo-", suffix=".log", delete=False) as file:
        kept = Path(file.name)
    return Path(shutil.copy(log, kept))
