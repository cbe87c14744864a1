"""Keeps passwords out of everything that a task writes.

Passwords that OMS repeats in its answers are removed when the answers are read:
:mod:`airflow_provider_oms.client.redaction`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.client.redaction import Secrets, secrets_in


def hide(*secrets: str | None) -> None:
    """Make Airflow mask secrets in logs, in every form in which they may be written.

    :param secrets: the secrets, in clear text or as they are sent
    """
    from airflow.providers.common.compat.sdk import mask_secret

    for form in Secrets(*secrets).forms():
        mask_secret(form)


def hide_secrets(payload: Mapping[str, Any]) -> None:
    """Make Airflow mask the values under keys such as ``password``.

    :param payload: the payload to be sent; OMS expects passwords in Base64, so their decoded form is masked, too
    """
    hide(*secrets_in(payload))
