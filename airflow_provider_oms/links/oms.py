"""The link from a task to the OMS console.

The worker, which has the connection, leaves the address in XCom; the web server only reads it there. So the web server
needs no access to connections, and a link never fails a task.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow_provider_oms.hooks.oms import OmsHook

log = logging.getLogger(__name__)

#: The XCom key under which a task leaves the address.
XCOM_KEY = "oms_console_url"


class OmsConsoleLink(BaseOperatorLink):
    """Opens the OMS console; which page, the connection's extra ``console_url`` says.

    OceanBase documents no address of a single project's page, so the default is the list of projects.
    """

    name = "OMS console"
    #: Airflow 3 reads the link from here, also while the task still runs.
    xcom_key = XCOM_KEY

    def get_link(self, operator: Any, *, ti_key: Any, **kwargs: Any) -> str:
        """Return the address that the task left, empty when there is none.

        :param operator: the task
        :param ti_key: which run of it
        """
        try:
            return _web_address(XCom.get_value(key=XCOM_KEY, ti_key=ti_key))
        except Exception as error:
            log.warning("There is no OMS console link: %s", type(error).__name__)
            return ""


def push_console_url(context: Any, hook: OmsHook, project_id: str | None) -> None:
    """Leave the address of the OMS console in XCom, on a worker. Whatever goes wrong here is only logged.

    :param context: the task's context
    :param hook: the hook that knows the console
    :param project_id: the project
    """
    try:
        if address := _web_address(hook.console_url(project_id)):
            context["ti"].xcom_push(key=XCOM_KEY, value=address)
    except Exception as error:
        log.debug("No OMS console link: %s", type(error).__name__)


def _web_address(value: Any) -> str:
    """Let nothing through that a browser would do more with than open a page."""
    return value if isinstance(value, str) and value.startswith(("http://", "https://")) else ""
