"""The links to the OMS console and to the progress page: the worker writes them to XCom, the web server reads them."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest
from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_oms.exceptions import OmsMilestoneFailedError
from airflow_provider_oms.get_provider_info import get_provider_info
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.links import oms as links
from airflow_provider_oms.links.address import FIRST_AIRFLOW, page_is_on
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors
from airflow_provider_oms.simulator import Project

AIRFLOW_BEFORE_3_3 = tuple(int(part) for part in airflow_version.split(".")[:2]) < (3, 3)

CLASSES = [
    getattr(module, name)
    for module in (operators, sensors)
    for name in module.__all__
    if isinstance(getattr(module, name), type)
]


class Pushed(dict):
    """A task instance that only takes XComs."""

    def xcom_push(self, key, value):
        self[key] = value


@pytest.mark.parametrize("cls", CLASSES)
def test_every_task_has_it(cls):
    assert [link.name for link in cls.operator_extra_links] == ["OMS console"]


def test_it_is_registered():
    assert get_provider_info()["extra-links"] == [
        "airflow_provider_oms.links.oms.OmsConsoleLink",
        "airflow_provider_oms.links.oms.OmsProgressLink",
    ]


def test_an_operator_leaves_it(sim):
    ti = Pushed()
    project_id = sim.add_project(Project(name="p", status="RUNNING"))
    operators.OmsStartProjectOperator(task_id="task", project_id=project_id).execute({"ti": ti})
    assert ti["oms_console_url"] == f"{sim.url}/oms-v2/migration"


@pytest.mark.parametrize("name", ["project_id", "project_name"])
def test_a_sensor_leaves_it(sim, monkeypatch, name):
    extra = {"console_url": "https://oms.example.com/p/{project_id}"}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**sim.connection_kwargs, "extra": extra}))
    project_id = sim.add_project(Project(name="p", status="RUNNING"))
    ti = Pushed()
    gate = sensors.OmsProjectStatusSensor(
        task_id="task", target_statuses="RUNNING", **{name: project_id if name == "project_id" else "p"}
    )
    assert gate.poke({"ti": ti}).is_done
    assert ti == {"oms_console_url": f"https://oms.example.com/p/{project_id}"}
    gate.poke({"ti": Pushed()})  # one XCom is enough


@pytest.mark.skipif(AIRFLOW_BEFORE_3_3, reason="start_from_trigger needs Airflow 3.3")
@pytest.mark.parametrize("status", ["reached", "failed", "timeout"])
def test_a_gate_that_was_on_no_worker_leaves_it_when_it_comes_to_one(sim, status):
    ti = Pushed()
    gate = sensors.OmsFullTransferSensor(task_id="task", project_id="np_1", deferrable=True, start_from_trigger=True)
    event = {"status": status, "message": "Why.", "observed": {"project": "np_1"}}
    with contextlib.suppress(OmsMilestoneFailedError, AirflowSensorTimeout):
        gate.execute_complete({"ti": ti}, event)
    assert ti == {"oms_console_url": f"{sim.url}/oms-v2/migration"}


@pytest.mark.parametrize("context", [{}, {"ti": None}, {"ti": SimpleNamespace()}])
def test_what_can_not_be_left_does_no_harm(sim, context):
    links.push_console_url(context, OmsHook(), "np_1")


def test_what_is_no_web_address_is_not_left(sim, monkeypatch):
    extra = {"console_url": "javascript:alert(1)"}
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**sim.connection_kwargs, "extra": extra}))
    ti = Pushed()
    links.push_console_url({"ti": ti}, OmsHook(), "np_1")
    assert ti == {}


def test_airflow_3_reads_what_the_task_left_while_it_still_runs():
    """Airflow writes its own XCom key only when a task ends or defers, so a gate in poke mode would have no link."""
    assert links.OmsConsoleLink().xcom_key == links.XCOM_KEY


def test_a_connection_that_can_not_be_read_does_no_harm(monkeypatch):
    ti = Pushed()
    links.push_console_url({"ti": ti}, OmsHook("nobody_has_it"), "np_1")
    assert ti == {}


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ("https://oms.example.com/p/1", "https://oms.example.com/p/1"),
        ("http://oms:8089/oms-v2/migration", "http://oms:8089/oms-v2/migration"),
        ("javascript:alert(1)", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_is_read_without_a_connection(monkeypatch, left, expected):
    asked = []

    class Stored:
        @staticmethod
        def get_value(*, key, ti_key):
            asked.append((key, ti_key))
            return left

    monkeypatch.setattr(links, "XCom", Stored)
    monkeypatch.setattr(OmsHook, "get_connection", lambda *args: pytest.fail("a link must not read a connection"))
    assert links.OmsConsoleLink().get_link(None, ti_key="which") == expected
    assert asked == [("oms_console_url", "which")]


def test_what_can_not_be_read_is_no_link(monkeypatch):
    monkeypatch.setattr(links, "XCom", None)
    assert links.OmsConsoleLink().get_link(None, ti_key="which") == ""


class Instance(Pushed):
    """A task instance that takes XComs and has a task."""

    dag_id, run_id, task_id, map_index = "d", "scheduled__2025-01-01T00:00:00+00:00", "group.t", -1


PAGE = "/oms-progress/dags/d/runs/scheduled__2025-01-01T00%3A00%3A00%2B00%3A00/tasks/group.t/-1"
HAS_PAGE = tuple(int(part) for part in airflow_version.split(".")[:2]) >= FIRST_AIRFLOW


@pytest.fixture
def page_on(monkeypatch):
    monkeypatch.setenv("AIRFLOW__OMS__PROGRESS_PAGE", "True")


def test_without_the_page_there_is_no_link_to_it(sim):
    ti = Instance()
    links.push_progress_url({"ti": ti})
    assert ti == {}
    assert [link.name for link in links.project_links()] == ["OMS console"]


@pytest.mark.skipif(not HAS_PAGE, reason="this Airflow shows no pages of plugins")
def test_a_gate_leaves_the_page_and_what_it_waits_for(sim, page_on):
    ti = Instance()
    project_id = sim.add_project(Project(name="p", status="RUNNING"))
    gate = sensors.OmsProjectStatusSensor(task_id="t", project_id=project_id, target_statuses=["RUNNING"])
    gate.execute({"ti": ti})
    assert ti["oms_progress_url"] == PAGE
    assert Gate.from_dict(json.loads(ti["oms_waits_for"])) == gate.gate()


@pytest.mark.skipif(not HAS_PAGE, reason="this Airflow shows no pages of plugins")
def test_an_operator_leaves_the_page(sim, page_on):
    ti = Instance()
    project_id = sim.add_project(Project(name="p", status="RUNNING"))
    operators.OmsStartProjectOperator(task_id="t", project_id=project_id).execute({"ti": ti})
    assert ti["oms_progress_url"] == PAGE
    assert "oms_waits_for" not in ti


@pytest.mark.skipif(not HAS_PAGE, reason="this Airflow shows no pages of plugins")
def test_the_page_below_airflows_own_path(page_on, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/team/")
    assert [link.name for link in links.project_links()] == ["OMS console", "Migration progress"]
    link = links.OmsProgressLink()
    assert link.get_link(None, ti_key=Instance()) == f"/team{PAGE}"
    assert link.xcom_key == "oms_progress_url"


@pytest.mark.parametrize("value", ["perhaps", ""])
def test_a_wrong_setting_turns_the_page_off(monkeypatch, value):
    monkeypatch.setenv("AIRFLOW__OMS__PROGRESS_PAGE", value)
    assert not page_is_on()
