"""The settings of a gate: into a trigger's kwargs and back, and their checks."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_oms.client.errors import OmsUnreachableError
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullTransferMilestone
from tests.gate_cases import (
    ALL_DONE,
    NOW,
    Reply,
    caught_up,
    in_transfer,
    progress,
    refusal,
)
from tests.milestones.support import GATES, NOT_A_PROJECT, NOT_AN_ID, PROJECT, Script, gate_of

LOST = OmsUnreachableError("no connection.")
FULL = "OmsFullTransferSensor"
LAG = "OmsCheckpointLagSensor"


# Settings


@pytest.mark.parametrize(("sensor", "arguments"), GATES, ids=str)
def test_a_gate_survives_json(sensor, arguments):
    gate = gate_of(sensor, arguments)
    stored = json.loads(json.dumps(gate.as_dict()))
    assert Gate.from_dict(stored) == gate
    assert Gate.from_dict(stored).as_dict() == stored


def test_every_setting_survives_json():
    gate = Gate(
        FullTransferMilestone(50),
        project_name="shop",
        project_type="SYNC",
        oms_conn_id="oms_other",
        poke_interval=7,
        fail_on_suspend=True,
        allow_modifying=True,
        failure_grace=8,
        outage_tolerance=9,
    )
    default = Gate(FullTransferMilestone(), project_id="np_1")
    different = {name for name in vars(gate) if getattr(gate, name) != getattr(default, name)}
    # The arguments for many projects are tested in test_together.py.
    assert different == set(vars(gate)) - {"fleet"}, "a setting is left at its default, so the comparison would miss it"
    assert Gate.from_dict(json.loads(json.dumps(gate.as_dict()))) == gate


def test_blanks_around_an_id_and_a_name_are_none_of_it():
    assert Gate(FullTransferMilestone(), project_id=" np_1\n").project_id == "np_1"
    assert Gate(FullTransferMilestone(), project_name="\tshop ").project_name == "shop"


def test_a_gate_is_frozen():
    with pytest.raises(FrozenInstanceError):
        gate_of(FULL).poke_interval = 3  # type: ignore[misc]


def test_lengths_of_time_are_taken_in_every_form():
    gate = Gate(
        FullTransferMilestone(),
        project_id="np_1",
        poke_interval=timedelta(minutes=1),
        failure_grace="45",
        outage_tolerance=0,
    )
    assert (gate.poke_interval, gate.failure_grace, gate.outage_tolerance) == (60, 45, 0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "project_id"),
        ({"project_id": "np_1", "project_name": "shop"}, "project_name"),
        ({"project_id": "np_1", "project_name": ""}, "project_name"),
        ({"project_id": ""}, "project_id"),
        ({"project_id": "  "}, "project_id"),
        ({"project_id": 7}, "project_id"),
        ({"project_id": ["np_1"]}, "project_id"),
        ({"project_name": ""}, "project_name"),
        *(({name: value}, name) for name in ("project_id", "project_name") for value in NOT_A_PROJECT),
        *(({"project_id": value}, "project_id") for value in NOT_AN_ID),
        ({"project_type": "migration"}, "project_type"),
        ({"project_type": None}, "project_type"),
        ({"poke_interval": -1}, "poke_interval"),
        ({"poke_interval": None}, "poke_interval"),
        ({"failure_grace": "soon"}, "failure_grace"),
        ({"failure_grace": float("nan")}, "failure_grace"),
        ({"failure_grace": timedelta(seconds=-1)}, "failure_grace"),
        ({"outage_tolerance": float("inf")}, "outage_tolerance"),
        ({"outage_tolerance": True}, "outage_tolerance"),
        ({"fail_on_suspend": "no"}, "fail_on_suspend"),
        ({"fail_on_suspend": None}, "fail_on_suspend"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], named: str):
    project = {} if {"project_id", "project_name"} & set(arguments) or not arguments else {"project_id": "np_1"}
    with pytest.raises(ValueError, match=named):
        Gate(FullTransferMilestone(), **project, **arguments)


def test_a_gate_says_what_it_waits_for():
    assert gate_of(FULL).describe() == f"the full transfer at 100 % in project {PROJECT}"
    assert gate_of(FULL, project_name="shop").describe() == "the full transfer at 100 % in project 'shop'"


# No deadline


def test_a_gate_waits_as_long_as_it_takes():
    script = Script(gate_of(FULL))
    for day in range(30):
        assert script.poll(NOW + day * 86_400, progress(), in_transfer()).state == "waiting"
    assert script.poll(NOW + 31 * 86_400, caught_up(), ALL_DONE).state == "reached"


# A project by its name


def _row(identifier: Any, name: Any) -> dict[str, Any]:
    return {"id": identifier, "name": name, "status": "RUNNING"}


def test_a_name_is_resolved_once():
    script = Script(gate_of(FULL, project_name="shop"))
    listed = [_row("np_2", "shop2"), _row("np_1", "shop"), _row("np_3", "SHOP")]
    verdict = script.poll(NOW, progress(), in_transfer(), projects=listed)
    assert verdict.state == "waiting"
    assert script.asked[0] == "ListProjects"
    assert script.memory.projects == {"shop": "np_1"}
    assert verdict.observed.project == "np_1"
    # Renamed since: the id stays.
    assert script.poll(NOW + 30, caught_up(), projects=[]).state == "reached"
    assert "ListProjects" not in script.asked


def test_a_project_given_by_id_is_not_looked_up():
    script = Script(gate_of(FULL))
    script.poll(NOW, progress(), in_transfer())
    assert script.asked == ["DescribeProjectProgress", "DescribeProjectSteps"]


@pytest.mark.parametrize("listed", [[], [_row("np_1", "shop2")], [_row("np_1", "SHOP")]])
def test_a_missing_name_fails(listed):
    verdict = Script(gate_of(FULL, project_name="shop")).poll(NOW, progress(), projects=listed)
    assert verdict.state == "failed"
    assert "'shop'" in verdict.message


def test_an_ambiguous_name_fails_and_lists_the_ids():
    listed = [_row("np_2", "shop"), _row("np_1", "shop")]
    verdict = Script(gate_of(FULL, project_name="shop")).poll(NOW, caught_up(), projects=listed)
    assert verdict.state == "failed"
    assert "np_1 (RUNNING), np_2 (RUNNING)" in verdict.message


def test_a_name_listed_twice_with_one_id_is_one_project():
    listed = [_row("np_1", "shop"), _row("np_1", "shop")]
    assert Script(gate_of(FULL, project_name="shop")).poll(NOW, caught_up(), projects=listed).state == "reached"


def test_an_outage_while_the_name_is_looked_up_is_waited_out():
    script = Script(gate_of(FULL, project_name="shop"))
    assert script.poll(NOW, projects=Reply("", 503)).state == "waiting"
    assert script.poll(NOW + 30, caught_up(), projects=[_row("np_1", "shop")]).state == "reached"


def test_a_name_that_never_was_is_no_deleted_project():
    gate = gate_of("OmsProjectStatusSensor", {"target_statuses": "DELETED"}, project_name="shop")
    assert Script(gate).poll(NOW, projects=[]).state == "failed"


def test_a_named_project_that_is_deleted_meanwhile_is():
    script = Script(gate_of("OmsProjectStatusSensor", {"target_statuses": "DELETED"}, project_name="shop"))
    assert script.poll(NOW, progress("RELEASED"), projects=[_row("np_1", "shop")]).state == "waiting"
    gone = Reply(refusal("GHANA-PROJECT000001", "gone"))
    assert script.poll(NOW + 30, gone).state == "reached"


def test_the_gates_kwargs_hold_nothing_but_its_settings():
    gate = replace(gate_of(FULL), oms_conn_id="oms_x")
    assert set(gate.as_dict()) == set(vars(gate)) - {"fleet"}
