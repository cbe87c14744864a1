"""An OMS that was killed continues with the same state, and each answer is counted once."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import DataSource, Project, RequestRecord
from reliability import oms

BEGIN = 1_770_000_000.0


@pytest.fixture
def folder(tmp_path):
    project = Project(id="np_1", name="shop", labels=["wave"])
    oms.prepare(tmp_path, [project], [DataSource(name="shop_mysql", type="MYSQL")], BEGIN)
    return tmp_path


def changed(kept, action, project_id="np_1"):
    kept._note(
        RequestRecord(kept.simulator.clock.now(), "POST", "/", action, {}, project_id, 200, "success", True, 1.0)
    )


def test_what_was_prepared_is_there(folder):
    gates, lifecycles = oms.Kept(folder / oms.GATES), oms.Kept(folder / oms.LIFECYCLES)
    assert gates.simulator.clock.now() == BEGIN
    assert [live.name for live in gates.simulator.projects.values()] == ["shop"]
    assert [label.name for label in gates.simulator.labels.values()] == ["wave"]
    assert [source.name for source in lifecycles.simulator.data_sources.values()] == ["shop_mysql"]
    assert (gates.simulator.clock.speed, lifecycles.simulator.clock.speed) == (0, 1)


def test_it_continues_where_it_was(folder):
    kept = oms.Kept(folder / oms.GATES)
    kept.simulator.project("shop").start()
    kept.simulator.clock.advance(60)
    changed(kept, "StartProject")
    kept.simulator.project("shop").stop()  # never answered, so it has had no effect
    again = oms.Kept(folder / oms.GATES)
    assert again.simulator.clock.now() == BEGIN + 60
    assert again.simulator.project("shop").status == "RUNNING"
    assert [record.action for record in again.changes] == ["StartProject"]
    again.simulator.clock.advance(10)
    assert again.simulator.project("shop").state().time == BEGIN + 70


def test_a_clock_that_runs_has_run_meanwhile(folder, monkeypatch):
    kept = oms.Kept(folder / oms.GATES)
    kept.simulator.clock.speed = 4.0
    kept.save()
    saved = oms.time.time()
    monkeypatch.setattr(oms.time, "time", lambda: saved + 10)
    assert oms.Kept(folder / oms.GATES).simulator.clock.now() == pytest.approx(BEGIN + 40, abs=4)


def test_a_project_that_was_deleted_is_remembered(folder):
    kept = oms.Kept(folder / oms.GATES)
    del kept.simulator._store.projects["np_1"]
    changed(kept, "DeleteProject")
    again = oms.Kept(folder / oms.GATES)
    assert (list(again.seen), again.simulator.projects) == (["np_1"], {})


def test_answers_are_read_and_a_torn_line_is_none(folder):
    kept = oms.Kept(folder / oms.GATES)
    changed(kept, "DescribeProjectProgress")
    changed(kept, "DescribeProjectSteps")
    with (folder / "gates.answers").open("ab") as torn:
        torn.write(b'\n[1.0, 2.0, "Desc')
    assert [one.action for one in kept.answers()] == ["DescribeProjectProgress", "DescribeProjectSteps"]
    assert oms.Kept(folder / oms.GATES).changes == []


def test_a_process_that_is_killed_and_comes_back(folder):
    with oms.Oms(folder) as process:
        process.begin(4.0)
        assert process.kill() == 1
        process.start()
        assert process.kept(oms.GATES).simulator.project("shop").status == "RUNNING"
        process.check()
        process._process.kill()
        process._process.wait()
        with pytest.raises(RuntimeError, match="has ended"):
            process.check()
