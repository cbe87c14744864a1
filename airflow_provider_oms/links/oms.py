"""The links from a task: to the OMS console, and to the page "Migration progress" if Airflow shows it.

The worker, which can read the connection, stores the addresses in XCom; the web server only reads them there. So a link
needs no access to connections, and an error in it never fails a task.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

from airflow_provider_oms.links.address import page_is_on, task_path

if TYPE_CHECKING:
    from airflow_provider_oms.hooks.oms import OmsHook

log = logging.getLogger(__name__)

#: The XCom keys under which a task stores the addresses.
XCOM_KEY = "oms_console_url"
PROGRESS_KEY = "oms_progress_url"

#: The XCom key under which a gate stores its settings for the page.
WAITS_FOR_KEY = "oms_waits_for"


class OmsConsoleLink(BaseOperatorLink):
    """Opens the page of the OMS console that is set in ``console_url`` of the connection's extra.

    OceanBase documents no address of a single project's page, so the default is the list of projects.
    """

    name = "OMS console"
    #: Airflow 3 reads the link from this XCom, also while the task still runs.
    xcom_key = XCOM_KEY

    def get_link(self, operator: Any, *, ti_key: Any, **kwargs: Any) -> str:
        """Return the address that the task stored; empty if there is none.

        :param operator: the task
        :param ti_key: the task instance
        """
        try:
            return _web_address(XCom.get_value(key=XCOM_KEY, ti_key=ti_key))
        except Exception as error:
            log.warning("There is no OMS console link: %s", type(error).__name__)
            return ""


class OmsProgressLink(BaseOperatorLink):
    """Opens the page "Migration progress" of a task, which shows the state of its project.

    Tasks have this link if ``[oms] progress_page`` is True, on Airflow 3.1 and later.
    """

    name = "Migration progress"
    #: Airflow 3 reads the link from this XCom, also while the task still runs.
    xcom_key = PROGRESS_KEY

    def get_link(self, operator: Any, *, ti_key: Any, **kwargs: Any) -> str:
        """Return the page's address.

        :param operator: the task
        :param ti_key: the task instance
        """
        return task_path(ti_key.dag_id, ti_key.run_id, ti_key.task_id, ti_key.map_index)


def project_links() -> tuple[BaseOperatorLink, ...]:
    """Return the links of tasks that are about a project."""
    return (OmsConsoleLink(), OmsProgressLink()) if page_is_on() else (OmsConsoleLink(),)


def push_progress_url(context: Any, waits_for: Mapping[str, Any] | None = None) -> None:
    """Store the address of the page "Migration progress" in XCom, on a worker, if Airflow shows the page.

    An error is only logged.

    :param context: the task's context
    :param waits_for: a gate's settings as JSON; None for a task that isn't a gate
    """
    try:
        if page_is_on():
            ti = context["ti"]
            ti.xcom_push(key=PROGRESS_KEY, value=task_path(ti.dag_id, ti.run_id, ti.task_id, ti.map_index))
            if waits_for is not None:
                # As text, so that every version of Airflow stores it unchanged.
                ti.xcom_push(key=WAITS_FOR_KEY, value=json.dumps(waits_for))
    except Exception as error:
        log.debug("No link to the progress page: %s", type(error).__name__)


def push_console_url(context: Any, hook: OmsHook, project_id: str | None) -> None:
    """Store the address of the OMS console in XCom, on a worker. An error is only logged.

    :param context: the task's context
    :param hook: the hook that returns the address
    :param project_id: the project; None for a page that isn't about one
    """
    try:
        if address := _web_address(hook.console_url(project_id)):
            context["ti"].xcom_push(key=XCOM_KEY, value=address)
    except Exception as error:
        log.debug("No OMS console link: %s", type(error).__name__)


def _web_address(value: Any) -> str:
    """Return the address if it begins with http or https, so that a browser just opens it; otherwise an empty text."""
    return value if isinstance(value, str) and value.startswith(("http://", "https://")) else ""
