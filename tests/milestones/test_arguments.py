"""The values that a DAG's author may pass, and the errors for others: always a ValueError that names the argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_provider_oms.milestones import arguments
from tests.gate_cases import NOW
from tests.milestones.support import MILESTONES, NOT_A_PROJECT, NOT_AN_ID

NOT_A_LENGTH = [
    -1,
    "-1",
    timedelta(seconds=-1),
    None,
    True,
    "soon",
    "",
    float("nan"),
    float("inf"),
    "nan",
    [],
    {},
    b"5",
]
NOT_A_MOMENT = [
    None,
    True,
    "",
    "soon",
    0,
    -1,
    "0",
    float("nan"),
    float("inf"),
    NOW * 1000,
    str(NOW * 1000),
    [],
    "2027-13-01",
]
#: As Unix seconds, such a date would be a time in 1970, which every checkpoint has passed.
NOT_A_MOMENT += [20270115, 2027, "2027", "0001-01-01", "99999999", datetime(1970, 1, 1)]
#: As Unix seconds, such a date and hour would be a time in 2034.
NOT_A_MOMENT += [2026112700, "2026112700", " 2026112723 ", 2099123123, "1999010100"]
#: The day of the year and the hour would be a moment in 1976; two digits of the year, up to the minute, one in 2052.
NOT_A_MOMENT += [202633100, "202633100", " 202611271 ", 999_999_999, 2611270000, "2611272359", 2_200_000_000, "1e10"]
NOT_A_NAME = [None, "", " ", 7, True, [], "FULL TRANSFER", "FULL-TRANSFER", "ÉTAPE", "a\nb", "_", "{{ step }}"]

BAD: list[tuple[str, str, Any]] = [
    *(("OmsStepSensor", "step", value) for value in NOT_A_NAME if value != "_"),
    *(("OmsStepSensor", "until", value) for value in ("finished", "DONE", None, 1, ["done"])),
    *(
        ("OmsFullTransferSensor", "progress", value)
        for value in (0, -1, 101, 100.1, None, True, "all", float("nan"), [])
    ),
    *(("OmsCheckpointLagSensor", "max_lag", value) for value in NOT_A_LENGTH),
    *(("OmsCheckpointLagSensor", "hold_for", value) for value in NOT_A_LENGTH),
    *(("OmsCheckpointLagSensor", "direction", value) for value in ("backward", "FORWARD", None, 1)),
    *(("OmsCheckpointReachedSensor", "checkpoint", value) for value in NOT_A_MOMENT),
    *(("OmsCheckpointReachedSensor", "direction", value) for value in ("backward", None)),
    *(
        ("OmsProjectStatusSensor", "target_statuses", value)
        for value in (None, [], "", ",", [""], 7, [7], "A,,B", "A B")
    ),
    *(("OmsCutoverReadySensor", "max_lag", value) for value in NOT_A_LENGTH),
]

GOOD = {
    "OmsStepSensor": {"step": "FULL_TRANSFER"},
    "OmsCheckpointLagSensor": {"max_lag": 60},
    "OmsCheckpointReachedSensor": {"checkpoint": NOW},
}


@pytest.mark.parametrize(("sensor", "name", "value"), BAD, ids=lambda value: repr(value)[:40])
def test_a_wrong_argument_is_named(sensor: str, name: str, value: Any):
    with pytest.raises(ValueError, match=name):
        MILESTONES[sensor](**{**GOOD.get(sensor, {}), name: value})


@pytest.mark.parametrize("value", [90, 90.0, "90", " 90 ", timedelta(minutes=1.5), "9e1"])
def test_lengths(value):
    assert arguments.seconds("x", value) == 90


@pytest.mark.parametrize("value", [50, 50.0, "50", " 5e1 "])
def test_percentages(value):
    assert arguments.percentage("x", value) == 50


@pytest.mark.parametrize("value", [2026112724, "2026133100", 2026043101, 1969123123, 2026112700.0, "2026112700.5"])
def test_ten_digits_that_are_no_date_are_unix_seconds(value):
    """A float is what a time was already converted to."""
    assert arguments.moment("x", value) == float(value)


def test_a_moment_that_was_read_is_read_again():
    """Unix seconds of a date in 2034 that look like a date: a deferred gate stores those."""
    assert arguments.moment("x", arguments.moment("x", "2034-03-16T17:05:00Z")) == 2026141500.0
    assert arguments.moment("x", arguments.moment("x", datetime.fromtimestamp(2026112700, UTC))) == 2026112700.0


def test_a_time_without_a_zone_is_in_the_zone_that_is_given():
    east = timezone(timedelta(hours=8))
    for value in ("2027-01-15T08:00:00", datetime(2027, 1, 15, 8), "2027-01-15T00:00:00Z", 1_799_971_200):
        assert arguments.moment("x", value, lambda naive: naive.replace(tzinfo=east)) == 1_799_971_200


@pytest.mark.parametrize(
    "value",
    [
        1_799_971_200,
        1_799_971_200.0,
        "1799971200",
        "2027-01-15",
        "20270115",
        " 20270115 ",
        "20270115T000000",
        "2027-01-15T00:00:00",
        "2027-01-15 00:00:00+00:00",
        "2027-01-15T00:00:00Z",
        "2027-01-15T08:00:00+08:00",
        date(2027, 1, 15),
        datetime(2027, 1, 15),
        datetime(2027, 1, 15, tzinfo=UTC),
        datetime(2027, 1, 15, 8, tzinfo=timezone(timedelta(hours=8))),
    ],
)
def test_moments(value):
    assert arguments.moment("x", value) == 1_799_971_200


def test_names():
    assert arguments.name_of("x", " full_transfer ") == "FULL_TRANSFER"
    assert arguments.names_of("x", "running, Suspend") == ("RUNNING", "SUSPEND")
    assert arguments.names_of("x", ["running", "SUSPEND"]) == ("RUNNING", "SUSPEND")
    assert arguments.names_of("x", (name for name in ("running",))) == ("RUNNING",)
    assert arguments.choice("x", "done", ("done", "started")) == "done"


# Ids and names


@pytest.mark.parametrize("value", [*NOT_A_PROJECT, None, True, 7, float("nan"), ["np_1"], b"np_1"])
def test_what_names_nothing(value):
    for read in (arguments.identifier, arguments.proper_name):
        with pytest.raises(ValueError, match="project must be"):
            read("project", value)


@pytest.mark.parametrize("value", NOT_AN_ID)
def test_what_can_be_no_id(value):
    with pytest.raises(ValueError, match="project must be an id of OMS"):
        arguments.identifier("project", value)
    assert arguments.proper_name("project", value) == value


@pytest.mark.parametrize("value", ["np_4w5abcde", "p_1", "l_9", "np-1", "7", "n" * 128])
@pytest.mark.parametrize("around", ["{}", " {} ", "\n{}", "{}\r\n\t"])
def test_what_is_one(value, around):
    assert arguments.identifier("project", around.format(value)) == value
    assert arguments.proper_name("project", around.format(value)) == value


@pytest.mark.parametrize("value", ["商城", "shop 1", "nanny", "nonesuch", "{shop}", "a.b/c", "True"])
def test_names_of_projects(value):
    assert arguments.proper_name("project", value) == value


# Lists that a template has turned into text


@pytest.mark.parametrize(
    "value",
    [
        *(["a", "b"], ("a", "b"), [" a", "b\n"]),
        *("a,b", " a , b ", '["a", "b"]', "['a', 'b']", "('a', 'b')", " [ 'a', 'b', ] ", "['a','b']\n"),
    ],
)
def test_lists_of_texts(value):
    assert arguments.texts("x", value) == ["a", "b"]
    assert arguments.names_of("x", value) == ("A", "B")


@pytest.mark.parametrize("value", ["a", ["a"], '["a"]', "['a']", "('a',)", {"a"}])
def test_a_list_of_one(value):
    assert arguments.texts("x", value) == ["a"]


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, True, {"a": 1}, {}, b"a", "", " ", "None", "null", "{'a': 1}", '{"a": 1}', "[1, 2]", "[None]"),
        *(
            "['a', None]",
            "['a'",
            "[a]",
            "[a, b]",
            "a,,b",
            "a,",
            ["a", ""],
            ["None"],
            [["a"]],
            "[['a']]",
            "['a', 'nan']",
        ),
        "[" * 10_000,
    ],
)
def test_what_is_no_list_of_texts(value):
    with pytest.raises(ValueError, match="x must be"):
        arguments.texts("x", value)


ORDERS, ITEMS = ("shop", "orders"), ("shop", "items")


@pytest.mark.parametrize(
    "value",
    [
        *(["shop.orders", "shop.items"], ("shop.orders", ["shop", "items"]), {"shop": ["orders", "items"]}),
        *("shop.orders,shop.items", " shop.orders , shop.items\n", '["shop.orders", "shop.items"]'),
        *("['shop.orders', 'shop.items']", "('shop.orders', 'shop.items',)", '{"shop": ["orders", "items"]}'),
        *(
            "{'shop': ['orders', 'items']}",
            '[["shop", "orders"], ["shop", "items"]]',
            " [ 'shop.orders', 'shop.items' ] ",
        ),
        "[('shop', 'orders'), ('shop', 'items')]",
    ],
)
def test_lists_of_tables(value):
    assert arguments.tables("x", value) == (ORDERS, ITEMS)


def test_a_list_of_one_table_and_of_none():
    for value in ("shop.orders", ["shop.orders"], "['shop.orders']", {"shop": "orders"}, "{'shop': 'orders'}"):
        assert arguments.tables("x", value) == (ORDERS,)
    for value in ([], (), {}, "[]", "()", "{}"):
        assert arguments.tables("x", value) == ()


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            7,
            "",
            " ",
            "None",
            "null",
            "nan",
            "orders",
            "a.b.c",
            "a.",
            ".b",
            "shop.orders,",
            "['shop.orders'",
            "[7]",
        ),
        *("[None]", ["None"], {"shop": None}, {"shop": 5}, {"shop": [None]}, {"shop": [""]}, "{'shop': None}", "[[]]"),
        *({"shop": {"orders": 1}}, "{'shop': {'orders': 1}}", b"a.b"),
    ],
)
def test_what_is_no_list_of_tables(value):
    """One that is read wrongly names tables that no project has: to remove these is done at once, without effect."""
    with pytest.raises(ValueError, match=r"^x must "):
        arguments.tables("x", value)
