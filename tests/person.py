"""Answers the question of a cut-over as a person does: on Airflow's pages from 3.1 on, in a Variable before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from airflow.models import TaskInstance, Variable, import_all_models
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS
from airflow.triggers.base import TriggerEvent
from airflow.utils import timezone
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from sqlalchemy import and_, or_
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import configure_mappers

if AIRFLOW_V_3_1_PLUS:
    from airflow.models.hitl import HITLDetail
    from airflow.models.trigger import handle_event_submit

#: Airflow 3.1 and 3.2 wait for the answer in a trigger, which needs a triggerer, and ``dag.test()`` has none.
can_be_asked = pytest.mark.skipif(
    AIRFLOW_V_3_1_PLUS and not hasattr(TaskInstanceState, "AWAITING_INPUT"),
    reason="the dag.test() of Airflow 3.1 and 3.2 can't wait for a person's answer",
)

#: The answer, what happens to the project before it, and how the gate after it ends.
PATHS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "approved": ("approve", lambda project: None, "success"),
    "rejected": ("reject", lambda project: None, "skipped"),
    "failed while waiting for the approval": ("approve", lambda project: project.fail(message="broken pipe"), "failed"),
    "the lag grew": ("approve", lambda project: (project.set(idle_source=True), project.set_lag(5000)), "failed"),
}

#: Seconds between two queries.
_PAUSE = 0.2


class Person:
    """Waits until Airflow asks, does something, and answers.

    :param dag_id: the DAG with the question
    :param answer: ``approve`` or ``reject``
    :param meanwhile: called between the question and the answer
    """

    def __init__(self, dag_id: str, answer: str, meanwhile: Callable[[], Any] = lambda: None) -> None:
        self._dag_id = dag_id
        self._answer = answer
        self._meanwhile = meanwhile
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        #: The text of the question; on Airflow 3.1 and later.
        self.question = ""

    @contextmanager
    def at_hand(self) -> Iterator[Person]:
        """Answer while a DAG runs in the block."""
        # Import and map all models here, because two threads that do it would wait for each other.
        import_all_models()
        configure_mappers()
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def _live(self) -> None:
        while not self._over.wait(_PAUSE):
            with suppress(OperationalError):  # the database is locked: tried again after the pause
                if AIRFLOW_V_3_1_PLUS:
                    self._answer_page()
                elif self._answer_variable():
                    return

    def _answer_page(self) -> None:
        # dag.test() of Airflow 3.3 may store the waiting state again just after the answer, which is lost then: so a
        # task that still waits is answered again.
        waits = and_(HITLDetail.responded_at.is_(None), TaskInstance.state == "deferred")
        with create_session() as session:
            asked = (
                session.query(HITLDetail)
                .join(TaskInstance, HITLDetail.ti_id == TaskInstance.id)
                .filter(TaskInstance.dag_id == self._dag_id, or_(waits, TaskInstance.state == "awaiting_input"))
                .first()
            )
            if asked is None:
                return
            if not self.question:
                self.question = f"{asked.subject}\n{asked.body}"
                self._meanwhile()
            asked.responded_by = {"id": "1", "name": "a person"}
            asked.responded_at = timezone.utcnow()
            asked.chosen_options = [self._answer.capitalize()]
            if asked.task_instance.state == "awaiting_input":  # from 3.3 on; before, a trigger reads the answer
                event = TriggerEvent(asked.as_resume_event_payload())
                handle_event_submit(event, task_instance=asked.task_instance, session=session)

    def _answer_variable(self) -> bool:
        with create_session() as session:
            asked = (
                session.query(TaskInstance)
                .filter(TaskInstance.dag_id == self._dag_id, TaskInstance.task_id == "approve")
                .filter(TaskInstance.state.in_(("running", "up_for_reschedule")))
                .first()
            )
            if asked is None:
                return False
            run_id = asked.run_id
        self._meanwhile()
        Variable.set("oms_cutover", f"{self._answer} {run_id}")
        return True
