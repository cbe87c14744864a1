"""What a user can do to a simulator, and the command for it."""

from __future__ import annotations

import json

import pytest
import requests

from airflow_provider_oms.simulator import Project
from airflow_provider_oms.simulator.__main__ import main
from airflow_provider_oms.simulator.control import CONTROLS
from airflow_provider_oms.simulator.ctl import _HELP

from .conftest import until_down


@pytest.fixture
def shop(sim):
    tables = [{"schema": "shop", "table": "orders"}]
    return sim.project(
        sim.add_project(
            Project(name="shop", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=tables)
        )
    )


@pytest.fixture
def ctl(sim, capsys):
    """Run the command; return its exit status, its output, and its errors."""

    def run(*arguments, **login):
        options = {"url": sim.url, "login": sim.login, "password": sim.password, **login}
        status = main(["ctl", *(f"--{name}={value}" for name, value in options.items()), *arguments])
        return status, *capsys.readouterr()

    return run


def test_each_control_is_explained():
    assert set(_HELP) == set(CONTROLS)


@pytest.mark.parametrize(
    ("arguments", "status", "step"),
    [
        (["fail", "shop", "no space left"], "FAILED", "FULL_VERIFIER"),
        (["pause", "shop"], "SUSPEND", "FULL_VERIFIER"),
        (["complete", "shop"], "RUNNING", "TRANSFER_APP_SWITCH"),
        (["add", "shop", "shop.prices", "other"], "RUNNING_MODIFYING", "FULL_VERIFIER"),
        (["remove", "shop", "shop.orders"], "RUNNING_MODIFYING", "FULL_VERIFIER"),
        (["skip-verification", "shop"], "RUNNING", "TRANSFER_APP_SWITCH"),
        (["reverify", "shop"], "RUNNING", "FULL_VERIFIER"),
        (["lag", "shop", "90"], "RUNNING", "FULL_VERIFIER"),
    ],
)
def test_it_happens(sim, ctl, shop, arguments, status, step):
    sim.clock.advance(0.5)
    code, out, err = ctl(*arguments)
    assert (code, err) == (0, "")
    sim.clock.advance(0.5)
    assert (shop.status, shop.current_step) == (status, step)
    assert out.startswith(f"shop: {CONTROLS[arguments[0]].words.lower()}")


def test_from_the_failure_to_the_end(ctl, sim, shop):
    assert ctl("fail", "shop")[0] == 0
    assert shop.state().steps["FULL_VERIFIER"].error.message == "Failed on demand."
    assert ctl("recover", shop.id)[0] == 0
    assert ctl("pause", "shop")[0] == ctl("resume", "shop")[0] == 0
    assert ctl("add", "shop", "shop.prices")[0] == 0
    sim.clock.advance(1)
    assert ctl("fail-addition", "shop")[0] == 0
    assert shop.status == "RUNNING_MODIFYING"
    assert ctl("finish-addition", "shop")[0] == 0
    assert ctl("complete", "shop")[0] == ctl("complete", "shop")[0] == 0
    assert shop.current_step == "REVERSE_INCR_TRANSFER"
    new = sim.add_project(Project(name="new"))
    assert ctl("start", "new")[0] == 0
    assert sim.project(new).status == "RUNNING"


def test_the_lag_and_the_list(sim, ctl, shop):
    assert ctl("lag", "shop", "90")[0] == 0
    _, out, _ = ctl("list")
    assert json.loads(out) == {
        "id": shop.id,
        "name": "shop",
        "status": "RUNNING",
        "step": "FULL_VERIFIER",
        "progress": 100,
        "lag": 90,
        "waits_for_person": True,
    }


def test_the_clock(sim, ctl):
    before = sim.clock.now()
    assert ctl("advance-clock", "60")[0] == 0
    assert sim.clock.now() == before + 60
    assert ctl("speed", "10")[0] == 0
    assert sim.clock.speed == 10


def test_an_outage(sim, ctl):
    assert ctl("down", "3600") == (0, "OMS is down for 3600 s.\n", "")
    until_down(sim)
    status, _, err = ctl("list")
    assert status == 1
    assert "No simulator answers at" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pause", "none"], "No project 'none'"),
        (["resume", "shop"], "cannot be resumed in status RUNNING"),
        (["lag", "shop", "nan"], "must be a number"),
        (["down", "-1"], "must be a number"),
        (["add", "shop", "shop."], "such as shop.orders"),
        (["add", "shop", "shop.orders"], "nothing to add"),
    ],
)
def test_what_cannot_be_done_is_said(ctl, shop, arguments, words):
    if arguments[-1] == "-1":
        arguments = [arguments[0], "--", arguments[1]]
    status, out, err = ctl(*arguments)
    assert (status, out) == (1, "")
    assert words in err
    assert shop.status == "RUNNING"


def test_a_wrong_login_and_no_simulator(sim, ctl, shop):
    status, _, err = ctl("fail", "shop", password="wrong")
    assert status == 1
    assert "login" in err
    assert shop.status == "RUNNING"
    assert "HTTP 404" in ctl("list", url=f"{sim.url}/nothing")[2]


def test_a_control_that_does_not_exist(sim, shop):
    headers = {"X-Requested-With": "oms-simulator-ctl"}
    data = {"control": "explode", "project": "shop"}
    response = requests.post(
        f"{sim.url}/control", data=data, headers=headers, auth=(sim.login, sim.password), timeout=60
    )
    assert response.status_code == 409
    assert "explode" in response.json()["error"]
