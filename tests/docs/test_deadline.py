"""The recipe with a deadline: a deadline is missed as in the scheduler, and a real triggerer calls the function."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_oms.simulator import Clock, Project, Simulator
from airflow_provider_oms.tasks.airflow_version import airflow_version
from demo.runner import load_dag
from tests.docs.pages import DOCS, files
from tests.triggerer.process import Triggerer, wait_for

pytestmark = pytest.mark.skipif(airflow_version() < (3, 3), reason="the recipe is for Airflow 3.3 and later")


@pytest.fixture
def dag(airflow_db):
    """The recipe's DAG, with its files in Airflow's DAGs folder."""
    saved = []
    for title, text in files(DOCS / "recipes" / "deadline.md").items():
        file = airflow_db / title
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        saved.append(file)
    yield load_dag(saved[1], "nightly_copy")
    for file in saved:
        file.unlink()


def miss_deadlines():
    """Look for missed deadlines as the scheduler does; return how many there are."""
    from airflow.models import Deadline
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        passed = select(Deadline).where(Deadline.deadline_time < datetime.now(UTC)).where(~Deadline.missed)
        found = list(session.scalars(passed))
        for deadline in found:
            deadline.handle_miss(session)
        return len(found)


def callback_states():
    from airflow.models.callback import Callback
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return [str(getattr(state, "value", state)) for state in session.scalars(select(Callback.state))]


def test_when_a_run_is_late_somebody_is_woken_once(dag, airflow_db, monkeypatch, tmp_path):
    from airflow.utils.state import DagRunState

    from tests.triggerer.database import RUN_ID, Run

    (alert,) = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert alert.interval == timedelta(hours=4)
    alert.interval = timedelta(seconds=-1)  # the runs have ended
    shop = Project(name="shop", status="RUNNING", step="FULL_TRANSFER", step_progress=40)
    with Simulator([shop], clock=Clock(speed=0)) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        run = Run(dag, airflow_db, DagRunState.QUEUED)
        try:
            assert miss_deadlines() == 1
            assert miss_deadlines() == 0
            with Triggerer(tmp_path / "triggerer.log") as triggerer:
                wait_for("somebody is woken", lambda: callback_states() == ["success"], triggerer)
                told = triggerer.text()
        finally:
            run.delete()
    assert f"Run {RUN_ID} is late. Project shop is RUNNING, lists" in told
    assert [request.action for request in sim.requests] == ["ListProjects"]
