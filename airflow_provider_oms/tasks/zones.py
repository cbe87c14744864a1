"""Reads times without a time zone in the same way as Airflow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_provider_oms.milestones import arguments


def in_default_zone(naive: datetime) -> datetime:
    """Return a time without a zone in the zone of ``[core] default_timezone``, as Airflow does with a DAG's dates.

    :param naive: the time
    """
    from airflow.providers.common.compat.sdk import timezone

    aware: datetime = timezone.parse(naive.isoformat())
    return aware


def read_moment(name: str, value: Any) -> float:
    """Read a point in time as Unix seconds.

    :param name: the argument's name
    :param value: a datetime, ISO 8601 text, or Unix seconds
    :raises ValueError: if an argument is invalid; the message names it
    """
    return arguments.moment(name, value, in_default_zone)


def zone_note(name: str, value: Any) -> str | None:
    """Return a sentence about the zone in which a time without one was read; None if it has a zone or is a number.

    :param name: the argument's name
    :param value: as for :func:`read_moment`
    """
    taken: list[datetime] = []

    def noting(naive: datetime) -> datetime:
        taken.append(in_default_zone(naive))
        return taken[0]

    arguments.moment(name, value, noting)
    if not taken:
        return None
    return f"{name} has no time zone; it is taken for {taken[0].isoformat()}, in the zone of [core] default_timezone."
