"""Every example DAG is run, deferrable and not."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.simulator import Failure, Fault, Modification, Project, Table
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from demo.home import example_dags
from demo.runner import load_dag
from tests.person import PATHS, Person, can_be_asked

#: One mode is enough where both do the same, because ``dag.test()`` sleeps a second for every task that it skips.
ONE_MODE = pytest.mark.parametrize("run_example", [True], indirect=True, ids=["deferrable"])

EXAMPLES = (
    "gate",
    "daily",
    "migration",
    "cutover",
    "many",
    "teardown",
    "label",
    "wave",
    "maintenance",
    "objects",
    "data_sources",
    "verification",
    "event_driven",
)


def test_no_example_is_forgotten():
    assert {file.stem for file in example_dags().glob("*.py")} == {f"example_oms_{name}" for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_imported_and_says_what_it_is(name, example_folder):
    if name == "event_driven" and not has_task_state_store():
        pytest.skip("events need Airflow 3.3")
    dag = load_dag(example_folder / f"example_oms_{name}.py", f"example_oms_{name}")
    assert dag.doc_md
    assert "oms" in dag.tags
    dag.validate()


class TestGate:
    def test_downstream_gets_what_the_gates_saw(self, fast_sim, run_example):
        project = fast_sim.add_project(Project(name="demo_shop"))
        outcome = run_example("example_oms_gate")
        assert outcome.states() == {name: {"success"} for name in ("start", "full_transfer", "lag", "downstream")}
        observed = outcome.returned("downstream")
        assert observed["full_transfer"]["project"] == observed["lag"]["project"] == project
        assert observed["full_transfer"]["progress"] == 100
        assert 0 <= observed["lag"]["lag"] <= 25
        assert [one.outcome for one in fast_sim.requests if one.action == "StartProject"] == ["success"]

    @ONE_MODE
    def test_a_second_run_finds_everything_done(self, fast_sim, run_example):
        fast_sim.add_project(Project(name="demo_shop", status="RUNNING", step="INCR_TRANSFER", initial_lag=1))
        assert run_example("example_oms_gate").run_state == "success"
        assert not [one for one in fast_sim.requests if one.action == "StartProject"]

    def test_downstream_does_not_run_when_the_migration_fails(self, fast_sim, run_example):
        fast_sim.add_project(Project(name="demo_shop", failures=[Failure("FULL_TRANSFER", message="disk full")]))
        outcome = run_example("example_oms_gate", failure_grace=10)
        assert outcome.run_state == "failed"
        assert outcome.states() == {
            "start": {"success"},
            "full_transfer": {"failed"},
            "lag": {"upstream_failed"},
            "downstream": {"upstream_failed"},
        }

    def test_downstream_does_not_run_when_the_lag_stays(self, fast_sim, run_example):
        fast_sim.add_project(Project(name="demo_shop", initial_lag=600, idle_source=True))
        outcome = run_example("example_oms_gate", timeout=3.0)
        assert outcome.states() == {
            "start": {"success"},
            "full_transfer": {"success"},
            "lag": {"failed"},
            "downstream": {"upstream_failed"},
        }


class TestDaily:
    def test_the_job_runs_on_complete_data(self, fast_sim, run_example):
        fast_sim.add_project(
            Project(name="shop_running", status="RUNNING", step="INCR_TRANSFER", initial_lag=60, catch_up_rate=20)
        )
        outcome = run_example("example_oms_daily")
        assert outcome.states() == {"complete": {"success"}, "report": {"success"}}
        assert outcome.returned("report")["checkpoint"] > 0
        yesterday = datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)
        assert outcome.returned("report")["day"] <= yesterday.isoformat()  # midnight may have passed meanwhile

    @ONE_MODE
    def test_it_does_not_run_before(self, fast_sim, run_example):
        day = 24 * 3600
        fast_sim.add_project(
            Project(name="shop_running", status="RUNNING", step="INCR_TRANSFER", initial_lag=2 * day, idle_source=True)
        )
        outcome = run_example("example_oms_daily", timeout=2.0)
        assert outcome.states() == {"complete": {"failed"}, "report": {"upstream_failed"}}


class TestMigration:
    def test_from_nothing_to_verified(self, fast_sim, run_example):
        outcome = run_example("example_oms_migration")
        assert outcome.run_state == "success"
        assert {source.name: source.password for source in fast_sim.data_sources.values()} == {
            "shop_mysql": "one",
            "shop_oceanbase": "two",
        }
        assert [live.name for live in fast_sim.projects.values()] == ["shop_migration"]
        assert outcome.returned("downstream")["project"] == next(iter(fast_sim.projects))

    def test_twice_makes_nothing_twice(self, fast_sim, run_example):
        for _ in range(2):
            assert run_example("example_oms_migration").run_state == "success"
        assert len(fast_sim.projects) == 1
        assert len(fast_sim.data_sources) == 2


class TestCutover:
    @pytest.fixture
    def shop(self, fast_sim):
        fast_sim.add_project(
            Project(
                name="shop_cutover",
                status="RUNNING",
                step="FULL_VERIFIER",
                step_progress=100,
                verification=[Table("shop", "orders")],
            )
        )
        return fast_sim.project("shop_cutover")

    @can_be_asked
    def test_an_approved_one_switches(self, shop, run_example):
        with Person("example_oms_cutover", "approve").at_hand() as person:
            outcome = run_example("example_oms_cutover")
        assert outcome.run_state == "success"
        assert shop.current_step == "REVERSE_INCR_TRANSFER"
        assert shop.step_status("TRANSFER_APP_SWITCH") == "FINISHED"
        if AIRFLOW_V_3_1_PLUS:
            said = " ".join(person.question.split())
            observed = outcome.returned("ready")
            assert f"Cut over project shop_cutover to OceanBase? The source of project shop_cutover ({shop.id})" in said
            assert f"- Lag: {observed['lag']} s - Verification: 1 table is consistent." in said
            assert f"- This was the state at {observed['time']};" in said

    @ONE_MODE
    @can_be_asked
    @pytest.mark.parametrize("path", [path for path in PATHS if path != "approved"])
    def test_the_writes_continue_unless_it_is_approved_and_still_safe(self, fast_sim, shop, run_example, path):
        answer, happens, state = PATHS[path]
        with Person("example_oms_cutover", answer, lambda: happens(shop)).at_hand():
            outcome = run_example("example_oms_cutover", failure_grace=0, of={"still_ready": {"timeout": 1}})
        states = outcome.states()
        assert (states["ready"], states["still_ready"]) == ({"success"}, {state})
        assert states["stop_writes"] == states["move_application"] <= {"skipped", "upstream_failed"}
        assert not [one for one in fast_sim.requests if one.action == "AdvanceProject"]

    @ONE_MODE
    def test_an_unsafe_one_asks_nothing_and_changes_nothing(self, fast_sim, run_example):
        fast_sim.add_project(
            Project(
                name="shop_cutover",
                status="RUNNING",
                step="FULL_VERIFIER",
                step_progress=100,
                verification=[Table("shop", "orders", result_type="INCONSISTENT", mismatched=3)],
            )
        )
        states = run_example("example_oms_cutover").states()
        assert states.pop("ready") == {"failed"}
        assert set().union(*states.values()) == {"upstream_failed"}
        assert not [one for one in fast_sim.requests if one.action == "AdvanceProject"]


class TestMany:
    PROJECTS = ("shop_1", "shop_2", "shop_3")

    def test_all_are_started_and_waited_for(self, fast_sim, run_example):
        for project in self.PROJECTS:
            fast_sim.add_project(Project(name=project))
        outcome = run_example("example_oms_many")
        assert outcome.run_state == "success"
        assert outcome.returned("report") == list(self.PROJECTS)
        for task in ("migration.start", "migration.copied"):
            assert outcome.mapped(task) == dict.fromkeys(self.PROJECTS, "success")

    @pytest.mark.parametrize("broken", ["failed", "paused", "not started"])
    def test_each_continues_by_itself_and_the_report_says_which_failed_and_why(
        self, fast_sim, run_example, at_each_request, broken, logged
    ):
        projects = {name: Project(name=name) for name in self.PROJECTS}
        if broken == "failed":
            projects["shop_2"].failures = [Failure("FULL_TRANSFER", message="no space left")]
            reason = "no space left"
        elif broken == "paused":
            # It was started before, and is paused once the gate has requested its steps, which the start task doesn't
            # do.
            projects["shop_2"] = Project(
                id="np_2", name="shop_2", status="RUNNING", step="FULL_TRANSFER", durations={"FULL_TRANSFER": 1e6}
            )
            reason = "SUSPEND"

            def pause(record):
                if (record.action, record.project_id) == ("DescribeProjectSteps", "np_2"):
                    at_each_request.clear()
                    fast_sim.project("np_2").pause()

            at_each_request.append(pause)
        else:
            projects["shop_2"].status, projects["shop_2"].step = "SUSPEND", "FULL_TRANSFER"
            reason = "StartProject needs a project that is INIT"
        for project in projects.values():
            fast_sim.add_project(project)
        outcome = run_example("example_oms_many", failure_grace=10)
        # An instance that didn't run keeps its number.
        names = ("shop_1", "1" if broken == "not started" else "shop_2", "shop_3")
        copied = {name: state == "success" for name, state in outcome.mapped("migration.copied").items()}
        assert copied == dict(zip(names, (True, False, True), strict=True))
        assert outcome.states()["report"] == {"failed"}
        assert outcome.run_state == "failed"
        assert "Not copied: 1 of 3 projects. shop_2: " in (log := logged())
        assert reason in log


class TestTeardown:
    def test_the_project_is_gone(self, fast_sim, run_example):
        fast_sim.add_project(Project(name="shop_old", status="RUNNING", step="INCR_TRANSFER"))
        assert run_example("example_oms_teardown").run_state == "success"
        assert not fast_sim.projects


class TestLabel:
    def test_a_wave_is_started_copied_and_paused(self, fast_sim, run_example):
        wave = sorted(fast_sim.add_project(Project(name=f"shop_{one}", labels=["wave_1"])) for one in range(2))
        other = fast_sim.add_project(Project(name="another"))
        outcome = run_example("example_oms_label")
        assert outcome.states() == {name: {"success"} for name in ("start", "projects", "full_transfer", "stop")}
        assert sorted(outcome.returned("projects")) == wave
        assert [fast_sim.project(one).status for one in wave] == ["SUSPEND", "SUSPEND"]
        assert fast_sim.project(other).status == "INIT"


class TestWave:
    def test_one_gate_opens_for_all(self, fast_sim, run_example):
        for one in range(3):
            fast_sim.add_project(Project(name=f"shop_{one}", labels=["wave_7"], initial_lag=1))
        fast_sim.add_project(Project(name="another"))
        outcome = run_example("example_oms_wave")
        assert outcome.states() == {name: {"success"} for name in ("start", "copied", "ready", "report")}
        assert [one.partition(":")[0] for one in outcome.returned("report")] == ["shop_0", "shop_1", "shop_2"]
        assert outcome.returned("copied")["reached"] == len(outcome.returned("start")["done"]) == 3
        assert fast_sim.project("another").status == "INIT"

    @ONE_MODE
    def test_a_project_that_fails_is_named(self, fast_sim, run_example, logged):
        fast_sim.add_project(Project(name="shop_1", labels=["wave_7"]))
        # It was ended before its rows were copied, so there is nothing to start.
        copying = {"status": "RUNNING", "step": "FULL_TRANSFER", "durations": {"FULL_TRANSFER": 1e6}}
        fast_sim.add_project(Project(name="shop_2", labels=["wave_7"], **copying))
        fast_sim.project("shop_2").show_progress(status="FINISHED")
        fast_sim.project("shop_2").show_row(status="FINISHED")
        outcome = run_example("example_oms_wave")
        assert outcome.states()["copied"] == {"failed"}
        assert "1 of 2 ready; shop_2 failed:" in (log := logged())
        assert "Nothing more will happen: the project is FINISHED" in log


class TestMaintenance:
    @pytest.fixture
    def shop(self, fast_sim):
        project = Project(name="shop_running", status="RUNNING", step="INCR_TRANSFER", initial_lag=1)
        fast_sim.add_project(project)
        return fast_sim.project("shop_running")

    def test_it_is_paused_changed_and_resumed(self, fast_sim, shop, run_example):
        outcome = run_example("example_oms_maintenance")
        assert outcome.run_state == "success"
        assert outcome.returned("paused")["status"] == "SUSPEND"
        assert outcome.returned("throttle") == {"fullTransferConfig": {"throttleRps": 2000}}
        assert outcome.returned("components")
        assert shop.status == "RUNNING"

    @ONE_MODE
    def test_it_is_resumed_although_the_work_failed(self, fast_sim, shop, run_example):
        # The configuration is refused, so the tasks after it don't run.
        fast_sim.add_fault(Fault("error", action="UpdateProjectConfig", code="PARAM_ERROR", message="no such item"))
        outcome = run_example("example_oms_maintenance")
        states = outcome.states()
        assert (states["throttle"], states["work"], states["resume"]) == ({"failed"}, {"upstream_failed"}, {"success"})
        assert outcome.run_state == "failed"
        assert shop.status == "RUNNING"

    @ONE_MODE
    def test_a_project_that_was_not_paused_is_not_resumed(self, fast_sim, run_example):
        fast_sim.add_project(Project(name="shop_running", status="FAILED", step="INCR_TRANSFER"))
        assert run_example("example_oms_maintenance").states()["stop"] == {"failed"}
        assert not [one for one in fast_sim.requests if one.action == "ResumeProject"]


class TestObjects:
    def running(self, **modification):
        return Project(
            name="shop_running",
            status="RUNNING",
            step="INCR_TRANSFER",
            initial_lag=1,
            verification=[Table("shop", "orders")],
            modification=Modification(pending=2, modifying=5, merging=2, **modification),
        )

    def test_a_table_is_added_to_a_running_migration(self, fast_sim, run_example):
        project = fast_sim.add_project(self.running())
        for _ in range(2):
            outcome = run_example("example_oms_objects")
            assert outcome.run_state == "success"
        assert [one.outcome for one in fast_sim.requests if one.action == "CreateProjectModifyRecords"] == ["success"]
        (record,) = fast_sim.project(project).state().modifications.records
        assert record.shown_status == "SUCCESS"

    @ONE_MODE
    def test_an_addition_that_fails_holds_up_the_job(self, fast_sim, run_example, monkeypatch):
        # Otherwise OMS has two minutes to recover by itself.
        monkeypatch.setattr("airflow_provider_oms.operators.waits.Gate", partial(Gate, failure_grace=0.0))
        fast_sim.add_project(self.running(fails="modifying"))
        states = run_example("example_oms_objects").states()
        assert states.pop("add_prices") == {"failed"}
        assert set().union(*states.values()) == {"upstream_failed"}


class TestDataSources:
    def test_each_kind_is_made_once(self, fast_sim, run_example):
        for _ in range(2):
            assert run_example("example_oms_data_sources").run_state == "success"
        assert sorted(one.name for one in fast_sim.data_sources.values()) == ["shop_kafka", "shop_odp", "shop_polardb"]


class TestVerification:
    def verified_project(self, **table):
        return Project(
            name="shop_migration",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=[Table("shop", "orders", **table)],
        )

    @ONE_MODE
    def test_a_right_copy_is_worked_with(self, fast_sim, run_example):
        fast_sim.add_project(self.verified_project())
        outcome = run_example("example_oms_verification")
        assert outcome.states() == {"verified": {"success"}, "report": {"skipped"}, "go_on": {"success"}}

    @ONE_MODE
    def test_a_wrong_one_is_reported(self, fast_sim, run_example):
        fast_sim.add_project(self.verified_project(result_type="INCONSISTENT", mismatched=3))
        outcome = run_example("example_oms_verification")
        assert outcome.states() == {"verified": {"failed"}, "report": {"success"}, "go_on": {"upstream_failed"}}
        assert [one["table"] for one in outcome.returned("report")["differences"]] == ["orders"]
        assert outcome.run_state == "failed"


@pytest.mark.skipif(not has_task_state_store(), reason="events need Airflow 3.3")
class TestEventDriven:
    """A run that an event starts is tested in tests/triggerer/test_events.py, with a real scheduler."""

    @ONE_MODE
    def test_by_hand_it_stands_for_no_day(self, fast_sim, run_example):
        fast_sim.add_project(Project(name="shop_running", status="RUNNING", step="INCR_TRANSFER"))
        outcome = run_example("example_oms_event_driven")
        assert outcome.states() == {"complete": {"failed"}, "report": {"upstream_failed"}}
