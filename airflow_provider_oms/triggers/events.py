"""The trigger of asset watchers. Every DAG file with such an asset makes one, so what it runs on is imported later."""

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

#: Seconds after something that should never happen.
_AFTER_A_FAULT = 60.0


class OmsMilestoneEventTrigger(BaseEventTrigger):
    """Poll a project once an interval, and fire whenever something has happened there. It changes nothing in OMS.

    It belongs to one asset, and never ends and never raises: Airflow would start it again every two seconds, for ever.
    Source: docs/develop/airflow-facts.md#assets

    :param asset: the asset's name; without it two assets that watch the same would share one trigger
    :param watcher: what it waits for, as :meth:`~airflow_provider_oms.milestones.watchers.Watcher.as_json` gives it;
        there is no secret in it
    """

    def __init__(self, asset: str, watcher: str) -> None:
        super().__init__()
        self.asset = asset
        self.watcher = watcher

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow keeps of the trigger, in plain text. Where it changes, Airflow starts a new one."""
        kwargs = {"asset": self.asset, "watcher": self.watcher}
        return f"{type(self).__module__}.{type(self).__qualname__}", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire again and again."""
        while True:
            try:
                # Beside the event loop, which an import would block.
                watching = await asyncio.to_thread(import_module, "airflow_provider_oms.triggers.watching")
                async with aclosing(watching.events(self)) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                self.log.exception("The watcher of asset %s goes on in %s s: %s", self.asset, _AFTER_A_FAULT, error)
            await asyncio.sleep(_AFTER_A_FAULT)
