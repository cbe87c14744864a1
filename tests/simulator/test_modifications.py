"""Objects that are added to a running project and removed from it, without a network."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import NotAllowed
from airflow_provider_oms.simulator.modifications import difference, tables_of, union

from .test_machine import live

SHOP = {"name": "shop", "mappedName": "shop", "tables": [{"name": "orders"}, {"name": "prices"}]}


def running(**given):
    given.setdefault("verification", [{"schema": "shop", "table": "orders"}])
    return live(**{"status": "RUNNING", "step": "INCR_TRANSFER", **given})


def tables(project) -> set[tuple[str, str]]:
    return set(tables_of(project.state().modifications.databases))


def records(project) -> list[tuple[str, str]]:
    return [(record.kind, record.status) for record in project.state().modifications.records]


def test_an_addition_is_copied_and_merged():
    project = running()
    project.add_objects({"shop": ["prices"]}, pending=1, modifying=5, merging=2)
    shown = []
    for _ in range(9):
        shown.append((project.status, records(project)[0][1], len(tables(project))))
        project.clock.advance(1)
    assert shown == [
        ("RUNNING", "PENDING", 1),
        *[("RUNNING_MODIFYING", "RUNNING", 1)] * 5,
        *[("RUNNING_MERGING", "RUNNING", 1)] * 2,
        ("RUNNING", "SUCCESS", 2),
    ]
    assert tables(project) == {("shop", "orders"), ("shop", "prices")}


def test_the_original_continues_meanwhile():
    project = running(step="FULL_TRANSFER", durations={"FULL_TRANSFER": 100})
    project.add_objects({"shop": ["prices"]}, modifying=50)
    project.clock.advance(30)
    assert project.status == "RUNNING_MODIFYING"
    assert project.progress("FULL_TRANSFER") == 30


@pytest.mark.parametrize(("phase", "status"), [("modifying", "RUNNING_MODIFYING"), ("merging", "RUNNING_MERGING")])
def test_a_failed_addition_leaves_the_project_where_it_is(phase, status):
    project = running()
    project.add_objects({"shop": ["prices"]}, fails=phase, message="no space left")
    project.clock.advance(3600)
    assert project.status == status
    (record,) = project.state().modifications.records
    assert (record.status, record.error.message) == ("FAILED", "no space left")
    project.retry_modification()
    project.clock.advance(10)
    assert project.status == "RUNNING"
    assert ("shop", "prices") in tables(project)


def test_an_addition_that_fails_now_and_is_stopped_for_good():
    project = running()
    project.add_objects({"shop": ["prices"]})
    project.fail_modification(code="X", message="why")
    project.clock.advance(100)
    assert project.status == "RUNNING_MODIFYING"
    project.stop_modification()
    assert (project.status, records(project)) == ("RUNNING", [("INCREASE_OBJECT", "TERMINATED")])
    assert tables(project) == {("shop", "orders")}
    with pytest.raises(NotAllowed, match="not being modified"):
        project.retry_modification()


def test_a_pending_addition_can_be_canceled():
    project = running()
    project.add_objects({"shop": ["prices"]}, pending=60)
    project.cancel_modification(1)
    project.clock.advance(100)
    assert (project.status, records(project)) == ("RUNNING", [("INCREASE_OBJECT", "CANCEL")])
    with pytest.raises(NotAllowed, match="CANCEL; it needs to be PENDING"):
        project.cancel_modification(1)


def test_a_list_that_adds_and_removes_makes_two_records_one_after_the_other():
    project = running()
    made = project.modify([{"name": "shop", "tables": [{"name": "prices"}]}])
    assert [record.kind for record in made] == ["INCREASE_OBJECT", "DECREASE_OBJECT"]
    project.clock.advance(1)
    assert records(project) == [("INCREASE_OBJECT", "RUNNING"), ("DECREASE_OBJECT", "PENDING")]
    project.clock.advance(6)
    assert records(project) == [("INCREASE_OBJECT", "SUCCESS"), ("DECREASE_OBJECT", "RUNNING")]
    assert project.status == "RUNNING_MODIFYING"
    project.clock.advance(4)
    assert (project.status, tables(project)) == ("RUNNING", {("shop", "prices")})


def test_a_paused_project_copies_nothing():
    project = running()
    project.add_objects({"shop": ["prices"]}, modifying=10)
    project.clock.advance(4)
    project.pause()
    project.clock.advance(1000)
    assert project.status == "SUSPEND"
    project.resume()
    assert project.status == "RUNNING_MODIFYING"
    project.clock.advance(5)
    assert project.status == "RUNNING_MODIFYING"
    project.clock.advance(1)
    assert project.status == "RUNNING_MERGING"


@pytest.mark.parametrize(
    ("given", "add", "remove"),
    [
        ({"status": "INIT", "step": None}, True, True),
        ({}, True, True),
        ({"status": "SUSPEND"}, False, True),
        ({"status": "SUSPEND", "step": "FULL_VERIFIER"}, False, True),
        ({"status": "SUSPEND", "step": "STRUCT_TRANSFER"}, True, True),
        ({"status": "FAILED"}, False, True),
        ({"status": "FINISHED", "step": None}, False, False),
        ({"status": "RUNNING", "step": "REVERSE_INCR_TRANSFER"}, False, True),
        ({"status": "RUNNING_MODIFYING"}, False, False),
        ({"status": "RUNNING_MERGING"}, False, False),
    ],
)
@pytest.mark.parametrize("operation", ["add_objects", "remove_objects"])
def test_in_which_state_objects_come_and_go(given, add, remove, operation):
    project = running(**given)
    objects = {"shop": ["prices" if operation == "add_objects" else "orders"]}
    if add if operation == "add_objects" else remove:
        getattr(project, operation)(objects)
        assert len(project.state().modifications.records) == 1
    else:
        with pytest.raises(NotAllowed):
            getattr(project, operation)(objects)


def test_objects_of_a_project_that_has_not_started_change_at_once():
    project = live(verification=[{"schema": "shop", "table": "orders"}])
    project.add_objects({"shop": ["prices"]})
    assert (project.status, records(project)) == ("INIT", [("INCREASE_OBJECT", "SUCCESS")])
    assert ("shop", "prices") in tables(project)


def test_what_is_there_already_is_not_added():
    with pytest.raises(NotAllowed, match="nothing to add"):
        running().add_objects({"shop": ["orders"]})


@pytest.mark.parametrize("status", ["RUNNING_MODIFYING", "RUNNING_MERGING"])
def test_a_project_that_begins_so_stays_so_until_something_is_done(status):
    project = live(status=status, step="REVERSE_INCR_TRANSFER")
    project.clock.advance(1_000_000)
    assert project.status == status
    project.finish_modification()
    assert project.status == "RUNNING"
    assert ("added", "added") in tables(project)


def test_lists_of_databases():
    more = {"name": "shop", "tables": [{"name": "prices"}, {"name": "new"}], "views": [{"name": "v"}]}
    both = union([SHOP], [more, {"name": "b", "tables": [{"name": "t"}]}])
    assert list(tables_of(both)) == [
        ("shop", "orders"),
        ("shop", "prices"),
        ("shop", "new"),
        ("shop", "v"),
        ("b", "t"),
    ]
    assert both[0]["mappedName"] == "shop"
    assert list(tables_of(difference(both, [SHOP]))) == [("shop", "new"), ("shop", "v"), ("b", "t")]
    assert difference([SHOP], [SHOP]) == []
    assert union([], []) == []
