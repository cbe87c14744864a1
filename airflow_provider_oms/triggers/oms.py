"""Waiting for a milestone in the triggerer."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_oms import __version__
from airflow_provider_oms.client.errors import OmsError, OmsUnreachableError
from airflow_provider_oms.client.operations import AsyncSender, arun_flow
from airflow_provider_oms.client.protocol import Answer, Call
from airflow_provider_oms.hooks.connection import NoConnection
from airflow_provider_oms.milestones import checks as _checks  # noqa: F401 - so that it isn't imported in the event loop
from airflow_provider_oms.milestones.context import name_of, project_of
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.gate import DEFAULT_POKE_INTERVAL, SHORTEST_INTERVAL, Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.rows import make_all_due
from airflow_provider_oms.milestones.subject import Subject
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict
from airflow_provider_oms.tasks.clock import within_process
from airflow_provider_oms.tasks.metrics import metrics_of
from airflow_provider_oms.tasks.reporting import Reporter
from airflow_provider_oms.tasks.row import RESOLVED, UNREADABLE, Row
from airflow_provider_oms.triggers.listing import is_listed, list_of_all, spread_of
from airflow_provider_oms.triggers.shared import ConnectionReplacedError, Share, SharedSession, shared_oms

#: Seconds. Airflow 3.3 fails some tasks that resume sooner than this after deferring, so no gate polls earlier.
#: Source: docs/develop/airflow-facts.md#short-deferral
SETTLE = 5.0

#: The greatest age of another gate's answer, as a part of the interval. Gates on one project poll at the same moments,
#: so this only has to cover the delays of a busy event loop.
FRESH = 0.1

#: The greatest age in seconds, whatever the interval: with one poll a day, a tenth would be hours.
OLDEST = 5.0

#: Seconds that the poll at the deadline may take.
LAST_POLL = 60.0


class OmsMilestoneTrigger(BaseTrigger):
    """Poll a project once per interval until a gate opens, fails or times out. It changes nothing in OMS.

    It sends one event, ``{"status": "reached"|"failed"|"timeout", "message": ..., "observed": {...}, "subject": {...},
    "version": ..., "oms": ...}``. The status is ``resolved``, with the row for the next deferral, once the trigger has
    resolved a name. It is ``unreadable`` if another version wrote a row that this version can't read.

    Airflow passes the same arguments again after every restart and upgrade, so they hold nothing that becomes stale.
    After a restart an outage, a failure's grace and ``hold_for`` are counted from 0 again. See
    :mod:`airflow_provider_oms.tasks.row`.

    :param gate: the settings, as :meth:`Gate.as_dict` returns them; they hold no secret
    :param deadline: wall-clock time (Unix seconds) at which the gate times out; None for never
    :param projects: the resolved ids of projects, by name
    :param observed: in which OMS, and by which user, a project was observed, by the project's id
    :param version: the version of the package that wrote this
    :param others: arguments that another version wrote; they are passed on unchanged
    """

    def __init__(
        self,
        gate: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        projects: Mapping[str, str] | None = None,
        observed: Mapping[str, str] | None = None,
        version: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__()
        self.gate = gate
        self.deadline = deadline
        self.projects = projects
        self.observed = observed
        self.version = version
        self._others = others

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores of the trigger, on some versions in plain text.

        Source: docs/develop/airflow-facts.md#triggers
        """
        kwargs = {
            "gate": self.gate,
            "deadline": self.deadline,
            "projects": self.projects,
            "observed": self.observed,
            "version": self.version,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", {**kwargs, **self._others}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, poll, and send one event."""
        try:
            row = Row.from_kwargs(self.serialize()[1])
        except ValueError as error:
            await asyncio.sleep(self._settle())
            yield TriggerEvent(event(UNREADABLE, Verdict(State.FAILED, str(error)), None))
            return
        async for fired in self.follow(row):
            yield fired

    async def follow(self, row: Row) -> AsyncIterator[TriggerEvent]:
        """Wait, poll, and send one event.

        :param row: the gate and its deadline
        """
        gate, memory = row.gate, Memory(projects=dict(row.projects), observed=dict(row.observed))
        reporter = Reporter(gate, self.log, metrics_of(gate, beside_the_loop=True))
        one = (project_of(gate, memory) or gate.project) if gate.fleet is None else None
        async with shared_oms(gate.oms_conn_id, one) as share:
            payload = await self._wait(row, memory, share, reporter)
        yield TriggerEvent(payload)
        return  # docs/develop/airflow-facts.md#on-kill

    async def _wait(self, row: Row, memory: Memory, share: Share, reporter: Reporter) -> dict[str, Any]:
        gate = row.gate
        settle = self._settle()
        while True:
            spread = None
            if gate.fleet is not None or is_listed(share):
                spread = spread_of(share, _fresh_for(gate))
            pause = pause_before_poll(gate, time.time(), settle, project_of(gate, memory), spread=spread)
            left = None if row.deadline is None else row.deadline - time.time()
            if left is not None and left <= pause:
                await asyncio.sleep(max(0.0, settle, left))
                last = await self._last_poll(gate, memory, share)
                reporter.count(last)
                return event_of(gate, last, memory.oms)
            await asyncio.sleep(pause)
            settle = 0.0
            verdict = await shared_poll(gate, memory, share)
            reporter.report(verdict)
            if verdict.state is not State.WAITING:
                return event_of(gate, verdict, memory.oms)
            if memory.projects != row.projects:
                return _resolved(replace(row, projects=memory.projects, observed=memory.observed), verdict)
            # Thousands of gates may sleep here, and the garbage collector visits every object that they hold.
            del verdict

    def _settle(self) -> float:
        """Return the least seconds until the event; 0 in ``dag.test()``, which runs a trigger without a task instance.

        Source: docs/develop/airflow-facts.md#dag-test
        """
        return SETTLE if self.task_instance is not None else 0.0

    async def _last_poll(self, gate: Gate, memory: Memory, share: Share) -> Verdict:
        """Poll once more at the deadline, so that a milestone reached just before it counts."""
        try:
            async with asyncio.timeout(LAST_POLL):
                return await shared_poll(gate, memory, share, last=True)
        except TimeoutError:
            observed = Observation(project=project_of(gate, memory), name=name_of(gate, memory))
            return Verdict(State.WAITING, f"OMS gave no answer within {duration(LAST_POLL)}.", observed)


def event_of(gate: Gate, verdict: Verdict, oms: str = "") -> dict[str, Any]:
    """Return a verdict as the payload of an event. A gate that still waits at its deadline has timed out.

    :param gate: the gate's settings
    :param verdict: the verdict of the last poll
    :param oms: the origin of the last answers, empty if it isn't known
    """
    status = "timeout" if verdict.state is State.WAITING else verdict.state.value
    return {**event(status, verdict, gate.subject(verdict.observed)), "oms": oms}


def _resolved(row: Row, verdict: Verdict) -> dict[str, Any]:
    """Return the event of a gate that has resolved a name.

    A gate always watches the same project. After a restart it would look up the name again, and might find another
    project that was created with the same name. Only a worker can write the id into the row, so the task resumes.
    """
    return {**event(RESOLVED, verdict, row.gate.subject(verdict.observed)), "row": row.as_kwargs()}


def event(status: str, verdict: Verdict, subject: Subject | None) -> dict[str, Any]:
    """Return the payload of an event.

    :param status: the status, which decides what the worker does
    :param verdict: the verdict
    :param subject: what it is about; None if the trigger doesn't know
    """
    return {
        "status": status,
        "message": verdict.message,
        "observed": verdict.observed.as_dict(),
        "subject": None if subject is None else subject._asdict(),
        "version": __version__,
    }


def pause_before_poll(
    gate: Gate, now: float, settle: float = 0.0, project_id: str | None = None, *, spread: float | None = None
) -> float:
    """Return the seconds until the gate's next poll.

    Gates with the same project and interval poll at the same moments, so that one request serves them all. These
    moments depend on the project, so that a thousand projects aren't polled at once. If gates use the list of
    projects, the moments depend on the connection only, and the gates poll one after another while the list is fresh.

    :param gate: the gate's settings
    :param now: the wall clock, Unix seconds
    :param settle: the least seconds to wait
    :param project_id: the project's id, if the gate itself only has the name
    :param spread: the seconds over which the polls of the gates that use the list of projects are spread; None if this
        gate doesn't use the list
    """
    interval = max(gate.poke_interval, SHORTEST_INTERVAL)
    place = _share_of(f"{gate.oms_conn_id} {project_id or gate.project}")
    phase = place * interval
    if spread is not None:
        # The phase doesn't depend on the interval, so that gates with intervals of 30 and 60 s poll together.
        phase = _share_of(gate.oms_conn_id) * DEFAULT_POKE_INTERVAL + place * spread
    # The pause has a minimum, so that a poll that was slightly early isn't repeated at once.
    least = max(settle, interval * FRESH)
    return least + (phase - now - least) % interval


def _fresh_for(gate: Gate) -> float:
    """Return the greatest age of another gate's answer, in seconds."""
    return min(gate.poke_interval * FRESH, OLDEST)


def _share_of(text: str) -> float:
    """Return a number from 0 to 1 that depends on the text only."""
    return zlib.crc32(text.encode()) / 2**32


async def shared_poll(gate: Gate, memory: Memory, share: Share, *, last: bool = False) -> Verdict:
    """Poll once, sharing the requests with other gates.

    :param gate: the gate's settings
    :param memory: what the gate remembers; it is changed
    :param share: the gate's share of the session
    :param last: whether this is the last poll, for which the list of projects isn't precise enough
    """
    while True:
        try:
            session = await share.session()
        except OmsError as error:
            return await arun_flow(NoConnection(error), poll(gate, memory, within_process()))
        trial, fresh_for = memory.copy(), _fresh_for(gate)
        if last:
            make_all_due(trial)
        asker: AsyncSender = _Asker(session, fresh_for)
        try:
            listed = None
            if is_listed(share) and not last:
                try:
                    listed = await list_of_all(share, session, fresh_for, project_of(gate, trial))
                except OmsUnreachableError as error:
                    asker = NoConnection(error)  # the other calls would fail in the same way
            verdict = await arun_flow(asker, poll(gate, trial, within_process(), session.origin, listed))
        except ConnectionReplacedError:  # start again, because all answers of a poll must come from one OMS
            continue
        memory.take(trial)
        return verdict


class _Asker:
    """Sends the calls of one poll. No answer is older than the answer before it."""

    def __init__(self, session: SharedSession, fresh_for: float) -> None:
        self._session = session
        self._fresh_for = fresh_for
        self._after = 0.0

    async def asend(self, call: Call[Any]) -> Answer[Any]:
        answer, came_at = await self._session.ask(call, fresh_for=self._fresh_for, after=self._after)
        self._after = max(self._after, came_at)
        return answer
