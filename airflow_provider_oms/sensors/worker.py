"""The polls of a gate on a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import PokeReturnValue

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.links.oms import push_console_url, push_progress_url
from airflow_provider_oms.milestones.context import project_of
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.rows import make_all_due
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.sensors.state_store import MemoryStore
from airflow_provider_oms.tasks.clock import across_processes, within_process
from airflow_provider_oms.tasks.metrics import metrics_of
from airflow_provider_oms.tasks.polling import poll_once
from airflow_provider_oms.tasks.reporting import Reporter

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.sensors.base import OmsGateSensor


class GateOnWorker:
    """The state of a gate while it runs on a worker."""

    def __init__(self, sensor: OmsGateSensor, context: Context) -> None:
        self.gate = sensor.gate()
        self.hook = OmsHook(sensor.oms_conn_id)
        self.reporter = Reporter(self.gate, sensor.log, metrics_of(self.gate))
        if caution := self.gate.milestone.caution():
            sensor.log.warning("%s", caution)
        if note := sensor.note():
            sensor.log.info("%s", note)
        # In reschedule mode each poke is a new process, so the memory must be stored. Otherwise one process polls.
        self.store = MemoryStore(context) if sensor.reschedule and not sensor.deferrable else None
        self.memory = self.store.load() if self.store else Memory()
        self._clock = across_processes if self.store else within_process
        #: When Airflow ends the wait in poke mode. Only Airflow knows which poke is the last in reschedule mode.
        self._ends = None if self.store else within_process().passed + sensor.timeout
        self._linked = False
        #: The verdict of the last poll.
        self.last = Verdict(State.WAITING, "")

    def poll(self, context: Context) -> PokeReturnValue:
        """Poll once, and remember what the next poll needs.

        :raises OmsMilestoneFailedError: when the milestone can't be reached, or only after somebody acts
        :raises OmsOperationError: when only a retry, which remembers nothing, can look up the project again
        """
        if self.store:
            self.store.begin(self.memory)
        if self._ends is not None and within_process().passed >= self._ends:
            make_all_due(self.memory)
        verdict = poll_once(self.hook, self.gate, self.memory, self._clock)
        self.last = verdict
        if not self._linked:
            self._linked = True
            push_console_url(context, self.hook, project_of(self.gate, self.memory))
            push_progress_url(context, self.gate.as_dict())
        if self.store:
            self.store.save(self.memory)
        return _conclude(self.gate, verdict, self.reporter)


def poll_alone(gate: Gate, log: Any) -> PokeReturnValue:
    """Poll once, without a memory of earlier polls and without a later poll.

    :raises OmsMilestoneFailedError: when the milestone can't be reached, or only after somebody acts
    """
    with OmsHook(gate.oms_conn_id) as hook:
        return _conclude(gate, poll_once(hook, gate, Memory(kept=False)), Reporter(gate, log, metrics_of(gate)))


def _conclude(gate: Gate, verdict: Verdict, reporter: Reporter) -> PokeReturnValue:
    """Report a verdict, and return it in the form that Airflow expects."""
    reporter.report(verdict)
    if verdict.state is State.FAILED:
        message = gate.subject(verdict.observed).explain(verdict.message)
        raise OmsOperationError(message) if verdict.begin_anew else OmsMilestoneFailedError(message)
    return PokeReturnValue(verdict.state is State.REACHED, verdict.observed.as_dict())
