"""The records of requests, without passwords, and their log lines."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

log = logging.getLogger("airflow_provider_oms.simulator")

_SECRET = ("password", "secretkey", "accesskey", "securitytoken")


@dataclass(frozen=True)
class RequestRecord:
    """A request that reached the simulator.

    :param time: the simulated time.
    :param method: the HTTP method.
    :param path: the path, without the query.
    :param action: the action of ``/api/v2``; ``MigrationProgress`` or ``SyncProgress`` for the 3.x endpoints.
    :param payload: the body, with ``***`` instead of every password.
    :param project_id: the project that it is about, if it is about one.
    :param status: the HTTP status of the answer, None if the connection was cut.
    :param outcome: ``success``, an error code, ``unauthorized``, or ``fault:<kind>``.
    :param executed: whether the action was executed.
    :param milliseconds: how long the answer took, real time.
    """

    time: float
    method: str
    path: str
    action: str | None
    payload: Any
    project_id: str | None
    status: int | None
    outcome: str
    executed: bool
    milliseconds: float


def redacted(value: Any) -> Any:
    """Return the payload without passwords and keys."""
    if isinstance(value, Mapping):
        return {
            key: "***" if item is not None and any(s in str(key).lower() for s in _SECRET) else redacted(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


class Records:
    """The requests so far (the latest 10,000), safe to read from any thread."""

    def __init__(self, on_request: Callable[[RequestRecord], object] | None = None) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=10_000)
        self._on_request = on_request

    def add(self, record: RequestRecord) -> None:
        """Keep a record, log it, and call ``on_request``."""
        with self._lock:
            self._records.append(record)
        log.info(
            "oms-simulator method=%s action=%s project=%s status=%s outcome=%s executed=%s ms=%.1f",
            record.method,
            json.dumps(record.action or record.path),
            json.dumps(record.project_id),
            record.status or "-",
            record.outcome,
            str(record.executed).lower(),
            record.milliseconds,
        )
        if self._on_request is not None:
            try:
                self._on_request(record)
            except Exception:
                log.exception("oms-simulator: on_request failed")

    def all(self) -> list[RequestRecord]:
        """Return the requests, oldest first."""
        with self._lock:
            return list(self._records)

    def clear(self) -> None:
        """Forget the requests."""
        with self._lock:
            self._records.clear()
