"""The synchronous client: opening and closing it, and what importing it loads."""

import subprocess
import sys

import pytest
from client_support import settings_of

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsConnectionLostError, OmsProjectNotFoundError
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.simulator import Fault, Project, Simulator


@pytest.fixture
def oms():
    with Simulator([Project(name="p", id="np_1"), Project(name="q", id="np_2")]) as simulator:
        yield simulator


def test_it_may_be_used_again_after_closing(oms):
    client = OmsClient(settings_of(oms))
    for _ in range(3):
        assert client.describe_project_progress("np_1").status == "INIT"
        client.close()
        client.close()


def test_closing_what_was_never_used():
    OmsClient(settings_of(Simulator(port=1))).close()


def test_an_error_leaves_it_usable(oms):
    oms.add_fault(Fault("truncate", times=1))
    oms.add_fault(Fault("reset_before", times=1))
    with OmsClient(settings_of(oms)) as client:
        for _ in range(2):
            with pytest.raises(OmsConnectionLostError, match="broke before the answer was complete"):
                client.describe_project_progress("np_1")
        assert client.describe_project_progress("np_1").status == "INIT"


@pytest.mark.parametrize("create", [False, True])
def test_an_oms_that_was_restarted_meanwhile(create, oms):
    """The kept connection is dead; the request is neither lost nor carried out twice."""
    with OmsClient(settings_of(oms)) as client:
        client.list_all_labels()
        oms.down()
        oms.up()
        client.create_label("l") if create else client.list_all_labels()
    assert len(oms.labels) == create


def test_a_life_of_a_project(oms):
    """Each action has its effect in OMS."""
    with OmsClient(settings_of(oms)) as client:
        assert {project.name for project in client.list_projects()} == {"p", "q"}
        assert [project.id for project in client.list_projects("np_2")] == ["np_2"]
        assert client.start_project("np_1") is None
        assert client.describe_project_progress("np_1").status == "RUNNING"
        assert client.describe_project("np_1").name == "p"
        assert client.describe_project_steps("np_1")[0].name == "TRANSFER_PRECHECK"
        assert client.describe_project_components("np_1").raw
        label = client.create_label("l")
        assert [found.id for found in client.list_all_labels()] == [label]
        source = client.create_mysql_data_source("src", ip="db", port=3306, username="u", password="pä:ss")
        assert oms.data_sources[source].password == "pä:ss"
        target = client.create_oceanbase_data_source(
            "dst", tenant="t", cluster="c", ip="db", port=1, username="u", password="x", drc_password="y"
        )
        assert {found.id for found in client.list_data_source()} >= {source, target}
        client.delete_data_source(source)
        assert source not in oms.data_sources
        client.delete_project("np_2")
        assert "np_2" not in oms.projects
        assert client.call("DescribeRegions", reads_only=True)[0]["id"] == 1


@pytest.mark.parametrize(("kind", "project"), [("MIGRATION", "np_1"), ("SYNC", "np_3")])
def test_both_generations_say_the_same(kind, project, oms):
    oms.add_project(Project(name="s", id="np_3", type="SYNC"))
    oms.clock.speed = 0
    with OmsClient(settings_of(oms)) as client:
        client.start_project(project)
        newer = client.describe_project_progress(project)
    with OmsClient(settings_of(oms, api_version="v3")) as client:
        older = client.describe_project_progress(project, kind)

    for name in ("status", "alarm_level", "full_transfer_progress", "enable_full_transfer", "enable_incr_sync"):
        assert getattr(newer, name) == getattr(older, name)
        assert getattr(newer, name) is not None


def test_pascal_case_all_the_way():
    oms = Simulator([Project(name="p", id="np_1", status="RUNNING")], casing="pascal")
    with oms, OmsClient(settings_of(oms)) as client:
        assert [project.name for project in client.list_projects()] == ["p"]
        assert client.describe_project_progress("np_1").status == "RUNNING"
        assert client.describe_project_steps("np_1")[0].status


def test_whose_clock_an_answer_tells(oms):
    oms.clock.advance(86_400)
    with OmsClient(settings_of(oms)) as client:
        answer = client.send(actions.list_all_labels())
        assert answer.clock == "OMS"
        assert abs(answer.at - oms.clock.now()) < 60
        oms.date_header = "none"
        assert client.send(actions.list_all_labels()).clock == "local"


def test_errors_are_thrown_into_a_flow(oms):
    def flow():
        with pytest.raises(OmsProjectNotFoundError, match="no such project"):
            yield actions.describe_project("np_none")
        answer = yield actions.describe_project("np_1")
        return answer.data.name

    with OmsClient(settings_of(oms)) as client:
        assert run_flow(client, flow()) == "p"


@pytest.mark.parametrize("module", ["sync", "aio", "actions", "operations"])
def test_importing_is_cheap(module):
    """A DAG is parsed every few seconds, for which neither an HTTP library nor tenacity is needed."""
    code = (
        f"import sys, airflow_provider_oms.client.{module}; "
        "print([name for name in ('requests', 'aiohttp', 'airflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
