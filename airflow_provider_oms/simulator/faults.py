"""Faults on demand: what goes wrong between a client and OMS, and for which requests."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_oms.simulator.steps import canonical

#: A text that nobody expects from OMS: a lone surrogate, NUL, line ends, a terminal's escape sequence, marks that
#: change the writing direction, markup.
ODD_TEXT = "odd \ud800 \x00 \r\n \u2028 \x1b[31m \u202e \u200b <b>&amp; {{ 1 }} %s 表"

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
    "invalid_json": "a body that isn't JSON",
    "invalid_utf8": "a body that isn't UTF-8",
    "huge": "a body of `size` bytes",
    "drip": "the ordinary body, a byte every `seconds`",
    "wrong_type": "the ordinary answer as text/plain",
    "redirect": "a redirect to `location` (status 302 by default)",
    "error": "HTTP 200 with success: false and a code (`detail_code`: another one in errorDetail)",
    "gateway": "an answer of Alibaba Cloud's gateway: HTTP `status` (400) with `code` (Throttling.User) and `message`",
    "date": "the ordinary answer with a Date header that is off by `seconds`",
    "page_short": "a page without its last `rows` rows",
    "page_null": "a page whose data is null",
    "page_empty": "a page without rows",
    "page_repeated": "the rows of the first page again",
    "page_moved": "a page that begins with the last row of the page before, and lacks its own last one",
    "page_total": "a page that says `total` as totalCount",
    "page_last_repeated": "after the last page, the last page again",
    "without_step": "rows of steps without `step`",
    "other_project": "the answer for the project `other`",
    "change": "the ordinary answer, changed by `set` and `remove`, whose keys are paths such as data.0.status",
}

#: Faults after (or around) an ordinary answer: the action is executed.
EXECUTING = {"delay", "reset_after", "truncate", "wrong_length", "cut_headers", "drip", "wrong_type"}

#: Faults in the content of an otherwise valid answer; the action is executed.
ALTERING = {
    "date",
    "page_short",
    "page_null",
    "page_empty",
    "page_repeated",
    "page_moved",
    "page_total",
    "page_last_repeated",
    "without_step",
    "other_project",
    "change",
}


#: The message of a fault that isn't given one.
_WORDS = {
    "error": ("GHANA-OPERAT000001", "The CM service may be not available."),
    "gateway": ("Throttling.User", "Request was denied due to user flow control."),
}


@dataclass
class Fault:
    """A fault and the requests that it affects.

    :param kind: one of :data:`KINDS`.
    :param action: only requests of this action; ``MigrationProgress`` and ``SyncProgress`` are the 3.x endpoints.
    :param project_id: only requests about this project, by id.
    :param page: only requests for this page (``pageNumber``) of a list.
    :param times: how many requests it affects; all when not given.
    :param after: how many matching requests succeed before it begins.
    :param status: HTTP status for ``status`` and ``redirect``.
    :param headers: more headers for ``status``, such as Retry-After.
    :param body: body for ``status``, ``html``, ``invalid_json``.
    :param seconds: for ``delay`` the wait, for ``drip`` the time between two bytes, for ``date`` how far the clock
        is ahead.
    :param size: bytes for ``huge``.
    :param chunked: ``huge`` without a Content-Length.
    :param location: the URL that ``redirect`` leads to.
    :param code: error code for ``error`` (GHANA-OPERAT000001 when not given) and ``gateway`` (Throttling.User).
    :param message: OMS's message for ``error`` and ``gateway``.
    :param advice: OMS's advice for ``error``.
    :param detail_code: another error code in ``errorDetail`` for ``error``.
    :param rows: how many rows ``page_short`` lacks.
    :param total: what ``page_total`` says.
    :param step: the step that ``without_step`` leaves out.
    :param other: the id of the project whose answer ``other_project`` gives.
    :param set: new values for ``change``, by path.
    :param remove: paths that ``change`` removes.
    :param execute: execute the action even if the answer is replaced (a proxy that lost the answer).
    """

    kind: str
    action: str | None = None
    project_id: str | None = None
    page: int | None = None
    times: int | None = None
    after: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    seconds: float = 1.0
    size: int = 80 * 1024 * 1024
    chunked: bool = False
    location: str = "/oms-v2/login"
    code: str = ""
    message: str = ""
    advice: str | None = None
    detail_code: str | None = None
    rows: int = 1
    total: int | None = None
    step: str | None = None
    other: str | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[str] = ()
    execute: bool = False
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Unknown fault {self.kind!r}; known are {', '.join(KINDS)}")
        needed = {"page_total": "total", "without_step": "step", "other_project": "other"}.get(self.kind)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"The fault {self.kind} needs {needed}")
        code, message = _WORDS.get(self.kind, ("", ""))
        self.code, self.message = self.code or code, self.message or message
        if self.step is not None:
            self.step = canonical(self.step)

    @property
    def executes(self) -> bool:
        """Whether the action is executed although the answer is replaced or broken."""
        return self.execute or self.kind in EXECUTING | ALTERING


class Faults:
    """The faults of a simulator; the first one that matches a request affects it."""

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

    def match(self, action: str | None, project_id: str | None, page: int = 1) -> Fault | None:
        """Return the fault that affects a request, and count it.

        :param action: the request's action.
        :param project_id: the project that it is about.
        :param page: the page that it asks for.
        """
        with self._lock:
            for fault in self._faults:
                if fault.action not in (None, action) or fault.project_id not in (None, project_id):
                    continue
                if fault.page not in (None, page):
                    continue
                if fault.times is not None and fault.fired >= fault.times:
                    continue
                fault.matched += 1
                if fault.matched <= fault.after:
                    continue
                fault.fired += 1
                return fault
        return None
