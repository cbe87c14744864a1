"""What every process of Airflow loads because of the page: few modules, and none if the page is off."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_oms.links.address import FIRST_AIRFLOW

HAS_PAGE = tuple(int(part) for part in airflow_version.split(".")[:2]) >= FIRST_AIRFLOW

#: Imports the plugin once for each set of variables, each time in a fork, because starting Airflow takes longer.
PROBE = """
import json, os, sys
import airflow.plugins_manager
from airflow.configuration import conf
conf.get("core", "dags_folder")

def probe(settings):
    os.environ.update(settings)
    before = set(sys.modules)
    from airflow_provider_oms.pages.plugin import OmsProgressPlugin as plugin
    new = sorted(set(sys.modules) - before)
    views = getattr(plugin, "external_views", [])
    apps = len(getattr(plugin, "fastapi_apps", []))
    valid = issubclass(plugin, airflow.plugins_manager.AirflowPlugin) and plugin.name == "oms_progress"
    print("PROBED " + json.dumps([new, apps, views, valid]), flush=True)

for settings in json.loads(sys.argv[1]):
    if not (child := os.fork()):
        probe(settings)
        os._exit(0)
    os.waitpid(child, 0)
"""

ON = "AIRFLOW__OMS__PROGRESS_PAGE"
SETTINGS = {
    "not set": {},
    "off": {ON: "False"},
    "odd": {ON: "perhaps"},
    "on": {ON: "True"},
    "below a path": {ON: "True", "AIRFLOW__API__BASE_URL": "https://airflow.example/team/"},
}


@pytest.fixture(scope="module")
def probed():
    """What a process loads and shows, by its settings."""
    command = [sys.executable, "-c", PROBE, json.dumps(list(SETTINGS.values()))]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.removeprefix("PROBED ") for line in output.splitlines() if line.startswith("PROBED ")]
    return dict(zip(SETTINGS, map(json.loads, lines), strict=True))


@pytest.mark.parametrize("setting", ["not set", "off", "odd"])
def test_it_is_off(probed, setting):
    _, apps, views, _ = probed[setting]
    assert (apps, views) == (0, [])


@pytest.mark.parametrize("setting", ["off", "on"])
def test_a_process_that_shows_no_page_loads_next_to_nothing(probed, setting):
    new, apps, views, valid = probed[setting]
    assert valid
    ours = {name.removeprefix("airflow_provider_oms") for name in new if name.startswith("airflow_provider_oms")}
    assert ours - {""} == {".links", ".links.address", ".pages", ".pages.plugin"}
    heavy = ("aiohttp", "requests", "fastapi", "starlette", "jinja2", "airflow.models", "airflow.api_fastapi", "ssl")
    assert [name for name in new if name.startswith(heavy)] == []
    assert (apps == 1 and len(views) == 1) is (setting == "on" and HAS_PAGE)


@pytest.mark.skipif(not HAS_PAGE, reason="this Airflow shows no pages of plugins")
def test_it_is_in_the_navigation_below_airflows_own_path(probed):
    _, _, (view,), _ = probed["below a path"]
    assert view == {
        "name": "Migration progress",
        "href": "/team/oms-progress/",
        "destination": "nav",
        "url_route": "oms-progress",
    }
