"""The page for people: what it shows, and that nothing from outside is taken as HTML."""

from __future__ import annotations

import requests

from airflow_provider_oms.simulator import Project

from .conftest import post

EVIL = "<script>alert('x')</script>"


def test_projects_steps_requests_and_the_plain_words(sim):
    sim.add_project(Project(name="shop", status="RUNNING", step="FULL_TRANSFER", step_progress=37))
    post(sim, "ListProjects")
    response = requests.get(sim.url, timeout=2)
    assert response.headers["Content-Type"].startswith("text/html")
    for words in ("shop", "value=37", "ListProjects", "http-equiv=refresh", "not from an OMS"):
        assert words in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_everything_from_outside_is_escaped(sim):
    sim.add_project(Project(name=EVIL, id="np_<i>", source_type=EVIL, status_override=EVIL))
    project = sim.add_project(Project(name="y", status="RUNNING"))
    sim.project(project).fail(code=EVIL, message=EVIL)
    post(sim, EVIL, id=EVIL)
    text = requests.get(sim.url, timeout=2).text
    assert "<script" not in text
    assert "<i>" not in text
    assert text.count("&lt;script&gt;") >= 5


def test_an_empty_simulator(sim):
    assert "No projects" in requests.get(sim.url, timeout=2).text
