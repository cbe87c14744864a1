"""The form of OMS's answers, compared with the keys of the samples in the documents."""

from __future__ import annotations

import re

import pytest

from airflow_provider_oms.simulator import Clock, Failure, LiveProject, Project, render

START = 1_800_000_000.0


def live(**given) -> LiveProject:
    return LiveProject(Project(**given), Clock(speed=0, start=START))


def test_progress_has_the_documents_keys():
    data = render.progress(live(id="np_1").state())
    assert data == {
        "projectId": "np_1",
        "status": "INIT",
        "alarmLevel": "MEDIUM",
        "enableIncrSync": True,
        "currentStep": "TRANSFER_PRECHECK",
        "incrSyncCheckpoint": None,
        "enableStructTransfer": True,
        "enableFullTransfer": True,
        "structTransferProgress": 0,
        "fullTransferProgress": 0,
        "enableReverseIncrTransfer": True,
        "reverseIncrTransferCheckpoint": None,
    }


def test_what_is_not_enabled_is_null():
    data = render.progress(live(enable_full=False, enable_incr=False).state())
    assert data["enableFullTransfer"] is data["enableIncrSync"] is data["enableReverseIncrTransfer"] is False
    assert data["fullTransferProgress"] is None


def test_steps_have_the_documents_keys():
    project = live(rows=1000)
    project.start()
    project.clock.advance(4 + 2.5)
    rows = render.step_rows(project.state())
    assert [row["order"] for row in rows] == list(range(1, 10))
    for row in rows:
        assert list(row) == [
            "order",
            "name",
            "description",
            "status",
            "extraInfo",
            "startTime",
            "finishTime",
            "progress",
            "stepInfo",
        ]
        assert set(row["extraInfo"]) == {"errorDetails", "errorCode", "errorMsg", "errorParam", "failedTime"}
    full = rows[3]["stepInfo"]
    assert (full["processedRecords"], full["capacity"], full["srcRps"], full["dstRt"]) == (250, 1000, 100, 7)
    assert set(full) == set(rows[6]["stepInfo"])
    assert set(rows[6]["stepInfo"].values()) == {None}
    assert rows[5]["stepInfo"] == {
        "incrTimestampCheckpoint": None,
        "checkpointSampleTimestamp": None,
        "enableIncrStatistics": None,
    }
    assert rows[7]["stepInfo"] == {"checkpointSampleTimestamp": None}
    assert rows[0]["stepInfo"] is rows[8]["stepInfo"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", rows[0]["finishTime"])


def test_the_checkpoint_is_the_same_in_progress_and_steps():
    project = live(initial_lag=30)
    project.start()
    project.clock.advance(40)
    state = project.state()
    info = render.step_rows(state)[5]["stepInfo"]
    assert info["incrTimestampCheckpoint"] == render.progress(state)["incrSyncCheckpoint"] == int(START) + 34
    assert info["checkpointSampleTimestamp"] == int(START) + 35


def test_a_failed_step_says_why_and_keeps_its_failed_time():
    project = live(failures=[Failure("FULL_TRANSFER", at=0.5, code="C-9", message="no space", proposal="make room")])
    project.start()
    project.clock.advance(10)
    info = render.step_rows(project.state())[3]["extraInfo"]
    assert (info["errorCode"], info["errorMsg"]) == ("C-9", "no space")
    assert info["errorDetails"][0]["proposal"] == "make room"
    assert info["failedTime"] == "2027-01-15T08:00:04.050"
    project.resume()
    project.clock.advance(20)
    row = render.step_rows(project.state())[3]
    assert row["status"] == "FINISHED"
    assert row["extraInfo"]["failedTime"] == "2027-01-15T08:00:04.050"
    assert row["extraInfo"]["errorCode"] is None


def test_deferred_indexes_keep_the_full_transfer_running_at_100():
    project = live(defer_index=True)
    project.start()
    project.clock.advance(14.5)
    full = render.step_rows(project.state())[3]
    assert (full["status"], full["progress"], full["finishTime"]) == ("RUNNING", 100, None)
    project.clock.advance(1)
    assert render.step_rows(project.state())[3]["status"] == "FINISHED"


def test_a_sybase_source_has_no_time_in_its_checkpoint():
    state = live(status="RUNNING", step="INCR_TRANSFER", sybase=True).state()
    assert re.fullmatch(r"-?\d+,30", render.progress(state)["incrSyncCheckpoint"])


def test_the_old_vocabulary():
    given = {"status": "RUNNING", "step": "FULL_TRANSFER"}
    assert render.progress(live(**given, current_step_legacy=True).state())["currentStep"] == "FULL_MIGRATION"
    rows = render.step_rows(live(**given, vocabulary="legacy").state())
    assert [row["name"] for row in rows][:3] == ["PRE_CHECK", "STRUCT_MIGRATION", "INCR_LOG_PULL"]


def test_legacy_migration_leaves_full_verification_out():
    data = render.legacy_migration_progress(live(status="RUNNING", step="FULL_VERIFIER").state())
    assert data["currentStep"] == "INCR_SYNC"
    assert (data["structMigrationProgress"], data["fullMigrationProgress"]) == (100, 100)
    assert isinstance(data["incrSyncCheckpoint"], int)
    assert data["importance"] == "MEDIUM"


def test_legacy_sync_writes_its_checkpoint_as_a_text():
    data = render.legacy_sync_progress(live(type="SYNC", status="RUNNING", step="INCR_TRANSFER").state())
    assert data["currentStep"] == "CONNECTOR_INCR_SYNC"
    assert data["incrSyncCheckpoint"] == str(int(START) - 60)
    assert render.legacy_sync_progress(live(type="SYNC").state())["incrSyncCheckpoint"] is None


def test_components():
    data = render.components(live(status="RUNNING", step="FULL_VERIFIER").state())
    assert data["incrSyncComponents"][0]["delay"] == 1
    assert data["fullImportComponents"][0]["status"] == "FINISHED"
    assert data["reverseIncrSyncComponents"] is None
    assert render.components(live().state())["storeList"] is None


class TestShownValues:
    def test_they_stand_over_the_simulated_ones(self):
        project = live(status="RUNNING", step="INCR_TRANSFER", shown={"steps": {"FULL_TRANSFER": {"progress": 99}}})
        project.show_step("FULL_MIGRATION", status="ODD", stepInfo={"capacity": None})
        project.show_progress(fullTransferProgress=None)
        project.show_row(labels=None)
        rows = {row["name"]: row for row in render.step_rows(project.state())}
        assert (rows["FULL_TRANSFER"]["status"], rows["FULL_TRANSFER"]["progress"]) == ("ODD", 99)
        assert rows["FULL_TRANSFER"]["stepInfo"]["capacity"] is None
        assert rows["FULL_TRANSFER"]["stepInfo"]["processedRecords"] == 92198
        assert render.progress(project.state())["fullTransferProgress"] is None
        assert render.project_row(project, {}, {})["labels"] is None
        project.show_nothing()
        assert render.progress(project.state())["fullTransferProgress"] == 100


def test_a_skipped_verification_says_so_in_its_step_info():
    project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=40)

    def step_info():
        return render.step_rows(project.state())[-3]["stepInfo"]

    assert "skipped" not in step_info()
    project.skip_verification()
    assert (step_info()["skipped"], step_info()["validated"]) == (True, False)


@pytest.mark.parametrize("details", [["a text"], [{"code": "C", "message": "m", "reason": "r", "proposal": "p"}]])
def test_error_details_alone_may_show_a_failure(details):
    project = live(status="RUNNING", step="FULL_TRANSFER")
    project.fail(code=None, message=None, details=details)
    info = render.extra_info(project.state().steps["FULL_TRANSFER"])
    assert (info["errorCode"], info["errorMsg"], info["errorDetails"]) == (None, None, details)


def test_a_list_row_shows_checkpoints_and_flags():
    project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=100, enable_reverse_incr=False)
    row = render.project_row(project, {}, {})
    flags = {key: row[key] for key in row if key.startswith("enable")}
    assert flags == {
        "enableStructTransfer": True,
        "enableFullTransfer": True,
        "enableFullVerify": True,
        "enableIncrTransfer": True,
        "enableIncrVerify": False,
        "enableReverseIncrTransfer": False,
    }
    (incr,) = [step for step in row["steps"] if step["name"] == "INCR_TRANSFER"]
    assert incr["stepInfo"]["incrTimestampCheckpoint"] == render.progress(project.state())["incrSyncCheckpoint"]
    assert incr["stepInfo"]["checkpointSampleTimestamp"]
    assert row["gmtCreate"]
    assert row["gmtStart"]
    assert render.project_row(live(type="VERIFY"), {}, {})["enableIncrTransfer"] is False
