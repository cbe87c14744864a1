"""The mapping of a project, made from simple lists."""

from __future__ import annotations

import pytest

from airflow_provider_oms.operators.oms import table, transfer_mapping


def test_names_only():
    assert transfer_mapping({"shop": ["orders", "customers"]}) == {
        "mode": "SPECIFIC",
        "databases": [
            {
                "name": "shop",
                "mappedName": "shop",
                "tables": [
                    {"name": "orders", "mappedName": "orders"},
                    {"name": "customers", "mappedName": "customers"},
                ],
            }
        ],
    }


def test_everything():
    mapping = transfer_mapping(
        {"shop": [table("orders", rename="orders_old", where="id < 10", shard_columns=["id"])], "hr": ("staff",)},
        views={"hr": ["bosses"]},
        rename_schemas={"shop": "store"},
    )
    shop, hr = mapping["databases"]
    assert (shop["name"], shop["mappedName"]) == ("shop", "store")
    assert shop["tables"] == [
        {"name": "orders", "mappedName": "orders_old", "whereClause": "id < 10", "shardColumns": ["id"]}
    ]
    assert "views" not in shop
    assert hr["views"] == [{"name": "bosses", "mappedName": "bosses"}]


def test_views_alone():
    assert transfer_mapping({}, views={"hr": ["bosses"]})["databases"][0].keys() == {"name", "mappedName", "views"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: transfer_mapping({}), "at least one schema"),
        (lambda: transfer_mapping(["orders"]), "tables must be a mapping by schema"),
        (lambda: transfer_mapping({"shop": []}), r"tables\['shop'\] must name at least one"),
        (lambda: transfer_mapping({"shop": "orders"}), r"tables\['shop'\] must be a list"),
        (lambda: transfer_mapping({"shop": ["a", "b", "a"]}), "names twice: a"),
        (lambda: transfer_mapping({"shop": [{}]}), "an item without a name"),
        (lambda: transfer_mapping({"shop": [" "]}), r"tables\['shop'\] must be text"),
        (lambda: transfer_mapping({"shop": ["a"]}, rename_schemas={"shpo": "x"}), "nothing is moved: shpo"),
        (lambda: table(""), "name must be text"),
        (lambda: table("a", where="WHERE id = 1"), "without the word WHERE"),
        (lambda: table("a", shard_columns="id"), "shardColumns must be a list"),
    ],
)
def test_mistakes(make, words):
    with pytest.raises(ValueError, match=words):
        make()
