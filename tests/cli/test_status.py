"""``status``: the state of one project."""

from __future__ import annotations

import pytest

from airflow_provider_oms.milestones.facts import ROW_KEYS, STATUS_KEYS
from airflow_provider_oms.simulator import Project, Simulator

STEP = [
    *("name", "status", "state", "progress", "started", "finished"),
    *("rows", "rows_total", "rows_per_second", "seconds_left", "error"),
]


def test_the_json(oms, cli):
    told = cli("status", "copying", "--json").json
    assert set(told) == {*ROW_KEYS, *STATUS_KEYS}
    assert (told["id"], told["name"], told["status"], told["clock"]) == ("np_copying", "copying", "RUNNING", "OMS")
    assert all(list(step) == STEP for step in told["steps"])
    full = next(step for step in told["steps"] if step["name"] == "FULL_TRANSFER")
    assert (full["state"], full["progress"], full["rows"], full["rows_total"]) == ("under way", 40, 400, 1000)
    assert full["rows_per_second"] > 0
    assert full["seconds_left"] == pytest.approx(600 / full["rows_per_second"])
    assert told["lags"][0]["problem"] == "The full transfer must be at 100 % first; it is at 40 %."


COMPONENT = [
    *("kind", "name", "host", "status", "progress", "delay"),
    *("checkpoint", "checkpoint_time", "sampled", "error"),
]


def test_the_components(oms, cli):
    found = {one["kind"]: one for one in cli("status", "late", "--components", "--json").json["components"]}
    assert set(found) == {"log pull", "full transfer", "incremental"}
    assert all(list(one) == COMPONENT for one in found.values())
    assert found["incremental"]["delay"] > 6000
    assert found["incremental"]["checkpoint_time"] < found["incremental"]["sampled"]
    assert found["log pull"]["checkpoint_time"].endswith("+00:00")
    for columns in (60, 200):
        out = cli("status", "late", "--components", columns=columns).out
        assert "incremental" in out
        assert "127.0.0.1" in out
    assert "components" not in cli("status", "late", "--json").json


def test_an_error_of_a_component(oms, cli):
    full = {"name": "c1", "status": "FAILED", "errorDetails": [{"code": "C-1", "message": "no space"}]}
    store = {"name": "s1", "status": "FAILED", "errMsg": "log is gone", "errorDetails": ["purged"]}
    data = {"storeList": [store], "fullImportComponents": [full], "incrSyncComponents": None}
    oms.set_answer("DescribeProjectComponents", {"success": True, "data": data})
    told = {one["name"]: one["error"] for one in cli("status", "late", "--components", "--json").json["components"]}
    assert told == {"c1": "C-1 no space", "s1": "log is gone; purged"}
    out = " ".join(cli("status", "late", "--components").out.split())
    assert "full transfer c1: C-1 no space" in out
    oms.set_answer("DescribeProjectComponents", {"success": True, "data": {}})
    assert "OMS lists no components." in cli("status", "late", "--components").out


def test_objects_that_are_changing(oms, cli):
    assert "Objects are being added" not in cli("status", "late").out
    oms.project("late").add_objects({"test": ["more"]})
    oms.clock.advance(1)
    told = cli("status", "late", "--json").json
    assert (told["status"], told["objects_changing"]) == ("RUNNING_MODIFYING", True)
    assert "Objects are being added" in cli("status", "late").out


def test_an_id_does_as_well_as_a_name(oms, cli):
    assert cli("status", "np_late", "--json").json == cli("status", "late", "--json").json


def test_an_error_of_a_step(oms, cli):
    step = next(s for s in cli("status", "broken", "--json").json["steps"] if s["state"] == "failed")
    assert (step["error"]["code"], step["error"]["message"]) == ("GHANA-X000001", "no space left")
    assert cli("status", "broken", "--json").json["error"] == step["error"]
    for columns in (60, 200):
        text = " ".join(cli("status", "broken", columns=columns).out.split())
        assert "FULL_TRANSFER failed: GHANA-X000001 no space left (since" in text
        assert "OMS raises an alarm." in text


@pytest.mark.parametrize("columns", [60, 80, 100, 200, None])
def test_everything_is_there_at_every_width(oms, cli, columns):
    result = cli("status", "copying", columns=columns)
    text = " ".join(result.out.split())
    for part in ("copying np_copying RUNNING", "TRANSFER_INCR_LOG_PULL", "REVERSE_INCR_TRANSFER", "40 %"):
        assert part in text
    assert "400 of about 1,000" in text
    assert "rows/s" in text
    assert "…" not in text
    assert max(len(line.rstrip()) for line in result.out.splitlines()) <= (columns or 200)


def test_the_lag(oms, cli):
    text = cli("status", "late", columns=200).out
    assert "lag  2 h  checkpoint 2027-01-15" in text
    assert "updated" in text


def test_one_poll_shows_no_movement(oms, cli, clock):
    movement = cli("status", "late", "--json").json["movement"]
    assert (movement["rate"], movement["seconds_left"], movement["unmoved_for"], movement["message"]) == (
        None,
        None,
        0,
        "",
    )
    assert clock.pauses == []


@pytest.mark.parametrize("columns", [60, 200])
def test_given_the_time_it_shows_how_the_lag_moves(oms, cli, clock, columns):
    clock.simulator = oms
    text = " ".join(cli("status", "late", "--observe", "65s", columns=columns).out.split())
    assert clock.pauses == [10] * 6 + [5]
    assert "catching up 19 s per s, about 5 min to go" in text
    assert "█" in text


def test_the_movement_for_machines(oms, cli, clock):
    clock.simulator = oms
    movement = cli("status", "late", "--observe", "1m", "--json").json["movement"]
    assert list(movement) == ["rate", "seconds_left", "unmoved_for", "message", "lags"]
    assert movement["rate"] == pytest.approx(19)
    assert movement["lags"] == sorted(movement["lags"], reverse=True)
    assert len(movement["lags"]) == 7


def test_a_source_that_nobody_writes_to(oms, cli, clock):
    oms.project("late").set(idle_source=True)
    clock.simulator = oms
    told = cli("status", "late", "--observe", "10m").out
    assert "the checkpoint hasn't moved for 10 min: an idle source? See the recipe" in told


def test_a_length_that_is_none(cli):
    assert cli("status", "late", "--observe", "soon").code == 2


def test_a_project_that_has_not_begun(oms, cli):
    told = cli("status", "new", "--json").json
    assert (told["status"], told["step"], told["progress"], told["lag"]) == ("INIT", None, None, None)
    assert {step["state"] for step in told["steps"]} == {"not begun"}
    assert "lag  not known." in cli("status", "new").out


def test_no_such_project(oms, cli):
    result = cli("status", "nobody", "--json")
    assert result.code == 5
    assert result.json["exit_code"] == 5
    assert "no project with the id or the name 'nobody'" in result.json["error"]
    assert "GHANA-PROJECT000001" in cli("status", "np_nobody").err


def test_two_projects_of_one_name(oms, cli):
    twice = [{"id": "np_1", "name": "twin"}, {"id": "np_2", "name": "twin"}]
    oms.set_answer("ListProjects", {"success": True, "totalCount": 2, "data": twice})
    for command in (["status", "twin"], ["verify", "twin"]):
        result = cli(*command)
        assert result.code == 5
        assert "np_1 (None), np_2 (None). Give the id." in result.err


def test_an_id_wins_over_a_name(oms, cli):
    oms.add_project(Project(id="np_other", name="np_good"))
    assert cli("status", "np_good", "--json").json["id"] == "np_good"


def test_an_answer_that_makes_no_sense_is_shown_as_far_as_it_does(oms, cli):
    odd = {"status": ["RUNNING"], "incrSyncCheckpoint": {}, "fullTransferProgress": 5151, "currentStep": 3}
    oms.set_answer("DescribeProjectProgress", {"success": True, "data": odd})
    steps = [{"name": {}, "status": 5, "progress": "x", "stepInfo": {"processedRecords": -1}, "extraInfo": []}, {}]
    steps.append({"name": "FULL_TRANSFER", "stepInfo": {"processedRecords": 1, "capacity": 9, "dstRps": -3}})
    oms.set_answer("DescribeProjectSteps", {"success": True, "data": steps})
    told = cli("status", "good", "--json").json
    assert (told["status"], told["lag"]) == (None, None)
    assert [step["rows"] for step in told["steps"]] == [None, None, 1]
    assert [step["seconds_left"] for step in told["steps"]] == [None] * 3
    assert "fullTransferProgress" in told["lags"][0]["problem"] or "incrSyncCheckpoint" in told["lags"][0]["problem"]
    for columns in (60, 200):
        assert "no status" in cli("status", "good", columns=columns).out


def test_oms_3_3_shows_progress_and_no_more(cli, monkeypatch):
    project = Project(id="np_old", name="old", status="RUNNING", step="FULL_TRANSFER", step_progress=40)
    with Simulator([project], api="v3") as oms:
        monkeypatch.setenv(
            "AIRFLOW_CONN_OMS_DEFAULT", oms.connection_json.replace('"port"', '"extra": {"api_version": "v3"}, "port"')
        )
        told = cli("status", "np_old", "--json").json
        assert told["steps"] is None
        assert told["full_transfer_progress"] is not None
        assert "gives no steps" in cli("status", "np_old").out
        assert cli("wait", "np_old", "--full-transfer", "5", "--timeout", "0").code == 0
        assert cli("watch", "np_old", "--full-transfer", "5", "--timeout", "0").code == 0
        for command in (["projects"], ["verify", "np_old"]):
            result = cli(*command)
            assert result.code == 5
            assert "which only offers a project's progress" in result.err
        failed = cli("wait", "np_old", "--step", "FULL_TRANSFER", "--json")
        assert failed.code == 1
        assert "which only offers a project's progress" in failed.json["message"]


@pytest.mark.parametrize("command", [["status"], ["verify"], ["wait", "--status", "RUNNING", "--timeout", "0"]])
def test_part_of_a_name_is_no_name(oms, cli, command):
    oms.add_project(Project(id="np_old", name="good_old", status="RELEASED", step="FULL_TRANSFER"))
    name, *options = command
    told = cli(name, "good", *options, "--json").json
    assert "np_good" in (told.get("id"), told.get("project"), (told.get("observed") or {}).get("project"))
    refused = cli(name, "goo", *options, "--json")
    assert refused.code in (1, 5)
    assert "no project with the id or the name 'goo'" in refused.out


def test_where_a_person_is_needed(oms, cli):
    need = cli("status", "good", "--json").json["attention"]
    assert (need["level"], need["why"]) == ("act", "waiting")
    assert "FULL_VERIFIER" in need["message"]
    assert "Step FULL_VERIFIER waits for a person" in cli("status", "good", columns=200).out
    oms.project("good").advance()
    oms.clock.advance(5)
    need = cli("status", "good", "--json").json["attention"]
    assert need["why"] == "waiting"
    assert "TRANSFER_APP_SWITCH" in need["message"]
    assert "Step TRANSFER_APP_SWITCH waits for a person: switch over" in cli("status", "good", columns=200).out
    assert cli("status", "copying", "--json").json["attention"] is None
