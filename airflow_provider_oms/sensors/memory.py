"""What a gate in reschedule mode remembers between two pokes: what Airflow 3.3 keeps for it, else nothing.

Source: docs/develop/airflow-facts.md#state-store
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.milestones.verdict import Memory

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

log = logging.getLogger(__name__)


class MemoryStore:
    """Keeps a gate's memory in the task state store, for one try: a retry or a clear starts anew.

    :param context: the task's context
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")
        self._key = f"oms_gate_memory_{context['ti'].try_number}"

    def load(self) -> Memory:
        """Return what was kept; a memory that says so where nothing can be."""
        if self._store is None:
            return Memory(kept=False)
        try:
            stored = self._store.get(self._key)
        except Exception as error:
            log.warning("Airflow's task state store can't be read (%s); this poke remembers nothing.", error)
            return Memory(kept=False)
        return Memory.from_dict(stored if isinstance(stored, dict) else None)

    def save(self, memory: Memory) -> None:
        """Keep a memory."""
        if self._store is None or not memory.kept:
            return
        try:
            self._store.set(self._key, memory.as_dict())
        except Exception as error:
            log.warning("Airflow's task state store can't be written (%s); the next poke remembers nothing.", error)
