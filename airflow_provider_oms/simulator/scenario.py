"""Scenarios: the projects, labels and data sources to begin with, from YAML, a mapping or a list."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from airflow_provider_oms.simulator.faults import Fault
from airflow_provider_oms.simulator.model import DataSource, Label, Project, build

#: The scenario that ``python -m airflow_provider_oms.simulator`` begins with.
DEFAULT = Path(__file__).with_name("scenarios") / "default.yaml"

_KEYS = {"projects": Project, "data_sources": DataSource, "labels": Label, "faults": Fault}


@dataclass
class Scenario:
    """The initial content of a simulator.

    :param projects: its projects.
    :param data_sources: its data sources.
    :param labels: its labels.
    :param faults: its faults from the start.
    """

    projects: list[Project] = field(default_factory=list)
    data_sources: list[DataSource] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def load(given: str | os.PathLike[str] | Mapping[str, Any] | Sequence[Project] | Scenario | None) -> Scenario:
    """Return a scenario from a YAML file's path, a mapping with the same keys, or a list of projects.

    :raises ValueError: if a key is invalid; the message names the file, the item and the key.
    """
    if given is None:
        return Scenario()
    if isinstance(given, Scenario):
        return given
    where = "scenario"
    if isinstance(given, (str, os.PathLike)):
        where = os.fspath(given)
        try:
            with open(given, encoding="utf-8") as file:
                given = yaml.safe_load(file) or {}
        except yaml.YAMLError as error:
            raise ValueError(f"{where}: not a YAML file: {error}") from None
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        given = {"projects": list(given)}
    if not isinstance(given, Mapping):
        raise ValueError(f"{where}: must be a mapping with the keys {', '.join(_KEYS)}")
    unknown = sorted(str(key) for key in given if key not in _KEYS)
    if unknown:
        raise ValueError(f"{where}: unknown key(s) {', '.join(unknown)}; known are {', '.join(_KEYS)}")
    read: dict[str, list[Any]] = {}
    for key, cls in _KEYS.items():
        items = given.get(key) or []
        if not isinstance(items, list):
            raise ValueError(f"{where}: {key} must be a list")
        if key == "labels":
            items = [{"name": item} if isinstance(item, str) else item for item in items]
        read[key] = [build(cls, item, f"{where}: {key}[{number}]") for number, item in enumerate(items)]
    return Scenario(**read)
