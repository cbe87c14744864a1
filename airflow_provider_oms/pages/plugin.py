"""The Airflow plugin that brings the page "Migration progress".

Every process of Airflow loads this module: the scheduler, each worker, and on Airflow 2.11 the web server. So it only
imports what these processes load anyway, and the page itself is loaded when somebody opens it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_oms.links.address import PREFIX, page_is_on, page_path

NAME = "Migration progress"


class LazyApp:
    """An ASGI application that is loaded at its first request."""

    def __init__(self) -> None:
        self._app: Any = None
        self._loading: asyncio.Lock | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request.

        :param scope: as in ASGI
        :param receive: as in ASGI
        :param send: as in ASGI
        """
        if self._app is None:
            self._loading = self._loading or asyncio.Lock()
            async with self._loading:
                if self._app is None:
                    self._app = await asyncio.to_thread(_load)
        await self._app(scope, receive, send)


class OmsProgressPlugin(AirflowPlugin):
    """The plugin, which adds the page if ``[oms] progress_page`` is True and Airflow can show it."""

    name = "oms_progress"


if page_is_on():
    OmsProgressPlugin.fastapi_apps = [{"app": LazyApp(), "url_prefix": PREFIX, "name": NAME}]
    OmsProgressPlugin.external_views = [
        # An entry in the navigation. url_route is the path of Airflow's own page that frames this one.
        {
            "name": NAME,
            "href": page_path(""),
            "destination": "nav",
            "url_route": PREFIX.strip("/"),
        },
    ]


def _load() -> Any:
    from airflow_provider_oms.pages.app import make_app

    return make_app()
