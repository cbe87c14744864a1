"""From DescribeProject to the tables that are migrated, and from a verification to the result for each table."""

from __future__ import annotations

import pytest

from airflow_provider_oms.client.models import Project, TableVerification
from airflow_provider_oms.lineage.tables import moves_of, verified_of
from tests.lineage.projects import column, database, end, project, row, table

SOURCE, SINK = "mysql://10.0.0.5:3306", "oceanbase://ob.example.com:2883"


def moves(*databases, **more):
    return [
        (move.source and move.source[:2], move.target and move.target[:2])
        for move in moves_of(project(*databases, **more), {})
    ]


def test_tables_and_views_by_their_names_on_both_sides():
    found = moves(database("shop", [table("orders"), table("lines", "order_lines")], "shop_ob", [table("recent")]))
    assert found == [
        ((SOURCE, "shop.orders"), (SINK, "shop_ob.orders")),
        ((SOURCE, "shop.lines"), (SINK, "shop_ob.order_lines")),
        ((SOURCE, "shop.recent"), (SINK, "shop_ob.recent")),
    ]


@pytest.mark.parametrize("mode", ["WILDCARD", "COMPLEX", "SOMETHING", "", None])
def test_objects_that_are_not_named_one_by_one(mode):
    assert moves(database("shop", [table("orders")]), mode=mode) == []


@pytest.mark.parametrize("more", [{"transferMapping": None}, {"transferMapping": {"mode": "SPECIFIC"}}])
def test_nothing_told(more):
    assert moves(**more) == []


def test_one_side_that_is_not_known_leaves_the_other():
    found = moves(database("shop", [table("orders")]), sinkConnectInfo=None)
    assert found == [((SOURCE, "shop.orders"), None)]
    found = moves(database("shop", [table("orders")]), source="ADB")
    assert found == [(None, (SINK, "shop.orders"))]


def test_a_target_s_name_that_oms_does_not_send_is_not_guessed():
    untold = {"name": "shop", "mappedName": None, "tables": [{"name": "orders", "mappedName": None}]}
    assert moves(untold) == [((SOURCE, "shop.orders"), None)]


def test_a_name_that_would_be_shown_otherwise_is_none():
    assert moves(database("shop", [table("or\x1bders")])) == [(None, None)]


def test_keys_in_the_hosted_oms_s_spelling():
    mapping = {
        "Mode": "SPECIFIC",
        "Databases": [{"Name": "s", "MappedName": "t", "Tables": [{"Name": "a", "MappedName": "b"}]}],
    }
    hosted = {
        "Id": "np_1",
        "SourceEndpointType": "MYSQL",
        "SinkEndpointType": "OB_MYSQL",
        "SourceConnectInfo": {"Host": "10.0.0.5", "Port": 3306},
        "SinkConnectInfo": {"Host": "ob.example.com", "Port": 2883},
        "TransferMapping": mapping,
    }
    (move,) = moves_of(Project(hosted), {})
    assert (move.source.name, move.target.name) == ("s.a", "t.b")


class TestColumns:
    def of(self, columns):
        (move,) = moves_of(project(database("shop", [table("orders", columns=columns)])), {})
        return move.columns

    def test_renamed_and_not(self):
        assert self.of([column("id"), column("cust", "customer")]) == (("id", "id"), ("cust", "customer"))

    def test_hidden_ones_belong_to_nobody(self):
        assert self.of([column("id"), column("__pk", isGenerateField=True)]) == (("id", "id"),)

    @pytest.mark.parametrize("columns", [None, [], [column(None)], [column("a"), column("b\x00")]])
    def test_not_told(self, columns):
        assert self.of(columns) == ()


def result(name="orders", kind="CONSISTENT", **more):
    counts = {"sourceOnlyCount": 0, "destOnlyCount": 0, "mismatchedCount": 0, "consistentCount": 10}
    return TableVerification(
        {
            "sourceSchemaName": "shop",
            "sourceTableName": name,
            "destSchemaName": "shop_ob",
            "status": "FINISHED",
            "progress": "1.0",
            "resultType": kind,
            **counts,
            **more,
        }
    )


class TestVerification:
    MOVED = (database("shop", [table("orders", "orders_ob")], "shop_ob"),)

    def of(self, *results, **more):
        return verified_of(project(*self.MOVED, **more), results, {})

    def test_a_consistent_table(self):
        (found,) = self.of(result())
        assert (found.source.name, found.target.name) == ("shop.orders", "shop_ob.orders_ob")
        assert found[2:] == (True, 10, 10)

    def test_one_that_differs(self):
        (found,) = self.of(result(kind="INCONSISTENT", sourceOnlyCount=1, destOnlyCount=2, mismatchedCount=3))
        assert found[2:] == (False, 14, 15)

    def test_in_in_mode_nobody_has_counted_the_target(self):
        (found,) = self.of(result(), fullTransferConfig={"allowDestTableNotEmpty": True})
        assert found[2:] == (True, 10, None)

    @pytest.mark.parametrize(
        "kind", ["MISMATCH_LIMIT", "TARGET_TABLE_NOT_EXIST", "SCHEMA_MISMATCH", "RUNTIME_EXCEPTION"]
    )
    def test_counts_of_a_comparison_that_was_cut_short_are_none(self, kind):
        (found,) = self.of(result(kind=kind, mismatchedCount=100))
        assert found[2:] == (False, None, None)

    @pytest.mark.parametrize(
        "more",
        [
            {"status": "RUNNING"},
            {"kind": "RUNNING"},
            {"kind": None},
            {"progress": "0.5"},
            {"status": "SUSPEND"},
            {"kind": "NEW"},
        ],
    )
    def test_what_is_not_certain_is_no_verdict(self, more):
        (found,) = self.of(result(**more))
        assert found[2:] == (None, None, None)

    @pytest.mark.parametrize("key", ["consistentCount", "sourceOnlyCount"])
    def test_a_count_that_is_missing_is_not_0(self, key):
        (found,) = self.of(result(**{key: None}))
        assert found[2:] == (True, None, None)

    def test_a_target_s_name_in_the_result_counts_most(self):
        (found,) = self.of(result(destTableName="elsewhere"))
        assert found.target.name == "shop_ob.elsewhere"

    def test_a_table_that_the_mapping_does_not_name_has_no_target(self):
        (found,) = self.of(result("unknown"))
        assert (found.source.name, found.target) == ("shop.unknown", None)

    def test_where_nothing_can_be_named_nothing_is_reported(self):
        assert self.of(result(), sourceConnectInfo=None, sinkConnectInfo=None) == []


def test_nothing_secret_is_kept():
    described = row(database("shop", [table("orders")]), sourceConnectInfo=end(host="10.0.0.5"))
    assert "s3cr3t" in repr(described)
    assert "s3cr3t" not in repr(moves_of(Project(described), {}))
