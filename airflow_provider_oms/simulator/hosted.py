"""The form in which OMS is hosted in Alibaba Cloud (OceanBasePro 2019-09-01): ``POST /``, signed, a form, PascalCase.

Built from Alibaba Cloud's official SDK; its own tests read the simulator's answers with that SDK.
"""

from __future__ import annotations

import copy
import json
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from airflow_provider_oms.simulator import signature
from airflow_provider_oms.simulator.envelope import pascal
from airflow_provider_oms.simulator.signature import SignedRequest

VERSION = "2019-09-01"

#: How far a request's date may be from the server's, in seconds.
MAX_SKEW = 15 * 60

#: The actions on migrations that the hosted OMS has, of the official SDK 12.0.0.
ACTIONS = frozenset(
    {
        "CancelProjectModifyRecord",
        "CreateLabel",
        "CreateMySqlDataSource",
        "CreateOceanBaseDataSource",
        "CreateOmsMysqlDataSource",
        "CreateProject",
        "CreateProjectModifyRecords",
        "CreateRdsPostgreSQLDataSource",
        "DeleteDataSource",
        "DeleteProject",
        "DescribeProject",
        "DescribeProjectComponents",
        "DescribeProjectProgress",
        "DescribeProjectStepMetric",
        "DescribeProjectSteps",
        "GetUploadOssUrl",
        "ListAllLabels",
        "ListDataSource",
        "ListProjectFullVerifyResult",
        "ListProjectModifyRecords",
        "ListProjects",
        "ListWorkerInstances",
        "ReleaseProject",
        "ReleaseWorkerInstance",
        "ResumeProject",
        "RetryProjectModifyRecords",
        "StartProject",
        "StartProjectsByLabel",
        "StopProject",
        "StopProjectModifyRecords",
        "StopProjectsByLabel",
        "UpdateProjectConfig",
    }
)

_NUMBERS = {"PageNumber", "PageSize", "BeginTimestamp", "EndTimestamp", "MaxPointNum", "Port", "EffectiveTimeMinutes"}
_FLAGS = {"NeedRelatedInfo", "VisibleSubProject", "UseSsl", "UseOss", "OnlyBindable"}

#: Objects whose keys are data, or have an unknown spelling: they stay unchanged.
_OPEN = {"stepInfo", "errorParam", "ruleToRecentlyTriggerCount", "extraContext", "connExtraAttributes"}


class Refused(Exception):
    """A refusal of the gateway in front of OMS: an HTTP status of its own, with ``Code`` and ``Message``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    @property
    def body(self) -> bytes:
        """The answer's body."""
        answer = {
            "RequestId": str(uuid.uuid4()).upper(),
            "HostId": "oceanbasepro.local.aliyuncs.com",
            "Code": self.code,
            "Message": self.message,
        }
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace")


class Gateway:
    """The gateway: checks AccessKey, date, nonce, signature, token and rights of each request.

    :param access_key_id: the only known AccessKey.
    :param secret: its secret.
    :param token: the STS token that belongs to it, if it is a temporary one.
    :param forbidden: actions that its RAM user may not call.
    :param now: the server's time, Unix seconds. It is real time, since a client signs with its own.
    """

    def __init__(
        self,
        access_key_id: str,
        secret: str,
        token: str | None = None,
        forbidden: Collection[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.access_key_id = access_key_id
        self.token = token
        self.forbidden = forbidden
        self.now = now
        self._secret = secret
        self._lock = threading.Lock()
        self._nonces: OrderedDict[str, None] = OrderedDict()

    def check(self, request: SignedRequest) -> str:
        """Return the action of a request, if it is allowed.

        :param request: the request.
        :raises Refused: if it is not.
        """
        for name in ("x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"):
            if not request.headers.get(name):
                raise Refused(400, "MissingParameter", f"The header {name} is mandatory for this action.")
        if request.headers["x-acs-version"] != VERSION:
            raise Refused(404, "InvalidVersion", "Specified parameter Version is not valid.")
        self._check_key(request)
        self._check_time(request.headers["x-acs-date"], request.headers["x-acs-signature-nonce"])
        action = request.headers["x-acs-action"]
        if action not in ACTIONS:
            raise Refused(404, "InvalidAction.NotFound", f"Specified api {action} is not found.")
        if action in self.forbidden:
            raise Refused(403, "Forbidden.RAM", f"User not authorized to operate oceanbase:{action}.")
        return action

    def _check_key(self, request: SignedRequest) -> None:
        authorization = signature.parse(request.headers.get("authorization"))
        if authorization is None:
            raise Refused(400, "MissingAuthorization", f"An Authorization header of {signature.ALGORITHM} is needed.")
        if authorization.access_key_id != self.access_key_id:
            raise Refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        if missing := signature.unsigned(request, authorization):
            raise Refused(400, "SignatureDoesNotMatch", f"Not signed: {', '.join(missing)}.")
        if not signature.is_signed(request, authorization, self._secret):
            # The real gateway shows the text that it signed; the simulator doesn't, since it holds the whole request.
            raise Refused(400, "SignatureDoesNotMatch", "Specified signature does not match our calculation.")
        if request.headers.get("x-acs-security-token") != self.token:
            raise Refused(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch.")

    def _check_time(self, date: str, nonce: str) -> None:
        try:
            at = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise Refused(
                400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
            ) from None
        if abs(self.now() - at) > MAX_SKEW:
            raise Refused(
                400, "IllegalTimestamp", "The input parameter Timestamp is not supported: it is too old or new."
            )
        with self._lock:
            if nonce in self._nonces:
                raise Refused(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
            self._nonces[nonce] = None
            if len(self._nonces) > 100_000:
                self._nonces.popitem(last=False)


def payload(action: str, body: bytes) -> dict[str, Any]:
    """Return the parameters of a form, with OMS's own keys.

    Everything in a form is text: the name says which values are numbers or flags, nested values are JSON.

    :param action: the action.
    :param body: the form.
    :raises Refused: for a value that can't be read.
    """
    read: dict[str, Any] = {}
    for key, text in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        read[_camel(key)] = _value(action, key, text)
    return read


def _value(action: str, key: str, text: str) -> Any:
    wrong = Refused(400, f"Invalid{key}", f"Specified parameter {key} is not valid.")
    if key in _NUMBERS:
        if not text.isdecimal():
            raise wrong
        return int(text)
    if key in _FLAGS or key.startswith("Enable"):
        if text.lower() not in ("true", "false"):
            raise wrong
        return text.lower() == "true"
    if not _is_nested(action, key):
        return text
    try:
        return _camel_keys(json.loads(text))
    except ValueError:
        raise wrong from None


def _is_nested(action: str, key: str) -> bool:
    if key == "Status":
        return action == "ListProjects"  # a single text for ListProjectFullVerifyResult
    lists = ("LabelIds", "SourceEndpointTypes", "SinkEndpointTypes", "SourceSchemas", "DestSchemas", "Types", "Specs")
    return key in (*lists, "Databases", "TransferMapping") or key.endswith("TransferConfig")


def _camel(key: str) -> str:
    return key[:1].lower() + key[1:]


def _camel_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_camel(str(key)): _camel_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_camel_keys(item) for item in value]
    return value


#: Parts of an action's answer that the SDK doesn't declare, by path; ``*`` is every item of a list.
_ABSENT = {
    "CreateOmsMysqlDataSource": ("success", "code", "message", "advice", "cost", "errorDetail"),
    "DescribeProjectComponents": (
        "data.fullImportComponents.*.config",
        "data.fullVerifyComponents.*.config",
        "data.fullVerifyComponents.*.gmtCreate",
        "data.fullVerifyComponents.*.gmtModify",
        "data.fullVerifyComponents.*.identity",
        "data.incrSyncComponents.*.config",
        "data.incrSyncComponents.*.progress",
        "data.reverseIncrSyncComponents.*.config",
        "data.reverseIncrSyncComponents.*.progress",
    ),
    "ListDataSource": ("data.*.tryKeepHb",),
    "ListProjects": ("data.*.transferMapping.databases",),
}

#: Numbers that the SDK declares as texts.
_TEXTS = {
    "DescribeProjectComponents": (
        "data.fullVerifyComponents.*.progress",
        "data.incrSyncComponents.*.checkpoint",
        "data.reverseIncrSyncComponents.*.checkpoint",
    )
}


def _at(value: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each object at a path, with the path's last key."""
    key, _, rest = path.partition(".")
    if key == "*":
        for item in value if isinstance(value, list) else []:
            yield from _at(item, rest)
    elif isinstance(value, dict) and key in value:
        if rest:
            yield from _at(value[key], rest)
        else:
            yield value, key


def answer(action: str | None, body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of OMS in the form of the hosted OMS.

    :param action: the action.
    :param body: the answer, in OMS's own keys.
    """
    body = copy.deepcopy(body)
    if action == "DescribeProject" and isinstance(body.get("data"), list):
        body["data"] = body["data"][0]
    absent = _ABSENT.get(action or "", ()) if body.get("success") else ()
    for path in (*absent, "errorDetail.requestId"):
        for place, key in _at(body, path):
            del place[key]
    for path in _TEXTS.get(action or "", ()):
        for place, key in _at(body, path):
            place[key] = str(place[key])
    shaped = pascal(body, _OPEN)
    assert isinstance(shaped, dict)  # noqa: S101 - for the type checker
    return shaped
