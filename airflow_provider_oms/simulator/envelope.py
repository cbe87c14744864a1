"""The envelope of every answer, and the refusals.

OMS answers an application error with HTTP 200 and ``success: false``. No document says which code it uses for a wrong
use of its API; the codes here are the closest ones of OceanBase's error code page.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NOT_FOUND = "GHANA-PROJECT000001"
CHECK_FAILED = "GHANA-OPEROR000001"
PARAM_ERROR = "PARAM_ERROR"
INNER_ERROR = "INNER_ERROR"

_GENERIC = {
    NOT_FOUND: "The project does not exist or has been deleted.",
    CHECK_FAILED: "The check of the operation failed.",
    PARAM_ERROR: "Invalid parameter.",
    INNER_ERROR: "System error.",
}


class OmsRefusal(Exception):
    """A refusal: an answer with ``success: false``."""

    def __init__(self, code: str, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.advice = code, message, advice


@dataclass
class Page:
    """One page of a list, with the numbers that go into the envelope."""

    data: Any
    number: int
    size: int
    total: int


def seconds_text(moment: float | None) -> str | None:
    """Return a time as OMS writes startTime and finishTime: UTC, no offset, whole seconds."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def millis_text(moment: float | None) -> str | None:
    """Return a time as OMS writes failedTime: UTC, no offset, with milliseconds."""
    if moment is None:
        return None
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}"


def _envelope(cost_ms: int) -> dict[str, Any]:
    return {
        "success": True,
        "errorDetail": None,
        "code": None,
        "message": None,
        "advice": None,
        "requestId": str(uuid.uuid4()),
        "pageNumber": None,
        "pageSize": None,
        "totalCount": None,
        "cost": f"{cost_ms} ms",
        "data": None,
    }


def success(data: Any, cost_ms: int = 4) -> dict[str, Any]:
    """Return the answer of a success; a :class:`Page` also fills pageNumber, pageSize and totalCount."""
    answer = _envelope(cost_ms)
    if isinstance(data, Page):
        answer.update(pageNumber=data.number, pageSize=data.size, totalCount=data.total, data=data.data)
    else:
        answer["data"] = data
    return answer


def refusal(
    code: str, message: str, advice: str | None = None, cost_ms: int = 4, detail_code: str | None = None
) -> dict[str, Any]:
    """Return the answer of a refusal; the real reason is in ``errorDetail.message``, as in OMS.

    :param code: the error code.
    :param message: the reason.
    :param advice: what OMS advises.
    :param cost_ms: how long it took.
    :param detail_code: the code in ``errorDetail``, if it is another one.
    """
    inner = detail_code or code
    answer = _envelope(cost_ms)
    answer.update(
        success=False,
        code=code,
        message=f"[{code}]: {_GENERIC.get(code, 'The operation failed.')}",
        advice=advice,
        errorDetail={
            "code": inner,
            "level": "ERROR",
            "message": message,
            "extraContext": None,
            "messageMcmsKey": inner,
            "messageMcmsContext": {"message": message},
            "reason": None,
            "reasonMcmsKey": None,
            "reasonMcmsContext": None,
            "proposal": advice,
            "proposalMcmsKey": None,
            "proposalMcmsContext": None,
            "upstreamErrorDetail": None,
            "requestId": answer["requestId"],
        },
    )
    return answer


def pascal(value: Any, as_it_is: Collection[str] = ()) -> Any:
    """Return the value with every key in PascalCase, as some proxies and the public cloud's API answer.

    :param value: the value.
    :param as_it_is: keys whose values stay unchanged.
    """
    if isinstance(value, dict):
        return {
            (key[:1].upper() + key[1:] if isinstance(key, str) else key): item
            if key in as_it_is
            else pascal(item, as_it_is)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [pascal(item, as_it_is) for item in value]
    return value


def encode(answer: Any, casing: str = "camel") -> bytes:
    """Return an answer as the bytes of its JSON text; a lone surrogate is written as JSON's escape for it."""
    text = json.dumps(pascal(answer) if casing == "pascal" else answer, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")
