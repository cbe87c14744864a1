"""The wheel, installed in a separate folder: Airflow finds the provider in it."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_oms import __version__
from tests.packaging.conftest import ROOT, run

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]

LOOK = """
import json
from airflow import __version__
from airflow.providers_manager import ProvidersManager
import airflow_provider_oms
manager = ProvidersManager()
found = manager.providers["airflow-provider-oms"]
if __version__.startswith("2."):
    from airflow.utils.docs import get_doc_url_for_provider
    documentation = get_doc_url_for_provider("airflow-provider-oms", found.version)
else:
    documentation = (found.data.get("documentation-url") or "").strip()  # 3.2 leaves a blank before it
print("FOUND", json.dumps({
    "file": airflow_provider_oms.__file__,
    "documentation": documentation,
    "version": found.version,
    "hook": manager.hooks["oms"].hook_class_name,
    "link": "airflow_provider_oms.links.oms.OmsConsoleLink" in manager.extra_links_class_names,
}))
"""


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The folders of an installed wheel: its commands, and the package."""
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
        # The links on Airflow's page of providers. Airflow 3.0 always links to its own site.
        "documentation": "" if airflow_version.startswith("3.0.") else URLS["Documentation"],
        "version": __version__,
        "hook": "airflow_provider_oms.hooks.oms.OmsHook",
        "link": True,
    }


def test_its_command_starts(installed, tmp_path):
    commands, folder = installed
    done = subprocess.run(
        [str(commands / "airflow-oms"), "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "airflow-oms" in done.stdout


def test_what_only_a_checkout_needs_does_not_come_with_it(installed):
    found = {path.name for path in installed[1].iterdir() if not path.name.endswith(".dist-info")}
    assert found == {"airflow_provider_oms"}
    assert not (installed[1] / "airflow_provider_oms" / "demo").exists()
