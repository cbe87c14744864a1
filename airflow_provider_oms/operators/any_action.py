"""Sends any action of OMS, including those that have no operator of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.safe_text import LONGEST_VALUE, safe_json, safe_text
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.subject import Subject
from airflow_provider_oms.operators.base import OmsOperator
from airflow_provider_oms.operators.secrecy import hide_secrets
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.hooks.oms import OmsHook


class OmsActionOperator(OmsOperator):
    """Send any action to OMS and return the ``data`` of its answer as XCom. Its texts are made safe to store and show.

    This operator doesn't know what the action does, so it can't check the state first. The DAG's author must know
    whether the action can be run twice without harm. If OMS gave no answer, it isn't known whether OMS carried out the
    action, and a retry sends it again. For an action that creates something, set ``retries=0``.

    Values under keys such as ``password`` are masked in logs, but it is better to keep secrets out of a DAG.

    :param action: OMS's name of the action, for example ``ResetIncrStartTimestamp`` (templated)
    :param payload: its parameters, in OMS's own keys (templated)
    :param reads_only: whether the action changes nothing in OMS, so that it may be sent again within one try
    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("action", "payload", "oms_conn_id")
    template_fields_renderers = {"payload": "json"}

    def __init__(
        self, *, action: str, payload: Mapping[str, Any] | None = None, reads_only: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.action = action
        self.payload = payload
        self.reads_only = arguments.flag("reads_only", reads_only)
        if is_literal(action):
            _check_action(action)
        if is_literal(payload):
            _check_payload(payload)

    def subject(self) -> Subject:
        """Return what the operator's messages are about."""
        return super().subject()._replace(purpose=safe_text(self.action, 200))

    def carry_out(self, context: Context, hook: OmsHook) -> Any:
        """Send the action once.

        :param context: Airflow's context
        :param hook: the open hook
        """
        _check_action(self.action)
        _check_payload(self.payload)
        payload = dict(self.payload or {})
        hide_secrets(payload)
        data = hook.send(actions.call(self.action, payload, reads_only=self.reads_only)).data
        return safe_json(data, LONGEST_VALUE)


def _check_action(action: Any) -> None:
    if not isinstance(action, str) or not action.isascii() or not action.isalnum() or arguments.is_nothing(action):
        raise ValueError(f"action must be the name of an OMS action; it is {action!r}")


def _check_payload(payload: Any) -> None:
    if not isinstance(payload, Mapping | None):
        raise ValueError(f"payload must be a mapping; it is {type(payload).__name__}")
