"""Faults on demand: what can go wrong between a client and OMS, and which request it happens to."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = {
    "status": "another HTTP status (status, headers, body)",
    "delay": "the ordinary answer after some seconds",
    "hang": "no answer until the simulator stops",
    "reset_before": "the connection is reset and the action not executed",
    "reset_after": "the action is executed and the connection reset without an answer",
    "truncate": "a correct Content-Length, half of the body, then the end of the connection",
    "wrong_length": "a Content-Length that is too small for the body",
    "cut_headers": "the connection ends within the headers",
    "html": "an HTML page with status 200",
    "empty": "status 200 without a body",
    "invalid_json": "a body that is no JSON",
    "invalid_utf8": "a body that is no UTF-8",
    "huge": "a body of `size` bytes",
    "drip": "the ordinary body, a byte every `seconds`",
    "wrong_type": "the ordinary answer as text/plain",
    "redirect": "a redirect to `location` (status 302 unless told otherwise)",
    "error": "HTTP 200 with success: false and a code",
}

#: Faults after (or around) an ordinary answer: the action is executed.
EXECUTING = {"delay", "reset_after", "truncate", "wrong_length", "cut_headers", "drip", "wrong_type"}


@dataclass
class Fault:
    """A fault and the requests that it happens to.

    :param kind: one of :data:`KINDS`.
    :param action: only requests of this action; ``MigrationProgress`` and ``SyncProgress`` are the 3.x endpoints.
    :param project_id: only requests about this project, by id.
    :param times: how many requests it happens to; for ever when not given.
    :param after: how many matching requests go through before it begins.
    :param status: HTTP status for ``status`` and ``redirect``.
    :param headers: more headers for ``status``, such as Retry-After.
    :param body: body for ``status``, ``html``, ``invalid_json``.
    :param seconds: for ``delay`` the wait, for ``drip`` the time between two bytes.
    :param size: bytes for ``huge``.
    :param chunked: ``huge`` without a Content-Length.
    :param location: where ``redirect`` leads.
    :param code: error code for ``error``.
    :param message: OMS's message for ``error``.
    :param advice: OMS's advice for ``error``.
    :param execute: execute the action also where the answer is replaced (a proxy that lost the answer).
    """

    kind: str
    action: str | None = None
    project_id: str | None = None
    times: int | None = None
    after: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    seconds: float = 1.0
    size: int = 80 * 1024 * 1024
    chunked: bool = False
    location: str = "/oms-v2/login"
    code: str = "GHANA-OPERAT000001"
    message: str = "The CM service may be not available."
    advice: str | None = None
    execute: bool = False
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Unknown fault {self.kind!r}; known are {', '.join(KINDS)}")

    @property
    def executes(self) -> bool:
        """Whether the action is executed although the answer goes wrong."""
        return self.execute or self.kind in EXECUTING


class Faults:
    """The faults of a simulator; the first one that matches a request happens to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def match(self, action: str | None, project_id: str | None) -> Fault | None:
        """Return the fault that happens to a request, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.action not in (None, action) or fault.project_id not in (None, project_id):
                    continue
                if fault.times is not None and fault.fired >= fault.times:
                    continue
                fault.seen += 1
                if fault.seen <= fault.after:
                    continue
                fault.fired += 1
                return fault
        return None
