"""All gates: their arguments reach the trigger, their templates are rendered, mistakes are found and named."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_oms.exceptions import OmsMilestoneFailedError
from airflow_provider_oms.milestones.fleet import SELECTORS
from airflow_provider_oms.sensors import oms as sensors
from airflow_provider_oms.sensors.base import RENDERED, OmsGateSensor
from airflow_provider_oms.simulator import Project
from tests import modes
from tests.gate_cases import CASES

GATES = [
    cls
    for cls in vars(sensors).values()
    if inspect.isclass(cls) and issubclass(cls, OmsGateSensor) and cls is not OmsGateSensor
]

#: For every argument of a gate, a value that isn't its default, and the value that the trigger must get.
GIVEN = {
    "project_id": ("np_9", "np_9"),
    "project_type": ("SYNC", "SYNC"),
    "oms_conn_id": ("other", "other"),
    "poke_interval": (timedelta(minutes=2), 120.0),
    "fail_on_suspend": (True, True),
    "allow_modifying": (True, True),
    "require_verification": (False, False),
    "verification_project": ("shop_check", "shop_check"),
    "failure_grace": (timedelta(seconds=7), 7.0),
    "outage_tolerance": (8, 8.0),
    "step": ("connector_full_sync", "CONNECTOR_FULL_SYNC"),
    "until": ("started", "started"),
    "progress": (50, 50.0),
    "max_lag": (timedelta(seconds=9), 9.0),
    "direction": ("reverse", "reverse"),
    "hold_for": (timedelta(minutes=1), 60.0),
    "checkpoint": (datetime(2026, 1, 1, tzinfo=UTC), 1767225600.0),
    "tables": ({"shop": ["orders", "a.b"]}, [["shop", "orders"], ["shop", "a.b"]]),
    "target_statuses": (["released", "DELETED"], ["RELEASED", "DELETED"]),
}

#: Arguments that say how to wait, or that stand for another, and therefore aren't in the gate's settings.
ELSEWHERE = {"project_name", "deferrable", "kwargs", "self", "start_from_trigger"}
ELSEWHERE |= {*SELECTORS, "min_projects", "on_failure"}  # test_fleets.py

#: Fields of a milestone that only operators use.
OF_OPERATORS = {"OmsObjectsSensor": {"absent", "until"}}


def arguments_of(cls):
    """Return the names of all arguments of a gate, its own and those of the base class of all gates."""
    return {
        *inspect.signature(cls.__init__).parameters,
        *inspect.signature(OmsGateSensor.__init__).parameters,
    } - ELSEWHERE


def required_of(cls):
    names = [
        name
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if parameter.default is parameter.empty and name not in ELSEWHERE
    ]
    return {name: GIVEN[name][0] for name in names}


def test_the_table_of_cases_knows_every_gate():
    assert {cls.__name__ for cls in GATES} == {case.sensor for case in CASES}


@pytest.mark.parametrize("cls", GATES, ids=lambda cls: cls.__name__)
def test_what_goes_into_the_trigger_is_what_the_gate_was_given(cls, sim, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", sim.connection_json)
    names = arguments_of(cls)
    # OMS is away, so that the gate must wait, whatever the project.
    sim.down()
    gate = cls(task_id="gate", deferrable=True, timeout=1000, **{name: GIVEN[name][0] for name in names})
    with pytest.raises(TaskDeferred) as deferral:
        gate.execute(modes.context())
    _, kwargs = deferral.value.trigger.serialize()
    travelled = {**kwargs["gate"], **kwargs["gate"]["milestone"]}
    assert {name: travelled[name] for name in names} == {name: GIVEN[name][1] for name in names}
    assert set(travelled) - names == {"milestone", "kind", "project_name"} | OF_OPERATORS.get(cls.__name__, set())
    assert 1000 < deferral.value.timeout.total_seconds() < 1500
    assert kwargs["deadline"] is not None


@pytest.fixture(autouse=True)
def nobody_sleeps(pauses):
    """Retries don't pause here."""


@pytest.mark.parametrize("cls", GATES, ids=lambda cls: cls.__name__)
def test_template_fields_are_attributes_and_render(cls):
    arguments = {**required_of(cls), "project_id": "{{ 'np_' ~ 7 }}"}
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1)):
        gate = cls(task_id="gate", **arguments)
    assert all(hasattr(gate, name) for name in gate.template_fields)
    gate.render_template_fields({"params": {}})
    assert gate.gate().project_id == "np_7"


def test_a_templated_moment_is_read_when_it_is_rendered():
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1)):
        gate = sensors.OmsCheckpointReachedSensor(
            task_id="gate", project_id="np_1", checkpoint="{{ data_interval_end }}"
        )
    gate.render_template_fields({"data_interval_end": datetime(2026, 1, 1, tzinfo=UTC)})
    milestone: Any = gate.gate().milestone
    assert milestone.checkpoint == 1767225600.0


@pytest.mark.parametrize(
    ("sensor", "arguments", "named"),
    [
        ("OmsFullTransferSensor", {"project_id": None}, "project_id or project_name"),
        ("OmsFullTransferSensor", {"project_name": "b"}, "project_id or project_name"),
        ("OmsFullTransferSensor", {"project_id": ""}, "project_id"),
        ("OmsFullTransferSensor", {"project_id": 7}, "project_id"),
        ("OmsFullTransferSensor", {"project_id": None, "project_name": "{{ x }}", "project_type": "X"}, "project_type"),
        ("OmsFullTransferSensor", {"project_id": "{{ x }}", "project_name": "b"}, "project_id or project_name"),
        ("OmsFullTransferSensor", {"project_id": None, "progress": "{{ x }}"}, "project_id or project_name"),
        ("OmsFullTransferSensor", {"project_id": "{{ x }}", "progress": 101}, "progress"),
        ("OmsFullTransferSensor", {"progress": "{{ x }}", "outage_tolerance": -1}, "outage_tolerance"),
        ("OmsFullTransferSensor", {"oms_conn_id": "{{ x }}", "fail_on_suspend": "no"}, "fail_on_suspend"),
        ("OmsStepSensor", {"step": "{{ x }}", "until": "over"}, "until"),
        ("OmsStepSensor", {"project_id": "{{ x }}", "step": "FULL TRANSFER"}, "step"),
        ("OmsCheckpointLagSensor", {"max_lag": "{{ x }}", "hold_for": -1}, "hold_for"),
        ("OmsCheckpointLagSensor", {"project_id": "{{ x }}", "max_lag": -1}, "max_lag"),
        ("OmsCheckpointReachedSensor", {"checkpoint": "{{ x }}", "direction": "back"}, "direction"),
        ("OmsProjectStatusSensor", {"project_id": "{{ x }}", "target_statuses": []}, "target_statuses"),
        ("OmsCutoverReadySensor", {"project_id": "{{ x }}", "max_lag": "soon"}, "max_lag"),
        ("OmsFullTransferSensor", {"deferrable": "no"}, "deferrable"),
        ("OmsFullTransferSensor", {"start_from_trigger": "no"}, "start_from_trigger"),
        ("OmsFullTransferSensor", {"project_type": "VERIFY"}, "project_type"),
        ("OmsFullTransferSensor", {"progress": 101}, "progress"),
        ("OmsFullTransferSensor", {"progress": 0}, "progress"),
        ("OmsFullTransferSensor", {"progress": "all"}, "progress"),
        ("OmsFullTransferSensor", {"failure_grace": -1}, "failure_grace"),
        ("OmsFullTransferSensor", {"outage_tolerance": "long"}, "outage_tolerance"),
        ("OmsFullTransferSensor", {"poke_interval": -1}, "poke_interval"),
        ("OmsFullTransferSensor", {"fail_on_suspend": "yes"}, "fail_on_suspend"),
        ("OmsFullTransferSensor", {"deferrable": True, "exponential_backoff": True}, "exponential_backoff"),
        ("OmsStepSensor", {"step": ""}, "step"),
        ("OmsStepSensor", {"step": "FULL TRANSFER"}, "step"),
        ("OmsStepSensor", {"step": None}, "step"),
        ("OmsStepSensor", {"step": "FULL_TRANSFER", "until": "finished"}, "until"),
        ("OmsCheckpointLagSensor", {"max_lag": -1}, "max_lag"),
        ("OmsCheckpointLagSensor", {"max_lag": timedelta(seconds=-1)}, "max_lag"),
        ("OmsCheckpointLagSensor", {"max_lag": True}, "max_lag"),
        ("OmsCheckpointLagSensor", {"max_lag": 30, "direction": "back"}, "direction"),
        ("OmsCheckpointLagSensor", {"max_lag": 30, "hold_for": -5}, "hold_for"),
        ("OmsCheckpointReachedSensor", {"checkpoint": "yesterday"}, "checkpoint"),
        ("OmsCheckpointReachedSensor", {"checkpoint": 1767225600000}, "checkpoint"),
        ("OmsCheckpointReachedSensor", {"checkpoint": None}, "checkpoint"),
        ("OmsCheckpointReachedSensor", {"checkpoint": 2026112700}, "ISO 8601"),
        ("OmsProjectStatusSensor", {"target_statuses": []}, "target_statuses"),
        ("OmsProjectStatusSensor", {"target_statuses": 5}, "target_statuses"),
        ("OmsCutoverReadySensor", {"max_lag": "soon"}, "max_lag"),
        ("OmsCutoverReadySensor", {"require_verification": "no"}, "require_verification"),
        ("OmsCutoverReadySensor", {"verification_project": ""}, "verification_project"),
        ("OmsFullVerificationSensor", {"verification_project": 7}, "verification_project"),
        ("OmsFullVerificationSensor", {"verification_project": "None"}, "verification_project"),
        ("OmsFullTransferSensor", {"allow_modifying": "yes"}, "allow_modifying"),
    ],
)
def test_a_mistake_is_found_when_the_dag_is_parsed_and_named(sensor, arguments, named):
    arguments = {"task_id": "gate", "project_id": "np_1", **arguments}
    with pytest.raises(Exception, match=named) as caught:
        getattr(sensors, sensor)(**arguments)
    assert isinstance(caught.value, ValueError) or type(caught.value).__name__ == "AirflowException"


@pytest.mark.parametrize("cls", GATES)
def test_templates_stay_as_they_are_written(cls):
    """The other arguments are checked; a template is checked after it is rendered, when the gate runs."""
    fields = set(cls.template_fields) - {"project_name", *SELECTORS}
    gate = cls(task_id="gate", **{name: f"{{{{ {name} }}}}" for name in fields})
    assert {name: getattr(gate, name) for name in fields} == {name: f"{{{{ {name} }}}}" for name in fields}
    assert fields <= RENDERED.keys()


def test_a_result_of_another_task_stays_a_reference():
    from airflow.providers.common.compat.standard.operators import PythonOperator

    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1)):
        lag = PythonOperator(task_id="lag", python_callable=int)
        gate = sensors.OmsCheckpointLagSensor(task_id="gate", project_id="np_1", max_lag=lag.output)
        with pytest.raises(ValueError, match="hold_for"):
            sensors.OmsCheckpointLagSensor(task_id="other", project_id="np_1", max_lag=lag.output, hold_for=-1)
    assert gate.upstream_task_ids == {"lag"}
    assert gate.max_lag.operator is lag


def test_a_sensor_of_somebody_else_with_a_template_of_its_own():
    class Own(sensors.OmsFullTransferSensor):
        template_fields = (*sensors.OmsFullTransferSensor.template_fields, "own")

        def __init__(self, own, **kwargs):
            self.own = own
            super().__init__(**kwargs)

    Own(task_id="gate", own="{{ x }}", project_id="np_1", progress=101)  # a template's value may matter
    with pytest.raises(ValueError, match="progress"):
        Own(task_id="other", own="x", project_id="np_1", progress=101)
    with pytest.raises(ValueError, match="exactly one of project_id"):
        Own(task_id="third", own="{{ x }}")


NAIVE = ["datetime.datetime(2026, 1, 1)", "datetime.date(2026, 1, 1)", "'2026-01-01'", "'20260101'"]
IN_NEW_YORK = f"""
import datetime
from airflow_provider_oms.cli.waiting import read_moment
from airflow_provider_oms.sensors.oms import OmsCheckpointReachedSensor

for checkpoint in ({", ".join(NAIVE)}):
    gate = OmsCheckpointReachedSensor(task_id="gate", project_id="np_1", checkpoint=checkpoint)
    assert gate.milestone().checkpoint == 1767225600 + 5 * 3600, gate.milestone()
    assert "taken for 2026-01-01T00:00:00-05:00" in gate.note(), gate.note()
    assert read_moment("checkpoint", str(checkpoint)) == 1767225600 + 5 * 3600
for checkpoint in ("2026-01-01T00:00:00Z", 1767225600, "1767225600"):
    gate = OmsCheckpointReachedSensor(task_id="gate", project_id="np_1", checkpoint=checkpoint)
    assert gate.milestone().checkpoint == 1767225600
    assert gate.note() is None
"""


def test_a_moment_without_a_zone_is_in_airflows_default_zone():
    """Like a date in a DAG. Airflow reads the setting when it is imported, so this needs another process."""
    environment = {**os.environ, "AIRFLOW__CORE__DEFAULT_TIMEZONE": "America/New_York"}
    done = subprocess.run([sys.executable, "-c", IN_NEW_YORK], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_moment_without_a_zone_is_reported_in_the_log(sim, caplog, capfd):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    for checkpoint, told in (("2026-01-01", True), ("2026-01-01T00:00:00Z", False)):
        modes.poke(modes.make("OmsCheckpointReachedSensor", {"checkpoint": checkpoint}))
        said = caplog.text + capfd.readouterr().out
        assert ("checkpoint has no time zone; it is taken for 2026-01-01T00:00:00+00:00" in said) is told
        caplog.clear()


@pytest.mark.parametrize(("status", "meant"), [("RUNING", "RUNNING"), ("PAUSED", "SUSPEND"), ("SUSPEND", None)])
def test_a_status_that_is_not_documented_is_warned_about_once(status, meant, sim, caplog, capfd):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    gate = modes.make("OmsProjectStatusSensor", {"target_statuses": status})
    said = []
    for _ in range(3):
        gate.poke(modes.context())
        said.append(caplog.text + capfd.readouterr().out)
        caplog.clear()
    gate._on_worker.hook.close()
    assert ["isn't a status that OceanBase documents" in text for text in said] == [meant is not None, False, False]
    assert meant is None or f"Did you mean {meant}?" in said[0]


@pytest.mark.parametrize("sensor", ["OmsFullVerificationSensor", "OmsCutoverReadySensor"])
@pytest.mark.parametrize("mode", ["poke", "deferred"])
def test_a_project_of_its_own_verifies(sensor, mode, sim):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING", step="INCR_TRANSFER", enable_full_verify=False))
    sim.clock.advance(60)
    sim.add_project(Project(id="np_2", name="check", type="VERIFY", status="RUNNING", step="FULL_VERIFIER"))
    arguments = {"verification_project": "check", "max_lag": 60}
    if sensor == "OmsFullVerificationSensor":
        del arguments["max_lag"]
    assert getattr(modes, mode)(modes.make(sensor, arguments)).state == "waiting"
    sim.clock.advance(60)
    outcome = getattr(modes, mode)(modes.make(sensor, arguments))
    assert outcome.state == "reached", outcome
    assert outcome.observed["project"] == "np_1"
    wrong = getattr(modes, mode)(modes.make(sensor, {**arguments, "verification_project": "one"}))
    assert wrong.state == "failed"
    assert "MIGRATION, not VERIFY" in wrong.message


@pytest.mark.parametrize("sensor", ["OmsFullTransferSensor", "OmsCutoverReadySensor"])
def test_objects_that_are_being_added_are_waited_for(sensor, sim):
    live = Project(id="np_1", name="one", status="RUNNING", step="FULL_VERIFIER", step_progress=100)
    sim.add_project(live)
    assert modes.poke(modes.make(sensor, {})).state == "reached"
    sim.project("one").add_objects({"shop": ["prices"]}, pending=0, modifying=60, merging=60)
    sim.clock.advance(5)
    outcome = modes.poke(modes.make(sensor, {}))
    assert outcome.state == "waiting"
    assert "RUNNING_MODIFYING, seen since" in outcome.message
    assert modes.poke(modes.make(sensor, {"allow_modifying": True})).state == "reached"
    sim.clock.advance(600)
    assert modes.poke(modes.make(sensor, {})).state == "reached"


def test_a_name_is_looked_up_once_and_the_id_is_returned(sim):
    for name in ("orders", "orders_2"):
        sim.add_project(Project(id=f"np_{name}", name=name, status="RUNNING"))
    gate = modes.make("OmsProjectStatusSensor", {"target_statuses": "SUSPEND"}, project_name="orders")
    gate.poke(modes.context())
    sim.project("orders").pause()
    outcome = gate.poke(modes.context())
    gate._on_worker.hook.close()
    assert outcome.is_done
    assert outcome.xcom_value["project"] == "np_orders"
    assert [record.action for record in sim.requests].count("ListProjects") == 1


def test_a_single_poll_from_other_code(sim):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    polled = modes.make("OmsProjectStatusSensor", {"target_statuses": "RUNNING"}).poll_once()
    assert polled.is_done
    assert polled.xcom_value["status"] == "RUNNING"
    assert not modes.make("OmsProjectStatusSensor", {"target_statuses": "SUSPEND"}).poll_once().is_done
    sim.project("np_1").fail(code="X-1", message="the disk is full")
    with pytest.raises(OmsMilestoneFailedError, match="the disk is full"):
        modes.make("OmsProjectStatusSensor", {"target_statuses": "SUSPEND", "failure_grace": 0}).poll_once()
    with pytest.raises(ValueError, match="hold_for"):
        modes.make("OmsCheckpointLagSensor", {"max_lag": 5, "hold_for": 5}).poll_once()


def test_a_gate_changes_nothing(sim):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    for cls in GATES:
        modes.poke(cls(task_id="gate", project_id="np_1", timeout=0, **required_of(cls)))
    reads = {"DescribeProjectProgress", "DescribeProjectSteps", "ListProjectFullVerifyResult", "ListProjects"}
    reads |= {"DescribeProject", "ListProjectModifyRecords"}
    assert {record.action for record in sim.requests} <= reads


V3 = {
    "OmsFullTransferSensor": "reached",
    "OmsCheckpointLagSensor": "reached",
    "OmsCheckpointReachedSensor": "reached",
    "OmsProjectStatusSensor": "reached",
    "OmsStepSensor": "api_version v3",
    "OmsFullVerificationSensor": "api_version v3",
    "OmsCutoverReadySensor": "api_version v3",
    "OmsObjectsSensor": "api_version v3",
}


@pytest.mark.parametrize("mode", ["poke", "deferred"])
@pytest.mark.parametrize("sensor", V3)
def test_what_oms_3_3_can_answer_works_and_the_rest_says_so_at_once(sensor, mode, sim, monkeypatch):
    import json

    sim.set_answer(
        "MigrationProgress",
        {
            "success": True,
            "data": {
                "status": "RUNNING",
                "enableFullMigration": True,
                "fullMigrationProgress": 100,
                "enableIncrSync": True,
                "incrSyncCheckpoint": str(int(sim.clock.now()) - 3),
            },
        },
    )
    extra = {"api_version": "v3"}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**json.loads(sim.connection_json), "extra": extra}))
    arguments = {
        "OmsCheckpointLagSensor": {"max_lag": 10},
        "OmsCheckpointReachedSensor": {"checkpoint": sim.clock.now() - 60},
        "OmsProjectStatusSensor": {"target_statuses": ["RUNNING"]},
        "OmsStepSensor": {"step": "FULL_MIGRATION"},
        "OmsObjectsSensor": {"tables": ["shop.orders"]},
    }.get(sensor, {})
    outcome = getattr(modes, mode)(modes.make(sensor, arguments))
    if V3[sensor] == "reached":
        assert outcome.state == "reached", outcome
    else:
        assert outcome.state == "failed"
        assert V3[sensor] in outcome.message


@pytest.mark.parametrize(("max_lag", "warned"), [(24, True), (25, False)])
@pytest.mark.parametrize("sensor", ["OmsCheckpointLagSensor", "OmsCutoverReadySensor"])
def test_a_lag_finer_than_oms_can_show_is_warned_about(sensor, max_lag, warned, sim, caplog, capfd):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    modes.poke(modes.make(sensor, {"max_lag": max_lag}))
    said = caplog.text + capfd.readouterr().out
    assert ("opens only by chance" in said) is warned
