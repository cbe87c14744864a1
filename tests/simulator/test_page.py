"""The web page: what it shows, that no text from outside is taken as HTML, and what its form does."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import requests

from airflow_provider_oms.simulator import ODD_TEXT, Project, Simulator
from airflow_provider_oms.simulator.control import CONTROLS

from .conftest import post, until_down

EVIL = "<script>alert('x')</script>\" onload=\"x"


class Read(HTMLParser):
    """The page as a browser parses it: its elements, attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def text_of(sim) -> str:
    return requests.get(sim.url, timeout=60).text


def test_projects_steps_requests_and_the_plain_words(sim):
    sim.add_project(Project(name="shop", status="RUNNING", step="FULL_TRANSFER", step_progress=37))
    post(sim, "ListProjects")
    response = requests.get(sim.url, timeout=60)
    assert response.headers["Content-Type"].startswith("text/html")
    for words in ("shop", 'value="37"', "ListProjects", "http-equiv=refresh", "not from an OMS", "width=device-width"):
        assert words in response.text


def test_the_summary_comes_first(sim):
    for number in range(14):
        sim.add_project(Project(name=f"p{number}", status="RUNNING", step="FULL_VERIFIER", step_progress=100))
    sim.add_project(Project(name="behind", status="RUNNING", step="INCR_TRANSFER", initial_lag=3723))
    text = text_of(sim)
    summary, details = text.split("<h2>Make something happen</h2>")
    assert "15 projects, 15 RUNNING, 14 waiting for a person" in summary
    assert summary.count("waits for a person") == 14
    assert "1 h 2 min" in summary
    assert [row["href"] for row in Read(summary).all("a")] == [f"#{row['id']}" for row in Read(details).all("details")]


def test_what_is_added_skipped_and_failed_is_reported(sim):
    project = sim.project(
        sim.add_project(Project(name="shop", status="RUNNING", step="FULL_VERIFIER", step_progress=40))
    )
    project.add_objects({"shop": ["prices"]})
    project.fail_modification(message="no space left")
    project.skip_verification()
    sim.add_project(Project(script=[{"after": 0, "do": "resume"}]))
    sim.clock.advance(1)
    text = text_of(sim)
    for words in (
        "RUNNING_<wbr>MODIFYING",
        "INCREASE_<wbr>OBJECT",
        "no space left",
        "skipped",
        "The script could not resume",
    ):
        assert words in text


def test_only_its_own_style_and_script_run(sim):
    response = requests.get(sim.url, timeout=60)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy
    read = Read(response.text)
    assert not [attributes for _, attributes in read.elements if any(name.startswith("on") for name in attributes)]
    assert not [attributes for _, attributes in read.elements if "style" in attributes]


@pytest.mark.parametrize("odd", [EVIL, ODD_TEXT])
def test_everything_from_outside_is_escaped(sim, odd):
    plain = Read(text_of(sim))
    sim.add_project(Project(name=odd, id=f"np_{odd}", source_type=odd, status_override=odd))
    project = sim.add_project(Project(name="y", status="RUNNING"))
    sim.project(project).fail(code=odd, message=odd)
    post(sim, "A" + odd.encode("ascii", "replace").decode(), id=odd)
    read = Read(text_of(sim))
    assert len(read.all("script")) == len(plain.all("script")) == 1
    assert {name for name, _ in read.elements} <= {name for name, _ in plain.elements} | {
        *("a", "b", "br", "code", "details", "option", "progress", "span", "summary", "table", "td", "th", "tr", "wbr")
    }
    assert all(set(row) == {"id"} for row in read.all("details"))


def test_an_empty_simulator(sim):
    assert "No projects" in text_of(sim)


class TestForm:
    @staticmethod
    def send(sim, control, login=True, **given):
        token = re.search(r'name="token" value="([^"]+)"', text_of(sim))
        assert token is not None
        return requests.post(
            f"{sim.url}/control",
            data={"token": token[1], "control": control, **given},
            auth=(sim.login, sim.password) if login else None,
            allow_redirects=False,
            timeout=60,
        )

    @pytest.fixture
    def shop(self, sim):
        return sim.project(sim.add_project(Project(name="shop", status="RUNNING", step="INCR_TRANSFER")))

    def test_a_button_does_what_it_says_and_leads_back(self, sim, shop):
        response = self.send(sim, "fail", project=shop.id, message="no space left")
        assert (response.status_code, response.headers["Location"]) == (303, "/")
        assert shop.status == "FAILED"
        assert "no space left" in text_of(sim)
        assert "shop: fail no space left. It is FAILED at INCR_TRANSFER." in text_of(sim)

    def test_there_is_a_button_for_every_control(self, sim):
        assert {row["value"] for row in Read(text_of(sim)).all("button")} == set(CONTROLS)

    def test_what_cannot_be_done_is_said(self, sim, shop):
        assert self.send(sim, "resume", project=shop.id).status_code == 303
        assert "cannot be resumed in status RUNNING" in text_of(sim)

    def test_it_needs_the_login(self, sim, shop):
        response = self.send(sim, "fail", login=False, project=shop.id)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Basic realm="OMS simulator"')
        assert shop.status == "RUNNING"

    @pytest.mark.parametrize("token", ["", "guessed", "ü"])
    def test_another_site_cannot_send_it(self, sim, shop, token):
        """A browser also sends the login with a request of another site, but that site doesn't know the token."""
        response = requests.post(
            f"{sim.url}/control",
            data={"control": "fail", "project": shop.id, "token": token},
            auth=(sim.login, sim.password),
            timeout=60,
        )
        assert response.status_code == 403
        assert shop.status == "RUNNING"

    def test_another_simulator_has_another_token(self, sim):
        with Simulator() as other:
            tokens = {re.search(r'name="token" value="([^"]+)"', text_of(one))[1] for one in (sim, other)}
        assert len(tokens) == 2

    def test_oms_goes_down_once_the_answer_is_out(self, sim, shop):
        response = self.send(sim, "down", seconds="3600")
        assert "OMS is down for 3600 s." in response.text
        until_down(sim)
        sim.up()
        assert "OMS simulator" in text_of(sim)
