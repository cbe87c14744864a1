"""The lineage of an operator that has succeeded, for Airflow's OpenLineage provider if that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class TellsLineage:
    """Gives OpenLineage the tables that a project moves, once the task has succeeded. No error here fails the task."""

    oms_conn_id: str
    #: What the task does, in one word.
    action: ClassVar[str]
    #: The project that the task has worked on.
    _worked_on: str | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Return which tables the project moves where. Airflow's OpenLineage provider calls this, if it is installed.

        :param task_instance: Airflow's task instance, which isn't used
        """
        if self._worked_on is None:
            return None
        from airflow_provider_oms.lineage.extraction import of_action

        return of_action(self.action, self.oms_conn_id, self._worked_on)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> None:
        """Return no lineage. Without this method, Airflow would call the one for a task that has succeeded.

        :param task_instance: Airflow's task instance, which isn't used
        """
