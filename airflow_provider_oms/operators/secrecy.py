"""Keeping passwords out of everything that a task writes.

What OMS repeats of them is taken out where its answers are read: :mod:`airflow_provider_oms.client.redaction`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.client.redaction import Secrets, secrets_in


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
