"""The memory of a gate in reschedule mode between two pokes. Airflow 3.3 stores it; earlier versions can't.

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

#: Stands for the number of a poke in a memory that no poke has written.
_NONE = -1


class MemoryStore:
    """Keeps a gate's memory in the task state store.

    The stored memory says which poke of which try wrote it; Airflow counts the pokes. Only the memory of the last poke
    is used as a whole, because a failed write leaves an older one. An older memory only serves for its resolved names,
    which can't become stale. A retry or a clear starts without a memory.

    Before the first poll of a try, a note is stored that the try has begun to poll. Airflow's count can't show this,
    because it includes starts at which Airflow didn't find the DAG, and the pokes of earlier tries. So if nothing of
    the try is stored, none of its pokes has polled yet. Source: docs/develop/airflow-facts.md#state-store

    :param context: the task's context
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")
        self._try: int = context["ti"].try_number
        self._poke: int | None = context.get("task_reschedule_count")
        #: Whether the store is known, or assumed, to hold a note that a poll of this try has begun.
        self._noted = False

    def load(self) -> Memory:
        """Return the memory of the last poke; if it was lost, a memory that says so."""
        if self._store is None or self._poke is None:
            return Memory(kept=False)
        if self._poke == 0:
            return Memory()
        self._noted = True
        try:
            stored = self._store.get(KEY)
        except Exception as error:
            log.warning("Airflow's task state store can't be read (%s); this poke remembers nothing.", error)
            return Memory(kept=False, names=Names.UNREADABLE)
        of_try = stored.get("try") if isinstance(stored, Mapping) else None
        if stored is None or (isinstance(of_try, int) and of_try != self._try):
            self._noted = False
            return Memory()
        if not isinstance(stored, Mapping) or of_try != self._try:
            log.warning(
                "Airflow's task state store holds something that no gate has written; this poke remembers nothing."
            )
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

    def begin(self, memory: Memory) -> None:
        """Store the note that a poll of this try begins, unless it is stored. If that fails, no name may be looked up.

        :param memory: what :meth:`load` returned; it is changed
        """
        if self._store is None or self._poke is None or self._noted:
            return
        try:
            # No poke has written this: the memory of the first poke is stored after its poll.
            self._store.set(KEY, {"try": self._try, "poke": _NONE, "memory": {}})
            self._noted = True
        except Exception as error:
            log.warning("Airflow's task state store can't be written (%s), so this poke can't look up a name.", error)
            memory.names = Names.UNREADABLE

    def save(self, memory: Memory) -> None:
        """Store a memory for the next poke.

        :param memory: the memory after the poll
        """
        if self._store is None or self._poke is None or memory.names is Names.UNREADABLE:
            return
        try:
            self._store.set(KEY, {"try": self._try, "poke": self._poke, "memory": memory.as_dict()})
        except Exception as error:
            log.warning("Airflow's task state store can't be written (%s); the next poke remembers nothing.", error)
