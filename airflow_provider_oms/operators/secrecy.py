"""Keeping passwords out of everything that a task writes.

What OMS repeats of them is taken out where its answers are read: :mod:`airflow_provider_oms.client.redaction`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from airflow_provider_oms.client.redaction import Secrets, secrets_in

E = TypeVar("E", bound=BaseException)


def hide(*secrets: str | None) -> None:
    """Have Airflow mask secrets in logs, in every form in which they may be written.

    :param secrets: in clear, or as they are sent
    """
    from airflow.providers.common.compat.sdk import mask_secret

    for form in Secrets(*secrets).forms():
        mask_secret(form)


def hide_secrets(payload: Mapping[str, Any]) -> None:
    """Have Airflow mask what stands under keys such as ``password``.

    :param payload: what is to be sent; OMS wants passwords in Base64, so what is in it is hidden, too
    """
    hide(*secrets_in(payload))


def without_frames(error: E) -> E:
    """Return an error without the frames that it came through, and without the errors that it came from.

    Some log handlers show what is in frames, and an Airflow connection shows its password.

    :param error: the error, to be raised outside of an ``except``
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
