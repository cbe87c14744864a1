"""Waiting for a milestone from inside a task: the poll on the worker, the way into the triggerer and back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.exceptions import OmsMilestoneFailedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import Memory, Verdict

#: Seconds that Airflow's own time-out of a deferral is later than the trigger's, whose message says more. What
#: Airflow's own does differs between its versions: docs/develop/airflow-facts.md#timeouts
SLACK = 120.0


def poll_once(hook: OmsHook, gate: Gate, memory: Memory) -> Verdict:
    """Look at a gate's project once, from a worker.

    :param hook: the hook to ask
    :param gate: the gate's settings
    :param memory: what the gate remembers; changed on the way
    """
    return run_flow(hook, poll(gate, memory, time.time()))


def defer_until_reached(task: Any, gate: Gate, memory: Memory, timeout: float | None) -> None:
    """Hand a gate over to the triggerer; the task goes on in its ``execute_complete``.

    :param task: the operator or sensor
    :param gate: the gate's settings
    :param memory: what the poll on the worker has left to remember
    :param timeout: seconds that are left for waiting; None for no end
    :raises TaskDeferred: always
    """
    from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

    task.defer(
        trigger=OmsMilestoneTrigger(
            gate=gate.as_dict(),
            deadline=None if timeout is None else time.time() + timeout,
            memory=memory.as_dict(),
        ),
        method_name="execute_complete",
        timeout=None if timeout is None else timedelta(seconds=timeout + SLACK),
    )


def check_event(event: Any) -> tuple[str, str, dict[str, Any]]:
    """Return status, message and sighting of a trigger's event.

    :raises OmsMilestoneFailedError: when the event is none that the trigger is known to send
    """
    if isinstance(event, Mapping) and event.get("status") in ("reached", "failed", "timeout"):
        observed = event.get("observed")
        return str(event["status"]), str(event.get("message")), dict(observed) if isinstance(observed, Mapping) else {}
    raise OmsMilestoneFailedError(f"The trigger sent an event that is not known: {event!r}. The gate stays shut.")
