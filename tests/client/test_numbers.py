"""Numbers and nouns in messages agree."""

import pytest

from airflow_provider_oms.client.numbers import counted, verb


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 tables"), (1, "1 table"), (2, "2 tables"), (1200, "1,200 tables")]
)
def test_a_number_of_things(number, words):
    assert counted(number, "table") == words


@pytest.mark.parametrize(("number", "form"), [(0, "are"), (1, "is"), (2, "are")])
def test_a_verb(number, form):
    assert verb(number, "is", "are") == form
