"""The actions on projects, over HTTP."""

from __future__ import annotations

import pytest

from airflow_provider_oms.simulator import DataSource, Project, Simulator
from airflow_provider_oms.simulator.actions import ACTIONS
from airflow_provider_oms.simulator.editions import EDITIONS

from ..conftest import post

BODY = {
    "name": "shop",
    "type": "MIGRATION",
    "sourceEndpointId": "e_a",
    "sinkEndpointId": "e_b",
    "transferMapping": {
        "mode": "SPECIFIC",
        "databases": [{"name": "shop", "mappedName": "shop_", "tables": [{"name": "orders"}]}],
    },
    "enableStructTransfer": True,
    "enableFullTransfer": True,
    "enableFullVerify": True,
    "enableIncrTransfer": True,
    "enableReverseIncrTransfer": False,
}


@pytest.fixture
def sources(sim):
    sim.add_data_source(DataSource("a", id="e_a"))
    sim.add_data_source(DataSource("b", id="e_b", type="OB_MYSQL"))


@pytest.mark.usefixtures("sources")
class TestCreate:
    def test_the_whole_life_of_a_project(self, sim, call, refused):
        project = call("CreateProject", **BODY)
        assert project.startswith("np_")
        assert call("DescribeProjectProgress", id=project)["status"] == "INIT"
        assert call("StartProject", id=project) is None
        sim.clock.advance(8)
        data = call("DescribeProjectProgress", id=project)
        assert (data["status"], data["currentStep"]) == ("RUNNING", "FULL_TRANSFER")
        assert data["fullTransferProgress"] == 40
        call("StopProject", id=project)
        sim.clock.advance(1)
        assert call("DescribeProjectProgress", id=project)["status"] == "SUSPEND"
        call("ResumeProject", id=project)
        sim.clock.advance(30)
        assert [s["status"] for s in call("DescribeProjectSteps", id=project)][5:] == [
            "MONITORING",
            "RUNNING",
            "INIT",
        ]
        assert call("AdvanceProject", id=project) == "TRANSFER_APP_SWITCH"
        assert call("AdvanceProject", id=project) is None
        assert call("DescribeProjectProgress", id=project)["status"] == "FINISHED"
        call("ReleaseProject", id=project)
        assert call("DescribeProjectProgress", id=project)["status"] == "RELEASING"
        sim.clock.advance(2)
        assert call("DescribeProjectProgress", id=project)["status"] == "RELEASED"
        call("DeleteProject", id=project)
        assert refused("DescribeProjectProgress", id=project)["code"] == "GHANA-PROJECT000001"

    def test_what_was_given_is_shown(self, sim, call):
        label = sim.add_label("nightly")
        project = call("CreateProject", **BODY, labelIds=[label], commonTransferConfig={"tableCategory": "ALL"})
        (row,) = call("DescribeProject", id=project)
        assert row["labels"] == [{"id": label, "name": "nightly"}]
        assert row["commonTransferConfig"] == {"tableCategory": "ALL"}
        assert row["transferMapping"] == BODY["transferMapping"]
        assert (row["sourceEndpointType"], row["sinkEndpointType"]) == ("MYSQL", "OB_MYSQL")
        assert row["sourceConnectInfo"]["endpointName"] == "a"
        assert "REVERSE_INCR_TRANSFER" not in [step["name"] for step in row["steps"]]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": None}, "name"),
            ({"name": "with space"}, "spaces"),
            ({"type": "MOVE"}, "MOVE"),
            ({"sourceEndpointId": "e_nope"}, "e_nope"),
            ({"sinkEndpointId": ""}, "sinkEndpointId"),
            ({"transferMapping": None}, "transferMapping"),
            ({"transferMapping": {"mode": "ALL"}}, "mode"),
            ({"transferMapping": {"mode": "SPECIFIC", "databases": []}}, "databases"),
            ({"transferMapping": {"mode": "SPECIFIC", "databases": ["x"]}}, "object"),
            ({"labelIds": ["l_nope"]}, "l_nope"),
            ({"labelIds": list("123456")}, "five"),
            ({"enableFullTransfer": "yes"}, "enableFullTransfer"),
            ({"incrTransferConfig": {"startTimestamp": 1}}, "startTimestamp"),
        ],
    )
    def test_what_is_refused(self, sim, refused, change, words):
        detail = refused("CreateProject", **{**BODY, **change})
        assert detail["code"] == "PARAM_ERROR"
        assert words in detail["message"]
        assert sim.projects == {}

    def test_a_name_is_unique(self, sim, call, refused):
        call("CreateProject", **BODY)
        assert "already exists" in refused("CreateProject", **BODY)["message"]
        assert len(sim.projects) == 1

    def test_a_start_timestamp_is_where_the_checkpoint_begins(self, sim, call):
        at = int(sim.clock.now()) - 500
        body = {**BODY, "enableFullTransfer": False, "enableStructTransfer": False}
        project = call("CreateProject", **body, incrTransferConfig={"startTimestamp": at})
        call("StartProject", id=project)
        sim.clock.advance(2)
        assert call("DescribeProjectProgress", id=project)["incrSyncCheckpoint"] == at

    def test_a_project_may_wait_after_the_schema(self, sim, call):
        config = {"autoProcessedToNextStep": False}
        project = call("CreateProject", **BODY, structTransferConfig=config)
        call("StartProject", id=project)
        sim.clock.advance(1000)
        assert call("DescribeProjectProgress", id=project)["currentStep"] == "STRUCT_TRANSFER"
        assert call("AdvanceProject", id=project) == "TRANSFER_INCR_LOG_PULL"

    def test_precheck(self, sim, call, refused):
        check = call("SubmitPreCheck", **BODY)
        assert sim.projects == {}
        assert call("GetPreCheckResult", id=check)["preCheckStatus"] == "RUNNING"
        sim.clock.advance(2)
        data = call("GetPreCheckResult", id=check)
        assert (data["preCheckStatus"], data["projectStatus"], data["progress"]) == ("FINISHED", "FINISHED", 100)
        assert {item["endpointType"] for item in data["preCheckResults"]} == {"SOURCE", "DEST"}
        assert "pc_nope" in refused("GetPreCheckResult", id="pc_nope")["message"]
        assert refused("SubmitPreCheck", projectId="np_nope")["code"] == "GHANA-PROJECT000001"


def test_an_action_in_the_wrong_state_says_which_it_needs(sim, refused):
    project = sim.add_project(Project(status="RUNNING"))
    detail = refused("ReleaseProject", id=project)
    assert detail["code"] == "GHANA-OPEROR000001"
    assert "RUNNING" in detail["message"]
    assert "SUSPEND or FAILED or FINISHED" in detail["message"]
    assert "does not wait" in refused("AdvanceProject", id=project)["message"]
    assert project in sim.projects


@pytest.mark.parametrize(
    "action",
    [
        "StartProject",
        "StopProject",
        "ResumeProject",
        "ReleaseProject",
        "DeleteProject",
        "AdvanceProject",
        "DescribeProject",
        "DescribeProjectSteps",
        "DescribeProjectProgress",
        "DescribeProjectComponents",
    ],
)
def test_an_unknown_project(refused, action):
    assert refused(action, id="np_nope")["code"] == "GHANA-PROJECT000001"
    assert refused(action)["code"] == "PARAM_ERROR"


class TestList:
    @pytest.fixture
    def many(self, sim):
        for number in range(25):
            sim.add_project(
                Project(
                    name=f"p{number:02}",
                    type="SYNC" if number % 5 == 0 else "MIGRATION",
                    status="RUNNING" if number < 3 else "INIT",
                    labels=["red"] if number < 4 else [],
                    source_type="ORACLE" if number == 7 else "MYSQL",
                )
            )
            sim.clock.advance(1)

    @pytest.mark.usefixtures("many")
    def test_pages(self, sim, call):
        first = post(sim, "ListProjects").json()
        assert (first["pageNumber"], first["pageSize"], first["totalCount"]) == (1, 10, 25)
        names = []
        for number in (1, 2, 3, 4):
            names += [row["name"] for row in call("ListProjects", pageNumber=number)]
        assert names == [f"p{number:02}" for number in reversed(range(25))]
        assert len(call("ListProjects", pageSize=150)) == 25

    @pytest.mark.usefixtures("many")
    def test_filters(self, sim, call):
        def names(**given):
            return sorted(row["name"] for row in call("ListProjects", pageSize=100, **given))

        assert names(searchKey="p07") == ["p07"]
        assert names(searchKey=sim.project("p08").id) == ["p08"]
        assert names(searchKey="nothing") == []
        assert names(status=["RUNNING"]) == names(status="RUNNING") == ["p00", "p01", "p02"]
        assert names(type="SYNC") == ["p00", "p05", "p10", "p15", "p20"]
        assert names(labelIds=list(sim.labels)) == ["p00", "p01", "p02", "p03"]
        assert names(sourceEndpointTypes=["ORACLE"]) == ["p07"]
        assert names(sinkEndpointTypes=["KAFKA"]) == []
        assert call("ListProjects", order="asc")[0]["name"] == "p00"
        sim.project("p11").start()
        assert call("ListProjects", sortField="gmtModified")[0]["name"] == "p11"

    @pytest.mark.parametrize(
        "given",
        [{"pageSize": 151}, {"pageSize": 0}, {"pageNumber": 0}, {"pageNumber": "one"}, {"sortField": "name"}],
    )
    def test_wrong_pages_are_refused(self, refused, given):
        assert refused("ListProjects", **given)["code"] == "PARAM_ERROR"


class TestLabels:
    def test_create_and_list(self, call, refused):
        label = call("CreateLabel", name="red")
        assert call("ListAllLabels") == [{"id": label, "name": "red"}]
        assert "already" in refused("CreateLabel", name="red")["message"]

    def test_start_and_stop_by_label(self, sim, call, refused):
        label = sim.add_label("red")
        begin = [sim.add_project(Project(labels=["red"])) for _ in range(2)]
        running = sim.add_project(Project(labels=["red"], status="RUNNING"))
        sim.add_project(Project())
        assert call("StartProjectsByLabel", id=label) == {
            "total": 2,
            "succeedProjectIds": begin,
            "failedProjectIds": [],
        }
        assert call("StopProjectsByLabel", id=label)["succeedProjectIds"] == [*begin, running]
        sim.clock.advance(1)
        assert {live.status for live in sim.projects.values()} == {"SUSPEND", "INIT"}
        assert "l_nope" in refused("StartProjectsByLabel", id="l_nope")["message"]


def test_a_verification_of_its_own(sim, call):
    """A project of type VERIFY, which OMS has from Enterprise 4.3.1 on."""
    sim.add_data_source(DataSource("a", id="e_a"))
    sim.add_data_source(DataSource("b", id="e_b", type="OB_MYSQL"))
    body = {key: value for key, value in BODY.items() if not key.startswith("enable")}
    project = call("CreateProject", **{**body, "type": "VERIFY"})
    call("StartProject", id=project)
    sim.clock.advance(10)
    (row,) = call("ListProjects", type="VERIFY")
    assert (row["id"], row["status"], row["enableFullVerify"]) == (project, "FINISHED", True)
    assert [step["name"] for step in row["steps"]] == ["TRANSFER_PRECHECK", "FULL_VERIFIER"]
    result = call("ListProjectFullVerifyResult", projectId=project)
    assert [table["sourceTableName"] for table in result["fullVerifyTableStatistics"]] == ["orders"]


class TestEditions:
    @pytest.fixture
    def told(self):
        """Send an action to an edition, and return the whole answer."""

        def send(edition, action, **payload):
            with Simulator(edition=edition) as sim:
                sim.add_data_source(DataSource("a", id="e_a"))
                sim.add_data_source(DataSource("b", id="e_b", type="OB_MYSQL"))
                answer = post(sim, action, **payload).json()
                return answer, [live.project.step_names for live in sim.projects.values()]

        return send

    @pytest.mark.parametrize(
        ("edition", "inside"), [(None, True), ("community-4.2.2", True), ("enterprise-4.3.1", False)]
    )
    def test_where_full_verification_is(self, told, edition, inside):
        answer, (names,) = told(edition, "CreateProject", **BODY)
        assert answer["success"]
        assert ("FULL_VERIFIER" in names) is inside

    def test_projects_of_type_verify(self, told):
        answer, projects = told("community-4.2.2", "CreateProject", **{**BODY, "type": "VERIFY"})
        assert "VERIFY" in answer["errorDetail"]["message"]
        assert projects == []
        _, (names,) = told("enterprise-4.3.1", "CreateProject", **{**BODY, "type": "VERIFY"})
        assert names == ["TRANSFER_PRECHECK", "FULL_VERIFIER"]

    def test_actions(self, told):
        assert "Unsupported action" in told("community-4.2.2", "DescribeRegions")[0]["errorDetail"]["message"]
        assert told("enterprise-4.3.1", "DescribeRegions")[0]["success"]
        assert EDITIONS["community-4.2.2"].unsupported < set(ACTIONS)
        with pytest.raises(ValueError, match="edition"):
            Simulator(edition="9")


def test_labels_that_do_not_exist(sim, call, refused):
    sim.add_project(Project(labels=["red"]))
    assert call("ListProjects", labelIds=["l_nope"]) == []
    assert "l_nope" in refused("StopProjectsByLabel", id="l_nope")["message"]


def test_statuses_of_projects_to_which_objects_are_added(sim, call):
    for status in ("RUNNING", "RUNNING_MODIFYING", "RUNNING_MERGING"):
        sim.add_project(Project(name=status, status=status, step="INCR_TRANSFER"))
    assert [row["name"] for row in call("ListProjects", status=["RUNNING_MODIFYING"])] == ["RUNNING_MODIFYING"]
    assert len(call("ListProjects", status=["RUNNING", "RUNNING_MERGING"], pageSize=150)) == 2
