"""The DAG of each recipe is run by ``dag.test()`` against a simulated OMS."""

from __future__ import annotations

import sys
from copy import copy

import jinja2
import pytest
from airflow.providers.common.compat.sdk import BaseNotifier

from airflow_provider_oms.simulator import Clock, DataSource, Failure, Pause, Project, Simulator, Table
from airflow_provider_oms.tasks.airflow_version import airflow_version
from demo.runner import load_dag, set_argument
from tests.docs.pages import DOCS, files
from tests.example_dags.conftest import Outcome
from tests.person import PATHS, Person, can_be_asked

RECIPES = sorted((DOCS / "recipes").glob("*.md"))


@pytest.fixture
def oms(monkeypatch):
    """An OMS on whose clock a minute passes in a second."""
    with Simulator(clock=Clock(speed=60)) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        yield sim


@pytest.fixture
def load(airflow_db):
    """Save a recipe's DAG in Airflow's DAGs folder, and return it with gates that poll often."""

    def load(page, *, changes=(), **settings):
        ((title, text),) = files(DOCS / "recipes" / page).items()
        for line in changes:
            assert text.count(f"{line}\n") == 1
            text = text.replace(line, changes[line])
        file = airflow_db / title
        file.write_text(text)
        dag = load_dag(file, file.stem)
        for name, value in {"poke_interval": 1.0, "retries": 0, **settings}.items():
            set_argument(dag, name, value)
        return dag

    return load


def running(name="shop", step="INCR_TRANSFER", **more):
    return Project(name=name, status="RUNNING", step=step, **more)


def test_every_recipe_but_the_list_has_a_dag():
    assert [page.name for page in RECIPES if not files(page)] == ["index.md"]


def test_the_daily_job_runs_on_complete_data(oms, load):
    oms.add_project(running(initial_lag=120))
    outcome = Outcome(load("daily-job.md").test())
    assert outcome.states() == {"complete": {"success"}, "report": {"success"}}
    assert outcome.returned("report").find(" is complete at ") == len("2026-03-01")


def test_a_run_without_a_data_interval_fails(oms, load):
    gate = load("daily-job.md").get_task("complete")
    with pytest.raises(jinja2.UndefinedError, match="'data_interval_end' is undefined"):
        copy(gate).render_template_fields({})


class TestTheCutOver:
    TASKS = ("ready", "approve", "still_ready", "stop_writes", "drained", "move_application")

    def verified(self, **table):
        return running(step="FULL_VERIFIER", step_progress=100, verification=[Table("shop", "orders", **table)])

    @can_be_asked
    @pytest.mark.parametrize("path", PATHS)
    def test_the_application_moves_last_and_only_if_it_is_approved_and_still_safe(self, oms, load, path):
        answer, happens, state = PATHS[path]
        oms.add_project(self.verified())
        dag = load("cut-over.md", failure_grace=0)
        if state == "failed":
            dag.get_task("still_ready").timeout = 1
        with Person(dag.dag_id, answer, lambda: happens(oms.project("shop"))).at_hand():
            outcome = Outcome(dag.test())
        states = outcome.states()
        assert (states["ready"], states["still_ready"]) == ({"success"}, {state})
        if state == "success":
            assert states == {name: {"success"} for name in self.TASKS}
        else:
            assert states["stop_writes"] == states["move_application"] <= {"skipped", "upstream_failed"}

    def test_where_a_table_differs_nobody_is_asked(self, oms, load):
        oms.add_project(self.verified(result_type="INCONSISTENT", mismatched=3))
        states = Outcome(load("cut-over.md").test()).states()
        assert states == {"ready": {"failed"}, **{name: {"upstream_failed"} for name in self.TASKS[1:]}}


EDITIONS = ("community-4.2.2", "enterprise-4.3.1")


class TestTheVerifiedCutOver:
    """The whole migration: with verification as a step, and in a project of its own."""

    @pytest.fixture(params=EDITIONS)
    def edition(self, request, monkeypatch):
        with Simulator(edition=request.param, clock=Clock(speed=60)) as sim:
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
            self.source = sim.add_data_source(DataSource("shop_mysql"))
            self.sink = sim.add_data_source(DataSource("shop_oceanbase", type="OB_MYSQL"))
            yield sim, request.param == EDITIONS[1]

    @pytest.fixture
    def run(self, load, airflow_db):
        def run(apart, **settings):
            line = 'CHECK = "shop_check"'
            changes = {} if apart else {line: "CHECK = None"}
            return Outcome(load("verified-cut-over.md", changes=changes, hold_for=2.0, **settings).test()).states()

        return run

    def test_every_row_is_compared_before_the_application_moves(self, edition, run):
        sim, apart = edition
        states = run(apart)
        assert states.pop("report") == {"skipped"}
        assert set().union(*states.values()) == {"success"}
        assert ("create_check" in states) is apart
        made = {"shop": "MIGRATION", "shop_check": "VERIFY"} if apart else {"shop": "MIGRATION"}
        assert {name: sim.project(name).project.type for name in made} == made
        asked = [one.action for one in sim.requests if one.action in ("CreateProject", "StartProject")]
        assert asked == ["CreateProject", "StartProject"] * len(made)
        assert ("FULL_VERIFIER" in sim.project("shop").project.step_names) is not apart
        # A second run: nothing is created or started again, and the gates return the same.
        states = run(apart)
        assert asked == [one.action for one in sim.requests if one.action in ("CreateProject", "StartProject")]
        assert states["move_application"] == {"upstream_failed" if apart else "success"}

    def test_where_a_table_differs_the_writes_continue(self, edition, run):
        sim, apart = edition
        bad = {"verification": [Table("shop", "orders", result_type="INCONSISTENT", mismatched=3)]}
        ends = {"source_endpoint_id": self.source, "sink_endpoint_id": self.sink}
        sim.add_project(running(**ends, initial_lag=1, enable_full_verify=not apart, **({} if apart else bad)))
        if apart:
            sim.add_project(Project(name="shop_check", type="VERIFY", **ends, **bad))
        states = run(apart)
        assert (states["verified"], states["report"]) == ({"failed"}, {"success"})
        assert states["ready"] == states["stop_writes"] == states["move_application"] == {"upstream_failed"}


class TestManyProjects:
    def test_they_are_started_and_waited_for(self, oms, load):
        for number in (1, 2):
            oms.add_project(Project(name=f"shop_{number}"))
        other = oms.add_project(Project(name="other"))
        outcome = Outcome(load("many-projects.md").test())
        assert outcome.run_state == "success"
        assert outcome.returned("report") == ["shop_1", "shop_2"]
        assert outcome.mapped("migration.copied") == {"shop_1": "success", "shop_2": "success"}
        assert oms.project(other).status == "INIT"

    def test_whatever_happens_to_the_others(self, oms, load, logged):
        """One project fails, one is paused, one can't be started: the fourth is copied all the same."""
        oms.add_project(Project(name="shop_1", failures=[Failure("FULL_TRANSFER", message="no space left")]))
        oms.add_project(running("shop_2", "FULL_TRANSFER", pauses=[Pause("FULL_TRANSFER")]))
        oms.add_project(Project(name="shop_3", status="SUSPEND", step="FULL_TRANSFER"))
        oms.add_project(Project(name="shop_4"))
        outcome = Outcome(load("many-projects.md", failure_grace=0).test())
        assert [state == "success" for state in outcome.mapped("migration.copied").values()] == [False] * 3 + [True]
        assert outcome.run_state == "failed"
        told = logged()
        assert "Not copied: 3 of 4 projects. shop_1: " in told
        for reason in ("no space left", "shop_2: ", "SUSPEND", "shop_3: "):
            assert reason in told

    def test_no_project_is_no_failure(self, oms, load):
        outcome = Outcome(load("many-projects.md").test())
        assert outcome.run_state == "success"
        assert outcome.returned("report") == []


@pytest.mark.skipif(
    (3,) <= airflow_version() < (3, 3), reason="the dag.test() of Airflow 3.0 to 3.2 gives a callback no exception"
)
class TestAlerts:
    @pytest.fixture
    def alert(self, load, monkeypatch):
        def run(**settings):
            dag = load("alerts.md", **settings)
            said = []
            monkeypatch.setattr(sys.modules[dag.dag_id].log, "error", lambda text, *values: said.append(text % values))
            assert Outcome(dag.test()).states()["complete"] == {"failed"}
            (alert,) = said
            return alert

        return run

    @pytest.mark.parametrize("deferrable", [False, True])
    def test_a_failure_says_why(self, oms, alert, deferrable):
        oms.add_project(running(initial_lag=200_000))
        oms.project("shop").fail(message="no space left")
        alert = alert(deferrable=deferrable, failure_grace=0)
        project = f"Project 'shop' ({oms.project('shop').id}): "
        said = f"watched_report.complete failed. {project}The project has failed: INCR_TRANSFER GHANA-"
        assert alert.startswith(said)
        assert "no space left. Fix the cause, resume the project in OMS, then clear this task." in alert

    @pytest.mark.parametrize("deferrable", [False, True])
    def test_a_time_out_says_so(self, oms, alert, deferrable):
        oms.add_project(running(initial_lag=200_000, idle_source=True))
        told = alert(deferrable=deferrable, timeout=1)
        project = f"Project 'shop' ({oms.project('shop').id}): "
        assert told.startswith(f"watched_report.complete failed. {project}Still waiting after 1 s (timeout). ")
        assert told.endswith(", Airflow connection 'oms_default')")

    def test_a_notifier_may_use_the_reason_in_its_template(self, oms, load):
        told = []

        class Notifier(BaseNotifier):
            template_fields = ("text",)
            text = "{{ ti.task_id }}: {{ exception }}"

            def notify(self, context):
                told.append(self.text)

        oms.add_project(running(initial_lag=200_000))
        oms.project("shop").fail(message="no space left")
        load("alerts.md", failure_grace=0, on_failure_callback=[Notifier()]).test()
        assert told[0].startswith("complete: Project 'shop' (np_")
        assert "The project has failed: INCR_TRANSFER GHANA-" in told[0]


def test_an_idle_source_holds_the_gate_until_something_is_written(oms, load):
    oms.add_project(running(initial_lag=200_000, catch_up_rate=100_000, idle_source=True))
    assert Outcome(load("idle-source.md", timeout=1).test()).states()["complete"] == {"failed"}
    oms.project("shop").set(idle_source=False)
    assert Outcome(load("idle-source.md").test()).run_state == "success"


def test_the_night_shift_resumes_waits_and_stops(oms, load):
    oms.add_project(Project(name="shop", status="SUSPEND", step="INCR_TRANSFER"))
    outcome = Outcome(load("paused.md").test())
    assert outcome.states() == {name: {"success"} for name in ("resume", "complete", "report", "stop")}
    assert oms.project("shop").status == "SUSPEND"
