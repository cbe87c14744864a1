"""The public class of the simulator: a local OMS that a test or a demo controls."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from airflow_provider_oms.simulator import evidence
from airflow_provider_oms.simulator.clock import Clock
from airflow_provider_oms.simulator.editions import EDITIONS, EVERYTHING
from airflow_provider_oms.simulator.faults import Fault
from airflow_provider_oms.simulator.hosted import Gateway
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import DataSource, Label, Project
from airflow_provider_oms.simulator.records import Records, RequestRecord
from airflow_provider_oms.simulator.scenario import Scenario, load
from airflow_provider_oms.simulator.server import Server
from airflow_provider_oms.simulator.service import Service, Written
from airflow_provider_oms.simulator.store import Store


class Simulator:
    """A local OMS, built from OceanBase's documents, not from an OMS; untested against a real one.

    Use it as a context manager, or with :meth:`start` and :meth:`stop`. Everything may be called from any thread.

    :param scenario: the initial content: a YAML file's path, a mapping with the same keys, or a list of projects.
    :param login: the console user whose HTTP Basic credentials the API expects.
    :param password: that user's password.
    :param host: the address that it listens on.
    :param port: 0 takes a free port; after :meth:`stop` the same one is used again.
    :param clock: the simulated clock.
    :param ssl_context: a server's TLS context, for https.
    :param date_header: ``clock`` sends the simulated time as the Date header, ``real`` the real one, ``none`` no
        header, a number the simulated time plus that many seconds. A list of numbers is used in turn, one per answer,
        like several nodes behind one address.
    :param on_request: called with every :class:`RequestRecord`, in the server's thread.
    :param casing: ``camel``, or ``pascal`` for answers with PascalCase keys.
    :param actions_unsupported: actions that this OMS doesn't know, as an older version.
    :param api: the endpoints to serve: ``both``, only ``v2`` (4.1 and later), only ``v3`` (3.3.0-CE to 4.1.0), or
        ``alibaba_cloud``: the hosted OMS, whose AccessKey is ``login`` and ``password``.
    :param edition: the edition, ``community-4.2.2`` or ``enterprise-4.3.1``; everything that any edition has when not
        given.
    :param security_token: the STS token that requests to the hosted OMS must carry.
    :param actions_forbidden: actions that the RAM user of the hosted OMS may not call.
    """

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Mapping[str, Any] | Sequence[Project] | Scenario | None = None,
        *,
        login: str = "admin",
        password: str = "oms-simulator",  # noqa: S107 - the simulator's own, written in its documentation
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        ssl_context: ssl.SSLContext | None = None,
        date_header: str | float | Sequence[float] = "clock",
        on_request: Callable[[RequestRecord], object] | None = None,
        casing: str = "camel",
        actions_unsupported: Iterable[str] = (),
        api: str = "both",
        edition: str | None = None,
        security_token: str | None = None,
        actions_forbidden: Iterable[str] = (),
    ) -> None:
        if isinstance(date_header, str) and date_header not in ("clock", "real", "none"):
            raise ValueError(f"date_header is clock, real, none, a number or numbers, not {date_header!r}")
        if edition is not None and edition not in EDITIONS:
            raise ValueError(f"edition is {' or '.join(EDITIONS)}, not {edition!r}")
        self.clock = clock or Clock()
        self.login = login
        self.password = password
        self.date_header = date_header
        self._dates = 0
        self._records = Records(on_request)
        self._store = Store(self.clock, login, EDITIONS[edition] if edition else EVERYTHING)
        self.gateway = Gateway(login, password, security_token, set(actions_forbidden))
        self._service = Service(
            self._store, login, password, casing, actions_unsupported, self._records, api, self.gateway
        )
        self._server = Server(self._service, host, port, ssl_context, self._date)
        begin = load(scenario)
        for label in begin.labels:
            self._store.labels[label.id] = label
        for source in begin.data_sources:
            self._store.add_data_source(source)
        for project in begin.projects:
            self._store.add_project(project)
        for fault in begin.faults:
            self.add_fault(fault)

    def _date(self) -> float | None:
        if self.date_header == "none":
            return None
        if self.date_header == "real":
            return time.time()
        offset: Any = 0 if self.date_header == "clock" else self.date_header
        if isinstance(offset, Sequence):
            self._dates += 1
            offset = offset[(self._dates - 1) % len(offset)]
        return self.clock.now() + float(offset)

    # -- start and stop --------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start listening, in a thread of its own; returns once requests are answered."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop at once, also with hanging requests. The projects are kept for the next :meth:`start`."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def down(self) -> None:
        """Close the port: open connections are cut, new ones refused, until :meth:`up`."""
        self._server.down()

    def up(self) -> None:
        """Open the port again."""
        self._server.up()

    def outage(self, seconds: float) -> None:
        """Close the port for a while; returns at once.

        :param seconds: for how long, in real time.
        """
        self._server.outage(seconds)

    # -- address ---------------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """The address that the simulator listens on."""
        return self._server.host

    @property
    def port(self) -> int:
        """The port that the simulator listens on."""
        return self._server.port

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "https" if self._server.ssl_context else "http"

    @property
    def _reachable(self) -> str:
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
        return everywhere.get(self.host, self.host)

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        host = f"[{self._reachable}]" if ":" in self._reachable else self._reachable
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def connection_kwargs(self) -> dict[str, Any]:
        """Keyword arguments for Airflow's ``Connection``."""
        made: dict[str, Any] = {
            "conn_type": "oms",
            "host": self._reachable,
            "port": self.port,
            "schema": self.scheme,
            "login": self.login,
            "password": self.password,
        }
        if self._service.api == "alibaba_cloud":
            made["extra"] = {"api_version": "alibaba_cloud"}
            if self.gateway.token:
                made["extra"]["security_token"] = self.gateway.token
        return made

    @property
    def connection_json(self) -> str:
        """A value for ``AIRFLOW_CONN_OMS_DEFAULT``."""
        return json.dumps(self.connection_kwargs)

    # -- contents --------------------------------------------------------------------------------------------------

    @property
    def projects(self) -> dict[str, LiveProject]:
        """The projects by id (a copy)."""
        with self._store.lock:
            return dict(self._store.projects)

    def project(self, name_or_id: str) -> LiveProject:
        """Return a project by its id or name.

        :param name_or_id: either.
        :raises KeyError: when no project has this id or name.
        """
        return self._store.find(name_or_id)

    @property
    def data_sources(self) -> dict[str, DataSource]:
        """The data sources by id (a copy)."""
        with self._store.lock:
            return dict(self._store.data_sources)

    @property
    def labels(self) -> dict[str, Label]:
        """The labels by id (a copy)."""
        with self._store.lock:
            return dict(self._store.labels)

    @property
    def component_updates(self) -> list[dict[str, Any]]:
        """The requests of UpdateStore, UpdateFullImport, UpdateIncrSync and UpdateFullVerification."""
        with self._store.lock:
            return list(self._store.component_updates)

    def add_project(self, project: Project | Mapping[str, Any]) -> str:
        """Add a project and return its id.

        :param project: the project, or a mapping with the same keys.
        """
        made = project if isinstance(project, Project) else Project.from_mapping(project)
        return self._store.add_project(made).id

    def add_data_source(self, source: DataSource) -> str:
        """Add a data source and return its id.

        :param source: the data source.
        """
        return self._store.add_data_source(source).id

    def add_label(self, name: str) -> str:
        """Return the id of the label with that name. A label that doesn't exist is created.

        :param name: its name.
        """
        return self._store.label(name).id

    @property
    def healthy(self) -> bool:
        """What ``GET /oms/health`` says; may be set."""
        return self._service.healthy

    @healthy.setter
    def healthy(self, value: bool) -> None:
        self._service.healthy = value

    # -- faults and answers ----------------------------------------------------------------------------------------

    def add_fault(self, fault: Fault) -> Fault:
        """Add a fault; its ``fired`` counts the requests that it affected.

        :param fault: the fault.
        """
        self._service.faults.add(fault)
        return fault

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._service.faults.clear()

    def set_answer(self, action: str, written: Written | None, project_id: str | None = None) -> None:
        """Set a hand-written answer of an action, or remove it with None.

        A mapping or a list is the JSON body, a str or bytes the raw body; a function takes the request's body and
        returns one of these (or None for the ordinary answer).

        :param action: the action.
        :param written: the answer.
        :param project_id: only of requests about this project.
        """
        self._service.set_answer(action, written, project_id)

    def load_report(self, report: str | Path | Mapping[str, Any]) -> None:
        """Answer as a real OMS did, by a report of ``airflow-oms doctor --report``; its times are moved to now.

        :param report: the report, or its file.
        :raises ValueError: when it isn't a report that can be read.
        """
        evidence.load(self, report)

    # -- requests --------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests so far, oldest first (a copy)."""
        return self._records.all()

    def clear_requests(self) -> None:
        """Forget the requests."""
        self._records.clear()
