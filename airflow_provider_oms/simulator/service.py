"""Makes the answer to a request, without a network: authentication, hand-written answers, actions, 3.x endpoints."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_oms.simulator import actions, hosted, render
from airflow_provider_oms.simulator.alterations import altered
from airflow_provider_oms.simulator.envelope import (
    INNER_ERROR,
    NOT_FOUND,
    PARAM_ERROR,
    OmsRefusal,
    encode,
    refusal,
    success,
)
from airflow_provider_oms.simulator.faults import Fault, Faults
from airflow_provider_oms.simulator.hosted import Gateway, Refused
from airflow_provider_oms.simulator.records import Records, log
from airflow_provider_oms.simulator.signature import SignedRequest
from airflow_provider_oms.simulator.store import Store
from airflow_provider_oms.simulator.wire import Answer

#: A hand-written answer: a JSON-like body, a raw one, or a function of the request's body that returns one of these.
Written = Mapping[str, Any] | list[Any] | str | bytes | Callable[[Any], Any]

#: The endpoints that a simulator may serve.
APIS = ("both", "v2", "v3", "alibaba_cloud")

LEGACY = {"migrations": "MigrationProgress", "sync": "SyncProgress"}


@dataclass
class Call:
    """A request, independent of HTTP."""

    method: str
    path: str
    action: str | None
    payload: Any
    project_id: str | None
    authorization: str | None
    signed: SignedRequest | None = None

    @property
    def hosted(self) -> bool:
        """Whether the request has the form of Alibaba Cloud."""
        return self.signed is not None

    @property
    def api(self) -> str:
        """The API that it belongs to, one of :data:`APIS`."""
        if self.hosted:
            return "alibaba_cloud"
        return "v3" if self.action in LEGACY.values() else "v2"


class Service:
    """The simulated OMS behind its HTTP server."""

    def __init__(
        self,
        store: Store,
        login: str,
        password: str,
        casing: str,
        unsupported: Iterable[str],
        records: Records,
        api: str = "both",
        gateway: Gateway | None = None,
    ) -> None:
        if api not in APIS:
            raise ValueError(f"api is {', '.join(APIS)}, not {api!r}")
        if casing not in ("camel", "pascal"):
            raise ValueError(f"casing is camel or pascal, not {casing!r}")
        self.store = store
        self.api = api
        self.gateway = gateway or Gateway(login, password)
        self.casing = casing
        self.unsupported = set(unsupported)
        self.records = records
        self.faults = Faults()
        self.healthy = True
        self._credentials = f"{login}:{password}".encode()
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str | None], Written] = {}

    def set_answer(self, action: str, written: Written | None, project_id: str | None) -> None:
        """Set or remove a hand-written answer."""
        with self._lock:
            if written is None:
                self._written.pop((action, project_id), None)
            else:
                self._written[action, project_id] = written

    def authorized(self, header: str | None) -> bool:
        """Whether an Authorization header is the right HTTP Basic one."""
        scheme, _, text = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self._credentials)

    def answer(self, call: Call, fault: Fault | None = None) -> tuple[Answer, str, bool]:
        """Return the answer to a call, its outcome in a word, and whether an action was executed.

        :param call: the request.
        :param fault: the fault that affects it; faults on the wire are applied later.
        """
        if self.api != call.api and (self.api != "both" or call.hosted):
            return Answer(b"<html><body>404 Not Found</body></html>", 404, "text/html"), "not served", False
        refused = self._refused(call)
        if refused is not None:
            return *refused, False
        try:
            written = self._hand_written(call)
        except Exception as error:
            log.exception("oms-simulator: the hand-written answer of %s failed", call.action)
            text = f"The hand-written answer of {call.action} failed: {error!r}"
            return Answer(text.encode(), 500, "text/plain"), "hand-written answer failed", False
        if written is not None:
            return written, "hand-written", False
        begin = time.monotonic()
        try:
            body = success(self._run(call), max(1, int((time.monotonic() - begin) * 1000)))
            body = altered(body, fault, call.payload, lambda other: success(self._run(replace(call, payload=other))))
            return self._answer(call, body), "success", True
        except OmsRefusal as error:
            return self._answer(call, refusal(error.code, error.message, error.advice)), error.code, False
        except Exception as error:
            log.exception("oms-simulator: %s failed", call.action)
            body = refusal(INNER_ERROR, f"The simulator has a defect: {error!r}")
            return self._answer(call, body), INNER_ERROR, False

    def _answer(self, call: Call, body: dict[str, Any]) -> Answer:
        return Answer(encode(hosted.answer(call.action, body)) if call.hosted else encode(body, self.casing))

    def _refused(self, call: Call) -> tuple[Answer, str] | None:
        """Return the answer to an unauthorized request, and its outcome in a word."""
        if call.signed is not None:
            try:
                self.gateway.check(call.signed)
                hosted.payload(call.action or "", call.signed.body)
            except Refused as refused:
                return Answer(refused.body, refused.status), refused.code
        elif not self.authorized(call.authorization):
            # It isn't documented what OMS really answers to wrong credentials.
            body = refusal("UNAUTHORIZED", "The user name or the password is wrong.")
            return Answer(
                encode(body, self.casing), 401, headers={"WWW-Authenticate": 'Basic realm="OMS"'}
            ), "unauthorized"
        return None

    def _hand_written(self, call: Call) -> Answer | None:
        if call.action is None:
            return None
        with self._lock:
            written = self._written.get((call.action, call.project_id))
            if written is None:
                written = self._written.get((call.action, None))
        if callable(written):
            written = written(call.payload)
        if written is None or isinstance(written, Answer):
            return written
        if isinstance(written, str):
            return Answer(written.encode("utf-8", "backslashreplace"))
        return Answer(written if isinstance(written, bytes) else json.dumps(written).encode())

    def _run(self, call: Call) -> Any:
        if call.action in LEGACY.values():
            return self._legacy(call)
        if not call.action:
            raise OmsRefusal(PARAM_ERROR, "The parameter Action must be given.")
        if not isinstance(call.payload, Mapping):
            raise OmsRefusal(PARAM_ERROR, "The body of the request must be a JSON object.")
        return actions.run(self.store, call.action, call.payload, self.unsupported, call.hosted)

    def _legacy(self, call: Call) -> dict[str, Any]:
        kind = "SYNC" if call.action == "SyncProgress" else "MIGRATION"
        live = self.store.projects.get(call.project_id or "")
        if live is None or live.project.type != kind:
            raise OmsRefusal(NOT_FOUND, f"The project {call.project_id} does not exist.", "Check the project ID.")
        state = live.state()
        return render.legacy_sync_progress(state) if kind == "SYNC" else render.legacy_migration_progress(state)
