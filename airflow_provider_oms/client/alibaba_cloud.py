"""The protocol of OMS hosted in Alibaba Cloud: signed requests, forms instead of JSON, and the gateway's error codes.

Every function except :func:`signed_headers` is pure. Only the standard library is used. Alibaba Cloud's SDK would add
14 packages, so only the tests use it, for comparison.
Sources: docs/develop/oms-alibaba-cloud.md#wire, docs/develop/oms-alibaba-cloud.md#signing
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsAuthenticationError,
    OmsBusyError,
    OmsError,
    OmsInvalidRequestError,
    OmsUnsupportedActionError,
)

VERSION = "2019-09-01"

_ALGORITHM = "ACS3-HMAC-SHA256"
_FORM = "application/x-www-form-urlencoded"

#: Actions that the hosted OMS doesn't have. Source: docs/develop/oms-alibaba-cloud.md#actions
ABSENT = frozenset(
    {
        "AdvanceProject",
        "CreateKafkaDataSource",
        "CreateOceanBaseODPDataSource",
        "CreatePilarDBDataSource",
        "DescribeRegions",
        "GetPreCheckResult",
        "ListFullVerifyCorrectionsResult",
        "ListFullVerifyInconsistenciesResult",
        "ResetIncrStartTimestamp",
        "SubmitPreCheck",
        "UpdateFullImport",
        "UpdateFullVerification",
        "UpdateIncrSync",
        "UpdateStore",
    }
)

#: Parameters with another name in the hosted OMS, by action. Source: docs/develop/oms-alibaba-cloud.md#actions
_RENAMED = {("CreateMySqlDataSource", "username"): "UserName"}

_WRONG_KEY = "Alibaba Cloud doesn't know the AccessKey. Check the login of the connection, the AccessKey's id."
_WRONG_SIGNATURE = "Alibaba Cloud refused the signature. Check the password of the connection, the AccessKey's secret."
_WRONG_CREDENTIALS = (
    "Alibaba Cloud refused the security token: it has expired, or belongs to another AccessKey. Renew login, password "
    "and security_token of the connection together."
)
_WRONG_CLOCK = "Alibaba Cloud refused the time of the request. Set this machine's clock: it is off by many minutes."
_REFUSED = (
    "Alibaba Cloud refused the AccessKey or its user. Check login and password of the connection, and the user's "
    "rights in RAM (oceanbase:<action>)."
)
_NO_RIGHT = (
    "Alibaba Cloud doesn't let this user do that. Grant it the action (oceanbase:<action>) in RAM, or check which "
    "AccessKey the connection has."
)

#: Prefixes of the gateway's codes, in any case, and the error that each means.
#: Source: docs/develop/oms-alibaba-cloud.md#errors
_REFUSALS = (
    ("InvalidAccessKeyId", OmsAuthenticationError, _WRONG_KEY),
    ("SignatureDoesNotMatch", OmsAuthenticationError, _WRONG_SIGNATURE),
    ("IncompleteSignature", OmsAuthenticationError, _WRONG_SIGNATURE),
    ("InvalidSecurityToken", OmsAuthenticationError, _WRONG_CREDENTIALS),
    ("MissingSecurityToken", OmsAuthenticationError, _WRONG_CREDENTIALS),
    ("IllegalTimestamp", OmsAuthenticationError, _WRONG_CLOCK),
    ("InvalidTimeStamp", OmsAuthenticationError, _WRONG_CLOCK),
    ("Forbidden.RAM", OmsAuthenticationError, _NO_RIGHT),
    ("NoPermission", OmsAuthenticationError, _NO_RIGHT),
    ("Throttling", OmsBusyError, "Alibaba Cloud throttles this user: too many requests at a time."),
    ("ServiceUnavailable", OmsBusyError, "Alibaba Cloud is unavailable at the moment."),
    # Each attempt has its own nonce, so something on the network path has sent the request twice.
    ("SignatureNonceUsed", OmsBusyError, "Alibaba Cloud has already received this request."),
    ("InvalidAction.NotFound", OmsUnsupportedActionError, "the OMS in Alibaba Cloud doesn't have the action."),
)


def check_action(action: str, asked: str) -> None:
    """Raise an error for an action that only OMS on premises has.

    :param action: the action
    :param asked: what is asked, for a person
    :raises OmsUnsupportedActionError: if the hosted OMS doesn't have the action
    """
    if action in ABSENT:
        raise OmsUnsupportedActionError(
            "the OMS in Alibaba Cloud (api_version alibaba_cloud) doesn't have this action, which only OMS on premises "
            "has.",
            ErrorDetails(asked=asked),
        )


def form(action: str, payload: Mapping[str, Any]) -> bytes:
    """Encode parameters as a form: keys in PascalCase, nested values as JSON.

    :param action: the action
    :param payload: the parameters, in OMS's own keys
    :raises OmsInvalidRequestError: when a value can't be sent in a form
    :raises TypeError: when a value can't be written as JSON; for some values ValueError
    """
    fields = {
        _RENAMED.get((action, key), _pascal(key)): _text(action, key, value)
        for key, value in payload.items()
        if value is not None
    }
    return urlencode(fields).encode("ascii")


def signed_headers(
    base_url: str, action: str, body: bytes, *, access_key_id: str, secret: str, security_token: str | None = None
) -> dict[str, str]:
    """Return the headers of one attempt. They hold a time and a nonce, so they can't be used for another attempt.

    :param base_url: the endpoint
    :param action: the action
    :param body: the form
    :param access_key_id: the AccessKey's id
    :param secret: the AccessKey's secret
    :param security_token: the token of temporary credentials; None or empty if the AccessKey needs none
    """
    from uuid import uuid4

    parts = urlsplit(base_url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.netloc.removesuffix(f":{usual}")  # the form in which HTTP clients send it
    headers = {
        "host": host,
        "content-type": _FORM,
        "x-acs-action": action,
        "x-acs-version": VERSION,
        "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    if security_token:
        headers["x-acs-security-token"] = security_token
    signed = authorization("POST", parts.path or "/", headers, access_key_id, secret)
    return {**headers, "Authorization": signed, "accept": "application/json", "user-agent": "airflow-provider-oms"}


def authorization(method: str, path: str, headers: Mapping[str, str], access_key_id: str, secret: str) -> str:
    """Return the ``Authorization`` header of a request without a query.

    :param method: the HTTP method
    :param path: the path of the URL
    :param headers: the headers to sign, with names in lower case; ``x-acs-content-sha256`` is the body's hash
    :param access_key_id: the AccessKey's id
    :param secret: the AccessKey's secret
    """
    names = sorted(headers)
    listed = ";".join(names)
    lines = [f"{name}:{headers[name].strip()}\n" for name in names]
    canonical = "\n".join([method, path, "", "".join(lines), listed, headers["x-acs-content-sha256"]])
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={access_key_id},SignedHeaders={listed},Signature={signature}"


def error_of_gateway(details: ErrorDetails) -> OmsError | None:
    """Return the error that a code of Alibaba Cloud's gateway means; None for a code of OMS and for unknown codes.

    :param details: the codes and texts of the answer
    """
    for code in details.codes:
        for beginning, kind, words in _REFUSALS:
            if code.strip().lower().startswith(beginning.lower()):
                return kind(words, details)
    return None


def refused_login(details: ErrorDetails) -> OmsError:
    """Return the error for HTTP 401 and 403 if no code says more.

    :param details: the details of the answer
    """
    return OmsAuthenticationError(_REFUSED, details)


def _text(action: str, key: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if (action, key) == ("ListProjectFullVerifyResult", "status"):  # docs/develop/oms-alibaba-cloud.md#actions
        if isinstance(value, list) and len(value) == 1:
            return str(value[0])
        raise OmsInvalidRequestError(
            "the OMS in Alibaba Cloud takes one status of tables, not several.", ErrorDetails(asked=action)
        )
    return json.dumps(_pascal_keys(value), allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _pascal(key: str) -> str:
    return key[:1].upper() + key[1:]


def _pascal_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_pascal(str(key)): _pascal_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_pascal_keys(item) for item in value]
    return value
