"""The trigger of asset watchers. Parsing a DAG file creates one, so it imports most of its code only when it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.triggers.base import BaseEventTrigger, TriggerEvent
else:
    from airflow.providers.common.compat.triggers import BaseEventTrigger

#: Seconds to wait after an unexpected error.
_AFTER_A_FAULT = 60.0


class OmsMilestoneEventTrigger(BaseEventTrigger):
    """Poll a project once per interval, and send an event whenever its condition begins. It changes nothing in OMS.

    The trigger belongs to one asset. It never returns and never raises an error, because Airflow would then start it
    again every two seconds.
    Source: docs/develop/airflow-facts.md#assets

    :param asset: the asset's name; it also keeps two assets with the same watcher from sharing one trigger
    :param watcher: the watcher, as :meth:`~airflow_provider_oms.milestones.watchers.Watcher.as_json` returns it; it
        holds no secret
    """

    def __init__(self, asset: str, watcher: str) -> None:
        super().__init__()
        self.asset = asset
        self.watcher = watcher

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores of the trigger, in plain text. If it changes, Airflow starts a new trigger."""
        kwargs = {"asset": self.asset, "watcher": self.watcher}
        return f"{type(self).__module__}.{type(self).__qualname__}", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Send events; this never ends."""
        while True:
            try:
                # In a thread, because an import would block the event loop.
                watching = await asyncio.to_thread(import_module, "airflow_provider_oms.triggers.watching")
                async with aclosing(watching.events(self)) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                self.log.exception(
                    "The watcher of asset %s has failed and starts again in %s s: %s", self.asset, _AFTER_A_FAULT, error
                )
            await asyncio.sleep(_AFTER_A_FAULT)
