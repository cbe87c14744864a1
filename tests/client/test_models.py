"""OMS's answers as typed values: both API generations, unusual spellings, unknown values, the original in ``.raw``."""

import copy
import pickle
from datetime import UTC, datetime

import pytest

from airflow_provider_oms.client import models
from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.fields import Field, Model, NestedField
from airflow_provider_oms.client.models import Project, ProjectProgress, Step, VerificationResult

V2 = {
    "projectId": "np_1",
    "status": "RUNNING",
    "alarmLevel": "HIGH",
    "currentStep": "INCR_TRANSFER",
    "enableStructTransfer": True,
    "enableFullTransfer": True,
    "enableIncrSync": True,
    "enableReverseIncrTransfer": False,
    "structTransferProgress": 100,
    "fullTransferProgress": 98.5,
    "incrSyncCheckpoint": 1700000000,
    "reverseIncrTransferCheckpoint": 1700000100,
}
MIGRATION_V3 = {
    "status": "RUNNING",
    "importance": "HIGH",
    "currentStep": "INCR_TRANSFER",
    "enableStructMigration": True,
    "enableFullMigration": True,
    "enableIncrSync": True,
    "enableReverseIncrSync": False,
    "structMigrationProgress": 100,
    "fullMigrationProgress": 98.5,
    "incrSyncCheckpoint": 1700000000,
    "reverseIncrSyncCheckpoint": 1700000100,
}
SYNC_V3 = {
    "status": "RUNNING",
    "importance": "HIGH",
    "currentStep": "INCR_TRANSFER",
    "enableStructSync": True,
    "enableFullSync": True,
    "enableIncrSync": True,
    "structSyncProgress": 100,
    "fullSyncProgress": 98.5,
    "incrSyncCheckpoint": "1700000000",
}
# For a sync project, the table of the 3.3 page has these keys, and its sample has the others.
SYNC_V3_AS_TABLED = {
    **{key: value for key, value in SYNC_V3.items() if not key.endswith("SyncProgress")},
    "structMigrationProgress": 100,
    "fullMigrationProgress": 98.5,
}


def pascal(row):
    return {key[0].upper() + key[1:]: value for key, value in row.items()}


def as_text(row):
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in row.items()}


@pytest.mark.parametrize("change", [dict, pascal, as_text, lambda row: {key.upper(): row[key] for key in row}])
@pytest.mark.parametrize("raw", [V2, MIGRATION_V3, SYNC_V3, SYNC_V3_AS_TABLED])
def test_progress_reads_the_same_from_every_generation(raw, change):
    sent = change(raw)
    progress = ProjectProgress(sent)

    assert progress.status == "RUNNING"
    assert progress.alarm_level == "HIGH"
    assert progress.current_step == "INCR_TRANSFER"
    assert progress.enable_struct_transfer is True
    assert progress.enable_full_transfer is True
    assert progress.enable_incr_sync is True
    assert progress.struct_transfer_progress == 100
    assert progress.full_transfer_progress == 98.5
    assert progress.incr_sync_checkpoint == 1700000000
    has_reverse = raw is V2 or raw is MIGRATION_V3
    assert progress.enable_reverse_incr_transfer is (False if has_reverse else None)
    assert progress.reverse_incr_transfer_checkpoint == (1700000100 if has_reverse else None)
    assert progress.raw is sent


FIELDS = [
    (model, name)
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, Model) and model is not Model
    for name, field in vars(model).items()
    if isinstance(field, Field)
]


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_absent_and_null_are_nothing(model, name):
    field = getattr(model, name)
    nothing = [] if isinstance(field, NestedField) else None
    for raw in ({}, dict.fromkeys(field.names), {"unheard of": 1}):
        assert getattr(model(raw), name) == nothing


@pytest.mark.parametrize(
    ("progress", "value"),
    [
        ({"structTransferProgress": 5151}, 5151),
        ({"fullTransferProgress": "5151"}, "5151"),
        ({"fullTransferProgress": -1}, -1),
        ({"fullTransferProgress": float("nan")}, float("nan")),
        ({"fullTransferProgress": 1e308}, 1e308),
        ({"fullTransferProgress": [100]}, [100]),
        ({"fullTransferProgress": True}, True),
    ],
)
def test_a_nonsense_percentage_is_an_error_only_when_read(progress, value):
    read = ProjectProgress({**progress, "status": "RUNNING"})

    assert read.status == "RUNNING"
    with pytest.raises(OmsMalformedAnswerError):
        _ = read.struct_transfer_progress, read.full_transfer_progress


@pytest.mark.parametrize(
    ("checkpoint", "meaning"),
    [("100,30", "100,30"), ("0", 0), (0, 0), (-1, -1), (1700000000.5, 1700000000.5), ("", ""), (None, None)],
)
def test_checkpoints(checkpoint, meaning):
    assert ProjectProgress({"incrSyncCheckpoint": checkpoint}).incr_sync_checkpoint == meaning


@pytest.mark.parametrize("status", ["RUNNING_SOMETHING_NEW", "running", " Running ", "РАБОТАЕТ", "42", ""])
def test_unknown_words_are_kept(status):
    assert ProjectProgress({"status": status}).status == status.strip().upper()
    assert ProjectProgress({"status": status}).raw["status"] == status


def test_a_step():
    step = Step(
        {
            "order": "4",
            "name": "full_transfer",
            "status": "FAILED",
            "progress": "50",
            "startTime": "2023-07-17T23:01:25",
            "finishTime": None,
            "description": "全量迁移",
            "ExtraInfo": {"ErrorCode": "GHANA-MIGRAT000201", "errorMsg": "no", "failedTime": "2023-07-17T23:02:00.5"},
            "stepInfo": {"processedRecords": "10", "capacity": 20, "dstRps": 1.5, "incrTimestampCheckpoint": "100,30"},
        }
    )

    assert (step.order, step.name, step.status, step.progress) == (4, "FULL_TRANSFER", "FAILED", 50)
    assert step.start_time == datetime(2023, 7, 17, 23, 1, 25, tzinfo=UTC)
    assert step.finish_time is None
    assert step.description == "全量迁移"
    assert (step.extra.error_code, step.extra.error_message) == ("GHANA-MIGRAT000201", "no")
    assert step.extra.failed_time == datetime(2023, 7, 17, 23, 2, 0, 500000, tzinfo=UTC)
    assert (step.info.processed_records, step.info.capacity, step.info.target_rps) == (10, 20, 1.5)
    assert step.info.incr_timestamp_checkpoint == "100,30"


@pytest.mark.parametrize("odd", [None, [], "", "text", 7, {}])
def test_a_step_without_details(odd):
    step = Step({"name": "FULL_TRANSFER", "extraInfo": odd, "stepInfo": odd})

    assert step.extra.error_message is None
    assert step.info.processed_records is None


def test_a_project_and_its_steps():
    project = Project({"Id": "np_1", "importance": "low", "Steps": [{"Name": "FULL_TRANSFER"}, {"name": "X"}]}, "List")

    assert (project.id, project.alarm_level) == ("np_1", "LOW")
    assert [step.name for step in project.steps] == ["FULL_TRANSFER", "X"]
    assert project.steps[0].source == "List"
    assert Project({"projectId": "np_2"}).id == "np_2"


def test_a_verification():
    result = VerificationResult(
        {
            "differentNumber": "3",
            "fullVerifyTableStatistics": [
                {
                    "sourceSchemaName": "s",
                    "sourceTableName": "t",
                    "destSchemaName": "d",
                    "resultType": "Inconsistent",
                    "sourceOnlyCount": 1,
                    "destOnlyCount": "2",
                    "mismatchedCount": None,
                    "progress": "1.0",
                    "resultDesc": "不一致",
                    "errorDetails": [{"a": 1}],
                }
            ],
        }
    )

    (table,) = result.tables
    assert result.different_number == 3
    assert (table.source_schema, table.source_table, table.target_schema) == ("s", "t", "d")
    assert table.result_type == "INCONSISTENT"
    assert (table.source_only_count, table.target_only_count, table.mismatched_count) == (1, 2, None)
    assert table.raw["errorDetails"] == [{"a": 1}]


@pytest.mark.parametrize("value", [-1, 0.5, "many", True])
def test_a_nonsense_count_is_not_zero(value):
    with pytest.raises(OmsMalformedAnswerError, match="differentNumber="):
        _ = VerificationResult({"differentNumber": value}).different_number


@pytest.mark.parametrize(
    ("raw", "status"), [({"projectStatus": "FAILED"}, "FAILED"), ({"preCheckStatus": "running"}, "RUNNING")]
)
def test_a_precheck_in_both_editions(raw, status):
    assert models.PreCheckResult(raw).status == status


def test_models_can_be_kept():
    progress = ProjectProgress(V2, "DescribeProjectProgress of project np_1")

    for kept in (copy.deepcopy(progress), pickle.loads(pickle.dumps(progress))):  # noqa: S301 - our own
        assert kept == progress
        assert kept.source == progress.source
        assert kept.full_transfer_progress == 98.5
