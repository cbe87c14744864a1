"""The names of a step in the three vocabularies belong together."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import steps


@pytest.mark.parametrize(
    ("given", "name"),
    [("FULL_MIGRATION", steps.FULL), ("connector_full_sync", steps.FULL), ("PRE_CHECK", steps.PRECHECK)],
)
def test_canonical(given, name):
    assert steps.canonical(given) == name


def test_canonical_names_the_unknown_one():
    with pytest.raises(ValueError, match="NO_SUCH_STEP"):
        steps.canonical("NO_SUCH_STEP")


def test_spelled():
    assert steps.spelled(steps.INCR, "v2", "SYNC") == "INCR_TRANSFER"
    assert steps.spelled(steps.INCR, "legacy", "SYNC") == "CONNECTOR_INCR_SYNC"
    assert steps.spelled(steps.INCR, "legacy", "MIGRATION") == "INCR_SYNC"
    assert steps.spelled(steps.INDEX, "legacy", "SYNC") == "INDEX_MIGRATION"


def test_a_migration_takes_twenty_seconds_until_it_is_verified():
    verified = steps.ORDER[: steps.ORDER.index(steps.FULL_VERIFY) + 1]
    assert sum(steps.DURATIONS[name] for name in verified) == 20
