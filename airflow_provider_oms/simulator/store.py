"""The data of the simulated OMS: projects, data sources, labels, prechecks, tickets."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.simulator.clock import Clock
from airflow_provider_oms.simulator.editions import EVERYTHING, Edition
from airflow_provider_oms.simulator.envelope import NOT_FOUND, PARAM_ERROR, OmsRefusal
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import DataSource, Label, Project
from airflow_provider_oms.simulator.modifications import ModifyRecord


class Store:
    """The simulator's memory. Hold ``lock`` around anything that reads and then writes."""

    def __init__(self, clock: Clock, owner: str = "admin", edition: Edition = EVERYTHING) -> None:
        self.edition = edition
        self.clock = clock
        self.owner = owner
        self.lock = threading.RLock()
        self.projects: dict[str, LiveProject] = {}
        self.data_sources: dict[str, DataSource] = {}
        self.labels: dict[str, Label] = {}
        self.prechecks: dict[str, dict[str, Any]] = {}
        self.component_updates: list[dict[str, Any]] = []
        self._ticket = 0
        self._added = 0

    def ticket(self) -> int:
        """Return the next id of an O&M task."""
        with self.lock:
            self._ticket += 1
            return self._ticket

    def add_project(self, project: Project) -> LiveProject:
        """Add a project; its labels may be given by id or by name, and unknown ones are created."""
        with self.lock:
            if project.id in self.projects:
                raise ValueError(f"There already is a project {project.id}")
            project.labels = [self.label(text).id for text in project.labels]
            live = LiveProject(project, self.clock, self.lock, number=self._added)
            self._added += 1
            self.projects[project.id] = live
            return live

    def label(self, text: str) -> Label:
        """Return a label by id or name. A label that doesn't exist is created with this name."""
        with self.lock:
            for label in self.labels.values():
                if text in (label.id, label.name):
                    return label
            label = Label(name=text)
            self.labels[label.id] = label
            return label

    def add_data_source(self, source: DataSource) -> DataSource:
        """Add a data source."""
        with self.lock:
            if source.created is None:
                source.created = self.clock.now()
            self.data_sources[source.id] = source
            return source

    def find(self, text: str) -> LiveProject:
        """Return a project by id or by name.

        :raises KeyError: when no project has this id or name.
        """
        with self.lock:
            if text in self.projects:
                return self.projects[text]
            for live in self.projects.values():
                if live.name == text:
                    return live
        raise KeyError(f"No project {text!r}; there are: {', '.join(self.projects) or 'none'}")

    def named(self, payload: Mapping[str, Any], key: str = "id") -> LiveProject:
        """Return the project that a request names by its id."""
        value = payload.get(key)
        if not isinstance(value, str) or not value:
            raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be given.")
        with self.lock:
            if value not in self.projects:
                raise OmsRefusal(NOT_FOUND, f"The project {value} does not exist.", "Check the project ID.")
            return self.projects[value]

    def record(self, record_id: str) -> tuple[LiveProject, ModifyRecord]:
        """Return a record of ListProjectModifyRecords by its id, and its project."""
        with self.lock:
            for live in self.projects.values():
                for record in live.state().modifications.records:
                    if str(live.record_id(record)) == record_id:
                        return live, record
        raise OmsRefusal(PARAM_ERROR, f"The modification record {record_id} does not exist.")
