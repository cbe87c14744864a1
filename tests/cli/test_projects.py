"""``projects``: the list and its filters."""

from __future__ import annotations

import pytest

from airflow_provider_oms.milestones.facts import ROW_KEYS
from airflow_provider_oms.simulator import Project


def test_the_json(oms, cli):
    result = cli("projects", "--json")
    rows = {row["name"]: row for row in result.json["projects"]}
    assert result.code == 0
    assert set(rows) == {"new", "copying", "late", "good", "bad", "broken", "paused"}
    assert all(list(row) == list(ROW_KEYS) for row in rows.values())
    assert (rows["new"]["status"], rows["new"]["step"], rows["new"]["lag"]) == ("INIT", None, None)
    assert (rows["copying"]["step"], rows["copying"]["progress"]) == ("FULL_TRANSFER", 40)
    assert rows["late"]["lag"] > 6000
    assert rows["late"]["direction"] == "forward"
    assert rows["broken"]["alarms"]["alarming"] is True
    assert rows["copying"]["alarms"]["alarming"] is False
    assert result.err == ""


def test_after_the_switchover_the_lag_is_the_reverse_one(oms, cli):
    oms.project("good").advance()
    oms.clock.advance(5)
    oms.project("good").advance()
    oms.clock.advance(100_000)
    (row,) = cli("projects", "--name", "good", "--json").json["projects"]
    assert row["direction"] == "reverse"
    assert row["lag"] < 100


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (["--status", "running,failed", "--status", "SUSPEND"], {"status": ["RUNNING", "FAILED", "SUSPEND"]}),
        (["--name", "goo"], {"searchKey": "goo"}),
        (["--type", "SYNC"], {"type": "SYNC"}),
        (["--source-type", "MYSQL", "--source-type", "ORACLE"], {"sourceEndpointTypes": ["MYSQL", "ORACLE"]}),
        (["--type", "VERIFY"], {"type": "VERIFY"}),
        (["--sort", "created"], {}),
        (["--target-type", "KAFKA"], {"sinkEndpointTypes": ["KAFKA"]}),
    ],
)
def test_a_filter_is_oms_s_own(oms, cli, options, asked):
    assert cli("projects", *options, "--json").code == 0
    payload = oms.requests[-1].payload
    assert {name: payload[name] for name in asked} == asked
    assert set(payload) == {*asked, "pageNumber", "pageSize"}


def test_the_latest_first(oms, cli):
    """In whatever order OMS lists them."""
    oms.clock.advance(100)
    oms.add_project(Project(id="np_latest", name="latest", labels=["nightly"], status="RUNNING"))
    rows = cli("projects", "--sort", "created", "--json").json["projects"]
    assert rows[0]["name"] == "latest"
    times = [row["created"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert (rows[0]["labels"], rows[0]["objects_changing"]) == (["nightly"], False)


def test_a_label_by_its_name_or_id(oms, cli):
    (label,) = oms.labels.values()
    oms.add_project(Project(id="np_labelled", name="labelled", labels=["nightly"]))
    for text in ("nightly", label.id):
        (row,) = cli("projects", "--label", text, "--json").json["projects"]
        assert (row["name"], row["labels"]) == ("labelled", ["nightly"])


def test_a_label_that_there_is_not(oms, cli):
    result = cli("projects", "--label", "weekly")
    assert result.code == 2
    assert "no label 'weekly'; it has: nightly" in result.err


def test_a_status_that_is_no_word(oms, cli):
    assert cli("projects", "--status", "?").code == 2


def test_all_pages(oms, cli):
    for number in range(150):
        oms.add_project(Project(name=f"many_{number}"))
    assert len(cli("projects", "--name", "many_", "--json").json["projects"]) == 150


def test_rows_that_make_no_sense_are_shown_as_far_as_they_do(oms, cli):
    odd = [
        {"id": "np_1", "name": ["a"], "status": 7, "steps": "none", "alarmStats": "x", "labels": [1, {"name": "l"}]},
        {"id": None, "name": None, "steps": [{"name": {}, "status": [], "progress": 1000, "stepInfo": 5}]},
    ]
    oms.set_answer("ListProjects", {"success": True, "totalCount": 2, "data": odd})
    rows = cli("projects", "--json").json["projects"]
    assert [row["id"] for row in rows] == ["np_1", None]
    assert rows[0]["labels"] == ["l"]
    for columns in (60, 200):
        assert cli("projects", columns=columns).code == 0


@pytest.mark.parametrize("columns", [60, 80, 200, None])
def test_nothing_is_cut(oms, cli, columns):
    oms.add_project(Project(id="np_0123456789abcdef", name="a_name_" + "x" * 50))
    text = "".join(cli("projects", columns=columns).out.split())
    assert "np_0123456789abcdef" in text
    assert "a_name_" + "x" * 50 in text
    assert "…" not in text
    assert "8projects.4needaperson:1failed,1paused,2waiting;others:4underway." in text


def test_wide_is_a_table_and_narrow_is_not(oms, cli):
    wide, narrow = cli("projects", columns=200).out, cli("projects", columns=50).out
    assert "ALARMS" in wide.splitlines()[0]
    assert "ALARMS" not in narrow
    assert "lag 2 h" in narrow
    assert max(map(len, narrow.splitlines())) <= 50


def test_a_pipe_has_room(oms, cli):
    oms.add_project(Project(name="x" * 100))
    assert "ALARMS" in cli("projects").out.splitlines()[0]


def test_none(oms, cli):
    result = cli("projects", "--name", "nothing_of_this_name")
    assert (result.code, result.out.strip()) == (0, "OMS shows this user no such project.")
    assert cli("projects", "--name", "nothing_of_this_name", "--json").json == {
        "projects": [],
        "summary": {"projects": 0, "act": {}, "look": {}, "others": {}},
    }


def test_what_needs_a_person_comes_first(oms, cli):
    told = cli("projects", "--json").json
    rows = [(row["name"], row["attention"] and row["attention"]["why"]) for row in told["projects"]]
    assert rows[:4] == [("broken", "failed"), ("paused", "paused"), ("bad", "waiting"), ("good", "waiting")]
    assert {need for _, need in rows[4:]} == {None}
    assert told["summary"] == {
        "projects": 7,
        "act": {"failed": 1, "paused": 1, "waiting": 2},
        "look": {},
        "others": {"under way": 3},
    }
    error = told["projects"][0]["error"]
    assert (error["step"], error["code"], error["message"]) == ("FULL_TRANSFER", "GHANA-X000001", "no space left")


@pytest.mark.parametrize("columns", [60, 200])
def test_one_that_waits_for_a_person_says_so(oms, cli, columns):
    assert "FULL_VERIFIER, waits for a person" in " ".join(cli("projects", columns=columns).out.split())
