"""Checks Alibaba Cloud's signature ACS3-HMAC-SHA256. Pure: takes headers and a body, returns a verdict."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

ALGORITHM = "ACS3-HMAC-SHA256"

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<key>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+), *"
    r"Signature=(?P<signature>[0-9a-f]+)"
)


@dataclass(frozen=True)
class Authorization:
    """The content of an Authorization header of ACS3-HMAC-SHA256."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    signature: str


@dataclass(frozen=True)
class SignedRequest:
    """A request as it is signed. The names of the headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def parse(header: str | None) -> Authorization | None:
    """Parse an Authorization header; None for another algorithm."""
    found = _AUTHORIZATION.fullmatch((header or "").strip())
    if found is None:
        return None
    return Authorization(found["key"], tuple(found["headers"].split(";")), found["signature"])


def unsigned(request: SignedRequest, authorization: Authorization) -> list[str]:
    """Return the headers that must be signed and aren't: the host and everything that begins with ``x-acs-``."""
    needed = {"host", *(name for name in request.headers if name.startswith("x-acs-"))}
    return sorted(needed - set(authorization.signed_headers))


def canonical(request: SignedRequest, signed_headers: tuple[str, ...]) -> str:
    """Return the canonical request, whose hash is signed."""
    query = "&".join(
        f"{quote(key, safe='~')}={quote(value, safe='~')}"
        for key, value in sorted(parse_qsl(request.query, keep_blank_values=True))
    )
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in sorted(signed_headers))
    digest = hashlib.sha256(request.body).hexdigest()
    return "\n".join((request.method, request.path or "/", query, headers, ";".join(sorted(signed_headers)), digest))


def sign(request: SignedRequest, signed_headers: tuple[str, ...], secret: str) -> str:
    """Return the signature of a request.

    :param request: the request.
    :param signed_headers: the names of the headers that are signed.
    :param secret: the AccessKey secret.
    """
    digest = hashlib.sha256(canonical(request, signed_headers).encode()).hexdigest()
    return hmac.new(secret.encode(), f"{ALGORITHM}\n{digest}".encode(), hashlib.sha256).hexdigest()


def is_signed(request: SignedRequest, authorization: Authorization, secret: str) -> bool:
    """Whether a request has the right signature, and the right hash of its body."""
    if request.headers.get("x-acs-content-sha256") != hashlib.sha256(request.body).hexdigest():
        return False
    return hmac.compare_digest(sign(request, authorization.signed_headers, secret), authorization.signature)
