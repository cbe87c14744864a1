"""Advancing a project to its next step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client.errors import OmsError, OmsRejectedError, safe_text
from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.transitions import Kind, Move, plan_advance
from airflow_provider_oms.operators.base import OmsProjectOperator, answer_was_lost, to_airflow_error
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.hooks.oms import OmsHook


#: How often, and at what interval in seconds, to poll for the effect of an action whose answer was lost.
POLLS, POLL_INTERVAL = 7, 5.0


class OmsAdvanceProjectOperator(OmsProjectOperator):
    """Advance a project from a step at which it waits for a person (``AdvanceProject``, Enterprise V4.3.1).

    OMS's action advances from the step that the project is at, whichever that is, so if it were sent twice, the project
    would advance twice. That is why the step must be named. Nothing is done for a project that is past this step, and a
    project that hasn't come to it is refused. Returns the name of the step that runs next, if OMS gives it, as XCom;
    ``project_id`` is pushed, too.

    OceanBase doesn't document at which steps a project waits, nor whether the action moves the forward switchover. The
    operator is untested against a real OMS.

    :param from_step: the step to advance from, in any of OMS's vocabularies, for example FULL_VERIFIER (templated)
    :param project_id: the project's id (templated)
    :param project_name: the project's name instead; it is looked up with ``ListProjects`` (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("project_id", "project_name", "from_step", "oms_conn_id")

    oms_action = "AdvanceProject"

    def __init__(self, *, from_step: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.from_step = from_step
        if is_literal(from_step):
            arguments.name_of("from_step", from_step)

    def carry_out(self, context: Context, hook: OmsHook) -> str | None:
        """Check which step the project is at, and advance it.

        :param context: Airflow's context
        :param hook: the open hook
        :raises OmsOperationRefusedError: if the project doesn't wait at the step
        """
        step = arguments.name_of("from_step", self.from_step)
        project_id = self.need_project(hook)
        self.announce(context, hook, project_id)
        move, current = self._plan(hook, project_id, step)
        if move.kind is Kind.DONE:
            self.log.info("Nothing to do: project %s is past step %s; it is at %s.", project_id, step, current)
            return current
        if move.kind is Kind.REFUSE:
            raise OmsOperationRefusedError(move.reason)
        try:
            following = hook.advance_project(project_id)
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            move, current = self._plan(hook, project_id, step)
            polls = POLLS if answer_was_lost(error) else 1
            while move.kind is not Kind.DONE and (polls := polls - 1):
                # OMS may be carrying it out. A retry before the effect is visible would advance the project twice.
                time.sleep(POLL_INTERVAL)
                move, current = self._plan(hook, project_id, step)
            if move.kind is not Kind.DONE:
                raise to_airflow_error(error, f"The project is still at {current}. A retry checks first.") from None
            self.log.warning("%s Project %s is at %s now.", error, project_id, current)
            return current
        runs_next = safe_text(following, 200) if isinstance(following, str) and following else None
        self.log.info(
            "Project %s goes on from %s to %s.", project_id, step, runs_next or "a step that OMS doesn't name"
        )
        return runs_next

    def _plan(self, hook: OmsHook, project_id: str, step: str) -> tuple[Move, str | None]:
        progress = hook.describe_project_progress(project_id)
        steps = hook.describe_project_steps(project_id)
        return plan_advance(progress.status, steps, step), progress.current_step
