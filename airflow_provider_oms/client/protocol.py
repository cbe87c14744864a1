"""The protocol, without a transport: a described call becomes a request, an answer becomes a model or an error.

Both clients use these functions and nothing else, so they can't drift apart.
Rests on OceanBase's "API overview" (V4.2.2) and, for the two GET endpoints, its 3.3.0-CE pages:
docs/develop/oms-wire.md#endpoint, docs/develop/oms-wire.md#v3
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsAuthenticationError,
    OmsBusyError,
    OmsError,
    OmsInvalidRequestError,
    OmsMalformedAnswerError,
    OmsNotFoundError,
    OmsProjectNotFoundError,
    OmsRedirectError,
    OmsRejectedError,
    OmsUnsupportedActionError,
    safe_text,
)
from airflow_provider_oms.client.fields import Field, Model, boolean, count
from airflow_provider_oms.client.settings import ClientSettings

T = TypeVar("T")

#: An answer larger than this is not read. The largest honest one, 150 projects with their steps, is below 2 MiB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024

#: Codes with which OMS says that a part of itself isn't there just now. The last two wrap whatever went wrong inside:
#: they may be passing, and a gate that waits out its ``outage_tolerance`` is on the safe side.
#: Source: docs/develop/oms-wire.md#passing-codes
PASSING_CODES = frozenset({"GHANA-OPERAT000001", "CM-RESOAT000011", "GHANA-OPERIE000000", "INNER_ERROR"})
#: Source: docs/develop/oms-wire.md#codes
PROJECT_NOT_FOUND_CODE = "GHANA-PROJECT000001"

# Made once: json.dumps makes one at each call that has arguments, and json.loads guesses the encoding first.
_to_json = json.JSONEncoder(allow_nan=False).encode
_from_json = json.JSONDecoder().decode

_PATH_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call of one action, described: what to send and how to read what comes back.

    :param action: OMS's name of the action
    :param payload: the JSON body
    :param read: turns ``data`` into a model; raises ValueError, saying what it should be, when it can't
    :param reads_only: whether it changes nothing in OMS, so that it may be sent again
    :param subject: what it is about (a project id), for error messages
    :param legacy_path: its path in API generation ``v3``; None where it doesn't exist there
    """

    action: str
    payload: Mapping[str, Any] = field(repr=False)
    read: Callable[[Envelope, str], T] = field(repr=False)
    reads_only: bool = True
    subject: str = ""
    legacy_path: tuple[str, ...] | None = field(default=None, repr=False)

    @cached_property
    def asked(self) -> str:
        """What is asked, for a person."""
        return f"{self.action} of {self.subject}" if self.subject else self.action

    @cached_property
    def key(self) -> str:
        """The same for calls that have the same answer."""
        return f"{self.action} {self.legacy_path} {self.payload!r}"

    @cached_property
    def body(self) -> bytes:
        """The payload as JSON; raises TypeError or ValueError when it can't be written."""
        return _to_json(self.payload).encode()


@dataclass(frozen=True)
class HttpRequest:
    """A request, ready to be sent by any HTTP client."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


class HttpAnswer(NamedTuple):
    """An answer, as any HTTP client got it.

    :param status: the HTTP status
    :param headers: its headers, names in lower case
    :param body: the whole body, decoded from any content encoding
    :param received_at: the local clock (Unix seconds) when it came
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: float


class Answer(NamedTuple, Generic[T]):
    """What OMS said, and when.

    :param data: the model
    :param at: the time of the answer in Unix seconds: OMS's own clock where it told it, else ours
    :param clock: whose clock that is
    :param received_at: the local clock (Unix seconds) when it came
    """

    data: T
    at: float
    clock: Literal["OMS", "local"] = "local"
    received_at: float = 0.0


class Envelope(Model):
    """The object around every answer."""

    __slots__ = ()
    success = Field(boolean, "success")
    total_count = Field(count, "totalCount")

    @property
    def data(self) -> Any:
        """The payload, as it is."""
        return self.get("data")

    def refusal(self, asked: str, status: int) -> ErrorDetails:
        """Gather OMS's own words for a failure: the newer ``errorDetail`` first, then the older keys.

        Source: docs/develop/oms-wire.md#error-text
        """
        detail = self.get("errorDetail")
        inner = _ErrorDetail(detail if isinstance(detail, Mapping) else {}, self.source)
        outer = {name: self.get(name) for name in ("message", "code", "errorCode", "advice", "requestId")}

        def first(*values: Any) -> str | None:
            return next((safe_text(value) for value in values if value not in (None, "", {}, [])), None)

        return ErrorDetails(
            asked=asked,
            message=first(inner.get("message"), outer["message"]),
            code=first(inner.get("code"), outer["code"], outer["errorCode"]),
            advice=first(inner.get("proposal"), outer["advice"]),
            request_id=first(outer["requestId"], inner.get("requestId")),
            status=status if status != 200 else None,
        )


class _ErrorDetail(Model):
    __slots__ = ()


def build_request(settings: ClientSettings, call: Call[Any]) -> HttpRequest:
    """Turn a call into an HTTP request.

    :raises OmsUnsupportedActionError: when the connection's API generation doesn't have the action
    :raises OmsInvalidRequestError: when an argument can't be sent, such as a project id that would change the URL
    """
    headers = {
        "Authorization": settings.authorization,
        "Accept": "application/json",
        "Cache-Control": "no-cache",
        "User-Agent": "airflow-provider-oms",
    }
    if settings.api_version == "v3":
        if call.legacy_path is None:
            raise OmsUnsupportedActionError(
                "the connection has api_version v3 (OMS 3.3 to 4.1.0), which can only tell a project's progress. "
                "If this OMS is newer, set api_version to v2 in the connection's extra.",
                ErrorDetails(asked=call.asked),
            )
        for part in call.legacy_path:
            if not _PATH_SEGMENT.fullmatch(part):
                raise OmsInvalidRequestError(
                    f"{part!r} is no project id: only letters, digits, '_' and '-' can stand in one.",
                    ErrorDetails(asked=call.action),
                )
        return HttpRequest("GET", f"{settings.base_url}/api/omsp/v2/{'/'.join(call.legacy_path)}", headers)
    try:
        body = call.body
    except (TypeError, ValueError) as error:
        raise OmsInvalidRequestError(
            f"the request can't be written as JSON: {error}.", ErrorDetails(asked=call.asked)
        ) from None
    headers["Content-Type"] = "application/json"
    return HttpRequest("POST", f"{settings.base_url}/api/v2?Action={call.action}", headers, body)


def read_answer(call: Call[T], answer: HttpAnswer) -> Answer[T]:
    """Turn an HTTP answer into what OMS said, or raise what it means.

    :raises OmsError: one of its kinds, for everything but a proper success
    """
    envelope = _read_envelope(call, answer)
    try:
        data = call.read(envelope, call.asked)
    except ValueError as error:
        raise OmsMalformedAnswerError(
            f"OMS reported success, but what it sent is not {error}.", ErrorDetails(asked=call.asked)
        ) from None
    except OmsError as error:
        raise error.about(call.asked) from None
    return Answer(data, *_time_of(answer), answer.received_at)


def _read_envelope(call: Call[Any], answer: HttpAnswer) -> Envelope:
    """Return the envelope of a success; raise for everything else. Only ``success`` decides, never a code.

    Sources: docs/develop/oms-wire.md#success-decides, docs/develop/oms-wire.md#http-status
    """
    envelope = _parse(call, answer.body)
    if envelope is None:
        details = ErrorDetails(asked=call.asked, status=answer.status, retry_after=_retry_after(answer))
        raise _http_error(answer, details)
    success = None
    if answer.status == 200:
        try:
            success = envelope.success
        except OmsMalformedAnswerError as error:
            raise error.about(call.asked) from None
        if success:
            return envelope
    details = replace(envelope.refusal(call.asked, answer.status), retry_after=_retry_after(answer))
    if answer.status in (401, 403) or 300 <= answer.status < 400:
        raise _http_error(answer, details)
    if success is None and answer.status == 200:
        raise OmsMalformedAnswerError("the answer doesn't say whether it is a success.", details)
    if meant := _oms_error(details):
        raise meant
    if answer.status == 200:
        raise OmsRejectedError("OMS refused." if details.message else "OMS refused without saying why.", details)
    raise _http_error(answer, details)


def _parse(call: Call[Any], body: bytes) -> Envelope | None:
    try:
        parsed = _from_json(body.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None
    return Envelope(parsed, call.asked) if isinstance(parsed, dict) else None


def _oms_error(details: ErrorDetails) -> OmsError | None:
    """Return what OMS's own code means, None where it has no special meaning.

    Sources: docs/develop/oms-wire.md#codes, docs/develop/oms-wire.md#unsupported-action
    """
    code, message = (details.code or "").upper(), details.message or ""
    if code == PROJECT_NOT_FOUND_CODE or PROJECT_NOT_FOUND_CODE in message:
        return OmsProjectNotFoundError("OMS has no such project, or it was deleted. Check the project id.", details)
    if "unsupported action" in message.lower():
        return OmsUnsupportedActionError("this OMS doesn't have the action; a newer version may.", details)
    if code in PASSING_CODES and details.status != 404:
        return OmsBusyError("OMS could not do it just now.", details)
    return None


def _http_error(answer: HttpAnswer, details: ErrorDetails) -> OmsError:
    """Return what the HTTP status means, where the body doesn't say more.

    What OMS answers to a wrong login is documented nowhere: docs/develop/oms-wire.md#http-status,
    docs/develop/oms-wire.md#redirects, docs/develop/oms-wire.md#users
    """
    status = answer.status
    if status in (401, 403):
        return OmsAuthenticationError(
            "OMS refused the login. Check login and password in the connection (OMS passwords expire, after 90 days by "
            "default) and that the user may see this project.",
            details,
        )
    if status == 404:
        return OmsNotFoundError(
            "nothing answers there. Check host and port of the connection, and api_version in its extra (v2 needs "
            "OMS 4.1 or later).",
            details,
        )
    if 300 <= status < 400:
        # Only the host: a query may hold a session token.
        target = safe_text(answer.headers.get("location", "").split("?")[0], 200)
        return OmsRedirectError(
            f"the address redirects{f' to {target}' if target else ''}, which is not followed, so that the "
            "credentials go nowhere else. Set host, port and schema of the connection to where OMS is.",
            details,
        )
    if status in (408, 429) or status >= 500:
        return OmsBusyError("OMS, or a proxy before it, is overloaded or failing.", details)
    if status == 400 and b"https port" in answer.body[:4096].lower():
        return OmsRejectedError("the port speaks https. Set the connection's schema to https.", details)
    if status >= 400:
        return OmsRejectedError("OMS refused.", details)
    return OmsMalformedAnswerError(
        f"the answer is no JSON of OMS; it begins with {safe_text(repr(answer.body[:60]), 100)}. "
        "A proxy or another service may be answering: check host and port.",
        details,
    )


def _retry_after(answer: HttpAnswer) -> float | None:
    """Read ``Retry-After``: seconds, or a date that is compared with the answer's own."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until = _http_date(value)
    return max(0.0, until - _time_of(answer)[0]) if until is not None else None


def _time_of(answer: HttpAnswer) -> tuple[float, Literal["OMS", "local"]]:
    """Tell when the answer was made, by OMS's clock where it told it; a cached answer is as old as its ``Age`` says.

    Source: docs/develop/oms-wire.md#clocks
    """
    made = _http_date(answer.headers.get("date", ""))
    if made is None:
        return answer.received_at, "local"
    age = answer.headers.get("age", "").strip()
    return made + (float(age[:9]) if age.isascii() and age.isdigit() else 0.0), "OMS"


@lru_cache(maxsize=64)  # many answers come within the same second
def _http_date(value: str) -> float | None:
    # Imported when the first answer is there, not while a DAG is parsed.
    from email.utils import parsedate_to_datetime

    try:
        parsed = parsedate_to_datetime(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


@lru_cache(maxsize=64)
def utc_text(at: float) -> str:
    """Write Unix seconds as ISO 8601 in UTC; a time that no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{at:.0f}"
