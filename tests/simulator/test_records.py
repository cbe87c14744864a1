"""Records contain no passwords; a listener that fails has no effect; the log has one line for each request."""

from __future__ import annotations

import logging

from airflow_provider_oms.simulator.records import redacted

from .conftest import post


def test_passwords_are_replaced_at_any_depth():
    given = {"password": "a", "x": [{"drcPassword": "b", "accessKey": "c"}], "innerDrcPassword": None, "name": "n"}
    assert redacted(given) == {
        "password": "***",
        "x": [{"drcPassword": "***", "accessKey": "***"}],
        "innerDrcPassword": None,
        "name": "n",
    }


def test_a_failing_listener_does_no_harm(sim):
    sim._records._on_request = lambda record: 1 / 0
    assert post(sim, "ListAllLabels").status_code == 200


def test_one_line_a_request_also_with_line_ends_in_it(sim, caplog):
    with caplog.at_level(logging.INFO, "airflow_provider_oms.simulator"):
        post(sim, "List\nAll\r\nLabels", id="np\nx")
    (line,) = [record.getMessage() for record in caplog.records if "oms-simulator" in record.getMessage()]
    assert "\n" not in line
    assert "\r" not in line
    assert 'action="List\\nAll\\r\\nLabels"' in line
