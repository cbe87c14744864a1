"""The recipe of the daily job: the time that its gate waits for and the day of its job, in many zones and days."""

from __future__ import annotations

from copy import copy
from datetime import date, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator
from airflow.timetables.base import TimeRestriction

from airflow_provider_oms.simulator import Clock, Project, Simulator
from demo.home import airflow_version, example_dags
from demo.runner import load_dag
from tests.docs.pages import DOCS, files
from tests.example_dags.conftest import Outcome

((_, RECIPE),) = files(DOCS / "recipes" / "daily-job.md").items()
EXAMPLE = (example_dags() / "example_oms_daily.py").read_text()

ZONE, SCHEDULE = "Asia/Shanghai", "@daily"
CRON = {"@daily": "0 0 * * *", "0 3 * * *": "0 3 * * *"}

#: Zones, and the day before a run; three runs from there cover an ordinary day or a change of the clock.
DAYS = [
    ("Asia/Shanghai", date(2026, 3, 1)),
    ("Asia/Shanghai", date(2026, 12, 31)),
    ("UTC", date(2026, 3, 1)),
    ("Europe/London", date(2026, 3, 28)),
    ("Europe/London", date(2026, 10, 24)),
    ("America/New_York", date(2026, 3, 7)),
    ("America/New_York", date(2026, 10, 31)),
]


def dag_of(text: str, folder, zone: str, schedule: str) -> DAG:
    """Save a DAG as it is on the page, with another zone and schedule, and load it."""
    for was, becomes in ((ZONE, zone), (f'"{SCHEDULE}"', f'"{schedule}"')):
        assert text.count(was) == 1
        text = text.replace(was, becomes)
    dag_id = "daily_report" if text.count("daily_report") else "example_oms_daily"
    file = folder / f"{dag_id}.py"
    file.write_text(text)
    return load_dag(file, dag_id)


def ends_of_runs(dag: DAG, cron: str, first: date, count: int) -> list[pendulum.DateTime]:
    """Return the ends of a DAG's data intervals as this Airflow computes and stores them: in UTC."""
    # From Airflow 3 on a DAG only describes its timetable; the scheduler has the real one, of the same name.
    modules = ("airflow.timetables.trigger", "airflow.timetables.interval")
    name = type(dag.timetable).__name__
    kind = next(found for module in modules if (found := getattr(import_module(module), name, None)))
    timetable = kind(cron, timezone=dag.timezone)
    ends, last = [], None
    since = pendulum.datetime(first.year, first.month, first.day, tz=dag.timezone)
    while len(ends) < count + 1:
        run = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(since, None, True)
        )
        last = run.data_interval
        ends.append(last.end.in_timezone("UTC"))
    return [end for end in ends if end.in_timezone(dag.timezone).date() > first][:count]


@pytest.mark.parametrize("text", [RECIPE, EXAMPLE], ids=["recipe", "example"])
@pytest.mark.parametrize("schedule", CRON)
@pytest.mark.parametrize(("zone", "first"), DAYS)
def test_it_waits_for_the_midnight_of_its_zone_and_names_the_day_before(tmp_path, text, schedule, zone, first):
    dag = dag_of(text, tmp_path, zone, schedule)
    for number, end in enumerate(ends_of_runs(dag, CRON[schedule], first, 3)):
        day = first + timedelta(days=number)
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(days=1)
        context = {"dag": dag, "data_interval_end": end, "ti": None}
        gate, report = copy(dag.get_task("complete")), copy(dag.get_task("report"))
        gate.render_template_fields({**context, "params": {"project": "shop"}})
        assert gate.milestone().checkpoint == midnight.timestamp()
        (template, _) = report.op_args
        assert report.render_template(template, context) == day.isoformat()


def test_the_days_have_23_24_and_25_hours(tmp_path):
    lengths = set()
    for zone, first in DAYS:
        ends = ends_of_runs(dag_of(RECIPE, tmp_path, zone, SCHEDULE), CRON[SCHEDULE], first, 3)
        lengths |= {(later - earlier).total_seconds() / 3600 for earlier, later in pairwise(ends)}
    assert lengths == {23, 24, 25}


def test_the_expression_that_is_right_in_london_names_the_wrong_day_in_shanghai():
    end = pendulum.datetime(2026, 3, 2, tz="Asia/Shanghai").in_timezone("UTC")
    assert end.isoformat() == "2026-03-01T16:00:00+00:00"
    page = (DOCS / "recipes" / "daily-job.md").read_text()
    assert "ends at `2026-03-01T16:00:00+00:00`" in page
    assert "`{{ macros.ds_add(data_interval_end | ds, -1) }}`" in page
    try:
        from airflow.sdk.execution_time import macros
    except ImportError:
        from airflow import macros
    said = BaseOperator(task_id="said").render_template(
        "{{ macros.ds_add(data_interval_end.strftime('%Y-%m-%d'), -1) }}", {"macros": macros, "data_interval_end": end}
    )
    assert said == "2026-02-28"


# Each on a different day, because Airflow keeps the runs.
@pytest.mark.parametrize(("day", "lag", "opens"), [(2, 3600, False), (3, 1801, False), (4, 1799, True), (5, 60, True)])
def test_half_an_hour_after_midnight_it_opens_only_for_what_is_later_than_midnight(
    airflow_db, monkeypatch, day, lag, opens
):
    """A minute after it, the checkpoint is past the midnight of UTC in any case."""
    midnight = pendulum.datetime(2026, 3, day, tz=ZONE)
    with Simulator(clock=Clock(start=midnight.timestamp() + 1800, speed=0)) as oms:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", oms.connection_json)
        oms.add_project(Project(name="shop", status="RUNNING", step="INCR_TRANSFER", initial_lag=lag, idle_source=True))
        dag = dag_of(RECIPE, airflow_db / "dags", ZONE, SCHEDULE)
        dag.get_task("complete").timeout = 0
        dag.get_task("complete").retries = 0
        outcome = Outcome(dag.test(**{"execution_date" if airflow_version() < (3,) else "logical_date": midnight}))
    if opens:
        assert outcome.returned("report").startswith(f"2026-03-0{day - 1} is complete at 2026-03-0{day - 1}T16:30:00")
    else:
        assert outcome.states() == {"complete": {"failed"}, "report": {"upstream_failed"}}
