"""Makes one poll from a worker, over a hook."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.client.operations import Sender, run_flow
from airflow_provider_oms.hooks.connection import NoConnection
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import Verdict
from airflow_provider_oms.tasks.clock import within_process


def poll_once(hook: OmsHook, gate: Gate, memory: Memory, clock: Callable[[], Now] = within_process) -> Verdict:
    """Poll a gate's project once, from a worker.

    :param hook: the hook to ask
    :param gate: the gate's settings
    :param memory: what the gate remembers; it is changed
    :param clock: the clock of all polls that share the memory
    """
    sender, oms = connect(hook)
    return run_flow(sender, poll(gate, memory, clock(), oms))


def connect(hook: OmsHook, sender: Sender | None = None) -> tuple[Sender, str]:
    """Return the sender to poll with, and the origin of the answers; empty if the connection can't be read.

    :param hook: the hook
    :param sender: what sends the calls; by default the hook
    """
    try:
        oms = hook.origin()
    except OmsError as error:
        return NoConnection(error), ""
    return sender or hook, oms
