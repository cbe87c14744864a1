"""The result of full verification, as data."""

from __future__ import annotations

import json
import os
import stat

import pytest

from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.oms import OmsFullVerificationReportOperator
from airflow_provider_oms.operators.verification_report import write_json
from airflow_provider_oms.simulator import Project, Table


@pytest.fixture
def project_id(sim):
    tables = [Table("shop", f"t{n}") for n in range(150)]
    tables[120] = Table("shop", "orders", "store", "INCONSISTENT", consistent=10, source_only=2, dest_only=1)
    tables[140] = Table("shop", "lost", result_type="TARGET_TABLE_NOT_EXIST", message="no such table")
    project = Project(name="p", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=tables)
    return sim.add_project(project)


def test_the_tables_that_differ(runner, project_id):
    run = runner.run(OmsFullVerificationReportOperator, project_name="p")
    assert run.error is None
    assert run.xcoms["project_id"] == project_id
    report = run.result
    assert "shop.orders (INCONSISTENT)" in report.pop("message")
    differences = report.pop("differences")
    assert report == {
        "project": project_id,
        "consistent": False,
        "different_rows": 3,
        "tables": 150,
        "different_tables": 2,
    }
    assert differences[0] == {
        "schema": "shop",
        "table": "orders",
        "target_schema": "store",
        "result": "INCONSISTENT",
        "message": "Inconsistent",
        "source_only": 2,
        "target_only": 1,
        "mismatched": 0,
        "consistent": 10,
    }
    assert (differences[1]["table"], differences[1]["message"]) == ("lost", "no such table")
    assert runner.changes() == []
    assert runner.asked().count("ListProjectFullVerifyResult") == 2


def test_rows_and_sql_as_many_as_wanted(runner, project_id):
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, max_rows=2, max_sql=1, max_tables=1)
    (difference,) = run.result["differences"]
    assert [row["type"] for row in difference["rows"]] == ["MASTER_ONLY", "MASTER_ONLY"]
    assert len(difference["sql"]) == 1
    assert "orders" in difference["sql"][0]
    assert runner.asked().count("ListFullVerifyInconsistenciesResult") == 1
    assert runner.asked().count("ListFullVerifyCorrectionsResult") == 1


def test_all_rows(runner, project_id):
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, max_rows=1000, max_sql=1000)
    assert [len(difference["rows"]) for difference in run.result["differences"]] == [3, 0]
    assert [len(difference["sql"]) for difference in run.result["differences"]] == [3, 0]


def test_into_a_file(runner, project_id, tmp_path):
    path = tmp_path / "reports" / "p.json"
    for _ in range(2):
        run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, path=str(path), max_rows=5)
        assert run.result["path"] == str(path)
        assert "differences" not in run.result
    written = json.loads(path.read_text())
    assert len(written["differences"][0]["rows"]) == 3
    assert written["different_rows"] == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["p.json"]


def test_its_part_is_new_and_nobody_s_else(runner, project_id, tmp_path, monkeypatch):
    """In a folder that others may write to, somebody could create a file with a predictable name first."""
    parts, opened = [], []
    really = os.open

    def watched(path, flags, mode=0o777, **more):
        if str(path).endswith(".part"):
            parts.append(str(path))
            opened.append((flags, mode))
        return really(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", watched)
    for _ in range(3):
        run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, path=str(tmp_path / "p.json"))
        assert run.error is None
    assert len(set(parts)) == 3
    for flags, mode in opened:
        assert flags & os.O_EXCL
        assert flags & os.O_CREAT
        assert flags & os.O_NOFOLLOW
        assert mode == 0o600


def test_what_stood_where_its_part_used_to_is_left_alone(runner, project_id, tmp_path):
    """The temporary file once had a predictable name: with a link there, another file was overwritten or read."""
    target, other = tmp_path / "p.json", tmp_path / "other"
    other.write_text("theirs")
    old = target.with_name(f".{target.name}.{os.getpid()}.part")
    old.symlink_to(other)
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, path=str(target))
    assert run.error is None
    assert other.read_text() == "theirs"
    assert old.is_symlink()


def test_a_link_in_the_place_of_the_report_is_replaced_and_not_followed(runner, project_id, tmp_path):
    target, other = tmp_path / "p.json", tmp_path / "other"
    other.write_text("theirs")
    target.symlink_to(other)
    assert runner.run(OmsFullVerificationReportOperator, project_id=project_id, path=str(target)).error is None
    assert other.read_text() == "theirs"
    assert not target.is_symlink()


def test_a_part_that_was_not_finished_is_taken_away(tmp_path):
    with pytest.raises(TypeError):
        write_json(str(tmp_path / "p.json"), {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written_to(runner, project_id, tmp_path):
    (tmp_path / "p.json").mkdir()
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, path=str(tmp_path / "p.json"))
    assert isinstance(run.error, OmsOperationError)
    assert "The report can't be written to" in str(run.error)
    assert [one.name for one in tmp_path.iterdir()] == ["p.json"]


@pytest.mark.parametrize("text", ["a,b", "['a', 'b']", '["a", "b"]', " a , b "])
def test_schemas_that_a_template_made_text_of(runner, sim, text):
    """A text is a sequence, too: of letters."""
    tables = [Table(schema, "t", result_type="INCONSISTENT", mismatched=1) for schema in ("a", "b", "c")]
    project = Project(name="p", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=tables)
    operator = OmsFullVerificationReportOperator(
        task_id="task", project_id=sim.add_project(project), source_schemas="{{ schemas }}"
    )
    operator.render_template_fields({"schemas": text})
    run = runner.go(operator)
    assert [difference["schema"] for difference in run.result["differences"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("source_schemas", value) for value in (7, "None", "", {"a": 1}, [None], "{'a': 1}")),
        *(("path", value) for value in ("", "None", 7, "a\nb")),
    ],
)
def test_what_was_rendered_to_nothing(runner, sim, project_id, argument, value):
    with pytest.raises(ValueError, match=argument):
        OmsFullVerificationReportOperator(task_id="task", project_id=project_id, **{argument: value})
    operator = OmsFullVerificationReportOperator(task_id="task2", project_id=project_id, **{argument: "{{ x }}"})
    setattr(operator, argument, value)
    assert isinstance(runner.go(operator).error, OmsOperationRefusedError)
    assert sim.requests == []


def test_a_consistent_project(runner, sim):
    project_id = sim.add_project(
        Project(name="p", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=[Table("a", "b")])
    )
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id)
    assert (run.result["consistent"], run.result["differences"]) == (True, [])


def test_a_verification_that_is_not_through(runner, sim):
    project_id = sim.add_project(Project(name="p", status="RUNNING", step="FULL_VERIFIER", step_progress=10))
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id)
    assert (run.error, run.result["consistent"]) == (None, None)


def test_oms_may_not_count_the_rows_that_differ(runner, sim):
    project_id = sim.add_project(Project(name="p", status="RUNNING", step="FULL_VERIFIER", step_progress=100))
    data = {"differentNumber": None, "fullVerifyTableStatistics": []}
    sim.set_answer("ListProjectFullVerifyResult", {"success": True, "data": data})
    assert runner.run(OmsFullVerificationReportOperator, project_id=project_id).result["different_rows"] == 0


def test_schemas(runner, sim):
    project_id = sim.add_project(
        Project(
            name="p",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=[Table("a", "t", result_type="INCONSISTENT", mismatched=1), Table("b", "t")],
        )
    )
    run = runner.run(OmsFullVerificationReportOperator, project_id=project_id, source_schemas=["b"])
    assert run.result["different_tables"] == 0
    assert run.result["tables"] == 1


def test_no_such_project(runner):
    run = runner.run(OmsFullVerificationReportOperator, project_id="np_gone")
    assert isinstance(run.error, OmsOperationRefusedError)


@pytest.mark.parametrize("argument", ["max_rows", "max_sql", "max_tables"])
@pytest.mark.parametrize("value", [-1, 1.5, "3", True, None])
def test_mistakes(argument, value):
    with pytest.raises(ValueError, match=argument):
        OmsFullVerificationReportOperator(task_id="task", project_id="np_1", **{argument: value})
