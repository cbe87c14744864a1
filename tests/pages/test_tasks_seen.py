"""The project of a task is taken only from what Airflow has rendered."""

from __future__ import annotations

import json

import pytest

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import CheckpointLagMilestone
from airflow_provider_oms.pages.tasks_seen import NoProjectError, Subject, TaskSeen, subject_of


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"oms_conn_id": "c", "project_id": "np_1", "project_name": None}, Subject("c", project_id="np_1")),
        ({"oms_conn_id": "c", "project_id": None, "project_name": "shop"}, Subject("c", project_name="shop")),
        (
            {"oms_conn_id": "c", "project_id": "np_1", "project_type": "SYNC"},
            Subject("c", project_id="np_1", project_type="SYNC"),
        ),
        ({"oms_conn_id": "c", "project_id": "np_1", "project_type": "X"}, Subject("c", project_id="np_1")),
        ({"oms_conn_id": "c", "project": {"name": "shop"}}, Subject("c", project_name="shop")),
        ({"oms_conn_id": "c", "project": '{"name": "shop"}'}, Subject("c", project_name="shop")),
    ],
)
def test_a_project(fields, subject):
    assert subject_of(fields) == subject


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (None, "no rendered arguments"),
        ({}, "no connection"),
        ({"oms_conn_id": 5, "project_id": "np_1"}, "no connection"),
        ({"oms_conn_id": "c"}, "about a single project"),
        ({"oms_conn_id": "c", "project_id": "np_1", "project_name": "shop"}, "about a single project"),
        ({"oms_conn_id": "c", "project": "Truncated. You can change this behaviour in"}, "about a single project"),
        ({"oms_conn_id": "c", "project": {"name": 5}}, "about a single project"),
        ({"oms_conn_id": "c", "project_id": "../np_1"}, "name a project"),
        ({"oms_conn_id": "c", "project_id": ["np_1"]}, "name a project"),
        ({"oms_conn_id": "c", "project_id": "***"}, "name a project"),
        ({"oms_conn_id": "c", "project_name": "a\nb"}, "name a project"),
    ],
)
def test_no_project(fields, words):
    with pytest.raises(NoProjectError, match=words):
        subject_of(fields)


def task(waits_for):
    return TaskSeen("d", "r", "t", waits_for=waits_for)


def test_what_it_waits_for():
    gate = Gate(CheckpointLagMilestone(max_lag=30), project_id="np_1")
    assert task(json.dumps(gate.as_dict())).gate() == gate


@pytest.mark.parametrize("left", [None, "", "{", "[]", "{}", '{"milestone": 5}', '{"milestone": {"kind": "unknown"}}'])
def test_what_can_not_be_read(left):
    assert task(left).gate() is None
