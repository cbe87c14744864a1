"""Fixtures of the client's tests: a clean environment, no real pauses, certificates."""

import pytest

from airflow_provider_oms.client import aio, retry, sync
from tests.certificates import Authority

_ENVIRONMENT = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle", "netrc")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """Remove proxies and CA bundles of this machine from the environment."""
    for name in _ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The seconds that the clients would have slept between tries. Nothing sleeps."""
    slept = []

    def sleep(seconds):
        slept.append(seconds)

    async def asleep(seconds):
        slept.append(seconds)

    real = retry.retry_policy
    monkeypatch.setattr(sync, "retry_policy", lambda *args: {**real(*args), "sleep": sleep})
    monkeypatch.setattr(aio, "retry_policy", lambda *args: {**real(*args), "sleep": asleep})
    return slept


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """One certificate authority for all tests."""
    return Authority(tmp_path_factory.mktemp("tls"))
