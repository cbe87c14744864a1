"""The wheel, installed in a place of its own: Airflow finds the provider in it."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from airflow_provider_oms import __version__
from tests.packaging.conftest import ROOT, run

LOOK = """
import json
from airflow.providers_manager import ProvidersManager
import airflow_provider_oms
manager = ProvidersManager()
found = manager.providers["airflow-provider-oms"]
print("FOUND", json.dumps({
    "file": airflow_provider_oms.__file__,
    "version": found.version,
    "hook": manager.hooks["oms"].hook_class_name,
    "link": "airflow_provider_oms.links.oms.OmsConsoleLink" in manager.extra_links_class_names,
}))
"""


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Where the wheel is installed: its commands, and the folder with the package."""
    prefix = tmp_path_factory.mktemp("installed")
    run("-m", "installer", "--prefix", prefix, built.wheel, cwd=prefix)
    (package,) = prefix.rglob("airflow_provider_oms")
    return prefix / "bin", package.parent


def test_airflow_finds_the_provider(installed, tmp_path):
    _, folder = installed
    said = run("-c", LOOK, cwd=tmp_path, PYTHONPATH=str(folder))
    (line,) = [line for line in said.splitlines() if line.startswith("FOUND ")]
    found = json.loads(line.removeprefix("FOUND "))
    assert found.pop("file").startswith(str(folder)), "the checkout was looked at instead"
    assert found == {
        "version": __version__,
        "hook": "airflow_provider_oms.hooks.oms.OmsHook",
        "link": True,
    }


@pytest.mark.parametrize("command", ["oms-demo", "airflow-oms"])
def test_its_commands_start(installed, tmp_path, command):
    commands, folder = installed
    done = subprocess.run(
        [str(commands / command), "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert command in done.stdout


def test_the_example_dags_come_with_it(installed):
    names = {path.name for path in (ROOT / "example_dags").glob("*.py")}
    assert {path.name for path in (installed[1] / "airflow_provider_oms" / "example_dags").glob("*.py")} == names
