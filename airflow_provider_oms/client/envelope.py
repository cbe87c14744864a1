"""The JSON object around every answer, and the limits on its size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_oms.client.errors import ErrorDetails, OmsAnswerTooLargeError
from airflow_provider_oms.client.fields import Field, Model, boolean, count
from airflow_provider_oms.client.redaction import Secrets
from airflow_provider_oms.client.safe_text import safe_text

#: A larger answer is not read. The largest expected one, 150 projects with their steps, is below 2 MiB.
MAX_ANSWER_BYTES = 8 * 1024 * 1024

#: The most values in an answer: a small body can hold millions, which take gigabytes as Python objects. The largest
#: expected answer has about 50,000.
MAX_VALUES = 400_000

#: The deepest nesting of objects and lists. Expected answers have 8 levels; with some hundred levels, Python can't
#: compare or write a value.
MAX_DEPTH = 64

#: Parsing a larger answer would block an event loop for too long.
_QUICK_BYTES = 256 * 1024
_QUICK_ESCAPES = 5_000

# Made once, because json.loads guesses the encoding at each call, and makes a decoder at each call with arguments.
_from_json = json.JSONDecoder().decode


class Envelope(Model):
    """The object around every answer.

    Source: docs/develop/oms-wire.md#envelope
    """

    __slots__ = ()
    success = Field(boolean, "success")
    total_count = Field(count, "totalCount")

    @property
    def data(self) -> Any:
        """The payload, unchanged."""
        return self.get("data")

    def refusal(self, asked: str, status: int, secrets: Secrets) -> ErrorDetails:
        """Collect OMS's description of a failure: from the newer ``errorDetail`` first, then from the older keys.

        Source: docs/develop/oms-wire.md#error-text
        """
        inner = _part(self, "errorDetail")
        upstream = _part(inner, "upstreamErrorDetail")

        def told(*values: Any) -> Iterator[str]:
            # Redacted before it is shortened, because part of a secret would not be found.
            return (
                safe_text(secrets.redact(value) if isinstance(value, str) else secrets.redact_data(value))
                for value in values
                if value not in (None, "", {}, [])
            )

        codes = list(
            dict.fromkeys(
                told(inner.get("code"), upstream.get("code"), *(self.get(name) for name in ("code", "errorCode")))
            )
        )
        return ErrorDetails(
            asked=asked,
            message=next(told(inner.get("message"), self.get("message")), None),
            code=codes[0] if codes else None,
            other_codes=tuple(codes[1:]),
            advice=next(told(inner.get("proposal"), self.get("advice")), None),
            request_id=next(told(self.get("requestId"), inner.get("requestId")), None),
            status=status if status != 200 else None,
        )


def _part(model: Model, name: str) -> Model:
    part = model.get(name)
    return Model(part if isinstance(part, Mapping) else {}, model.source)


def takes_long(body: bytes) -> bool:
    """Return whether a body should be parsed in a thread rather than in an event loop."""
    return len(body) > _QUICK_BYTES or sum(map(body.count, (b"\\", b"%", b"&"))) > _QUICK_ESCAPES


def parse_envelope(body: bytes, asked: str, secrets: Secrets) -> Envelope | None:
    """Return the envelope in a body; None if the body isn't one.

    :param body: the body of the answer
    :param asked: what was asked, for error messages
    :param secrets: the secrets to remove from the answer
    :raises OmsAnswerTooLargeError: when the body holds too many values
    """
    # Each value but the first of an object or list follows a comma, so the commas limit the number of values.
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MAX_VALUES:
        raise OmsAnswerTooLargeError(
            f"the answer holds more than {MAX_VALUES:,} values and was not read. Is this an OMS?",
            ErrorDetails(asked=asked),
        )
    try:
        parsed = _from_json(body.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None
    if not isinstance(parsed, dict) or (body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deep(parsed)):
        return None
    # Writing the value as JSON is the cheapest way to find characters that JSON had escaped.
    if secrets and secrets.are_in(json.dumps(parsed, ensure_ascii=False) if b"\\u" in body else body):
        parsed = secrets.redact_data(parsed)
    return Envelope(parsed, asked)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
