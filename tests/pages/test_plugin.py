"""What every process of Airflow loads because of the page: little, and nothing where the page is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_oms.links.address import FIRST_AIRFLOW

HAS_PAGE = tuple(int(part) for part in airflow_version.split(".")[:2]) >= FIRST_AIRFLOW

PROBE = """
import json, sys
import airflow.plugins_manager
from airflow.configuration import conf
conf.get("core", "dags_folder")
before = set(sys.modules)
from airflow_provider_oms.pages.plugin import OmsProgressPlugin as plugin
new = sorted(set(sys.modules) - before)
views = getattr(plugin, "external_views", [])
apps = len(getattr(plugin, "fastapi_apps", []))
valid = issubclass(plugin, airflow.plugins_manager.AirflowPlugin) and plugin.name == "oms_progress"
print("PROBED " + json.dumps([new, apps, views, valid]))
"""


def probe(**settings):
    environment = os.environ | settings
    output = subprocess.run([sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=True)
    (line,) = [line for line in output.stdout.splitlines() if line.startswith("PROBED ")]
    return json.loads(line.removeprefix("PROBED "))


@pytest.mark.parametrize("value", ["", "False", "perhaps"])
def test_it_is_off(value):
    settings = {"AIRFLOW__OMS__PROGRESS_PAGE": value} if value else {}
    _, apps, views, _ = probe(**settings)
    assert (apps, views) == (0, [])


@pytest.mark.parametrize("value", ["False", "True"])
def test_a_process_that_shows_no_page_loads_next_to_nothing(value):
    new, apps, views, valid = probe(AIRFLOW__OMS__PROGRESS_PAGE=value)
    assert valid
    ours = {name.removeprefix("airflow_provider_oms") for name in new if name.startswith("airflow_provider_oms")}
    assert ours - {""} == {".links", ".links.address", ".pages", ".pages.plugin"}
    heavy = ("aiohttp", "requests", "fastapi", "starlette", "jinja2", "airflow.models", "airflow.api_fastapi", "ssl")
    assert [name for name in new if name.startswith(heavy)] == []
    assert (apps == 1 and len(views) == 1) is (value == "True" and HAS_PAGE)


@pytest.mark.skipif(not HAS_PAGE, reason="this Airflow shows no pages of plugins")
def test_it_is_in_the_navigation_below_airflows_own_path():
    base = {"AIRFLOW__OMS__PROGRESS_PAGE": "True", "AIRFLOW__API__BASE_URL": "https://airflow.example/team/"}
    _, _, (view,), _ = probe(**base)
    assert view == {
        "name": "Migration progress",
        "href": "/team/oms-progress/",
        "destination": "nav",
        "url_route": "oms-progress",
    }
