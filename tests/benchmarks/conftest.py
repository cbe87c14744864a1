"""The server of the benchmarks, for their tests."""

from __future__ import annotations

import pytest

from benchmarks.server import CannedOms


@pytest.fixture(scope="module")
def oms():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AIRFLOW_CONN_OMS_DEFAULT", "AIRFLOW_CONN_HTTP_DEFAULT"):
            patch.setenv(name, "")  # restored afterwards
        with CannedOms() as running:
            yield running
