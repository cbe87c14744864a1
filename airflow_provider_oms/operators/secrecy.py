"""Keeping passwords out of everything that a task writes."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.settings import encode_secret

#: What follows where an answer was cut short to be quoted.
_CUT = r"(?=$|['\"]|\.\.\.)"

#: Fewer characters of a secret than these tell nothing, and would be found everywhere.
_SHORTEST_PART = 3

_SENSITIVE = ("password", "passwd", "secret", "accesskey", "access_key", "token")


def hide(*secrets: str | None) -> list[str]:
    """Have Airflow mask secrets in logs, in clear and in Base64, and return both forms.

    :param secrets: in clear
    """
    from airflow.providers.common.compat.sdk import mask_secret

    forms = [form for secret in secrets if secret for form in (secret, encode_secret(secret, "a password"))]
    for form in forms:
        mask_secret(form)
    return forms


def hide_secrets(payload: Mapping[str, Any]) -> list[str]:
    """Have Airflow mask what stands under keys such as ``password``, and return it, in all forms.

    :param payload: what is to be sent; OMS wants passwords in Base64, so what is in it is hidden, too
    """
    secrets = list(_found(payload))
    return hide(*secrets, *filter(None, map(_decoded, secrets)))


@contextmanager
def redacted_error(secrets: Iterable[str]) -> Iterator[None]:
    """Take secrets out of an error of OMS, should it repeat what it was sent.

    :param secrets: all forms of them
    """
    try:
        yield
    except OmsError as error:
        said = {name: redact(value, secrets) for name, value in vars(error.details).items() if isinstance(value, str)}
        details = replace(error.details, **said)  # type: ignore[arg-type]  # only those that are text
        raise type(error)(redact(error.problem, secrets), details) from None


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets by asterisks, also one that was cut where the text was.

    :param text: the text
    :param secrets: all forms of them
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
        for length in range(len(secret) - 1, _SHORTEST_PART - 1, -1):
            text = re.sub(re.escape(secret[:length]) + _CUT, "***", text)
    return text


def _decoded(secret: str) -> str | None:
    try:
        return b64decode(secret, validate=True).decode()
    except ValueError:
        return None


def _found(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _found(item, str(key).lower())
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _found(item, name)
    elif isinstance(value, str) and any(word in name for word in _SENSITIVE):
        yield value
