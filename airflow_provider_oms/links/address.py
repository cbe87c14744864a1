"""The address of the page "Migration progress", and whether this Airflow shows the page.

Workers, DAG processors and the API server use this module. It imports Airflow only when a function is called.
"""

from __future__ import annotations

import logging
from urllib.parse import quote, urlsplit

log = logging.getLogger(__name__)

#: The path at which Airflow mounts the page.
PREFIX = "/oms-progress"

#: The first Airflow whose API server mounts pages of plugins behind its own login, and shows them in its navigation.
#: Source: docs/develop/airflow-facts.md#ui-pages
FIRST_AIRFLOW = (3, 1)


def page_is_on() -> bool:
    """Return whether this Airflow shows the page: it is 3.1 or later, and ``[oms] progress_page`` is True.

    With an invalid value the page is off, and a warning is logged.
    """
    from airflow import __version__

    if tuple(int(part) for part in __version__.split(".")[:2]) < FIRST_AIRFLOW:
        return False
    # Not from common.compat, which the scheduler doesn't load otherwise: every process would import it.
    from airflow.configuration import conf

    try:
        return bool(conf.getboolean("oms", "progress_page", fallback=False))
    except Exception as error:
        log.warning("[oms] progress_page must be True or False; the page is off. (%s)", type(error).__name__)
        return False


def page_path(*parts: str) -> str:
    """Return the path of a page, without Airflow's host, because browsers may use another host name than workers.

    :param parts: the parts of the path below the start page, without quoting
    """
    # Not from common.compat, which the scheduler doesn't load otherwise: every process would import it.
    from airflow.configuration import conf

    above = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return "/".join([f"{above}{PREFIX}", *(quote(part, safe="") for part in parts)])


def task_path(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """Return the path of the page of a task instance.

    :param dag_id: the DAG's id
    :param run_id: the run's id
    :param task_id: the task's id
    :param map_index: the index of a mapped task's instance; -1 for a task that isn't mapped
    """
    return page_path("dags", dag_id, "runs", run_id, "tasks", task_id, str(map_index))
