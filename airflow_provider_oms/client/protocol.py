"""The protocol without a transport: turns a described call into a request, and an answer into a model or an error.

Both clients use these functions and nothing else, so they can't differ. The sources are OceanBase's "API overview"
(V4.2.2) and, for the two GET endpoints, its pages about 3.3.0-CE:
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

from airflow_provider_oms.client import alibaba_cloud
from airflow_provider_oms.client.envelope import Envelope, parse_envelope
from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsError,
    OmsInvalidRequestError,
    OmsMalformedAnswerError,
    OmsRejectedError,
    OmsUnsupportedActionError,
)
from airflow_provider_oms.client.fields import value_of
from airflow_provider_oms.client.redaction import NO_SECRETS, Secrets
from airflow_provider_oms.client.refusals import error_of_code, error_of_status
from airflow_provider_oms.client.safe_text import safe_repr, safe_text
from airflow_provider_oms.client.settings import ClientSettings

T = TypeVar("T")

# Made once, because json.dumps makes an encoder at each call that has arguments.
_to_json = json.JSONEncoder(allow_nan=False).encode

_PATH_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class Call(Generic[T]):
    """The description of one call: what to send and how to read the answer.

    :param action: OMS's name of the action
    :param payload: the JSON body
    :param read: turns the envelope into a model, or raises a ValueError whose text says what ``data`` should be
    :param reads_only: whether it changes nothing in OMS, so that it may be sent again
    :param subject: what the call is about (a project id), for error messages
    :param legacy_path: the path of the action in API generation ``v3``; None if the action doesn't exist there
    :param project_id: the project that the answer must be about, if it names one; None for any
    :param project_keys: the keys of the answer that hold the project's id
    :param secrets: passwords in the payload
    :param reading: a number that is different for equal calls that must not share an answer
    """

    action: str
    payload: Mapping[str, Any] = field(repr=False)
    read: Callable[[Envelope, str], T] = field(repr=False)
    reads_only: bool = True
    subject: str = ""
    legacy_path: tuple[str, ...] | None = field(default=None, repr=False)
    project_id: str | None = field(default=None, repr=False)
    project_keys: tuple[str, ...] = field(default=("projectId",), repr=False)
    secrets: Secrets = field(default=NO_SECRETS, repr=False)
    reading: int = field(default=0, repr=False)

    @cached_property
    def asked(self) -> str:
        """The action and what it is about, for messages."""
        return asked(self.action, self.subject)

    @cached_property
    def key(self) -> str:
        """A key that is the same for calls that can share an answer."""
        return f"{self.action} {self.legacy_path} {self.payload!r} {self.reading}"

    @cached_property
    def body(self) -> bytes:
        """The payload as JSON.

        :raises TypeError: if it can't be written as JSON; for some values ValueError
        """
        return _to_json(self.payload).encode()


def asked(action: str, subject: str) -> str:
    """Return an action and what it is about, for messages.

    :param action: OMS's name of the action
    :param subject: what the call is about; may be empty
    """
    return f"{action} of {subject}" if subject else action


@dataclass(frozen=True)
class HttpRequest:
    """A request, ready to be sent by any HTTP client."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


class HttpAnswer(NamedTuple):
    """An answer, independent of the HTTP client.

    :param status: the HTTP status
    :param headers: its headers, names in lower case
    :param body: the whole body, decoded from any content encoding
    :param received_at: the local clock (Unix seconds) when the answer arrived
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: float

    def __repr__(self) -> str:
        return f"HttpAnswer({self.status}, {len(self.body)} bytes)"


class Answer(NamedTuple, Generic[T]):
    """What OMS answered, and when.

    :param data: the model
    :param at: the time of the answer in Unix seconds: by OMS's clock if the answer gives it, otherwise by ours
    :param clock: which clock ``at`` is from: ``OMS`` or ``local``
    :param received_at: the local clock (Unix seconds) when the answer arrived
    :param spent: how long OMS took to answer, all tries included, as a multiple of the connection's ``timeout``
    """

    data: T
    at: float
    clock: Literal["OMS", "local"]
    received_at: float
    spent: float = 0.0


def build_request(settings: ClientSettings, call: Call[Any]) -> HttpRequest:
    """Turn a call into an HTTP request for one attempt. With ``alibaba_cloud`` a request can't be sent twice.

    :param settings: the settings of the client
    :param call: the call
    :raises OmsUnsupportedActionError: when the connection's API generation doesn't have the action
    :raises OmsInvalidRequestError: when an argument is invalid, such as a project id that would change the URL
    """
    if settings.hosted:
        return _signed_request(settings, call)
    if settings.api_version == "v3":
        if call.legacy_path is None:
            raise OmsUnsupportedActionError(
                "the connection has api_version v3 (OMS 3.3 to 4.1.0), which only offers a project's progress. "
                "If this OMS is newer, set api_version to v2 in the connection's extra.",
                ErrorDetails(asked=call.asked),
            )
        for part in call.legacy_path:
            if not _PATH_SEGMENT.fullmatch(part):
                raise OmsInvalidRequestError(
                    f"{safe_repr(part, 200)} isn't a project id: an id has only letters, digits, '_' and '-'.",
                    ErrorDetails(asked=call.action),
                )
        return HttpRequest("GET", f"{settings.base_url}/api/omsp/v2/{'/'.join(call.legacy_path)}", _headers(settings))
    try:
        body = call.body
    except (TypeError, ValueError) as error:
        raise _not_json(call, error) from None
    headers = {**_headers(settings), "Content-Type": "application/json"}
    return HttpRequest("POST", f"{settings.base_url}/api/v2?Action={call.action}", headers, body)


def _signed_request(settings: ClientSettings, call: Call[Any]) -> HttpRequest:
    """Build a request for Alibaba Cloud: docs/develop/oms-alibaba-cloud.md#wire"""
    alibaba_cloud.check_action(call.action, call.asked)
    try:
        body = alibaba_cloud.form(call.action, call.payload)
    except (TypeError, ValueError) as error:
        raise _not_json(call, error) from None
    headers = alibaba_cloud.signed_headers(
        settings.base_url,
        call.action,
        body,
        access_key_id=settings.login,
        secret=settings.password,
        security_token=settings.security_token,
    )
    return HttpRequest("POST", settings.base_url, headers, body)


def _not_json(call: Call[Any], error: Exception) -> OmsInvalidRequestError:
    return OmsInvalidRequestError(
        f"the request can't be written as JSON: {safe_text(error, 200)}.", ErrorDetails(asked=call.asked)
    )


def _headers(settings: ClientSettings) -> dict[str, str]:
    return {
        "Authorization": settings.authorization,
        "Accept": "application/json",
        "Cache-Control": "no-cache",
        "User-Agent": "airflow-provider-oms",
    }


def read_answer(call: Call[T], answer: HttpAnswer, secrets: Secrets = NO_SECRETS, *, hosted: bool = False) -> Answer[T]:
    """Turn an HTTP answer into an :class:`Answer`, or raise the error that it means.

    :param call: the call
    :param answer: the HTTP answer
    :param secrets: the secrets to remove from the answer, in addition to those of the call
    :param hosted: whether the answer comes from the OMS in Alibaba Cloud, whose gateway has its own codes
    :raises OmsError: for every answer that isn't a valid success; the subclass says what is wrong
    """
    secrets |= call.secrets
    envelope = _read_envelope(call, answer, secrets, hosted=hosted)
    try:
        _check_project(call, envelope)
        data = call.read(envelope, call.asked)
    except ValueError as error:
        raise OmsMalformedAnswerError(
            f"OMS reported success, but what it sent is not {safe_text(error)}.", ErrorDetails(asked=call.asked)
        ) from None
    except OmsError as error:
        raise error.about(call.asked) from None
    return Answer(data, *_time_of(answer), answer.received_at)


def _read_envelope(call: Call[Any], answer: HttpAnswer, secrets: Secrets, *, hosted: bool) -> Envelope:
    """Return the envelope of a success; raise an error for any other answer. Only ``success`` decides, never a code.

    Sources: docs/develop/oms-wire.md#success-decides, docs/develop/oms-wire.md#http-status
    """
    envelope = parse_envelope(answer.body, call.asked, secrets)
    success = None
    if envelope is not None and answer.status == 200:
        try:
            success = envelope.success
        except OmsMalformedAnswerError as error:
            raise error.about(call.asked) from None
        if success:
            return envelope
    retry_after = _retry_after(answer)

    def error_of(details: ErrorDetails) -> OmsError:
        if hosted and answer.status in (401, 403):
            return alibaba_cloud.refused_login(details)
        return error_of_status(answer.status, answer.headers, answer.body, details, secrets)

    if envelope is None:
        raise error_of(ErrorDetails(asked=call.asked, status=answer.status, retry_after=retry_after))
    details = replace(envelope.refusal(call.asked, answer.status, secrets), retry_after=retry_after)
    gateway = alibaba_cloud.error_of_gateway(details)
    # A temporary error is temporary whoever reports it. Only the gateway refuses a login, and never with HTTP 200.
    if gateway and (gateway.temporary or (hosted and answer.status != 200)):
        raise gateway
    if answer.status in (401, 403) or 300 <= answer.status < 400:
        raise error_of(details)
    if success is None and answer.status == 200:
        raise OmsMalformedAnswerError("the answer doesn't say whether it is a success.", details)
    if meant := error_of_code(details):
        raise meant
    if answer.status == 200:
        raise OmsRejectedError("OMS refused." if details.message else "OMS refused without saying why.", details)
    raise error_of(details)


def _check_project(call: Call[Any], envelope: Envelope) -> None:
    """Raise an error for an answer about another project, so that a front end that mixes up answers can't open a gate.

    :raises OmsMalformedAnswerError: if the answer names another project than the call
    """
    if call.project_id is None:
        return
    data = envelope.data
    for item in data if isinstance(data, list) else [data]:
        for name in call.project_keys if isinstance(item, Mapping) else ():
            told = value_of(item, name)
            if told not in (None, "") and str(told).strip() != call.project_id.strip():
                raise OmsMalformedAnswerError(
                    f"the answer is about project {safe_repr(told, 200)} instead of the requested one, so it isn't "
                    "trusted. Something between this machine and OMS mixes up answers."
                )


def _retry_after(answer: HttpAnswer) -> float | None:
    """Return the seconds that ``Retry-After`` asks for. If it is a date, it is compared with the answer's own date."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until = _http_date(value[:100])
    return max(0.0, until - _time_of(answer)[0]) if until is not None else None


def _time_of(answer: HttpAnswer) -> tuple[float, Literal["OMS", "local"]]:
    """Return the time of the answer and whose clock that is: OMS's if the answer has a ``Date``, otherwise ours.

    The ``Age`` of an answer from a cache is added to its ``Date``.

    Source: docs/develop/oms-wire.md#clocks
    """
    made = _http_date(answer.headers.get("date", "")[:100])
    if made is None:
        return answer.received_at, "local"
    age = answer.headers.get("age", "").strip()
    return made + (float(age[:9]) if age.isascii() and age.isdigit() else 0.0), "OMS"


@lru_cache(maxsize=64)  # cached, since many answers arrive within the same second
def _http_date(value: str) -> float | None:
    # Imported when the first answer arrives, not while a DAG is parsed.
    from email.utils import parsedate_to_datetime

    try:
        parsed = parsedate_to_datetime(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


@lru_cache(maxsize=64)
def utc_text(at: float) -> str:
    """Format Unix seconds as ISO 8601 in UTC; a time outside the calendar's range stays a number."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{at:.0f}"
