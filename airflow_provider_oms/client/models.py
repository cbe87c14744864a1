"""The typed models of OMS's answers: thin views that read a value on access and keep the original in ``.raw``.

The names and units are those of OceanBase's API reference (V4.2.2; for the older names V3.3.0-CE:
docs/develop/oms-wire.md#v3-keys). Times: docs/develop/oms-facts.md#times
"""

from __future__ import annotations

from airflow_provider_oms.client.fields import (
    Checkpoint,
    Field,
    Model,
    NestedField,
    boolean,
    checkpoint,
    count,
    identifier,
    moment,
    number,
    percent,
    text,
    texts,
    value_or_none,
    word,
)


class ProjectProgress(Model):
    """Answer of ``DescribeProjectProgress`` and of both 3.3 progress endpoints. Checkpoints are Unix seconds."""

    __slots__ = ()
    project_id = Field(identifier, "projectId")
    status = Field(word, "status")
    alarm_level = Field(word, "alarmLevel", "importance")
    current_step = Field(word, "currentStep")
    enable_struct_transfer = Field(boolean, "enableStructTransfer", "enableStructMigration", "enableStructSync")
    enable_full_transfer = Field(boolean, "enableFullTransfer", "enableFullMigration", "enableFullSync")
    enable_incr_sync = Field(boolean, "enableIncrSync")
    enable_reverse_incr_transfer = Field(boolean, "enableReverseIncrTransfer", "enableReverseIncrSync")
    struct_transfer_progress = Field(percent, "structTransferProgress", "structMigrationProgress", "structSyncProgress")
    full_transfer_progress = Field(percent, "fullTransferProgress", "fullMigrationProgress", "fullSyncProgress")
    incr_sync_checkpoint: Field[Checkpoint] = Field(checkpoint, "incrSyncCheckpoint")
    reverse_incr_transfer_checkpoint: Field[Checkpoint] = Field(
        checkpoint, "reverseIncrTransferCheckpoint", "reverseIncrSyncCheckpoint"
    )


class ErrorDetail(Model):
    """An ``errorDetail``, or one of the ``errorDetails`` of a step or a table.

    OMS sends either objects, or plain texts, which are read as the message.

    Source: docs/develop/oms-facts.md#failed-time
    """

    __slots__ = ()
    code = Field(text, "code")
    message = Field(text, "message")
    reason = Field(text, "reason")
    proposal = Field(text, "proposal")

    @property
    def summary(self) -> str:
        """The error in one line."""
        said = (value_or_none(self, field) for field in (type(self).code, type(self).message, type(self).reason))
        advice = value_or_none(self, type(self).proposal)
        return " ".join([*dict.fromkeys(filter(None, said)), *([f"OMS advises: {advice}"] if advice else [])])


class StepExtra(Model):
    """The ``extraInfo`` of a step: why it failed. ``failed_time`` may be the time of an earlier failure."""

    __slots__ = ()
    error_code = Field(text, "errorCode")
    error_message = Field(text, "errorMsg")
    failed_time = Field(moment, "failedTime")
    error_details = NestedField(ErrorDetail, "errorDetails", lone="message")


class StepInfo(Model):
    """The ``stepInfo`` of a step. ``*_rps`` are records per second, ``*_iops`` bytes per second, times Unix seconds.

    Sources: docs/develop/oms-facts.md#step-fields; for ``skipped`` and ``validated`` of a verification:
    docs/develop/oms-facts.md#full-verification-skipped
    """

    __slots__ = ()
    processed_records = Field(count, "processedRecords")
    capacity = Field(count, "capacity")
    source_rps = Field(number, "srcRps")
    target_rps = Field(number, "dstRps")
    source_iops = Field(number, "srcIops")
    target_iops = Field(number, "dstIops")
    incr_timestamp_checkpoint: Field[Checkpoint] = Field(checkpoint, "incrTimestampCheckpoint")
    checkpoint_sample_timestamp = Field(number, "checkpointSampleTimestamp")
    skipped = Field(boolean, "skipped")
    validated = Field(boolean, "validated")


class Step(Model):
    """One row of ``DescribeProjectSteps``."""

    __slots__ = ()
    order = Field(number, "order")
    name = Field(word, "name")
    description = Field(text, "description")
    status = Field(word, "status")
    progress = Field(percent, "progress")
    start_time = Field(moment, "startTime")
    finish_time = Field(moment, "finishTime")

    @property
    def extra(self) -> StepExtra:
        """The error details, empty when OMS sent none."""
        return StepExtra(self.part("extraInfo"), self.source)

    @property
    def info(self) -> StepInfo:
        """The figures, empty when OMS sent none."""
        return StepInfo(self.part("stepInfo"), self.source)


class Label(Model):
    """One row of ``ListAllLabels``, and a label of a project."""

    __slots__ = ()
    id = Field(identifier, "id")
    name = Field(text, "name")


class AlarmStats(Model):
    """The ``alarmStats`` of a project: whether an alarm is raised, and what it says.

    Source: docs/develop/oms-facts.md#alarms
    """

    __slots__ = ()
    alarming = Field(boolean, "alarming")
    recently_trigger_count = Field(count, "recentlyTriggerCount")
    content = Field(text, "alarmContent")
    monitored = Field(boolean, "openMonitor")


class MappedColumn(Model):
    """A column of a table that a project moves, if OMS lists the columns.

    Source: docs/develop/oms-actions.md#mapping
    """

    __slots__ = ()
    name = Field(text, "columnName")
    mapped_name = Field(text, "mappedName")
    is_hidden = Field(boolean, "isGenerateField")


class MappedObject(Model):
    """A table or view that a project moves."""

    __slots__ = ()
    name = Field(text, "name")
    mapped_name = Field(text, "mappedName")
    columns = NestedField(MappedColumn, "columns")


class MappedDatabase(Model):
    """A database from which a project moves tables or views."""

    __slots__ = ()
    name = Field(text, "name")
    mapped_name = Field(text, "mappedName")
    tables = NestedField(MappedObject, "tables")
    views = NestedField(MappedObject, "views")


class TransferMapping(Model):
    """What a project moves; ``mode`` is SPECIFIC if it lists its tables one by one.

    Source: docs/develop/oms-actions.md#object-records
    """

    __slots__ = ()
    mode = Field(word, "mode")
    databases = NestedField(MappedDatabase, "databases")


class ConnectInfo(Model):
    """The ``sourceConnectInfo`` or ``sinkConnectInfo`` of a project: the address of a database. ``raw`` holds a login,
    too.

    Source: docs/develop/oms-actions.md#mapping
    """

    __slots__ = ()
    endpoint_id = Field(identifier, "endpointId")
    host = Field(text, "host")
    port = Field(count, "port")

    @property
    def endpoint(self) -> str | None:
        """The brokers of a Kafka cluster: ``host:port``, separated by commas."""
        return _Attributes(self.part("connExtraAttributes"), self.source).endpoint


class _Attributes(Model):
    """The ``connExtraAttributes``, with the one key that is read."""

    __slots__ = ()
    endpoint = Field(text, "endpoint")


class Project(Model):
    """One row of ``ListProjects``, and the answer of ``DescribeProject``. Times are UTC."""

    __slots__ = ()
    id = Field(identifier, "id", "projectId")
    type = Field(word, "type")
    name = Field(text, "name")
    owner = Field(text, "owner")
    status = Field(word, "status")
    alarm_level = Field(word, "alarmLevel", "importance")
    created = Field(moment, "gmtCreate")
    modified = Field(moment, "gmtModified")
    started = Field(moment, "gmtStart")
    finished = Field(moment, "gmtFinish")
    labels = NestedField(Label, "labels")
    is_modifying = Field(boolean, "isModifying")
    is_merging = Field(boolean, "isMerging")
    is_sub_project = Field(boolean, "isSubProject")
    source_endpoint_type = Field(word, "sourceEndpointType")
    sink_endpoint_type = Field(word, "sinkEndpointType")
    steps = NestedField(Step, "steps")
    enable_struct_transfer = Field(boolean, "enableStructTransfer")
    enable_full_transfer = Field(boolean, "enableFullTransfer")
    enable_full_verify = Field(boolean, "enableFullVerify")
    enable_incr_transfer = Field(boolean, "enableIncrTransfer")
    enable_incr_verify = Field(boolean, "enableIncrVerify")
    enable_reverse_incr_transfer = Field(boolean, "enableReverseIncrTransfer")

    @property
    def alarm_stats(self) -> AlarmStats:
        """The project's alarms, empty when OMS sent none."""
        return AlarmStats(self.part("alarmStats"), self.source)

    @property
    def transfer_mapping(self) -> TransferMapping:
        """What the project moves; empty if OMS didn't send it."""
        return TransferMapping(self.part("transferMapping"), self.source)

    @property
    def source_connect_info(self) -> ConnectInfo:
        """The address of the source; empty if OMS didn't send it."""
        return ConnectInfo(self.part("sourceConnectInfo"), self.source)

    @property
    def sink_connect_info(self) -> ConnectInfo:
        """The address of the target; empty if OMS didn't send it."""
        return ConnectInfo(self.part("sinkConnectInfo"), self.source)

    @property
    def full_transfer_config(self) -> FullTransferConfig:
        """The settings of full transfer and full verification, empty when OMS sent none."""
        return FullTransferConfig(self.part("fullTransferConfig"), self.source)


class FullTransferConfig(Model):
    """The ``fullTransferConfig`` of a project."""

    __slots__ = ()
    allow_dest_table_not_empty = Field(boolean, "allowDestTableNotEmpty")


class DataPoint(Model):
    """A point of a time series: Unix seconds, and a value in the metric's unit."""

    __slots__ = ()
    timestamp = Field(number, "timestamp")
    value = Field(number, "value")


class Metric(Model):
    """One time series of ``DescribeProjectStepMetric``."""

    __slots__ = ()
    name = Field(text, "name")
    data_points = NestedField(DataPoint, "dataPoints")


class StepMetric(Model):
    """Answer of ``DescribeProjectStepMetric``."""

    __slots__ = ()
    aggregator = Field(word, "aggregator")
    reference_value = Field(number, "referenceValue")
    metrics = NestedField(Metric, "metrics")


class Component(Model):
    """One component of a project. ``delay`` is in seconds, ``checkpoint`` in Unix seconds.

    A store has no ``checkpoint`` but ``begin_checkpoint`` and ``end_checkpoint``, between which lies the log that it
    holds. Only a store has ``error``; every kind of component may have ``error_details``.

    Source: docs/develop/oms-facts.md#checkpoints
    """

    __slots__ = ()
    name = Field(text, "name")
    region = Field(text, "region")
    host = Field(text, "ip")
    status = Field(word, "status")
    progress = Field(percent, "progress")
    delay = Field(number, "delay")
    checkpoint: Field[Checkpoint] = Field(checkpoint, "checkpoint")
    checkpoint_sample_timestamp = Field(number, "checkpointSampleTimestamp")
    begin_checkpoint = Field(moment, "beginCheckpoint")
    end_checkpoint = Field(moment, "endCheckpoint")
    error = Field(text, "errMsg")
    error_details = NestedField(ErrorDetail, "errorDetails", lone="message")


class ProjectComponents(Model):
    """Answer of ``DescribeProjectComponents``."""

    __slots__ = ()
    stores = NestedField(Component, "storeList")
    reverse_stores = NestedField(Component, "reverseStoreList")
    full_imports = NestedField(Component, "fullImportComponents")
    full_verifications = NestedField(Component, "fullVerifyComponents")
    incr_syncs = NestedField(Component, "incrSyncComponents")
    reverse_incr_syncs = NestedField(Component, "reverseIncrSyncComponents")


class TableVerification(Model):
    """One table of ``ListProjectFullVerifyResult``."""

    __slots__ = ()
    source_schema = Field(text, "sourceSchemaName")
    source_table = Field(text, "sourceTableName")
    target_schema = Field(text, "destSchemaName")
    target_table = Field(text, "destTableName")
    status = Field(word, "status")
    result_type = Field(word, "resultType")
    result_description = Field(text, "resultDesc")
    message = Field(text, "message")
    source_only_count = Field(count, "sourceOnlyCount")
    target_only_count = Field(count, "destOnlyCount")
    mismatched_count = Field(count, "mismatchedCount")
    consistent_count = Field(count, "consistentCount")
    error_details = NestedField(ErrorDetail, "errorDetails", lone="message")
    #: The share of the table that was compared: 1 is the whole table.
    progress = Field(number, "progress")


class VerificationResult(Model):
    """A page of ``ListProjectFullVerifyResult``. ``different_number`` counts rows over the whole project.

    Source: docs/develop/oms-facts.md#verification-result
    """

    __slots__ = ()
    different_number = Field(count, "differentNumber")
    tables = NestedField(TableVerification, "fullVerifyTableStatistics")


class Inconsistency(Model):
    """A differing row of ``ListFullVerifyInconsistenciesResult``; ``type`` is MASTER_ONLY, IMAGE_ONLY or MISMATCHED."""

    __slots__ = ()
    type = Field(word, "type")
    columns = NestedField(Model, "failedRecordDetails")
    unique_keys = NestedField(Model, "failedRecordUniqueKeys")


class ModifyRecord(Model):
    """One row of ``ListProjectModifyRecords``; ``type`` is INCREASE_OBJECT or DECREASE_OBJECT.

    ``databases`` holds the objects of a removal, if OMS lists them. Until an addition is merged, its objects belong to
    the task that copies them, ``sub_project_id``.

    Source: docs/develop/oms-actions.md#object-records
    """

    __slots__ = ()
    id = Field(identifier, "id")
    type = Field(word, "type")
    status = Field(word, "status")
    sub_project_id = Field(identifier, "subProjectId")
    modified = Field(moment, "gmtModified")
    databases = NestedField(MappedDatabase, "databases")

    @property
    def migration_objects(self) -> MigrationObjects:
        """The objects of a removal from a migration, if OMS lists them."""
        return MigrationObjects(self.part("migrationObjectsInfo"), self.source)

    @property
    def error(self) -> ErrorDetail:
        """Why the change failed; empty if OMS doesn't say."""
        return ErrorDetail(self.part("errorDetail"), self.source)


class MigrationObject(Model):
    """A table or view of ``migrationObjectsInfo``."""

    __slots__ = ()
    schema = Field(text, "schema")
    name = Field(text, "name")


class MigrationObjects(Model):
    """The ``migrationObjectsInfo`` of a record."""

    __slots__ = ()
    tables = NestedField(MigrationObject, "tables")
    views = NestedField(MigrationObject, "views")


class DataSource(Model):
    """One row of ``ListDataSource``."""

    __slots__ = ()
    id = Field(identifier, "id")
    name = Field(text, "name")
    type = Field(word, "type")
    schema = Field(text, "schema")
    host = Field(text, "ip", "vip")
    port = Field(count, "port")


class LabelOutcome(Model):
    """Answer of ``StartProjectsByLabel`` and ``StopProjectsByLabel``."""

    __slots__ = ()
    total = Field(count, "total")
    succeeded = Field(texts, "succeedProjectIds")
    failed = Field(texts, "failedProjectIds")


class PreCheckItem(Model):
    """One check of ``GetPreCheckResult``."""

    __slots__ = ()
    name = Field(text, "name")
    endpoint_type = Field(word, "endpointType")
    status = Field(word, "status")
    message = Field(text, "message")
    skippable = Field(boolean, "skippable")


class PreCheckResult(Model):
    """Answer of ``GetPreCheckResult``, in the Enterprise and in the Community form.

    Source: docs/develop/oms-actions.md#pre-check
    """

    __slots__ = ()
    status = Field(word, "preCheckStatus", "projectStatus")
    progress = Field(number, "progress")
    items = NestedField(PreCheckItem, "preCheckResults")


class Region(Model):
    """One row of ``DescribeRegions``."""

    __slots__ = ()
    id = Field(text, "id")
    region = Field(text, "region")
    code = Field(text, "code")
