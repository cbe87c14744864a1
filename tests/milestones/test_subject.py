"""What a message names: the project, what is waited for, and the Airflow connection."""

import json

import pytest

from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullTransferMilestone
from airflow_provider_oms.milestones.subject import Subject, called
from airflow_provider_oms.milestones.verdict import Observation

SHOP = Observation(project="np_1", name="shop")


@pytest.mark.parametrize(
    ("project_id", "name", "said"),
    [
        ("np_1", "shop", "project 'shop' (np_1)"),
        ("np_1", None, "project np_1"),
        (None, "shop", "project 'shop'"),
        (None, None, "project"),
        ("np_1", "it's", 'project "it\'s" (np_1)'),
        ("np_1\x1b[31m", "a\u202eb\nc", "project 'a\\u202eb\\nc' (np_1 [31m)"),
    ],
)
def test_a_project_is_called_by_what_is_known_of_it(project_id, name, said):
    assert called(project_id, name) == said


def test_the_project_comes_first():
    subject = Gate(FullTransferMilestone(), project_name="shop", oms_conn_id="oms_night").subject(SHOP)
    assert subject.explain("The project has failed.") == (
        "Project 'shop' (np_1): The project has failed. "
        "(waiting for the full transfer at 100 %, Airflow connection 'oms_night')"
    )


def test_what_was_given_counts_before_what_was_seen():
    seen = Observation(project="np_2", name="other")
    assert Gate(FullTransferMilestone(), "np_1").subject(seen).about == "project 'other' (np_1)"
    assert Gate(FullTransferMilestone(), project_name="shop").subject(seen).about == "project 'shop' (np_2)"


def test_about_nothing_in_particular():
    assert Subject("", "", "c").explain("So.") == "So. (Airflow connection 'c')"


def test_it_travels_as_json():
    subject = Gate(FullTransferMilestone(), "np_1").subject()
    assert Subject.read(json.loads(json.dumps(subject._asdict()))) == subject


@pytest.mark.parametrize("stored", [None, {}, [], "so", {"about": "a", "purpose": "b"}, {"about": 1, "purpose": 2}])
def test_what_another_version_has_written_is_no_subject(stored):
    assert Subject.read(stored) is None
