"""The section ``[oms]`` of Airflow's configuration, read only when it is needed."""

from __future__ import annotations

import logging

from airflow_provider_oms.client.settings import DEFAULT_MAX_CONCURRENT_REQUESTS

log = logging.getLogger(__name__)

SECTION = "oms"


#: If deferred gates wait for more projects than this, they use the list of projects.
DEFAULT_LIST_ABOVE = 10


def max_concurrent_requests() -> int:
    """Return how many requests a triggerer sends at most at a time over each connection to OMS.

    An invalid value doesn't stop a gate: the default is used, and a warning is logged.
    """
    return _whole("max_concurrent_requests", DEFAULT_MAX_CONCURRENT_REQUESTS, least=1)


def list_above() -> int:
    """Return for how many projects of a connection a triggerer asks separately; for more it reads the list of all.

    An invalid value doesn't stop a gate: the default is used, and a warning is logged.
    """
    return _whole("list_above", DEFAULT_LIST_ABOVE, least=0)


def _whole(name: str, default: int, *, least: int) -> int:
    from airflow.providers.common.compat.sdk import conf

    text = conf.get(SECTION, name, fallback=str(default))
    try:
        if (number := int(str(text))) >= least:
            return number
    except ValueError:
        pass
    log.warning(
        "[%s] %s must be a whole number, %d or more, not %r; the default of %d is used.",
        SECTION,
        name,
        least,
        text,
        default,
    )
    return default


def metrics_are_on() -> bool:
    """Return whether gates send Airflow's metrics (``[oms] metrics``). An invalid value means no, with a warning."""
    from airflow.providers.common.compat.sdk import conf

    text = str(conf.get(SECTION, "metrics", fallback="False")).strip().lower()
    if text not in ("true", "t", "1", "false", "f", "0", ""):
        log.warning("[%s] metrics must be True or False, not %r; nothing is counted.", SECTION, text)
    return text in ("true", "t", "1")
