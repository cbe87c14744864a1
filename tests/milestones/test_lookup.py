"""Looking up a project or a label: by its whole name, and only if exactly one has it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from airflow_provider_oms.client.errors import OmsMalformedAnswerError, OmsPermanentError
from airflow_provider_oms.client.models import Project
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.milestones.lookup import label_by_id, label_by_name, project_by_name, project_named
from tests.gate_cases import Reply, success
from tests.milestones.support import FakeOms


def row(project_id: str | None, name: str = "shop", status: str | None = "RUNNING") -> dict[str, Any]:
    return {"id": project_id, "name": name, "status": status}


#: What OMS lists, in any order, and the id that is found.
FOUND = [
    ([], None),
    ([row("np_1", "shop2"), row("np_2", "SHOP"), row("np_3", "my shop"), row("shop", "other")], None),
    ([row("np_1"), row("np_2", "shop2")], "np_1"),
    ([row("np_1"), row("np_1")], "np_1"),
    *(([row("np_1", status=status), row("np_2", "shop2")], "np_1") for status in ("RELEASED", "DELETED", None, "ODD")),
    # A deleted project is found only if there is no other.
    ([row("np_1", status="DELETED"), row("np_2", status="INIT")], "np_2"),
    ([row("np_1", status="DELETED"), row("np_2", status="RELEASED"), row("np_3", status="DELETED")], "np_2"),
    ([row("np_1", status="DELETED"), row("np_2", status="DELETED")], "np_2"),
]

SEVERAL = [
    [row("np_1"), row("np_2")],
    # A released project keeps its name, and a gate may wait for that status.
    [row("np_1", status="RELEASED"), row("np_2")],
    [row("np_1", status=None), row("np_2", status="DELETED"), row("np_3", status="ODD")],
]


@pytest.mark.parametrize(("rows", "expected"), FOUND)
def test_the_project_of_a_name(rows, expected):
    for listed in permutations(rows):
        found = project_named("shop", [Project(one) for one in listed])
        assert (found.id if found else None) == expected


@pytest.mark.parametrize("rows", SEVERAL)
def test_several_are_none_and_are_listed(rows):
    for listed in permutations(rows):
        with pytest.raises(OmsPermanentError, match=r"projects named 'shop': np_1 \(.*\), np_.* Give the id"):
            project_named("shop", [Project(one) for one in listed])


@pytest.mark.parametrize("project_id", [None, ""])
def test_a_project_without_an_id_is_not_passed_over(project_id):
    with pytest.raises(OmsMalformedAnswerError, match=r"'shop' without an id|which is not an id"):
        project_named("shop", [Project(row(project_id))])


@pytest.mark.parametrize("name", ["shop", "商城", "np_1"])
def test_every_page_is_asked_for(name):
    rows = [*(row(f"np_{number}", f"{name}{number}") for number in range(150)), row("np_x", name)]

    def reply(action: str, payload: Any) -> Reply:
        assert (action, payload["searchKey"]) == ("ListProjects", name)
        first = (payload["pageNumber"] - 1) * payload["pageSize"]
        return Reply(success(rows[first : first + payload["pageSize"]], total=len(rows)))

    found = run_flow(FakeOms(reply), project_by_name(name))
    assert found is not None
    assert found.id == "np_x"


LABELS = [{"id": "l_1", "name": "nightly"}, {"id": "l_2", "name": "weekly"}, {"id": None, "name": "lost"}]


def labels(*more: dict[str, Any]) -> FakeOms:
    return FakeOms(lambda action, payload: Reply(success([*LABELS, *more])))


@pytest.mark.parametrize(("name", "expected"), [("weekly", "l_2"), ("week", None), ("Weekly", None), ("lost", None)])
def test_the_label_of_a_name(name, expected):
    found = run_flow(labels(), label_by_name(name))
    assert (found.id if found else None) == expected


@pytest.mark.parametrize(("label_id", "expected"), [("l_2", "weekly"), ("l_3", None), ("weekly", None)])
def test_the_label_of_an_id(label_id, expected):
    found = run_flow(labels(), label_by_id(label_id))
    assert (found.name if found else None) == expected


def test_several_labels_of_a_name():
    with pytest.raises(OmsPermanentError, match="2 labels named 'weekly'"):
        run_flow(labels({"id": "l_3", "name": "weekly"}), label_by_name("weekly"))
