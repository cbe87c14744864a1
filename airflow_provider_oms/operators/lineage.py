"""What an operator tells OpenLineage once it is done, where Airflow's provider of it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class TellsLineage:
    """Tells which tables a project moves where, once the task is done. Nothing here fails a task."""

    oms_conn_id: str
    #: What the task does, in one word.
    action: ClassVar[str]
    #: The project that the task has worked on.
    _worked_on: str | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Tell OpenLineage which tables the project moves where (the extra ``[openlineage]``)."""
        if self._worked_on is None:
            return None
        from airflow_provider_oms.lineage.extraction import of_action

        return of_action(self.action, self.oms_conn_id, self._worked_on)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> None:
        """Tell OpenLineage nothing: without this method it would ask for what a task tells that is done."""
