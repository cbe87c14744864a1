"""Objects that are added to a project and removed from it: once, merged, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.operators.object_list import changed, databases_of, tables_of
from airflow_provider_oms.operators.oms import OmsModifyObjectsOperator, table, transfer_mapping
from airflow_provider_oms.simulator import Fault, Modification, Project
from airflow_provider_oms.simulator.modifications import tables_of as moved

WAYS = [{"deferrable": False}, {"deferrable": True}]
ORDERS, ITEMS, PRICES = ("shop", "orders"), ("shop", "items"), ("shop", "prices")
CREATED = ["CreateProjectModifyRecords"]


def add_project(sim, **given):
    mapping = transfer_mapping({"shop": [table("orders", where="id > 0"), "items"]})
    plan = given.pop("modification", Modification(pending=20, modifying=60, merging=20))
    given = {"name": "shop", "status": "RUNNING", "step": "INCR_TRANSFER", "modification": plan, **given}
    return sim.add_project(Project(transfer_mapping=mapping, **given))


@pytest.fixture
def project(sim):
    return add_project(sim)


def tables(sim, project):
    return set(moved(sim.project(project).state().modifications.databases))


def statuses(sim, project):
    return [record.shown_status for record in sim.project(project).state().modifications.records]


@pytest.mark.parametrize("way", WAYS, ids=["worker", "triggerer"])
def test_added_and_merged_and_only_once(runner, sim, project, way):
    run = runner.run(OmsModifyObjectsOperator, project_name="shop", add=["shop.prices", "shop.orders"], **way)
    assert run.error is None
    assert run.result == run.xcoms["project_id"] == project
    assert (run.xcoms["added"], run.xcoms["removed"]) == ([["shop", "prices"]], [])
    assert tables(sim, project) == {ORDERS, ITEMS, PRICES}
    assert (statuses(sim, project), sim.project(project).status) == (["SUCCESS"], "RUNNING")
    assert runner.changes() == CREATED
    # Existing objects keep their settings.
    (database,) = sim.project(project).state().modifications.databases
    assert database["tables"][0]["whereClause"] == "id > 0"
    run = runner.run(OmsModifyObjectsOperator, project_name="shop", add=["shop.prices"], **way)
    assert (run.error, run.result, runner.changes()) == (None, project, [])


@pytest.mark.parametrize("way", WAYS, ids=["worker", "triggerer"])
def test_removed(runner, sim, project, way):
    for expected in (CREATED, []):
        run = runner.run(OmsModifyObjectsOperator, project_id=project, remove={"shop": ["items", "never"]}, **way)
        assert (run.error, runner.changes()) == (None, expected)
        assert tables(sim, project) == {ORDERS}


def test_both_at_once(runner, sim, project):
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"], remove="shop.items")
    assert run.error is None
    assert tables(sim, project) == {ORDERS, PRICES}
    assert statuses(sim, project) == ["SUCCESS", "SUCCESS"]


def test_without_waiting(runner, sim, project):
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"], wait_for_completion=False)
    assert (run.error, statuses(sim, project)) == (None, ["PENDING"])
    # The same task again finds the change in progress, and waits for it.
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert (run.error, runner.changes(), statuses(sim, project)) == (None, [], ["SUCCESS"])


def test_a_table_that_is_listed_before_it_is_merged_is_waited_for(runner, sim, project):
    """Whether DescribeProject lists a table only after it is merged isn't documented."""
    listed = transfer_mapping({"shop": ["orders", "items", "prices"]})
    sim.set_answer("DescribeProject", {"success": True, "data": {"id": project, "transferMapping": listed}}, project)
    sim.project(project).add_objects({"shop": ["prices"]})
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert (run.error, runner.changes(), statuses(sim, project)) == (None, [], ["SUCCESS"])


@pytest.mark.parametrize("phase", ["modifying", "merging"])
@pytest.mark.parametrize("way", WAYS, ids=["worker", "triggerer"])
def test_a_failed_addition_is_reported_with_oms_s_reason(runner, sim, way, phase):
    bad = Modification(pending=5, modifying=10, merging=5, fails=phase, message="no space left", proposal="Make room.")
    project = add_project(sim, modification=bad)
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"], **way)
    assert isinstance(run.error, OmsMilestoneFailedError)
    for words in ("addition of shop.prices", "FAILED", "no space left", "OMS advises: Make room."):
        assert words in str(run.error)
    # Cleared: the task checks first, and returns the same.
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"], **way)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "no space left" in str(run.error)
    assert "retry_failed=True" in str(run.error)
    assert runner.changes() == []
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"], retry_failed=True, **way)
    assert (run.error, runner.changes()) == (None, ["RetryProjectModifyRecords"])
    assert PRICES in tables(sim, project)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("reset_after"), None),
        (Fault("reset_before"), "It is still FAILED. A retry checks first."),
        (Fault("status", status=401), "HTTP 401"),
    ],
    ids=["after", "before", "401"],
)
def test_a_repeat_whose_answer_was_lost_is_looked_for(runner, sim, fault, words):
    bad = Modification(pending=5, modifying=10, merging=5, fails="merging", message="no space left")
    given = {"project_id": add_project(sim, modification=bad), "add": ["shop.prices"], "retry_failed": True}
    assert isinstance(runner.run(OmsModifyObjectsOperator, **given).error, OmsMilestoneFailedError)
    sim.add_fault(replace(fault, action="RetryProjectModifyRecords", times=1))
    run = runner.run(OmsModifyObjectsOperator, **given)
    assert runner.changes() == ["RetryProjectModifyRecords"]
    assert (run.error is None) if words is None else (words in str(run.error))


def test_somebody_else_s_change_is_waited_out_by_retries(runner, sim, project):
    sim.project(project).add_objects({"shop": ["other"]})
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert isinstance(run.error, OmsOperationError)
    assert "addition of shop.other" in str(run.error)
    assert "one change" in str(run.error)
    sim.clock.advance(25)
    sim.project(project).fail_modification(message="broken")
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "broken" in str(run.error)
    assert runner.changes() == []


@pytest.mark.parametrize("way", WAYS, ids=["worker", "triggerer"])
def test_a_table_that_is_just_being_added_is_not_taken_for_one_that_is_out(runner, sim, project, way):
    """The project lists it only after it is merged, so it would still be added."""
    sim.project(project).add_objects({"shop": ["prices"]})
    run = runner.run(OmsModifyObjectsOperator, project_id=project, remove=["shop.prices"], **way)
    assert isinstance(run.error, OmsOperationError)
    assert "addition of shop.prices" in str(run.error)
    assert "A retry of this task may find it finished." in str(run.error)
    sim.clock.advance(200)
    run = runner.run(OmsModifyObjectsOperator, project_id=project, remove=["shop.prices"], **way)
    assert (run.error, runner.changes(), tables(sim, project)) == (None, CREATED, {ORDERS, ITEMS})


@pytest.mark.parametrize("way", WAYS, ids=["worker", "triggerer"])
def test_a_table_that_is_just_being_taken_out_is_added_again_by_a_retry(runner, sim, project, way):
    run = runner.run(OmsModifyObjectsOperator, project_id=project, remove=["shop.items"], wait_for_completion=False)
    assert run.error is None
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.items"], **way)
    assert isinstance(run.error, OmsOperationError)
    assert "removal of shop.items" in str(run.error)
    sim.clock.advance(200)
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.items"], **way)
    assert (run.error, runner.changes(), tables(sim, project)) == (None, CREATED, {ORDERS, ITEMS})


def test_a_removal_that_is_under_way_is_waited_for_though_the_table_is_not_listed_any_more(runner, sim, project):
    """Whether DescribeProject lists it until then isn't documented."""
    listed = transfer_mapping({"shop": ["orders"]})
    run = runner.run(OmsModifyObjectsOperator, project_id=project, remove=["shop.items"], wait_for_completion=False)
    sim.set_answer("DescribeProject", {"success": True, "data": {"id": project, "transferMapping": listed}}, project)
    run = runner.run(OmsModifyObjectsOperator, project_id=project, remove=["shop.items"])
    assert (run.error, runner.changes(), statuses(sim, project)) == (None, [], ["SUCCESS"])


@pytest.mark.parametrize("kind", ["reset_after", "truncate"])
def test_a_lost_answer_is_never_sent_twice(runner, sim, project, kind):
    sim.add_fault(Fault(kind, action="CreateProjectModifyRecords", times=1))
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert (run.error, runner.changes(), statuses(sim, project)) == (None, CREATED, ["SUCCESS"])


def test_a_request_that_never_came_is_for_a_retry(runner, sim, project):
    sim.add_fault(Fault("reset_before", action="CreateProjectModifyRecords", times=1))
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert isinstance(run.error, OmsOperationError)
    assert "A retry checks first" in str(run.error)
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert (run.error, statuses(sim, project)) == (None, ["SUCCESS"])


def test_an_oms_that_makes_something_else_of_the_list(runner, sim, project):
    """If OMS takes the list for the objects to remove, the operator says so before it waits."""
    row = {"id": 9, "type": "DECREASE_OBJECT", "status": "PENDING"}
    row["databases"] = [{"name": "shop", "tables": [{"name": "orders"}]}]
    told = iter([[], [], [row]])
    sim.set_answer("ListProjectModifyRecords", lambda _: {"success": True, "data": next(told)})
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "not requested" in str(run.error)
    assert "removal of shop.orders (record 9)" in str(run.error)


@pytest.mark.parametrize(
    ("given", "arguments", "words"),
    [
        ({"status": "FINISHED", "step": None}, {"add": ["shop.prices"]}, "this one is FINISHED"),
        ({"status": "FAILED"}, {"add": ["shop.prices"]}, "this one is FAILED. Resume it first"),
        ({"status": "RUNNING_MERGING"}, {"add": ["shop.prices"]}, "one change of a project's objects at a time"),
        ({}, {"remove": ["shop.orders", "shop.items"]}, "no table left"),
    ],
)
def test_what_is_refused(runner, sim, given, arguments, words):
    run = runner.run(OmsModifyObjectsOperator, project_id=add_project(sim, **given), **arguments)
    assert isinstance(run.error, OmsOperationRefusedError | OmsOperationError)
    assert words in str(run.error)
    assert runner.changes() == []


def test_a_project_that_picks_its_tables_by_rules(runner, sim):
    project = sim.add_project(Project(transfer_mapping={"mode": "WILDCARD"}, status="RUNNING", step="INCR_TRANSFER"))
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add=["shop.prices"])
    assert isinstance(run.error, OmsOperationRefusedError)
    assert "one by one" in str(run.error)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "at least one"),
        ({"add": []}, "at least one"),
        ({"add": ["orders"]}, "schema.table"),
        ({"add": {"shop": []}}, "at least one"),
        ({"add": {"databases": [{"tables": []}]}}, "names"),
        ({"remove": [7]}, "schema.table"),
        ({"remove": 7}, "schema.table"),
        ({"add": ["a.b"], "remove": ["a.b"]}, "both name a.b"),
        ({"add": ["a.b"], "retry_failed": "yes"}, "retry_failed"),
    ],
)
def test_mistakes(given, words):
    with pytest.raises(ValueError, match=words):
        OmsModifyObjectsOperator(task_id="task", project_id="np_1", **given)


def test_templates_are_read_when_they_are_rendered(runner, sim, project):
    OmsModifyObjectsOperator(task_id="task", project_id="np_1", add="{{ params.tables }}")
    run = runner.run(OmsModifyObjectsOperator, project_id=project, add="shop.prices,shop.more")
    assert run.error is None
    assert tables(sim, project) == {ORDERS, ITEMS, PRICES, ("shop", "more")}


@pytest.mark.parametrize("text", ["['shop.items']", '["shop.items"]', '{"shop": ["items"]}', "[['shop', 'items']]"])
def test_lists_that_a_template_made_text_of(runner, sim, project, text):
    """Read as other names, they would be done at once: a table that isn't in the project needn't be removed."""
    run = runner.run(OmsModifyObjectsOperator, project_id=project, remove=text, add="['shop.prices', 'shop.more']")
    assert run.error is None
    assert tables(sim, project) == {ORDERS, PRICES, ("shop", "more")}
    assert run.xcoms["removed"] == [["shop", "items"]]


def test_lists():
    add = databases_of("add", transfer_mapping({"b": [table("t", rename="u")]}, views={"shop": ["v"]}))
    assert tables_of(add) == {("b", "t"), ("shop", "v")}
    present = [{"Name": "shop", "Tables": [{"Name": "orders", "WhereClause": None}], "Views": None, "Id": "7"}]
    assert changed(present, add, tables_of(add), set()) == [
        {"name": "shop", "id": "7", "tables": [{"name": "orders"}], "views": [{"name": "v", "mappedName": "v"}]},
        {"name": "b", "mappedName": "b", "tables": [{"name": "t", "mappedName": "u"}]},
    ]
    assert changed(present, [], set(), {ORDERS}) == []
