"""The modules of the package that parsing a DAG file loads. Airflow parses every DAG file again and again."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: The modules that a file with gates loads. ``python -m benchmarks --only imports`` measures how long that takes.
GATES = {
    "exceptions",
    "links",
    "links.address",
    "links.oms",
    "milestones",
    "milestones.arguments",
    "milestones.fleet",
    "milestones.gate",
    "milestones.kinds",
    "sensors",
    "sensors.base",
    "sensors.oms",
    "tasks",
    "tasks.airflow_version",
    "tasks.templates",
    "tasks.zones",
}

#: Modules that no DAG file may load: each takes longer to import than our whole package.
HEAVY = {"aiohttp", "requests", "tenacity", "rich", "yaml", "urllib3", "airflow_provider_oms.simulator"}

PROBE = """
import json, sys
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperatorLink, BaseSensorOperator, XCom, conf

found = {}
for module in sys.argv[1:]:
    before = set(sys.modules)
    __import__(module)
    found[module] = sorted(set(sys.modules) - before)
print("FOUND " + json.dumps(found))
"""


@pytest.fixture(scope="module")
def loaded():
    """The modules that are loaded by importing each module, one after the other in the same process."""
    modules = [f"airflow_provider_oms.{name}" for name in ("sensors.oms", "operators.oms")]
    done = subprocess.run([sys.executable, "-c", PROBE, *modules], capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    return json.loads(line.removeprefix("FOUND "))


def test_gates_load_their_settings_and_nothing_else(loaded):
    """The rules, the client and the hook are loaded by the first poll."""
    ours = {name.removeprefix("airflow_provider_oms.") for name in loaded["airflow_provider_oms.sensors.oms"]}
    assert ours - {"airflow_provider_oms"} == GATES


@pytest.mark.parametrize("module", ["sensors.oms", "operators.oms"])
def test_no_http_library_is_loaded(loaded, module):
    assert not HEAVY & set(loaded[f"airflow_provider_oms.{module}"])
