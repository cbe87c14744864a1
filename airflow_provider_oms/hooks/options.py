"""The section ``[oms]`` of Airflow's configuration, read only when it is needed."""

from __future__ import annotations

import logging

from airflow_provider_oms.client.settings import DEFAULT_MAX_CONCURRENT_REQUESTS

log = logging.getLogger(__name__)

SECTION = "oms"


def max_concurrent_requests() -> int:
    """Return the most requests that a triggerer sends at a time over each connection to OMS.

    An invalid value doesn't stop a gate: the default is used, and a warning is logged.
    """
    from airflow.providers.common.compat.sdk import conf

    text = conf.get(SECTION, "max_concurrent_requests", fallback=str(DEFAULT_MAX_CONCURRENT_REQUESTS))
    try:
        if (number := int(str(text))) >= 1:
            return number
    except ValueError:
        pass
    log.warning(
        "[%s] max_concurrent_requests must be a whole number from 1 on, not %r; it is taken as %d.",
        SECTION,
        text,
        DEFAULT_MAX_CONCURRENT_REQUESTS,
    )
    return DEFAULT_MAX_CONCURRENT_REQUESTS
