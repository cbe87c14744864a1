"""What a gate in reschedule mode remembers between two pokes: what Airflow 3.3 stores for it, otherwise nothing.

Source: docs/develop/airflow-facts.md#state-store
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.milestones.memory import Memory, Names

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

log = logging.getLogger(__name__)

KEY = "oms_gate_memory"


class MemoryStore:
    """Keeps a gate's memory in the task state store.

    The stored memory says which poke of which try wrote it (Airflow counts the pokes), and only that of the last poke
    is used, because a failed write leaves an older one. Of an older memory only the resolved names are used, since they
    can't become stale. A retry or a clear starts anew. Source: docs/develop/airflow-facts.md#state-store

    :param context: the task's context
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")
        self._try: int = context["ti"].try_number
        self._poke: int | None = context.get("task_reschedule_count")

    def load(self) -> Memory:
        """Return the memory of the last poke; if it was lost, a memory that says so."""
        if self._store is None or self._poke is None:
            return Memory(kept=False)
        if self._poke == 0:
            return Memory()
        try:
            stored = self._store.get(KEY)
        except Exception as error:
            log.warning("Airflow's task state store can't be read (%s); this poke remembers nothing.", error)
            return Memory(kept=False, names=Names.UNREADABLE)
        if not isinstance(stored, Mapping) or stored.get("try") != self._try:
            log.warning("Airflow's task state store has nothing of this try; this poke remembers nothing.")
            return Memory(kept=False, names=Names.LOST)
        kept = stored.get("memory")
        try:
            memory = Memory.from_dict(kept if isinstance(kept, Mapping) else {})
        except ValueError as error:
            log.warning("Airflow's task state store holds %s; this poke remembers nothing.", error)
            return Memory(kept=False, names=Names.LOST)
        if stored.get("poke") != self._poke - 1:
            log.warning("Airflow's task state store holds an older poke's memory; this poke remembers only names.")
            # A missing name may have been resolved by the pokes in between.
            return Memory(memory.projects, observed=memory.observed, kept=False, names=Names.LOST)
        return memory

    def save(self, memory: Memory) -> None:
        """Keep a memory."""
        if self._store is None or self._poke is None or memory.names is Names.UNREADABLE:
            return
        try:
            self._store.set(KEY, {"try": self._try, "poke": self._poke, "memory": memory.as_dict()})
        except Exception as error:
            log.warning("Airflow's task state store can't be written (%s); the next poke remembers nothing.", error)
