"""Decides which error a refusal means, by OMS's own codes and by the HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsAuthenticationError,
    OmsBusyError,
    OmsError,
    OmsMalformedAnswerError,
    OmsNotFoundError,
    OmsProjectNotFoundError,
    OmsRedirectError,
    OmsRejectedError,
    OmsUnsupportedActionError,
)
from airflow_provider_oms.client.redaction import Secrets
from airflow_provider_oms.client.safe_text import safe_text

#: The codes for a project that OMS doesn't have. Sources: docs/develop/oms-wire.md#codes, and for the second code
#: docs/develop/oms-wire.md#older-codes
PROJECT_NOT_FOUND_CODES = frozenset({"GHANA-PROJECT000001", "PROJECT_NOT_FOUND_ERROR"})

#: Codes about the login. Source: docs/develop/oms-wire.md#older-codes
LOGIN_CODES = frozenset(
    {
        "AUTHENTICATION_ERROR",
        "USER_NAME_OR_PASSWORD_ERROR",
        "OMS_USER_PASSWORD_ERROR",
        "OMS_USER_PERMISSION_DENIED_ERROR",
    }
)

#: Codes with which OMS says that one of its components is unavailable.
#: Sources: docs/develop/oms-wire.md#passing-codes, docs/develop/oms-wire.md#older-codes
PASSING_CODES = frozenset(
    {
        "GHANA-OPERAT000001",
        "CM-RESOAT000011",
        "EXECUTOR_THREAD_POOL_BUSY",
        "TIMEOUT_EXCEPTION",
        "LOCK_FAILED",
        "CM_API_ERROR",
        "CM_API_NOT_SUCCESS",
        "CM_SDK_ERROR",
        "SUPERVISOR_API_ERROR",
    }
)

#: Codes that wrap an inner error. If the inner error has no code, it may be temporary, so a gate waits for its
#: ``outage_tolerance``. To wait is the safe choice. Source: docs/develop/oms-wire.md#passing-codes
WRAPPING_CODES = frozenset({"GHANA-OPERIE000000", "INNER_ERROR"})

_HTTPS_WORDS = b"https port"


def error_of_code(details: ErrorDetails) -> OmsError | None:
    """Return the error that OMS's codes mean; None if they have no special meaning.

    An answer may have two codes, one nested in the other. Both count; a permanent error wins over a temporary one.
    Source: docs/develop/oms-wire.md#unsupported-action

    :param details: the codes and texts of the answer
    """
    codes, message = {code.strip().upper() for code in details.codes}, details.message or ""
    if codes & PROJECT_NOT_FOUND_CODES or any(code in message for code in PROJECT_NOT_FOUND_CODES):
        return OmsProjectNotFoundError("OMS has no such project, or it was deleted. Check the project id.", details)
    if codes & LOGIN_CODES:
        return _refused_login(details)
    if "unsupported action" in message.lower():
        return OmsUnsupportedActionError("this OMS doesn't have the action; a newer version may.", details)
    # The first code is the innermost one.
    passing = codes & PASSING_CODES or (details.code or "").strip().upper() in WRAPPING_CODES
    return OmsBusyError("OMS can't do this at the moment.", details) if passing and details.status != 404 else None


def error_of_status(
    status: int, headers: Mapping[str, str], body: bytes, details: ErrorDetails, secrets: Secrets
) -> OmsError:
    """Return the error that the HTTP status means, for a body that doesn't say more.

    It isn't documented what OMS answers to a wrong login: docs/develop/oms-wire.md#http-status,
    docs/develop/oms-wire.md#redirects, docs/develop/oms-wire.md#users

    :param status: the HTTP status
    :param headers: the headers, names in lower case
    :param body: the body
    :param details: the codes and texts of the answer
    :param secrets: the secrets to remove from the error
    """
    if status in (401, 403):
        return _refused_login(details)
    if status == 404:
        return OmsNotFoundError(
            "there is no OMS API at this address. Check host and port of the connection, and api_version in its extra "
            "(v2 needs OMS 4.1 or later).",
            details,
        )
    if 300 <= status < 400:
        target = safe_text(secrets.redact(_without_secrets(headers.get("location", ""))), 200)
        return OmsRedirectError(
            f"the address redirects{f' to {target}' if target else ''}, which is not followed, because the "
            "credentials would go to another server. Set host, port and schema of the connection to where OMS is.",
            details,
        )
    if status in (408, 429) or status >= 500:
        return OmsBusyError("OMS, or a proxy in front of it, is overloaded or failing.", details)
    if status == 400 and _HTTPS_WORDS in body[:4096].lower():
        return OmsRejectedError("the port speaks https. Set the connection's schema to https.", details)
    if status >= 400:
        return OmsRejectedError("OMS refused.", details)
    return OmsMalformedAnswerError(
        f"the answer isn't JSON from OMS; it begins with {_beginning(body, secrets)}. "
        "A proxy or another service may be answering: check host and port.",
        details,
    )


def _refused_login(details: ErrorDetails) -> OmsAuthenticationError:
    return OmsAuthenticationError(
        "OMS refused the login. Check login and password in the connection (OMS passwords expire, after 90 days by "
        "default) and that the user may see this project.",
        details,
    )


def _without_secrets(location: str) -> str:
    """Remove the parts of an address that may be secret: query, fragment and login."""
    parts = location.split("?")[0].split("#")[0].split("/")
    # A regular expression would take quadratic time: seconds for the longest header that is accepted.
    return "/".join(part.rpartition("@")[2] for part in parts)


def _beginning(body: bytes, secrets: Secrets) -> str:
    # Redacted before it is shortened, because a secret may extend beyond the part that is shown.
    return safe_text(repr(secrets.redact(body[:10_000].decode("utf-8", "replace"))[:60].encode()), 200)
