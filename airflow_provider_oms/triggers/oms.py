"""Waiting for a milestone in the triggerer."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_oms.client.operations import arun_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.milestones import checks as _checks  # noqa: F401 - now, and not in the event loop
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import Memory, State, Verdict
from airflow_provider_oms.tasks.reporting import Reporter
from airflow_provider_oms.triggers.shared import SharedOms, shared_oms

#: Seconds: Airflow 3.3 fails some tasks that resume sooner than this after deferring, so no gate polls earlier.
#: Source: docs/develop/airflow-facts.md#short-deferral
SETTLE = 5.0

#: Part of the interval that an answer of another gate may be old. Gates on a project poll at the same moments, so
#: this only has to cover how unevenly a busy loop wakes them.
FRESH = 0.1

#: Seconds: below it the cost of a poll would count more than what it could find.
SHORTEST_INTERVAL = 1.0

#: Seconds for the poll at the deadline.
LAST_POLL = 60.0


class OmsMilestoneTrigger(BaseTrigger):
    """Look at a project once an interval until a gate opens, fails or times out. It changes nothing in OMS.

    It fires once, with ``{"status": "reached"|"failed"|"timeout", "message": ..., "observed": {...}}``.

    :param gate: the settings, as :meth:`Gate.as_dict` gives them; there is no secret in them
    :param deadline: wall-clock time (Unix seconds) at which it gives up; None for never
    :param memory: what the gate remembers from its poll on the worker
    """

    def __init__(
        self, gate: Mapping[str, Any], deadline: float | None = None, memory: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.gate = dict(gate)
        self.deadline = deadline
        self.memory = dict(memory or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow keeps of the trigger, on some versions in plain text.

        Source: docs/develop/airflow-facts.md#triggers
        """
        kwargs = {"gate": self.gate, "deadline": self.deadline, "memory": self.memory}
        return f"{type(self).__module__}.{type(self).__qualname__}", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, poll, and fire once."""
        gate, memory = Gate.from_dict(self.gate), Memory.from_dict(self.memory)
        reporter = Reporter(gate, self.log)
        async with shared_oms(gate.oms_conn_id) as oms:
            verdict = await self._wait(gate, memory, oms, reporter)
        yield TriggerEvent(event_of(verdict))
        return  # docs/develop/airflow-facts.md#on-kill

    async def _wait(self, gate: Gate, memory: Memory, oms: SharedOms, reporter: Reporter) -> Verdict:
        # Airflow's dag.test() runs a trigger without a task instance; nothing has to settle there.
        # Source: docs/develop/airflow-facts.md#dag-test
        settle = SETTLE if self.task_instance is not None else 0.0
        while True:
            pause = pause_before_poll(gate, time.time(), settle, memory.project_id)
            settle = 0.0
            left = None if self.deadline is None else self.deadline - time.time()
            if left is not None and left <= pause:
                await asyncio.sleep(max(0.0, left))
                return await self._last_poll(gate, memory, oms)
            await asyncio.sleep(pause)
            verdict = await shared_poll(gate, memory, oms)
            reporter.report(verdict)
            if verdict.state is not State.WAITING:
                return verdict
            del verdict  # of thousands of gates: what is kept while they sleep, the garbage collector goes through

    async def _last_poll(self, gate: Gate, memory: Memory, oms: SharedOms) -> Verdict:
        """Poll once more at the deadline: what was reached meanwhile counts."""
        try:
            async with asyncio.timeout(LAST_POLL):
                return await shared_poll(gate, memory, oms)
        except TimeoutError:
            return Verdict(State.WAITING, f"OMS gave no answer within {LAST_POLL:g} s.")


def event_of(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as the payload of an event. A gate that still waits at its deadline has timed out.

    :param verdict: what the last poll came to
    """
    status = "timeout" if verdict.state is State.WAITING else verdict.state.value
    return {"status": status, "message": verdict.message, "observed": verdict.observed.as_dict()}


def pause_before_poll(gate: Gate, now: float, settle: float = 0.0, project_id: str | None = None) -> float:
    """Return the seconds until the gate's next poll.

    Gates with the same project and interval poll at the same moments, so that one request serves them all. Which
    moments those are depends on the project, so that a thousand projects aren't polled all together.

    :param gate: the gate's settings
    :param now: the wall clock, Unix seconds
    :param settle: seconds that it must wait at least
    :param project_id: the project, where the gate itself only has its name
    """
    interval = max(gate.poke_interval, SHORTEST_INTERVAL)
    phase = zlib.crc32(f"{gate.oms_conn_id} {project_id or gate.project}".encode()) / 2**32 * interval
    # A poll that was a little early isn't repeated at once.
    least = max(settle, interval * FRESH)
    return least + (phase - now - least) % interval


async def shared_poll(gate: Gate, memory: Memory, oms: SharedOms) -> Verdict:
    """Poll once, sharing the requests with other gates.

    :param gate: the gate's settings
    :param memory: what the gate remembers; changed on the way
    :param oms: the shared session
    """
    return await arun_flow(_Asker(oms, gate.poke_interval * FRESH), poll(gate, memory, time.time()))


class _Asker:
    """Sends the calls of one poll, in the order of their answers: a later one is never older than an earlier one."""

    def __init__(self, oms: SharedOms, fresh_for: float) -> None:
        self._oms = oms
        self._fresh_for = fresh_for
        self._after = 0.0

    async def asend(self, call: Call[Any]) -> Answer[Any]:
        answer, came_at = await self._oms.ask(call, fresh_for=self._fresh_for, after=self._after)
        self._after = max(self._after, came_at)
        return answer
