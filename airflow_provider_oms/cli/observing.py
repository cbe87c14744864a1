"""Asks for a project, once or for a while."""

from __future__ import annotations

import time
from typing import Any

from airflow_provider_oms.cli.asking import Asker, Found
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.milestones.movement import Movement

#: Seconds between two polls of ``status``.
INTERVAL = 10.0


def ask(asker: Asker, found: Found, project_type: str) -> dict[str, Any]:
    """Ask for a project; see :func:`~airflow_provider_oms.milestones.facts.of_project`.

    :param asker: the asker
    :param found: the project
    :param project_type: ``MIGRATION`` or ``SYNC``; only API generation v3 needs it
    :raises OmsError: the subclass that says what went wrong
    """
    return asker.run_flow(facts.of_project(found.id, found.row, project_type))


def observe(asker: Asker, found: Found, project_type: str, length: float) -> dict[str, Any]:
    """Poll a project for a while, and return what is known at the end, with its movement.

    :param asker: the asker
    :param found: the project
    :param project_type: ``MIGRATION`` or ``SYNC``; only API generation v3 needs it
    :param length: seconds; 0 for one poll, which shows no movement
    :raises OmsError: when OMS gives no usable answer
    """
    end = time.monotonic() + length
    movement = Movement()
    while True:
        known = movement.add(ask(asker, found, project_type))
        left = end - time.monotonic()
        if left <= 0:
            return known
        time.sleep(min(INTERVAL, left))
        asker.begin()
