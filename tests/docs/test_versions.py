"""The page about versions is correct for the Airflow that is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module

import pendulum
import pytest
from airflow.plugins_manager import AirflowPlugin
from airflow.providers.common.compat.sdk import DAG, Context
from airflow.providers_manager import ProvidersManager
from airflow.timetables.base import TimeRestriction
from airflow.triggers.base import BaseTrigger
from airflow.utils.state import TaskInstanceState

from airflow_provider_oms.sensors import oms as sensors
from airflow_provider_oms.tasks.airflow_version import airflow_version
from results import HEAD
from tests.docs.pages import DOCS
from versions import AIRFLOWS, MAIN

PAGE = (DOCS / "versions.md").read_text()


def is_made(sensor: str, **arguments) -> bool:
    """Return whether a gate with these arguments can be created."""
    try:
        getattr(sensors, sensor)(task_id="gate", project_id="np_1", **arguments)
    except ValueError:
        return False
    return True


def can_import(module: str, name: str) -> bool:
    """Return whether a name can be imported from Airflow."""
    try:
        return hasattr(import_module(module), name)
    except Exception:  # Airflow raises another error than ImportError for names that a version doesn't have.
        return False


def form():
    """Return the web form of the connection as Airflow 3 sends it to the browser; None if it has no form of ours."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    return next(meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == "oms")


def has_names() -> bool:
    if airflow_version() < (3, 0):
        return "oms" in ProvidersManager().field_behaviours
    return bool(form().standard_fields)


def has_fields() -> bool:
    if airflow_version() < (3, 0):
        return "extra__oms__verify" in ProvidersManager().connection_form_widgets
    return bool(form().extra_fields)


def has_types() -> bool:
    return airflow_version() >= (3, 0) and has_fields() and "number" in form().extra_fields["timeout"]["schema"]["type"]


def has_events() -> bool:
    from airflow_provider_oms.assets import oms_asset
    from airflow_provider_oms.milestones.kinds import FullTransferMilestone

    try:
        oms_asset("versions", milestone=FullTransferMilestone(100), project_name="shop")
    except ValueError:
        return False
    return True


def lists_the_form() -> bool:
    """Return whether the command lists the form. A separate process, because Airflow keeps placeholders of a form."""
    code = "from airflow.providers_manager import ProvidersManager as P; print(*P().connection_form_widgets)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    return "extra__oms__verify" in done.stdout


#: The beginning of each row of the table, and a function that checks the row here.
ROWS: dict[str, Callable[[], bool]] = {
    'a gate in `mode="reschedule"` remembers': lambda: "task_state_store" in getattr(Context, "__annotations__", {}),
    '`hold_for` in `mode="reschedule"`': lambda: is_made(
        "OmsCheckpointLagSensor", max_lag=60, hold_for=60, mode="reschedule"
    ),
    "`start_from_trigger=True`": lambda: is_made("OmsFullTransferSensor", deferrable=True, start_from_trigger=True),
    "[events](events.md)": has_events,
    "a trigger is told that its task is killed": lambda: hasattr(BaseTrigger, "on_kill"),
    "the commands `airflow oms`": lambda: hasattr(ProvidersManager, "cli_command_functions"),
    "the connection form: names": has_names,
    "the connection form: fields": has_fields,
    "these fields have types": has_types,
    "`airflow providers widgets`": lists_the_form,
    "the [progress page](progress-page.md)": lambda: hasattr(AirflowPlugin, "external_views"),
    "`airflow dags test`": lambda: hasattr(TaskInstanceState, "AWAITING_INPUT"),
    "Airflow's own `ApprovalOperator`": lambda: can_import(
        "airflow.providers.standard.operators.hitl", "ApprovalOperator"
    ),
}


def cells(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return [head, *rows]


def table() -> dict[str, dict[str, bool]]:
    """Return the table: for the first cell of each row, whether each version supports it."""
    (_, *head, _), *rows = cells("What a version can't do")
    can = {"yes": True, "no": False}
    return {first: dict(zip(head, (can[cell] for cell in cells), strict=False)) for first, *cells, _ in rows}


def test_every_row_is_tried():
    assert len(table()) == len(ROWS)
    assert all(any(row.startswith(begins) for row in table()) for begins in ROWS)


@pytest.mark.parametrize("begins", ROWS)
def test_a_version_can_what_the_page_says(begins):
    (said,) = [versions for row, versions in table().items() if row.startswith(begins)]
    here = "{}.{}".format(*airflow_version())
    # A pre-release isn't on the page; it must support at least what the previous version does.
    assert ROWS[begins]() is said.get(here, list(said.values())[-1])


def test_the_page_has_every_version_that_is_tested():
    released = [version for version, airflow in AIRFLOWS.items() if not re.search("[a-z]", airflow.release)]
    assert all(sorted(row) == sorted(released) for row in table().values())


def test_every_older_release_was_run_and_nothing_failed():
    """CI tests the two main versions at every commit; the others were run separately."""
    head, *rows = cells("What was run")
    assert tuple(head) == HEAD
    ran = {(release, python) for release, python, *_ in rows}
    assert ran <= {(airflow.release, python) for airflow in AIRFLOWS.values() for python in airflow.pythons}
    others = {airflow.release for version, airflow in AIRFLOWS.items() if version not in MAIN}
    assert {release for release, _ in ran} >= others
    assert {row[head.index("failed")] for row in rows} == {"0"}


def test_a_daily_runs_data_interval_ends_when_the_run_is_due():
    dag = DAG("daily", schedule="@daily", start_date=datetime(2026, 1, 1))
    # From Airflow 3 on a DAG only describes its timetable; the scheduler has the real one, of the same name.
    modules = ("airflow.timetables.trigger", "airflow.timetables.interval")
    name = type(dag.timetable).__name__
    kind = next(found for module in modules if (found := getattr(import_module(module), name, None)))
    run = kind("0 0 * * *", timezone="UTC").next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(pendulum.datetime(2026, 1, 1), None, True)
    )
    assert run.data_interval.end == run.run_after
    day = timedelta(days=1) if airflow_version() < (3,) else timedelta(0)
    assert run.data_interval.end - run.data_interval.start == day
