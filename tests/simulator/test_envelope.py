"""The keys of the envelope, refusals, and the formats of times and keys."""

from __future__ import annotations

import json

from airflow_provider_oms.simulator.envelope import Page, encode, millis_text, pascal, refusal, seconds_text, success

KEYS = [
    "success",
    "errorDetail",
    "code",
    "message",
    "advice",
    "requestId",
    "pageNumber",
    "pageSize",
    "totalCount",
    "cost",
    "data",
]


def test_all_keys_of_the_documents_are_there():
    assert list(success(None)) == KEYS
    assert list(refusal("C", "m")) == KEYS
    assert success(None)["cost"] == "4 ms"
    assert success(None)["requestId"] != success(None)["requestId"]


def test_a_page_fills_the_envelope():
    answer = success(Page(["row"], 2, 10, 11))
    assert (answer["pageNumber"], answer["pageSize"], answer["totalCount"], answer["data"]) == (2, 10, 11, ["row"])


def test_a_refusal_has_its_reason_in_the_detail():
    answer = refusal("PARAM_ERROR", "the reason", "do this")
    assert answer["success"] is False
    assert answer["message"] == "[PARAM_ERROR]: Invalid parameter."
    assert answer["errorDetail"]["message"] == "the reason"
    assert answer["errorDetail"]["proposal"] == answer["advice"] == "do this"
    assert answer["errorDetail"]["requestId"] == answer["requestId"]


def test_times():
    assert seconds_text(1689634885) == "2023-07-17T23:01:25"
    assert millis_text(1689201348.881) == "2023-07-12T22:35:48.881"
    assert seconds_text(None) is millis_text(None) is None


def test_pascal_case():
    assert pascal({"requestId": [{"isIt": 1}], "x": "y"}) == {"RequestId": [{"IsIt": 1}], "X": "y"}
    assert json.loads(encode(success("ü"), "pascal"))["Data"] == "ü"
