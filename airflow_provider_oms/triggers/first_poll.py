"""The trigger of a gate that starts in the triggerer, without a worker (``start_from_trigger``)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import jinja2
from airflow.triggers.base import TriggerEvent

from airflow_provider_oms import __version__
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.tasks.row import UNREADABLE, Row, writer
from airflow_provider_oms.tasks.templates import is_literal
from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger, event


class OmsFirstPollTrigger(OmsMilestoneTrigger):
    """Poll for a gate that has no first poll on a worker. Airflow renders the templates; if one is invalid, the gate
    fails.

    :param sensor: the gate's class, with its module
    :param settings: the arguments without templates, as JSON
    :param timeout: seconds until the gate times out, counted from the moment at which Airflow started the task
    :param allowed: seconds until Airflow's own time-out ends the deferral, counted from the same moment
    :param written_by: the version of the package that wrote this
    :param templated: the arguments with templates
    """

    def __init__(
        self,
        sensor: str = "",
        settings: str = "",
        timeout: float = 0.0,
        allowed: float = 0.0,
        written_by: str | None = None,
        **templated: Any,
    ) -> None:
        super().__init__()
        self.sensor = sensor
        self.settings = settings
        self.timeout = timeout
        self.allowed = allowed
        self.written_by = written_by
        self._problem = ""
        self._templated = list(templated)
        for name, value in templated.items():
            setattr(self, name, value)  # the attributes that Airflow renders

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow stores of the trigger."""
        kwargs = {
            "sensor": self.sensor,
            "settings": self.settings,
            "timeout": self.timeout,
            "allowed": self.allowed,
            "written_by": self.written_by,
            **{name: getattr(self, name) for name in self._templated},
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", kwargs

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Render the templates as a worker does: an unknown name is an error, not an empty text.

        :param context: Airflow's context
        :param jinja_env: the environment to render with; by default the trigger's own
        """
        environment = jinja_env or self.get_template_env()
        environment.undefined = jinja2.StrictUndefined
        try:
            super().render_template_fields(context, environment)
        except Exception as error:
            self._problem = f"A template can't be rendered: {error}"

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, poll, and send one event."""
        try:
            if self._problem:
                raise ValueError(self._problem)
            row = Row(self._rendered(), self._deadline())
        except Exception as error:
            yield TriggerEvent(self._refusal(error))
            return
        async for fired in self.follow(row):
            yield fired

    def _refusal(self, error: Exception) -> dict[str, Any]:
        """Return the message for invalid settings. If another version wrote them, that may be the reason."""
        if self.written_by == __version__:
            verdict = Verdict(State.FAILED, f"{error}. Correct the DAG, then clear this task.")
            return event(State.FAILED.value, verdict, None)
        message = (
            f"{error}. This gate was written by {writer({'version': self.written_by})} of airflow-provider-oms, and "
            f"version {__version__} runs here. Correct the DAG or install the same version everywhere, then clear this "
            "task."
        )
        return event(UNREADABLE, Verdict(State.FAILED, message), None)

    def _rendered(self) -> Gate:
        module, name = self.sensor.rsplit(".", 1)
        templated = {name: getattr(self, name) for name in self._templated}
        if raw := [name for name, value in templated.items() if not is_literal(value)]:
            raise ValueError(f"Airflow has not rendered {', '.join(raw)}: the DAG was changed while the gate waited")
        sensor = getattr(import_module(module), name)(
            task_id="gate", deferrable=True, **json.loads(self.settings), **templated
        )
        gate = sensor.gate()
        if not isinstance(gate, Gate):
            raise TypeError(f"{self.sensor} isn't a gate")
        if caution := gate.milestone.caution():
            self.log.warning("%s", caution)
        if note := sensor.note():
            self.log.info("%s", note)
        return gate

    def _deadline(self) -> float | None:
        """Return the deadline, counted from the moment at which Airflow started the task, even after a restart."""
        ends: datetime | None = getattr(self, "timeout_after", None)
        if ends is None:
            return None
        ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
        return ends.timestamp() - self.allowed + self.timeout
