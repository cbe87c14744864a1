"""Gates over many in every mode: rows of the one table, each among projects that are ready, and the stored rows."""

from __future__ import annotations

import json
import time
from importlib import import_module

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_oms.sensors.oms import OmsFullTransferSensor
from airflow_provider_oms.simulator import Clock, Project, Simulator
from airflow_provider_oms.tasks import clock as task_clock
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from airflow_provider_oms.tasks.row import Row
from tests import modes
from tests.clocks import Elapsed
from tests.connections import connect
from tests.gate_cases import CASES, NOW, PROGRESS, PROJECT, REACHED, RECORDS, STEPS, VERIFY, Reply
from tests.milestones.fleets import companion

#: One row for each gate, argument set and verdict; of those that the simulator answers by itself for each project.
ROWS = list(
    {
        (case.sensor, repr(case.arguments), case.expected, case.without_memory): case
        for case in CASES
        if "verification_project" not in case.arguments
        and not case.date_offset
        and not any(
            isinstance(one, Reply) and (one.status != 200 or one.fault or isinstance(one.body, str))
            for one in (case.progress, case.steps, case.verify_pages)
        )
    }.values()
)

IDS = ["np_0", "np_1", "np_2"]


@pytest.fixture(scope="module")
def oms():
    with Simulator(clock=Clock(start=NOW, speed=0)) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def connection(oms, monkeypatch, pauses):
    connect(monkeypatch, oms)


def serve(oms, case):
    """Let the project in the middle answer as a row says, and the others be ready."""
    other = companion(case)

    def answer(action, payload):
        project_id = payload.get("id") or payload.get("projectId")
        # The task that adds objects, too, answers as the row says.
        said = (other if project_id in ("np_0", "np_2") else case).reply(action, payload)
        return said.raw.decode().replace('"np_1"', f'"{project_id}"')

    for action in (PROGRESS, STEPS, VERIFY, PROJECT, RECORDS):
        oms.set_answer(action, lambda payload, action=action: answer(action, payload))


def test_the_table_in_poke_and_deferred_mode(oms):
    """The triggerer comes to the same verdict as the worker."""
    assert len(ROWS) > 30
    for case in ROWS:
        serve(oms, case)
        made = [modes.make(case.sensor, {**case.arguments, "project_ids": IDS}) for _ in range(3)]
        for outcome in (modes.poke(made[0]), modes.deferred(made[1]), modes.in_triggerer(made[2])):
            assert outcome.state == case.expected, (case.id, outcome)
            if outcome.state == REACHED:
                assert (outcome.observed["total"], outcome.observed["reached"]) == (3, 3)
                assert [one["project"] for one in outcome.observed["projects"]] == IDS


def test_the_table_in_reschedule_mode(oms, monkeypatch):
    for case in ROWS[::2]:
        serve(oms, case)
        if not case.needs_memory:
            gate = modes.make(case.sensor, {**case.arguments, "project_ids": IDS}, mode="reschedule")
            assert modes.reschedule(gate, monkeypatch).state == case.expected_without_memory, case.id
        if has_task_state_store():
            gate = modes.make(case.sensor, {**case.arguments, "project_ids": IDS}, mode="reschedule")
            assert modes.reschedule(gate, monkeypatch, modes.Store()).state == case.expected, case.id


@pytest.mark.skipif(not has_task_state_store(), reason="Airflow 3.3 and later remember between two pokes")
def test_each_project_is_remembered_from_poke_to_poke(oms, monkeypatch):
    from airflow_provider_oms.tasks import clock

    case = next(case for case in ROWS if case.sensor == "OmsCheckpointLagSensor" and case.expected == REACHED)
    serve(oms, case)
    store = modes.Store()
    for poke, at, state in ((0, 0, "waiting"), (1, 30, "waiting"), (2, 60, "reached")):
        monkeypatch.setattr(clock.time, "time", lambda at=at: float(NOW + at))
        arguments = {**case.arguments, "project_ids": IDS, "hold_for": 60}
        gate = modes.make(case.sensor, arguments, mode="reschedule")
        assert modes.reschedule(gate, monkeypatch, store, poke=poke).state == state
        if state == "waiting":
            assert store["oms_gate_memory"]["memory"]["members"].keys() == set(IDS)
    assert "reached" not in store["oms_gate_memory"]["memory"]


@pytest.fixture
def wave(monkeypatch):
    with Simulator(clock=Clock(start=NOW, speed=0)) as simulator:
        connect(monkeypatch, simulator)
        simulator.add_label("wave-7")
        done = {"status": "RUNNING", "step": "INCR_TRANSFER"}
        for number in range(3):
            simulator.add_project(Project(id=f"np_{number}", name=f"shop_{number}", labels=["wave-7"], **done))
        yield simulator


@pytest.mark.parametrize("run", [modes.poke, modes.deferred, modes.in_triggerer])
def test_every_way_to_say_which(wave, run):
    for which in (
        {"label_name": "wave-7"},
        {"label_id": next(iter(wave.labels))},
        {"search_key": "shop_"},
        {"project_names": '["shop_0", "shop_1", "shop_2"]'},
        {"project_ids": "np_0,np_1,np_2"},
    ):
        gate = OmsFullTransferSensor(task_id="gate", timeout=0, **which)
        outcome = run(gate)
        assert (outcome.state, outcome.observed["reached"]) == (REACHED, 3), which
        assert [one["name"] for one in outcome.observed["projects"]] == (
            ["shop_0", "shop_1", "shop_2"] if "project_ids" not in which else ["np_0", "np_1", "np_2"]
        )
    assert run(OmsFullTransferSensor(task_id="gate", timeout=0, label_name="wave-8")).state == "failed"


def test_the_last_poke_before_the_time_out_asks_for_each_project(wave, monkeypatch):
    """The list's rows are behind, and there is no later poke."""
    clock = Elapsed(time.time(), 1000.0)
    gate = OmsFullTransferSensor(task_id="gate", timeout=50, poke_interval=30, label_name="wave-7")
    base = import_module(type(gate).__mro__[2].__module__)
    clock.install(monkeypatch, base, task_clock)
    behind = {"name": "FULL_TRANSFER", "status": "RUNNING", "progress": 50}
    done = {"status": "RUNNING", "enableFullTransfer": True}
    for number in range(3):
        wave.project(f"np_{number}").show_row(steps=[behind])
    wave.set_answer(
        "DescribeProjectProgress",
        lambda payload: {
            "success": True,
            "data": {**done, "projectId": payload["id"], "fullTransferProgress": min(100, 10 + clock.passed * 2)},
        },
    )
    outcome = modes.poke(gate)
    assert clock.pauses == [30, 30]
    assert outcome.state == REACHED


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"project_ids": ["np_1"], "project_id": "np_1"}, "both are given"),
        ({"project_ids": ["np_1"], "label_id": "l_1"}, "project_ids and label_id"),
        ({"project_names": []}, "names no project"),
        ({"project_names": ["shop"], "min_projects": 0}, "min_projects"),
        ({"project_id": "np_1", "min_projects": 2}, "min_projects and on_failure can only be used with"),
        ({"label_name": "x", "on_failure": "ignore"}, "on_failure"),
        ({}, "neither is given"),
    ],
)
def test_mistakes_are_found_while_the_dag_is_parsed(arguments, wrong):
    with pytest.raises(ValueError, match=wrong):
        OmsFullTransferSensor(task_id="gate", **arguments)


@pytest.mark.parametrize("which", [{"project_ids": ["np_1", "np_2"]}, {"label_name": "wave-7"}, {"search_key": "shop"}])
def test_what_goes_into_the_trigger_is_what_the_gate_was_given(oms, which):
    oms.down()
    try:
        given = {**which, "min_projects": 2, "on_failure": "wait_for_others"}
        gate = OmsFullTransferSensor(task_id="gate", deferrable=True, **given)
        with pytest.raises(TaskDeferred) as deferral:
            gate.execute(modes.context())
    finally:
        oms.up()
    stored = json.loads(json.dumps(deferral.value.trigger.serialize()[1]))
    assert stored["gate"]["fleet"] == given
    assert stored["gate"]["project_id"] is stored["gate"]["project_name"] is None
    assert Row.from_kwargs(stored).gate == gate.gate()


def test_what_is_templated_is_checked_when_it_is_rendered(oms):
    gate = OmsFullTransferSensor(task_id="gate", timeout=0, project_names="{{ params.names }}", min_projects=5)
    gate.project_names = "[]"
    outcome = modes.poke(gate)
    assert outcome.state == "failed"
    assert "names no project" in outcome.message


@pytest.mark.skipif(not has_task_state_store(), reason="start_from_trigger needs Airflow 3.3")
def test_a_gate_that_never_was_on_a_worker(wave):
    for which, state in (
        ({"label_name": "wave-7"}, "reached"),
        ({"project_ids": ["np_0", "np_1"], "min_projects": 3}, "failed"),
        ({"search_key": "{{ run_id }}"}, "failed"),  # Airflow has not rendered it
    ):
        gate = OmsFullTransferSensor(task_id="gate", deferrable=True, start_from_trigger=True, timeout=60, **which)
        args = gate.start_trigger_args
        module, name = args.trigger_cls.rsplit(".", 1)
        event = modes.fire(getattr(import_module(module), name)(**json.loads(json.dumps(args.trigger_kwargs))))
        assert event["status"] == state, event
    with pytest.raises(ValueError, match="project_names uses ti"):
        OmsFullTransferSensor(
            task_id="gate", deferrable=True, start_from_trigger=True, project_names=["{{ ti.xcom_pull('x') }}"]
        )
