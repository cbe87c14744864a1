"""What the page about versions says of a daily run's dates, on the Airflow that is here."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module

import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.base import TimeRestriction

from demo.home import airflow_version


def test_a_daily_runs_data_interval_ends_when_the_run_is_due():
    dag = DAG("daily", schedule="@daily", start_date=datetime(2026, 1, 1))
    # From Airflow 3 on a DAG only describes its timetable; the scheduler has the working one, of the same name.
    modules = ("airflow.timetables.trigger", "airflow.timetables.interval")
    name = type(dag.timetable).__name__
    kind = next(found for module in modules if (found := getattr(import_module(module), name, None)))
    run = kind("0 0 * * *", timezone="UTC").next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(pendulum.datetime(2026, 1, 1), None, True)
    )
    assert run.data_interval.end == run.run_after
    day = timedelta(days=1) if airflow_version() < (3,) else timedelta(0)
    assert run.data_interval.end - run.data_interval.start == day
