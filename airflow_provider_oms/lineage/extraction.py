"""Returns the lineage of a task that has succeeded to Airflow's OpenLineage provider. No error here fails a task.

Airflow calls this in a separate process, for ten seconds at most (``[openlineage] execution_timeout``), so OMS is asked
only once. Source: docs/develop/airflow-facts.md#openlineage
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_oms.client.errors import OmsError, OmsProjectNotFoundError, OmsUnsupportedActionError
from airflow_provider_oms.client.models import Project, TableVerification
from airflow_provider_oms.client.safe_text import safe_text
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.hooks.options import SECTION
from airflow_provider_oms.lineage.tables import moves_of, verified_of
from airflow_provider_oms.milestones.gate import Gate

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

log = logging.getLogger(__name__)

#: Seconds that the single request may take.
TIMEOUT = 5.0

#: The most tables in an event. Receivers don't accept much larger events.
MAX_TABLES = 1000

T = TypeVar("T")


def of_gate(settings: Callable[[], Gate], observed: Mapping[str, Any]) -> OperatorLineage | None:
    """Return the lineage of a gate that has opened.

    :param settings: a function that returns the gate's settings
    :param observed: the observation that the gate returned
    """
    return _guarded(lambda: _opened(settings(), observed))


def of_action(action: str, oms_conn_id: str, project_id: str) -> OperatorLineage | None:
    """Return the lineage of a task that has created or started a project.

    :param action: ``create`` or ``start``
    :param oms_conn_id: the Airflow connection
    :param project_id: the project
    """
    return _guarded(lambda: _moved(oms_conn_id, {"task": action, "project": project_id}))


def of_verification(
    oms_conn_id: str, project_id: str, message: str, tables: Sequence[TableVerification]
) -> OperatorLineage | None:
    """Return the lineage of a verification report.

    :param oms_conn_id: the Airflow connection
    :param project_id: the project
    :param message: the result of the verification, in words
    :param tables: the result of each table
    """
    seen = {"task": "verification_report", "project": project_id, "description": safe_text(message)}
    return _guarded(lambda: _verified(oms_conn_id, seen, tables))


def _opened(gate: Gate, observed: Mapping[str, Any]) -> OperatorLineage:
    names = ("project", "status", "step", "progress", "checkpoint", "lag", "time", "note")
    seen = {
        "task": gate.milestone.kind,
        "description": safe_text(gate.describe()),
        **{name: observed.get(name) for name in names},
    }
    aim = gate.milestone.aim()
    return _moved(gate.oms_conn_id, seen, backwards=aim is not None and aim.direction == "reverse")


def _moved(oms_conn_id: str, seen: dict[str, Any], *, backwards: bool = False) -> OperatorLineage:
    from airflow_provider_oms.lineage.facets import of_moves

    moves = _told(oms_conn_id, seen, lambda project: moves_of(project, databases()))
    return of_moves([move.turned() for move in moves] if backwards else moves, seen)


def _verified(oms_conn_id: str, seen: dict[str, Any], tables: Sequence[TableVerification]) -> OperatorLineage:
    from airflow_provider_oms.lineage.facets import of_verification

    return of_verification(_told(oms_conn_id, seen, lambda project: verified_of(project, tables, databases())), seen)


def _told(oms_conn_id: str, seen: dict[str, Any], read: Callable[[Project], list[T]]) -> list[T]:
    """Ask OMS for the project once, and return its tables; none if OMS gives no answer. The OMS's address is noted.

    :param oms_conn_id: the Airflow connection
    :param seen: the fields of the run's facet; it is changed
    :param read: a function that returns the tables of a project
    """
    project_id = seen.get("project")
    try:
        with OmsHook(oms_conn_id) as hook:
            settings = hook.get_conn().settings
        seen["oms"] = settings.base_url
        if not project_id:
            return []
        with OmsClient(replace(settings, retries=0, timeout=min(settings.timeout, TIMEOUT))) as client:
            found = read(client.describe_project(str(project_id)))
    except (
        OmsUnsupportedActionError,
        OmsProjectNotFoundError,
    ):  # OMS 3.3, or a gate for a project that no longer exists
        return []
    except OmsError as error:
        log.warning("The lineage of project %s has no tables. %s", project_id, error)
        return []
    if len(found) > MAX_TABLES:
        seen["tables_left_out"] = len(found) - MAX_TABLES
    return found[:MAX_TABLES]


def databases() -> dict[str, str]:
    """Return the database that holds the schemas at each address, from ``[oms] lineage_databases``.

    With an invalid value, only the tables that need it are left out, and a warning is logged.
    """
    text = conf.get(SECTION, "lineage_databases", fallback="") or "{}"
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if isinstance(read, dict) and all(isinstance(name, str) for name in read.values()):
        return read
    log.warning("[%s] lineage_databases must be a JSON object of texts; it is ignored.", SECTION)
    return {}


def _guarded(tell: Callable[[], OperatorLineage]) -> OperatorLineage | None:
    """Return the lineage; None, with a warning, if an error occurs."""
    try:
        return tell()
    except Exception as error:  # without the error's text, which may hold what OMS sent
        log.warning("No lineage: %s.", type(error).__name__)
        log.debug("No lineage", exc_info=True)
        return None
