"""A self-signed certificate for servers of the hook's tests."""

from __future__ import annotations

import pytest

from tests.certificates import Authority


@pytest.fixture(scope="session")
def tls_server_context(tmp_path_factory):
    """A server's TLS context for 127.0.0.1, signed by itself."""
    return Authority(tmp_path_factory.mktemp("tls")).server("127.0.0.1", self_signed=True)
