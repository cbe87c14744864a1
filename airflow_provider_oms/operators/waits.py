"""Waits for the effect of an action, on a worker or in the triggerer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.gate import SHORTEST_INTERVAL, Gate
from airflow_provider_oms.milestones.kinds import Milestone
from airflow_provider_oms.milestones.memory import Memory, address_of
from airflow_provider_oms.milestones.verdict import Observation, State
from airflow_provider_oms.operators.base import OmsOperator
from airflow_provider_oms.tasks.metrics import metrics_of
from airflow_provider_oms.tasks.polling import poll_once
from airflow_provider_oms.tasks.reporting import Reporter
from airflow_provider_oms.triggers.deferral import check_event, defer_until_reached

#: Seconds between two polls. A project changes its status within seconds or minutes.
DEFAULT_POKE_INTERVAL = 10.0

#: Seconds that an operator waits for a status by default.
DEFAULT_TIMEOUT = 3600.0


class OmsWaitingOperator(OmsOperator):
    """An action whose effect comes later. It waits with the gates' rules and trigger.

    :param wait_for_completion: wait until OMS shows the effect; False ends the task once OMS has accepted the action
    :param deferrable: wait in the triggerer instead of on a worker; default is ``[operators] default_deferrable``
    :param poke_interval: seconds (or timedelta) between two polls while waiting, at least 1
    :param timeout: seconds (or timedelta) to wait for the effect; None for no time-out. A time-out fails the task so
        that Airflow retries it; the retry checks first
    :raises ValueError: if an argument is invalid; the message names it
    """

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
        timeout: timedelta | float | None = DEFAULT_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = arguments.flag("wait_for_completion", wait_for_completion)
        self.deferrable = arguments.flag("deferrable", deferrable)
        self.poke_interval = max(SHORTEST_INTERVAL, arguments.seconds("poke_interval", poke_interval))
        self.timeout = None if timeout is None else arguments.seconds("timeout", timeout)

    def wait_for(self, hook: OmsHook, project_id: str, milestone: Milestone) -> str | None:
        """Wait for an action's effect, and return the project's status then.

        :param hook: the hook to ask
        :param project_id: the project
        :param milestone: the effect
        :raises OmsMilestoneFailedError: when the effect can't come any more, or only after somebody acts
        :raises OmsOperationError: when the effect didn't come in time
        :raises TaskDeferred: when the triggerer has to wait; the task resumes in ``execute_complete``
        """
        self._found = project_id
        gate = Gate(milestone, project_id, oms_conn_id=self.oms_conn_id, poke_interval=self.poke_interval)
        # The operator has read the project before, so it is known to exist, and in which OMS. hook.origin() isn't used,
        # because it may read the Airflow connection again, which may point to another OMS by now.
        origin = hook.get_conn().settings.origin
        return self.wait_at(hook, gate, Memory(observed={project_id: origin})).status

    def wait_at(self, hook: OmsHook, gate: Gate, memory: Memory) -> Observation:
        """Wait until a gate opens, and return its observation.

        :param hook: the hook to ask
        :param gate: the gate's settings
        :param memory: what is known already; it is changed
        :raises OmsMilestoneFailedError: when the gate can't open any more, or only after somebody acts
        :raises OmsOperationError: when the gate didn't open in time
        :raises TaskDeferred: when the triggerer has to wait; the task resumes in ``execute_complete``
        """
        reporter = Reporter(gate, self.log, metrics_of(gate))
        began = time.monotonic()
        while True:
            verdict = poll_once(hook, gate, memory)
            reporter.report(verdict)
            if verdict.state is State.REACHED:
                return verdict.observed
            if verdict.state is State.FAILED:
                raise OmsMilestoneFailedError(verdict.message)
            if self.deferrable:
                defer_until_reached(self, gate, memory, self.timeout)
            left = self.poke_interval if self.timeout is None else began + self.timeout - time.monotonic()
            if left <= 0:
                raise self._too_late(verdict.message)
            # min: the last poll is at the deadline.
            time.sleep(min(self.poke_interval, left))

    def read_end(self, event: Any) -> dict[str, Any]:
        """Return what the trigger observed.

        :param event: what the trigger sent
        :raises OmsMilestoneFailedError: when the effect can't come any more, or the event isn't known
        :raises OmsOperationError: when the effect didn't come in time
        """
        status, message, observed = check_event(event)
        self._found = observed.get("project")
        if status == "timeout":
            raise self._too_late(message)
        if status == "failed":
            raise OmsMilestoneFailedError(message)
        self.log.info("Reached. %s", message)
        return observed

    def need_same_oms(self, hook: OmsHook, event: Any) -> None:
        """Refuse to go on at another OMS than the one that the trigger asked: what it lacks there isn't gone.

        :param hook: the open hook
        :param event: what the trigger sent; an earlier version doesn't name the OMS
        :raises OmsOperationRefusedError: if the Airflow connection leads to another OMS now
        """
        told = event.get("oms") if isinstance(event, Mapping) else None
        before, now = address_of(told if isinstance(told, str) else ""), hook.get_conn().settings.base_url
        if before and before != now:
            raise OmsOperationRefusedError(
                f"The trigger asked the OMS at {before}, and the Airflow connection leads to {now} now, so the rest "
                "isn't done there. Correct the connection, then clear this task."
            )

    def read_event(self, event: Any) -> tuple[str, str]:
        """Return the project and the status that the trigger observed.

        :param event: what the trigger sent
        :raises OmsMilestoneFailedError: when the effect can't come any more, or the event isn't known
        :raises OmsOperationError: when the effect didn't come in time
        """
        observed = self.read_end(event)
        project_id, reached = observed.get("project"), observed.get("status")
        if not (project_id and isinstance(project_id, str) and reached and isinstance(reached, str)):
            raise OmsMilestoneFailedError(f"The trigger's event doesn't say what was reached: {event!r}.")
        return project_id, reached

    def _too_late(self, message: str) -> OmsOperationError:
        return OmsOperationError(f"Still waiting after {duration(self.timeout or 0.0)} (timeout). {message}")
