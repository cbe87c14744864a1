"""The page about Alibaba Cloud: its connection is valid, and its list of actions agrees with the code."""

from __future__ import annotations

from airflow_provider_oms.client.alibaba_cloud import ABSENT
from airflow_provider_oms.hooks.connection import read_settings
from airflow_provider_oms.hooks.oms import OmsHook
from tests.docs.pages import DOCS, blocks

PAGE = DOCS / "alibaba-cloud.md"


def test_the_connection(monkeypatch):
    (block,) = blocks(PAGE, "json")
    monkeypatch.setenv(block.title, block.text)
    connection = OmsHook.get_connection("oms_default")
    settings = read_settings(connection, connection.extra_dejson)
    assert settings.base_url == "https://oceanbasepro.cn-hangzhou.aliyuncs.com:443"
    assert (settings.login, settings.password) == ("LTAI5tExampleOfAnId", "the-secret-of-the-AccessKey")
    assert settings.api_version == "alibaba_cloud"


def test_what_isn_t_there():
    text = PAGE.read_text()
    named = {action for action in ABSENT if action in text}
    for words, actions in {
        "the rows of a verification": {action for action in ABSENT if action.startswith("ListFullVerify")},
        "UpdateStore and its neighbours": {action for action in ABSENT if action.startswith("Update")},
        "Kafka, PolarDB and proxy data sources": {action for action in ABSENT if action.endswith("DataSource")},
    }.items():
        assert words in text
        named |= actions
    assert named == ABSENT
