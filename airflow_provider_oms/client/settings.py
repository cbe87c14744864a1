"""The settings of a client: one object for both clients, so that each setting means the same in both."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsError, OmsInvalidRequestError
from airflow_provider_oms.client.redaction import Secrets
from airflow_provider_oms.client.safe_text import safe_repr

ApiVersion = Literal["v2", "v3", "alibaba_cloud"]

DEFAULT_PORT = 8089  # docs/develop/oms-wire.md#endpoint
CLOUD_PORTS = {"https": 443, "http": 80}  # docs/develop/oms-alibaba-cloud.md#wire
DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRIES = 3

#: Few enough not to overload OMS, and enough for a thousand polls per interval.
DEFAULT_MAX_CONCURRENT_REQUESTS = 20

#: Seconds to wait for a connection; a host that doesn't accept one by then counts as unreachable.
CONNECT_TIMEOUT = 10.0

# The characters of a host and of a path. Any other character may belong to a login that was typed into the host.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_CREDENTIAL = re.compile(r"[!-+\--~]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")
_PATH = re.compile(r"[A-Za-z0-9._~/-]*")


@dataclass(frozen=True)
class ClientSettings:
    """The settings of a client.

    :param base_url: scheme, host, port and, behind a proxy, a path; without a trailing slash
    :param login: an OMS console user; with ``alibaba_cloud`` the id of an AccessKey
    :param password: that user's password, or the AccessKey's secret
    :param verify: whether to check the server's certificate, or a path to the CA bundle to check it against
    :param timeout: seconds for one request, from its start to the last byte of the answer
    :param retries: how many times a failed read is tried again inside one call
    :param api_version: ``v2`` for ``POST /api/v2`` (docs/develop/oms-wire.md#endpoint), ``v3`` for the two progress
        endpoints of 3.3 (docs/develop/oms-wire.md#v3), ``alibaba_cloud`` for OMS hosted there
        (docs/develop/oms-alibaba-cloud.md#wire)
    :param max_concurrent_requests: the most requests that an asynchronous client sends at a time, for all its users;
        further requests wait
    :param security_token: with ``alibaba_cloud`` the token of temporary credentials (STS)
    :param source: where the settings come from, for messages, such as ``Airflow connection 'oms_default'``
    """

    base_url: str
    login: str = ""
    password: str = field(default="", repr=False)
    verify: bool | str = True
    timeout: float = DEFAULT_TIMEOUT
    retries: int = DEFAULT_RETRIES
    api_version: ApiVersion = "v2"
    max_concurrent_requests: int = DEFAULT_MAX_CONCURRENT_REQUESTS
    security_token: str | None = field(default=None, repr=False)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and math.isfinite(self.timeout)):
            raise OmsInvalidRequestError(f"timeout must be a number of seconds above 0, not {self.timeout!r}.")
        if self.retries < 0:
            raise OmsInvalidRequestError(f"retries must be 0 or more, not {self.retries!r}.")
        if self.api_version not in get_args(ApiVersion):
            raise OmsInvalidRequestError(
                f"api_version must be 'v2', 'v3' or 'alibaba_cloud', not {self.api_version!r}."
            )
        if self.hosted:
            self._check_access_key()

    def _check_access_key(self) -> None:
        """Raise an error for an AccessKey that can't be put into a header unchanged. The error doesn't show it."""
        if not (self.login and self.password):
            raise OmsInvalidRequestError("alibaba_cloud needs an AccessKey: its id as login, its secret as password.")
        for name, value in (
            ("login", self.login),
            ("password", self.password),
            ("security_token", self.security_token),
        ):
            if value and not _CREDENTIAL.fullmatch(value):
                raise OmsInvalidRequestError(f"{name} holds a character that no AccessKey of Alibaba Cloud has.")

    @property
    def hosted(self) -> bool:
        """Whether the connection is to the OMS in Alibaba Cloud."""
        return self.api_version == "alibaba_cloud"

    @cached_property
    def origin(self) -> str:
        """The address of the OMS, with a digest of the user: another user may not see the same projects.

        Source: docs/develop/oms-wire.md#users
        """
        return f"{self.base_url}#{sha256(self.login.encode()).hexdigest()[:12]}" if self.login else self.base_url

    @property
    def connect_timeout(self) -> float:
        """Seconds for connecting; always less than ``timeout``, so that an error can say which of the two ran out."""
        return min(CONNECT_TIMEOUT, self.timeout / 2)

    @cached_property
    def authorization(self) -> str:
        """The value of the ``Authorization`` header (HTTP Basic, UTF-8): docs/develop/oms-wire.md#authentication"""
        return "Basic " + encode_secret(f"{self.login}:{self.password}", "login and password")

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets of the connection, which must not be shown."""
        basic = (self.password, f"{self.login}:{self.password}") if self.password else ()
        return Secrets(*basic, *((self.security_token,) if self.security_token else ()))

    def explain(self, error: OmsError) -> OmsError:
        """Return the error of a call as it is shown: for a refused login, with the user and where the login comes from.

        :param error: the error of a call
        """
        if not isinstance(error, OmsAuthenticationError):
            return error
        user = "" if self.hosted else f"OMS user {safe_repr(self.login, 100)}"
        whose = ", ".join(filter(None, (user, self.source)))
        return type(error)(f"{error.problem} ({whose})" if whose else error.problem, error.details)

    @property
    def ca_bundle(self) -> bool | str:
        """The path of the CA bundle for verifying certificates; False if they aren't verified.

        If the connection names no bundle, ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` are used, as in ``requests``.
        """
        if self.verify is not True:
            return self.verify
        from certifi import where

        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or where()


def encode_secret(secret: str, what: str) -> str:
    """Encode a secret in Base64 (UTF-8).

    :param secret: the secret
    :param what: what it is, for the error
    :raises OmsInvalidRequestError: when it holds a lone surrogate; Python's own error would show the secret
    """
    try:
        return b64encode(secret.encode()).decode()
    except UnicodeEncodeError:
        raise OmsInvalidRequestError(f"{what} can't be written as UTF-8.") from None


def build_base_url(
    host: str | None, port: int | None = None, scheme: str | None = None, api_version: str = "v2"
) -> str:
    """Build the base URL from the parts of a connection.

    No error shows the host, because a login that was typed into it can't always be recognised.

    :param host: a name, an address, or a whole URL
    :param port: the console's port; a port in the host wins. When empty, 8089; with ``alibaba_cloud`` the usual port of
        the scheme
    :param scheme: ``http`` or ``https``; a scheme in the host wins. When empty, ``http``; with ``alibaba_cloud``
        ``https``
    :param api_version: the API generation
    :raises OmsInvalidRequestError: when the address is invalid
    """
    address = (host or "").strip()
    if not address:
        raise OmsInvalidRequestError("The connection has no host. Enter the address of the OMS console.")
    if "://" not in address:
        if _ip_address(address):
            address = f"[{address}]"
        usual = "https" if api_version == "alibaba_cloud" else "http"
        address = f"{(scheme or usual).strip().lower()}://{address}"
    if "@" in address or "%40" in address:
        raise OmsInvalidRequestError("The host holds a login. Enter it in the fields login and password.")
    try:
        parts = urlsplit(address)
        in_host, name = parts.port, parts.hostname or ""
    except ValueError:
        parts, in_host, name = urlsplit("http:"), None, ""
    if parts.scheme not in ("http", "https"):
        raise OmsInvalidRequestError("The schema must be http or https.")
    if not _is_host(name) or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise OmsInvalidRequestError("The host isn't the address of an OMS console: give a name or an IP address.")
    if port is not None and not 0 <= port <= 65535:
        raise OmsInvalidRequestError(f"The port must be from 1 to 65535, not {port!r}.")
    shown = f"[{name}]" if ":" in name else name
    default = CLOUD_PORTS[parts.scheme] if api_version == "alibaba_cloud" else DEFAULT_PORT
    return f"{parts.scheme}://{shown}:{in_host or port or default}{parts.path.rstrip('/')}"


def _ip_address(text: str) -> bool:
    """Return whether a text is an IPv6 address without brackets."""
    if not _IPV6.fullmatch(text):
        return False
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _is_host(name: str) -> bool:
    if ":" in name:
        return _ip_address(name)
    try:
        labels = name.encode("idna").decode().lower().removesuffix(".").split(".")
    except UnicodeError:  # raised for an empty label, and for one that is too long
        return False
    return all(map(_LABEL.fullmatch, labels))


def read_api_version(value: str) -> ApiVersion:
    """Return the name of an API generation in lower case. :class:`ClientSettings` raises an error for an unknown one.

    :param value: the name as it was given
    """
    return cast(ApiVersion, value.strip().lower())
