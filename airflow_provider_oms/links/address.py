"""Where the page "Migration progress" is, and whether there is one.

Workers, DAG processors and the API server all ask. Nothing of Airflow is imported until they do.
"""

from __future__ import annotations

import logging
from urllib.parse import quote, urlsplit

log = logging.getLogger(__name__)

#: Where Airflow mounts the page.
PREFIX = "/oms-progress"

#: The first Airflow whose API server mounts pages of plugins behind its own login, and shows them in its navigation.
#: Source: docs/develop/airflow-facts.md#ui-pages
FIRST_AIRFLOW = (3, 1)


def page_is_on() -> bool:
    """Tell whether this Airflow shows the page: ``[oms] progress_page``, from Airflow 3.1 on.

    A value that is none turns it off, and a warning says so.
    """
    from airflow import __version__

    if tuple(int(part) for part in __version__.split(".")[:2]) < FIRST_AIRFLOW:
        return False
    # Not from common.compat, which the scheduler hasn't loaded: each process pays for what this imports.
    from airflow.configuration import conf

    try:
        return bool(conf.getboolean("oms", "progress_page", fallback=False))
    except Exception as error:
        log.warning("[oms] progress_page must be True or False; the page is off. (%s)", type(error).__name__)
        return False


def page_path(*parts: str) -> str:
    """Return the path of a page on Airflow's host: browsers may know that by another name than the workers.

    :param parts: the path below the page's own, each part as it is
    """
    # Not from common.compat, which the scheduler hasn't loaded: each process pays for what this imports.
    from airflow.configuration import conf

    above = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return "/".join([f"{above}{PREFIX}", *(quote(part, safe="") for part in parts)])


def task_path(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """Return the path of the page of a task instance.

    :param dag_id: its DAG
    :param run_id: its run
    :param task_id: its task
    :param map_index: which of a mapped task's instances; -1 for a task that isn't mapped
    """
    return page_path("dags", dag_id, "runs", run_id, "tasks", task_id, str(map_index))
