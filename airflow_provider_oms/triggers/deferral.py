"""Defers a gate to the triggerer, and resumes it.

The trigger is in :mod:`airflow_provider_oms.triggers.oms`. What Airflow stores of the trigger is defined in
:mod:`airflow_provider_oms.tasks.row`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_oms import __version__
from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.subject import Subject
from airflow_provider_oms.tasks.row import RESOLVED, UNREADABLE, Row, writer

#: Seconds by which Airflow's own time-out of a deferral is later than the trigger's, because the trigger's message says
#: more. The effect of Airflow's time-out differs between versions: docs/develop/airflow-facts.md#timeouts
SLACK = 120.0


def defer_until_reached(task: Any, gate: Gate, memory: Memory, timeout: float | None) -> None:
    """Defer a gate to the triggerer; the task resumes in its ``execute_complete``.

    Only the resolved names and the OMS in which the project was observed are passed on from the memory. The trigger
    can't distinguish its start from a restart, and after a restart days later, everything else would be stale.

    :param task: the operator or sensor
    :param gate: the gate's settings
    :param memory: the memory of the polls on the worker
    :param timeout: the remaining seconds; None for no time-out
    :raises TaskDeferred: always
    """
    _defer(task, Row(gate, None if timeout is None else time.time() + timeout, memory.projects, memory.observed))


def defer_again(task: Any, event: Mapping[str, Any]) -> None:
    """Defer a gate again after its trigger has resolved the project's name; the new row holds the project's id.

    The deadline and the settings stay the same, even if the DAG was changed in the meantime.

    :param task: the sensor
    :param event: an event for which :func:`is_resolved` holds
    :raises TaskDeferred: always
    :raises OmsOperationError: if this version can't read the row; a retry writes a new one
    """
    stored = event.get("row")
    try:
        row = Row.from_kwargs(stored if isinstance(stored, Mapping) else {})
    except ValueError as error:
        raise OmsOperationError(str(error)) from None
    _defer(task, row)


def _defer(task: Any, row: Row) -> None:
    from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

    left = None if row.deadline is None else max(0.0, row.deadline - time.time())
    task.defer(
        trigger=OmsMilestoneTrigger(**row.as_kwargs()),
        method_name="execute_complete",
        timeout=None if left is None else timedelta(seconds=left + SLACK),
    )


def is_resolved(event: Any) -> bool:
    """Return whether a trigger's event only says that the project's name is resolved.

    :param event: the event
    """
    return isinstance(event, Mapping) and event.get("status") == RESOLVED


def subject_of(event: Any) -> Subject | None:
    """Return what a trigger's event is about; None if it doesn't say.

    :param event: what the trigger sent
    """
    return Subject.read(event.get("subject")) if isinstance(event, Mapping) else None


def check_event(event: Any) -> tuple[str, str, dict[str, Any]]:
    """Return status, message and observation of a trigger's event.

    :param event: the event
    :raises OmsMilestoneFailedError: if the event is unknown
    :raises OmsOperationError: if the trigger couldn't read its row; a retry writes a new one
    """
    if isinstance(event, Mapping) and event.get("status") == UNREADABLE:
        raise OmsOperationError(str(event.get("message")))
    if isinstance(event, Mapping) and event.get("status") in ("reached", "failed", "timeout"):
        observed = event.get("observed")
        if isinstance(observed, Mapping):
            return str(event["status"]), str(event.get("message")), dict(observed)
    raise OmsMilestoneFailedError(
        f"The trigger sent an event that is not known: {safe_text(event, 200)}. It was written by {writer(event)} of "
        f"airflow-provider-oms; this is version {__version__}. The gate stays shut. Install the same version "
        "everywhere, then clear this task."
    )
