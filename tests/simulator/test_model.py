"""Descriptions of projects: the steps of each project, and the messages about invalid values."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import DataSource, Project, Table, steps


def test_all_steps_in_the_documents_order():
    assert Project(enable_incr_verify=True).step_names == list(steps.ORDER)


def test_steps_that_are_not_enabled_are_absent():
    project = Project(enable_struct=False, enable_reverse_incr=False)
    assert project.step_names == [
        "TRANSFER_PRECHECK",
        "TRANSFER_INCR_LOG_PULL",
        "FULL_TRANSFER",
        "INCR_TRANSFER",
        "FULL_VERIFIER",
        "TRANSFER_APP_SWITCH",
    ]


def test_a_synchronization_has_no_verification_and_no_switchover():
    assert Project(type="SYNC").step_names == [
        "TRANSFER_PRECHECK",
        "STRUCT_TRANSFER",
        "TRANSFER_INCR_LOG_PULL",
        "FULL_TRANSFER",
        "INCR_TRANSFER",
    ]


def test_without_incremental_there_is_no_switchover():
    assert Project(enable_incr=False).step_names[-2:] == ["INDEX_TRANSFER", "FULL_VERIFIER"]


def test_ids_and_names_are_made():
    project = Project()
    assert project.id.startswith("np_")
    assert project.name == project.id
    assert Project().id != project.id


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "x", "stauts": "RUNNING"}, "stauts"),
        ({"name": "x", "type": "MOVE"}, "MOVE"),
        ({"name": "x", "step": "NOPE"}, "NOPE"),
        ({"name": "x", "type": "SYNC", "step": "FULL_VERIFIER"}, "cannot begin at step FULL_VERIFIER"),
        ({"name": "x", "durations": {"FULL_TRANSFER": -1}}, "negative"),
        ({"name": "x", "verification": [{"schema": "a"}]}, "table"),
        ({"name": "x", "vocabulary": "v9"}, "v9"),
    ],
)
def test_a_wrong_description_is_named(given, words):
    with pytest.raises(ValueError, match=words):
        Project.from_mapping(given)


def test_nested_mappings_become_objects():
    project = Project.from_mapping(
        {
            "durations": {"FULL_MIGRATION": 5},
            "verification": [{"schema": "a", "table": "t", "source_only": 1, "mismatched": 2}],
            "failures": [{"step": "FULL_MIGRATION", "at": 30}],
        }
    )
    assert project.duration(steps.FULL) == 5
    assert isinstance(project.verification[0], Table)
    assert project.verification[0].different == 3
    assert project.failures[0].step == steps.FULL


def test_a_password_is_not_in_the_repr():
    assert "s3cret" not in repr(DataSource("x", password="s3cret", drc_password="s3cret"))
