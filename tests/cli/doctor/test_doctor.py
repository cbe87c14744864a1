"""``doctor`` with simulated OMS's of three kinds, and with some that answer incorrectly on purpose."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest

from airflow_provider_oms.cli.doctor import conditions, probes, questions
from airflow_provider_oms.cli.doctor.questions import MOST
from airflow_provider_oms.cli.doctor.seen import Reply, Seen
from airflow_provider_oms.client.errors import OmsConnectionLostError
from airflow_provider_oms.simulator import Fault
from tests.cli.doctor.conftest import FLAVOURS
from tests.docs.pages import DOCS

every_flavour = pytest.mark.parametrize("oms", FLAVOURS, indirect=True)

VERIFY_STEPS = (
    "the names of the steps in a project of type VERIFY (4.3.1), and whether its result is listed as in a migration"
)

#: The actions that only read. A test fails if any other is sent.
READING = re.compile(r"(Describe|List|Get)[A-Za-z]+|MigrationProgress|SyncProgress")


def points_of_the_page():
    rows = re.findall(r"^\| (.*?) \| .* \|$", (DOCS / "untested.md").read_text(), re.MULTILINE)
    points = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", row).replace("`", "") for row in rows]
    return [point for point in points if point not in ("point", "---")]


def test_each_row_of_the_page_has_a_probe_or_a_reason_and_no_probe_is_about_something_else():
    assert [probe.point for probe in probes.PROBES] == points_of_the_page()
    assert all(isinstance(probe.judge, str) or callable(probe.judge) for probe in probes.PROBES)


@every_flavour
def test_it_changes_nothing_and_asks_forty_times_at_most(oms, doctor):
    before = {live.id: (live.status, len(live.history)) for live in oms.projects.values()}
    run = doctor("shop", "--observe", "10m")
    asked = [one.action for one in oms.requests if one.action]
    assert all(READING.fullmatch(action) for action in asked)
    assert {live.id: (live.status, len(live.history)) for live in oms.projects.values()} == before
    assert len(oms.requests) <= run.told["requests"] <= MOST == 40
    assert "at most 40 requests, none of which changes anything" in run.err
    assert run.told["left_out"] == []


def test_at_the_limit_it_says_what_it_left_out(oms, doctor, monkeypatch):
    monkeypatch.setattr(questions, "MOST", 8)
    run = doctor("shop")
    assert run.told["requests"] == 8
    assert "steps" in run.told["left_out"]


@every_flavour
def test_on_an_oms_as_it_is_documented_nothing_differs(oms, doctor):
    run = doctor("shop", "--observe", "60")
    assert {one: said for one, said in run.by_point.items() if said[0] == "differs"} == {}
    assert run.code == 0
    outcomes = {one.outcome.value for one in probes.findings(Seen())}
    assert outcomes == {"unknown", "no probe"}
    for point in (
        "whether a viewer may call every reading action of the API",
        "HTTP status of errors",
        "whether totalCount counts rows or pages",
        "which step names mean the same in the three vocabularies",
        "step names of synchronisation projects in 4.1 and later",
        "the clocks of OMS and of this worker agree",
        "checkpoints move often enough for a small max_lag",
        "every status of a project is known",
        "every step is known",
        "every key of an answer is known",
        "every answer is as this provider reads it",
    ):
        assert run.by_point[point][0] == "holds", (point, run.by_point[point])


def test_what_only_a_flavour_tells(oms, doctor):
    by_point = doctor("shop").by_point
    assert by_point[VERIFY_STEPS][0] == "holds"
    assert by_point["OMS says that it is healthy (GET /oms/health)"] == ("holds", "It is.")
    assert by_point["whether OMS 4.1.1 and later still serve the two 3.3 endpoints"][0] == "holds"


@pytest.mark.parametrize("oms", ["hosted"], indirect=True)
def test_the_hosted_one_takes_our_signature(oms, doctor):
    point = "the console's address in Alibaba Cloud, and everything else about that OMS"
    assert doctor("shop").by_point[point][0] == "holds"


@pytest.mark.parametrize("oms", ["4.2 Community"], indirect=True)
def test_what_an_edition_lacks_is_no_missing_right(oms, doctor):
    rights = doctor("shop").told["rights"]
    assert rights["ListProjectModifyRecords"] == rights["DescribeRegions"] == "OMS doesn't have it"
    assert rights["ListProjects"] == rights["DescribeProjectSteps"] == "yes"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("status", status=403), "no"),
        (Fault("status", status=500), "unknown"),
        (Fault("status", status=404), "unknown"),
        (Fault("error", code="SOMETHING_ELSE", message="No permission."), "unknown"),
        (Fault("reset_before"), "no answer"),
    ],
    ids=["403", "500", "404", "another refusal", "lost"],
)
def test_a_right_is_known_only_from_an_answer(oms, doctor, fault, told):
    oms.add_fault(replace(fault, action="DescribeProjectComponents"))
    rights = doctor("shop", "--observe", "0").told["rights"]
    assert (rights["DescribeProjectComponents"], rights["ListProjects"]) == (told, "yes")


def test_the_best_of_several_answers_decides_a_right(oms, doctor):
    oms.add_fault(Fault("status", action="DescribeProjectProgress", status=403, times=1))
    assert doctor("shop", "--observe", "10").told["rights"]["DescribeProjectProgress"] == "yes"


def progress(**changes):
    def answer(payload):
        row = {"projectId": payload["id"], "status": "RUNNING", "currentStep": "INCR_TRANSFER", **changes}
        return {"success": True, "data": row}

    return answer


def steps(*rows):
    return {"success": True, "data": [{"order": number, **row} for number, row in enumerate(rows)]}


ODD = {
    "a status": (
        lambda sim: sim.set_answer("DescribeProjectProgress", progress(status="RUNNING_SIDEWAYS"), "np_shop"),
        "every status of a project is known",
        "RUNNING_SIDEWAYS",
    ),
    "a step": (
        lambda sim: sim.set_answer("DescribeProjectSteps", steps({"name": "WARM_UP", "status": "RUNNING"})),
        "every step is known",
        "WARM_UP",
    ),
    "a step in another vocabulary": (
        lambda sim: sim.set_answer("DescribeProjectSteps", steps({"name": "WARM_UP", "status": "RUNNING"})),
        "which step names mean the same in the three vocabularies",
        "WARM_UP",
    ),
    "a status of a step": (
        lambda sim: sim.set_answer("DescribeProjectSteps", steps({"name": "FULL_TRANSFER", "status": "NAPPING"})),
        "every status of a step is known",
        "NAPPING",
    ),
    "a key": (
        lambda sim: sim.set_answer("DescribeProjectProgress", progress(moodOfTheDay="good"), "np_shop"),
        "every key of an answer is known",
        "moodOfTheDay",
    ),
    "a health": (
        lambda sim: setattr(sim, "healthy", False),
        "OMS says that it is healthy (GET /oms/health)",
        "says that it isn't",
    ),
    "a clock that is ahead": (
        lambda sim: setattr(sim, "date_header", 100.0),
        "the clocks of OMS and of this worker agree",
        "10[01] s ahead of",
    ),
    "a source whose clock is ahead": (
        lambda sim: sim.set_answer(
            "DescribeProjectProgress", progress(incrSyncCheckpoint=int(sim.clock.now()) + 400), "np_shop"
        ),
        "the clocks of OMS and of the source database agree",
        "ahead of OMS's clock",
    ),
    "a checkpoint that moves once a minute": (
        lambda sim: sim.set_answer(
            "DescribeProjectProgress",
            lambda payload: progress(incrSyncCheckpoint=int(sim.clock.now() // 60) * 60)(payload),
            "np_shop",
        ),
        "checkpoints move often enough for a small max_lag",
        "at least every (55|60) s",
    ),
    "a percentage": (
        lambda sim: sim.set_answer("DescribeProjectSteps", {"success": True, "data": "none"}),
        "every answer is as this provider reads it",
        "DescribeProjectSteps",
    ),
    "a right": (
        lambda sim: sim.add_fault(Fault("status", action="DescribeProjectComponents", status=403)),
        "whether a viewer may call every reading action of the API",
        "may not call DescribeProjectComponents",
    ),
    "a project that isn't there": (
        lambda sim: sim.set_answer("DescribeProjectProgress", progress(), questions.NO_PROJECT),
        "HTTP status of errors",
        "takes for a success",
    ),
    "a count of pages": (
        lambda sim: sim.set_answer(
            "ListProjects",
            lambda payload: {
                "success": True,
                "totalCount": -(-3 // payload["pageSize"]),
                "data": [{"id": f"np_{n}", "name": f"p{n}", "status": "RUNNING"} for n in range(3)][
                    : payload["pageSize"]
                ],
            },
        ),
        "whether totalCount counts rows or pages",
        "it counts pages",
    ),
    "a status of a record": (
        lambda sim: sim.set_answer(
            "ListProjectModifyRecords",
            {"success": True, "data": [{"id": 1, "type": "INCREASE_OBJECT", "status": "DREAMING"}]},
        ),
        "the statuses of a record of added objects in OMS on premises",
        "DREAMING",
    ),
    "a DELAY in milliseconds": (
        lambda sim: sim.set_answer(
            "DescribeProjectStepMetric",
            {"success": True, "data": {"metrics": [{"dataPoints": [{"timestamp": 1, "value": 4000}]}]}},
        ),
        "the unit of DELAY in DescribeProjectStepMetric, and what an OMS without InfluxDB answers",
        "DELAY is 4000",
    ),
    "a step of a verification": (
        lambda sim: sim.set_answer("DescribeProjectSteps", steps({"name": "WEIGHING", "status": "INIT"}), "np_check"),
        VERIFY_STEPS,
        "WEIGHING",
    ),
    "a time of a failure in the future": (
        lambda sim: sim.set_answer(
            "DescribeProjectSteps",
            steps(
                {
                    "name": "FULL_TRANSFER",
                    "status": "FAILED",
                    "extraInfo": {
                        "failedTime": time.strftime("%Y-%m-%dT%H:%M:%S.000", time.gmtime(sim.clock.now() + 8 * 3600))
                    },
                }
            ),
        ),
        "time zone of failedTime",
        "in the future",
    ),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_on_purpose_is_found(oms, doctor, odd):
    change, point, words = ODD[odd]
    change(oms)
    run = doctor("shop", "--observe", "3m")
    outcome, told = run.by_point[point]
    assert outcome == "differs", told
    assert re.search(words, told)
    assert run.code == 1


@pytest.mark.parametrize("total", ["²", "٣", "many", True, {}])
def test_a_total_count_that_is_none(oms, doctor, total):
    rows = [{"id": "np_shop", "name": "shop"}, {"id": "np_other", "name": "other"}]
    oms.set_answer("ListProjects", {"success": True, "data": rows, "totalCount": total})
    run = doctor("shop", "--observe", "0")
    assert run.by_point["whether totalCount counts rows or pages"][0] == "unknown"
    assert run.code in (0, 1)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({"status": 400, "body": b"<html>The plain HTTP request was sent to HTTPS port</html>"}, "holds"),
        ({"error": OmsConnectionLostError("the connection was lost.")}, "holds"),
        ({"status": 200, "body": b"{}"}, "differs"),
    ],
)
def test_http_on_the_https_port(reply, outcome):
    seen = Seen([Reply("http on https", "/oms/health", **reply)], schema="https")
    by_point = {one.point: one.outcome.value for one in probes.findings(seen)}
    assert by_point["how OMS answers http on its https port"] == outcome


def test_an_oms_of_the_generation_v3(oms, doctor, monkeypatch):
    connection = {**json.loads(oms.connection_json), "extra": {"api_version": "v3"}}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(connection))
    run = doctor("np_shop")
    assert {one.action for one in oms.requests if one.action} == {"MigrationProgress"}
    assert run.by_point["checkpoints move often enough for a small max_lag"][0] == "holds"
    assert run.code == 0


def test_a_limit_that_oms_names(oms, doctor):
    oms.add_fault(Fault("status", action="DescribeRegions", status=429))
    assert doctor("shop").by_point["rate limits"] == ("holds", "OMS limits requests, with HTTP 429.")


def test_without_a_project_it_takes_one_that_runs(oms, doctor):
    doctor("--observe", "0")
    asked = [one.project_id for one in oms.requests if one.action == "DescribeProjectSteps"]
    assert asked[0] == "np_shop"


def test_a_project_that_is_not_there(oms, doctor):
    run = doctor("nobody", "--observe", "0")
    assert run.by_point["every step is known"][0] in ("holds", "unknown")
    assert "DescribeProject" not in run.told["rights"]


def test_nobody_is_there(cli, oms):
    oms.down()
    result = cli("doctor")
    assert result.code == 5


def test_a_wrong_password(cli, oms, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", oms.connection_json.replace(oms.password, "wrong"))
    result = cli("doctor")
    assert result.code == 5
    assert "wrong" not in result.out


def test_for_people(cli, oms):
    result = cli("doctor", "shop", "--observe", "0")
    for words in ("HTTP status of errors", "This OMS", "What this user may call", "none of which changed anything"):
        assert words in result.out


def test_nothing_was_asked_says_nothing():
    assert {one.outcome.value for one in conditions.findings(Seen())} == {"unknown"}
    assert conditions.rights(Seen()) == {}
