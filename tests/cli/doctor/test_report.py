"""A report of ``doctor`` contains how OMS answers, and no private values; simulator and tests can replay it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from airflow_provider_oms.cli.doctor import anonymous
from airflow_provider_oms.cli.doctor.anonymous import BEGAN, Disguise
from airflow_provider_oms.cli.doctor.keys import KNOWN
from airflow_provider_oms.cli.doctor.seen import Reply, Seen
from airflow_provider_oms.simulator import DataSource, Project, Simulator, evidence
from airflow_provider_oms.simulator import __main__ as command
from tests.cli.doctor.conftest import FLAVOURS, START

#: Private values: secrets, names, addresses, rows.
PLANTED = {
    "password": "s3cret-Pa55",
    "key": "LTAI5tPLANTEDKEY",
    "project": "kreuzberg_ledger",
    "word": "BLUEBIRD",
    "table": "salaries_2024",
    "schema": "payroll",
    "host": "db7.corp.example",
    "address": "10.77.66.55",
    "user": "mallory.maier",
    "mail": "ada@bank.example",
    "phone": "13800138000",
    "seconds": 1_499_887_766,
    "birthday": "1987-05-04",
    "count": 918_273,
    "id": "np_secretsuffix9",
    "column": "iban",
}


def planted_answers(sim):
    """Put each private value into every place where OMS's answers may contain it, including unusual ones."""
    row = {PLANTED["column"]: PLANTED["mail"], "id": PLANTED["seconds"], "born": PLANTED["birthday"]}
    error = {
        "code": "GHANA-MIGRAT000201",
        "message": f"Access denied for {PLANTED['user']}@{PLANTED['address']} using {PLANTED['password']}",
        "extraContext": {PLANTED["table"]: PLANTED["host"], "id": PLANTED["phone"], "message": PLANTED["word"]},
    }
    step = {
        "order": 1,
        "name": "FULL_TRANSFER",
        "status": "FAILED",
        "startTime": "2027-01-15T08:00:00",
        "progress": 42,
        "stepInfo": {"processedRecords": PLANTED["count"], "capacity": PLANTED["count"], PLANTED["table"]: 3},
        "extraInfo": {"errorDetails": [error], "failedTime": "2027-01-15T08:00:00.123", "errorMsg": PLANTED["mail"]},
        "newField": {PLANTED["schema"]: {PLANTED["table"]: PLANTED["password"]}, "rows": [row]},
    }
    progress = {
        "projectId": PLANTED["id"],
        "status": "RUNNING",
        "currentStep": PLANTED["word"],
        "alarmLevel": PLANTED["key"],
        "incrSyncCheckpoint": int(sim.clock.now()) - 7,
        "owner": PLANTED["word"],
        PLANTED["project"]: PLANTED["key"],
    }
    sim.set_answer("DescribeProjectSteps", {"success": True, "data": [step]})
    sim.set_answer("DescribeProjectProgress", {"success": True, "data": progress, "requestId": PLANTED["key"]})
    sim.set_answer("ListAllLabels", {"success": True, "data": [{"id": "l_1", "name": PLANTED["mail"], "rows": [row]}]})
    page = f"<html>{PLANTED['host']} {PLANTED['user']} {PLANTED['password']}</html>"
    sim.set_answer("DescribeRegions", page)


@pytest.fixture
def report(oms, cli, tmp_path):
    def run(project="shop", observe="30"):
        file = tmp_path / "report.json"
        result = cli("doctor", project, "--observe", observe, "--report", str(file))
        assert f"Written to {file}" in result.err
        return file

    return run


def test_nothing_of_what_is_planted_comes_out(oms, report):
    oms.add_project(Project(id=PLANTED["id"], name=PLANTED["project"], status="RUNNING", step="INCR_TRANSFER"))
    oms.add_data_source(
        DataSource(
            PLANTED["project"], ip=PLANTED["host"], username=PLANTED["user"], password=PLANTED["password"],
            schema=PLANTED["schema"], description=PLANTED["phone"], attributes={PLANTED["table"]: PLANTED["address"]},
        )
    )  # fmt: skip
    planted_answers(oms)
    text = report(PLANTED["project"]).read_text()
    for name, value in PLANTED.items():
        assert str(value).lower() not in text.lower(), name
    for ours in (oms.password, oms.login, "127.0.0.1", str(oms.port), "np_shop", '"shop"', "events", "orders"):
        assert ours not in text, ours
    # The information that the report is for is still there.
    told = json.loads(text)
    step = next(one for one in told["answers"] if one["action"] == "DescribeProjectSteps")["body"]["data"][0]
    assert (step["name"], step["status"], step["progress"]) == ("FULL_TRANSFER", "FAILED", 42)
    assert step["extraInfo"]["errorDetails"][0]["code"] == "GHANA-MIGRAT000201"
    assert next(one for one in told["answers"] if one["action"] == "DescribeRegions")["no_json"] == "HTML"


#: The spellings in which an answer may contain a private value.
SPELLINGS = {
    "percent-encoded": "p%40ss%2Fw%C3%B6rd",
    "Base64": "Z2VoZWltZXMtd29ydA==",
    "Base64 in capitals": "R0VIRUlN",
    "IPv6": "2001:db8::dead:beef",
    "host:port": "db7.corp.example:3306",
    "a host in capitals": "PROD-DB-01",
    "JDBC": "jdbc:mysql://db7.corp:3306/payroll?user=me&password=x",
    "mail": "ada@bank.example",
    "phone": "+49 170 1234567",
    "a phone in digits": "2125551234",
    "a phone as a number": 2125551234,
    "an AccessKey's id": "LTAI5tGh7Kq9Zx2Wc4",
    "an AccessKey's id in capitals": "LTAI5TGH7KQ9ZX2WC4",
    "another AccessKey's id": "AKIAIOSFODNN7EXAMPLE",
    "an account": "DE89370400440532013000",
    "a card": 6222021234567890,
    "hexadecimal": "DEADBEEFDEADBEEF",
    "UUID": "550E8400-E29B-41D4-A716-446655440000",
    "a table in camel case": "salariesOfStaff",
    "a table": "salaries",
    "a table with a capital": "Salaries",
    "a table in Chinese": "订单表",
    "a birthday": "1987-05-04T03:02:01",
    "what an OMS says that lacks an action": "Unsupported action: BluebirdLedger",
    "a media type": "application/vnd.bluebird+json",
}


def places(planted):
    """Return answers that contain a value under every known key, and as a key."""
    for key in KNOWN:
        for value in (planted, [[planted]], {str(planted): 1, "id": 3}, {"id": 3, "rows": [{str(planted): planted}]}):
            yield {"success": True, "data": {"id": "np_1", "name": "n", key: value}}
    yield from ({"success": True, "data": planted}, planted, [[planted]], {str(planted): 1, "success": True})


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_comes_out_of_any_place(spelling):
    """Each place has a report of its own, because a value that is found elsewhere is also known to be private."""
    planted = SPELLINGS[spelling]
    headers = {name: str(planted) for name in ("content-type", "retry-after", "age", "server", "date")}
    for place in places(planted):
        reply = Reply("a", "DescribeProject", {"id": planted}, START, headers=headers, body=json.dumps(place).encode())
        text = json.dumps(anonymous.report(Seen([reply]), [], []), ensure_ascii=False)
        assert str(planted).lower() not in text.lower(), place


def test_what_somebody_has_for_a_key_is_none_of_oms_either():
    """A word that looks like OMS's own is private if it is a name in another answer."""
    body = {"data": {"id": "np_1", "status": "BLUEBIRD_FAILED", "extraContext": {"bluebird": 1}}}
    report = anonymous.report(Seen([Reply("a", "DescribeProject", body=json.dumps(body).encode())]), [], [])
    assert "bluebird" not in json.dumps(report).lower()


@pytest.mark.parametrize(
    ("word", "stays"),
    [
        ({"status": "RUNNING_SIDEWAYS"}, True),
        ({"type": "DB2_LUW"}, True),
        ({"code": "GHANA-OPERAT000001"}, True),
        ({"errorCode": "INNER_ERROR"}, True),
        ({"type": "GHANA-OPERAT000001"}, False),
    ],
)
def test_words_of_oms_stay(word, stays):
    assert (Disguise(START).value(word) == word) == stays


def test_what_an_oms_says_that_lacks_the_action():
    said = {"message": "[INNER_ERROR]: Unsupported action: DescribeRegions"}
    assert Disguise(START, actions=["DescribeRegions"]).value(said) == said
    assert Disguise(START, actions=["ListProjects"]).value(said) == {"message": "text_1"}


@pytest.mark.parametrize(
    "odd",
    ["1" + "0" * 400, "-1" + "0" * 400, "1e400", "NaN", "[" * 700 + "]" * 700, '{"data":' * 300 + "1" + "}" * 300],
)
def test_a_report_of_what_is_odd_can_still_be_written(oms, report, odd):
    row = f'{{"id": "np_shop", "name": "shop", "gmtCreate": {odd}, "incrSyncCheckpoint": {odd}, "progress": {odd}}}'
    oms.set_answer("ListProjects", f'{{"success": true, "data": [{row}]}}')
    oms.set_answer("DescribeProjectSteps", f'{{"success": true, "data": {odd}}}')
    told = json.loads(report(observe="0").read_text())
    with Simulator() as other:
        other.load_report(told)


def test_a_time_is_moved_and_the_distances_stay(oms, report):
    told = json.loads(report().read_text())
    seen = [one for one in told["answers"] if one["asked"] == "progress"]
    assert len(seen) == 7
    assert str(int(START))[:6] not in json.dumps(told)
    lags = [one["sent_at"] - one["body"]["data"]["incrSyncCheckpoint"] for one in seen]
    assert all(0 <= lag < 25 for lag in lags)
    assert seen[0]["sent_at"] >= BEGAN
    assert re.fullmatch(r"Tue, 14 Nov 2023 .* GMT", seen[0]["headers"]["date"])


def test_the_same_stands_for_the_same():
    disguise = Disguise(START)
    first, again, other = (disguise.text(text) for text in ("np_a", "np_a", "np_b"))
    assert first == again != other
    assert first.startswith("np_")
    assert disguise.value({"id": "np_a", "steps": [{"projectId": "np_a"}]})["steps"][0]["projectId"] == first


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ({"capacity": 918273}, {"capacity": 2}),
        ({"capacity": 0}, {"capacity": 0}),
        ({"capacity": 1}, {"capacity": 1}),
        ({"progress": "37"}, {"progress": "37"}),
        ({"success": "true"}, {"success": "true"}),
        ({"status": "HIBERNATING"}, {"status": "HIBERNATING"}),
        ({"incrSyncCheckpoint": "100,30"}, {"incrSyncCheckpoint": "text_1"}),
        ({"gmtCreate": "not yet"}, {"gmtCreate": "text_1"}),
        ({"gmtCreate": "2027-01-15T08:00:00Z"}, {"gmtCreate": "2023-11-14T22:13:20Z"}),
        ({"name": "RUNNING"}, {"name": "text_1"}),
        ("text", "text_1"),
        ([None, True], [None, True]),
    ],
)
def test_what_becomes_of_a_value(value, becomes):
    assert Disguise(START).value(value) == becomes


def test_a_word_that_somebody_has_for_a_name_is_not_oms_s():
    assert Disguise(START, ["bluebird"]).value({"status": "BLUEBIRD_7"}) == {"status": "text_1"}
    assert Disguise(START, ["running"]).value({"status": "RUNNING"}) == {"status": "RUNNING"}


def test_a_report_that_can_not_be_written(cli, oms, tmp_path):
    result = cli("doctor", "shop", "--observe", "0", "--report", str(tmp_path / "no" / "report.json"))
    assert result.code == 2
    assert "can't be written" in result.err


REPORTS = sorted((Path(__file__).parents[2] / "evidence").glob("*.json"))


@pytest.mark.parametrize("oms", FLAVOURS, indirect=True)
def test_the_simulator_answers_by_a_report(oms, cli, report, tmp_path, monkeypatch):
    """And doctor reports the same of it as of the OMS itself."""
    oms.set_answer("DescribeRegions", {"success": True, "data": []})
    first = json.loads(report(observe="60").read_text())
    for live in list(oms.projects.values()):
        oms._store.projects.pop(live.id)
    oms.set_answer("DescribeRegions", None)
    oms.clock.advance(86_400)
    oms.load_report(tmp_path / "report.json")
    named = next(one for one in first["answers"] if one["asked"] == "progress")["payload"]
    again = json.loads(report(named.get("id") or named["Id"], observe="60").read_text())
    same = {one["point"]: one["outcome"] for one in first["findings"]}
    assert {one["point"]: one["outcome"] for one in again["findings"]} == same


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: file.stem)
def test_what_was_seen_elsewhere_still_holds(file, oms, cli, tmp_path):
    """Reports of real OMS's, and one of a simulator as an example: a replay gives the same results."""
    told = json.loads(file.read_text())
    oms.load_report(told)
    named = next(one for one in told["answers"] if one["asked"] == "progress")["payload"]["id"]
    cli("doctor", named, "--observe", "60", "--report", str(tmp_path / "again.json"))
    again = json.loads((tmp_path / "again.json").read_text())
    outcomes = {one["point"]: one["outcome"] for one in again["findings"]}
    assert outcomes == {one["point"]: one["outcome"] for one in told["findings"]}


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"form": 2, "answers": []}'])
def test_what_is_no_report(text, tmp_path, capsys):
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(ValueError, match="a report of doctor"), Simulator() as sim:
        sim.load_report(file)
    assert command.main(["--port", "0", "--load", str(file)]) == 1
    assert "a report of doctor" in capsys.readouterr().err


def test_the_two_sides_know_the_same_form():
    """The simulator shares no code with the client, so the form is written down twice."""
    assert (evidence.FORM, evidence.BEGAN) == (anonymous.FORM, anonymous.BEGAN)
