"""Answers that are valid HTTP and JSON but have wrong contents, over HTTP."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from airflow_provider_oms.simulator import ODD_TEXT, Fault, Project, Simulator

from .conftest import START, post

TABLES = [{"schema": "shop", "table": f"t{number}"} for number in range(25)]


@pytest.fixture
def project(sim) -> str:
    return sim.add_project(
        Project(name="shop", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=TABLES)
    )


def page(sim, project, number):
    answer = post(sim, "ListProjectFullVerifyResult", projectId=project, pageNumber=number, pageSize=10).json()
    data = answer["data"]
    rows = None if data is None else [row["sourceTableName"] for row in data["fullVerifyTableStatistics"]]
    return answer["totalCount"], rows


def names(*numbers) -> list[str]:
    return [f"t{number}" for number in numbers]


@pytest.mark.parametrize(
    ("fault", "second", "behind"),
    [
        (Fault("page_short", page=2), (25, names(*range(10, 19))), (25, [])),
        (Fault("page_short", page=2, rows=3), (25, names(*range(10, 17))), (25, [])),
        (Fault("page_null", page=2), (25, None), (25, [])),
        (Fault("page_empty", page=2), (25, []), (25, [])),
        (Fault("page_repeated", page=2), (25, names(*range(10))), (25, [])),
        (Fault("page_moved", page=2), (25, names(*range(9, 19))), (25, [])),
        (Fault("page_total", page=2, total=24), (24, names(*range(10, 20))), (25, [])),
        (Fault("page_last_repeated"), (25, names(*range(10, 20))), (25, names(*range(20, 25)))),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_pages_that_do_not_fit(sim, project, fault, second, behind):
    sim.add_fault(fault)
    assert page(sim, project, 1) == (25, names(*range(10)))
    assert page(sim, project, 2) == second
    assert page(sim, project, 3) == (25, names(*range(20, 25)))
    assert page(sim, project, 4) == behind


def test_the_same_on_a_list_of_projects(sim):
    for number in range(4):
        sim.add_project(Project(name=f"p{number}"))
    sim.add_fault(Fault("page_moved", action="ListProjects", page=2))
    for number, expected in ((1, ["p0", "p1"]), (2, ["p1", "p2"])):
        answer = post(sim, "ListProjects", pageNumber=number, pageSize=2, order="asc").json()
        assert [row["name"] for row in answer["data"]] == expected


def test_a_step_that_is_missing_for_one_poll(sim, call, project):
    everything = [step["name"] for step in call("DescribeProjectSteps", id=project)]
    without = [name for name in everything if name != "TRANSFER_INCR_LOG_PULL"]
    sim.add_fault(Fault("without_step", action="DescribeProjectSteps", step="INCR_LOG_PULL", times=1))
    assert [step["name"] for step in call("DescribeProjectSteps", id=project)] == without
    assert [step["name"] for step in call("DescribeProjectSteps", id=project)] == everything
    sim.add_fault(Fault("without_step", step="INCR_LOG_PULL", times=2))
    assert [step["name"] for step in call("ListProjects")[0]["steps"]] == without
    assert [step["name"] for step in call("DescribeProject", id=project)[0]["steps"]] == without


def test_an_answer_about_another_project(sim, call, project):
    other = sim.add_project(Project(name="other"))
    sim.add_fault(Fault("other_project", other=other, times=2))
    answer = call("DescribeProjectProgress", id=project)
    assert (answer["projectId"], answer["status"]) == (other, "INIT")
    assert call("DescribeProjectSteps", id=project)[0]["status"] == "INIT"
    assert call("DescribeProjectProgress", id=project)["projectId"] == project


def test_any_value_can_be_changed(sim, project):
    sim.add_fault(Fault("change", set={"data.projectId": "np_x", "requestId": None}, remove=["data.status", "cost"]))
    answer = post(sim, "DescribeProjectProgress", id=project).json()
    assert answer["data"]["projectId"] == "np_x"
    assert answer["requestId"] is None
    assert "status" not in answer["data"]
    assert "cost" not in answer
    sim.clear_faults()
    sim.add_fault(Fault("change", set={"data.0.steps.2.status": "ODD"}))
    assert post(sim, "ListProjects").json()["data"][0]["steps"][2]["status"] == "ODD"


def test_a_fault_that_alters_leaves_a_refusal_alone(sim):
    sim.add_fault(Fault("change", set={"success": True}))
    assert post(sim, "DescribeProjectProgress", id="np_nope").json()["success"] is False


@pytest.mark.parametrize("code", ["PROJECT_NOT_FOUND_ERROR", "LOCK_FAILED"])
def test_two_codes_in_one_answer(sim, code):
    sim.add_fault(Fault("error", code=code, detail_code="GHANA-OPERIE000000", message="why"))
    answer = post(sim, "ListProjects").json()
    assert (answer["code"], answer["errorDetail"]["code"]) == (code, "GHANA-OPERIE000000")


def dates(sim, count):
    return [parsedate_to_datetime(post(sim, "ListProjects").headers["Date"]).timestamp() - START for _ in range(count)]


def test_two_clocks_behind_one_address(sim):
    sim.date_header = [0, -120]
    assert dates(sim, 4) == [0, -120, 0, -120]
    sim.date_header = "clock"
    sim.add_fault(Fault("date", seconds=-30, times=1))
    assert dates(sim, 2) == [-30, 0]
    with pytest.raises(ValueError, match="date_header"):
        Simulator(date_header="tomorrow")


def test_odd_texts_arrive_as_they_are(sim, call):
    project = sim.add_project(Project(name=ODD_TEXT, status="RUNNING"))
    sim.project(project).fail(code="X", message=ODD_TEXT)
    assert call("ListProjects")[0]["name"] == ODD_TEXT
    assert call("DescribeProjectSteps", id=project)[0]["extraInfo"]["errorMsg"] == ODD_TEXT
    sim.add_fault(Fault("error", message=ODD_TEXT))
    assert post(sim, "ListProjects").json()["errorDetail"]["message"] == ODD_TEXT


@pytest.mark.parametrize(
    "given", [{"kind": "page_total"}, {"kind": "without_step"}, {"kind": "other_project"}, {"kind": "nonsense"}]
)
def test_a_fault_says_what_it_lacks(given):
    with pytest.raises(ValueError, match=given["kind"]):
        Fault(**given)


def test_only_one_page_of_one_project(sim, project):
    fault = sim.add_fault(Fault("page_empty", page=2, project_id="np_other"))
    assert page(sim, project, 2)[1] == names(*range(10, 20))
    assert fault.fired == 0
