"""The work of an asset watcher's trigger: it polls, decides, sends events, and stores which events were sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_provider_oms.client.protocol import utc_text
from airflow_provider_oms.milestones import checks as _checks  # noqa: F401 - so that it isn't imported in the event loop
from airflow_provider_oms.milestones.context import project_of
from airflow_provider_oms.milestones.edges import is_answered
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.occurrences import gate_now, is_gone, judge, payload
from airflow_provider_oms.milestones.remembered import Remembered
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.milestones.watchers import Watcher, from_json
from airflow_provider_oms.tasks.metrics import metrics_of
from airflow_provider_oms.tasks.reporting import Reporter
from airflow_provider_oms.triggers.oms import pause_before_poll, shared_poll
from airflow_provider_oms.triggers.shared import Share, shared_oms

if TYPE_CHECKING:
    from airflow_provider_oms.triggers.events import OmsMilestoneEventTrigger

#: Seconds that Airflow has to store an event before the watcher notes it as sent. If it were noted first, a crash would
#: lose the event. A crash within these seconds sends it twice, with the same id.
STORED_AFTER = 5.0

#: Seconds between two log messages about settings that can't be read.
_COMPLAIN_EVERY = 600.0


async def events(trigger: OmsMilestoneEventTrigger) -> AsyncGenerator[TriggerEvent, None]:
    """Yield an event whenever a condition begins. This ends only with an error.

    :param trigger: the trigger
    """
    while True:
        try:
            watcher = from_json(trigger.watcher)
            break
        except ValueError as error:
            trigger.log.error(
                "The watcher of asset %s can't be followed by this version of airflow-provider-oms: %s. "
                "Install the same version everywhere.",
                trigger.asset,
                error,
            )
            await asyncio.sleep(_COMPLAIN_EVERY)
    async with (
        shared_oms(watcher.gate.oms_conn_id) as share,
        aclosing(_Watch(trigger, watcher, share).events()) as found,
    ):
        async for event in found:
            yield event


class _Watch:
    """A running watcher.

    :param trigger: the trigger
    :param watcher: what the trigger waits for
    :param share: the trigger's share of the session
    """

    def __init__(self, trigger: OmsMilestoneEventTrigger, watcher: Watcher, share: Share) -> None:
        self._trigger, self._watcher, self._share, self._log = trigger, watcher, share, trigger.log
        self._kept = _Kept(trigger, watcher.key)
        self._memory = Memory()
        self._reporter: Reporter | None = None

    async def events(self) -> AsyncGenerator[TriggerEvent, None]:
        remembered, pause = None, 0.0
        while True:
            gate = self._watcher.gate if remembered is None else gate_now(self._watcher, remembered)
            project_id = project_of(gate, self._memory)
            await asyncio.sleep(pause or pause_before_poll(gate, time.time(), project_id=project_id))
            pause = 0.0
            if remembered is None:
                remembered = await self._kept.load()
                if remembered is None:
                    continue
                if gate.project_name and remembered.project:
                    self._memory.projects[gate.project_name] = remembered.project
                gate = gate_now(self._watcher, remembered)
            await self._kept.save(remembered)
            oms = self._memory.oms
            verdict = await self._poll(gate)
            if oms not in ("", self._memory.oms) and gate.project_name and _has_failed_unseen(verdict):
                # A gate fails if its connection leads to another OMS, in which another project has the name. A watcher
                # never ends, so it looks the name up again.
                self._forget_names()
                continue
            now = time.time()
            remembered, event = judge(self._watcher, remembered, verdict, now)
            if is_gone(verdict):
                self._forget_names()
            if event is not None:
                told = payload(self._watcher, self._trigger.asset, event, verdict, now)
                self._log.info("Asset %s: %s (id %s).", self._trigger.asset, event.name, told["id"])
                yield TriggerEvent(told)
                pause = STORED_AFTER

    def _forget_names(self) -> None:
        self._memory.projects.clear()
        self._memory.observed.clear()

    async def _poll(self, gate: Gate) -> Verdict:
        if self._reporter is None or self._reporter.gate != gate:
            self._reporter = Reporter(gate, self._log, metrics_of(gate, beside_the_loop=True))
        verdict = await shared_poll(gate, self._memory, self._share)
        self._reporter.report(verdict)
        return verdict


def _has_failed_unseen(verdict: Verdict) -> bool:
    return verdict.state is State.FAILED and not is_answered(verdict)


class _Kept:
    """What Airflow stores for a watcher in the state store of its asset.

    Source: docs/develop/airflow-facts.md#assets

    :param trigger: the watcher's trigger
    :param key: the key in the store
    """

    def __init__(self, trigger: OmsMilestoneEventTrigger, key: str) -> None:
        self._trigger, self._key, self._log = trigger, key, trigger.log
        self._stored: Any = None

    async def load(self) -> Remembered | None:
        """Return what was stored, or an empty memory.

        :return: None if the store can't be read; then it isn't known which events were sent, so nothing may be decided
        """
        try:
            self._stored = await self._store().aget(self._key)
            if self._stored is not None:
                return Remembered.from_dict(self._stored)
            begun = Remembered(utc_text(time.time()))
            await self._write(begun)
            return begun
        except Exception as error:
            self._log.warning(
                "The memory of the watcher of asset %s can't be read (%s: %s), so OMS isn't polled. Key: %s.",
                self._trigger.asset,
                type(error).__name__,
                error,
                self._key,
            )
            return None

    async def save(self, remembered: Remembered) -> None:
        """Store a memory if it differs from the stored one. If that fails, the next poll tries again."""
        try:
            await self._write(remembered)
        except Exception as error:
            self._log.warning(
                "The memory of the watcher of asset %s can't be written (%s: %s). If the triggerer ends now, the last "
                "event is sent again with the same id.",
                self._trigger.asset,
                type(error).__name__,
                error,
            )

    async def _write(self, remembered: Remembered) -> None:
        found = remembered.as_dict()
        if found != self._stored:
            await self._store().aset(self._key, found)
            self._stored = found

    def _store(self) -> Any:
        from airflow.providers.common.compat.sdk import Asset

        stores = self._trigger.asset_state_store
        if stores is None:
            raise LookupError("Airflow gives the trigger no asset")
        return stores[Asset.ref(name=self._trigger.asset)]
