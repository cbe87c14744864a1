"""A self-signed certificate for servers of the hook's tests."""

from __future__ import annotations

import pytest

from tests.certificates import Authority


@pytest.fixture(scope="session")
def tls_server_context(tmp_path_factory):
    """Return a server's TLS context with a self-signed certificate for 127.0.0.1."""
    return Authority(tmp_path_factory.mktemp("tls")).server("127.0.0.1", self_signed=True)
