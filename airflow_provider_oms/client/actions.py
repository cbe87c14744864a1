"""Every action of OMS, described once: arguments, payload, how the answer is read, and whether it changes anything.

Each function returns a :class:`~airflow_provider_oms.client.protocol.Call`; nothing is sent here. The synchronous and
the asynchronous clients, the hook and the milestones all take their calls from this module. Every docstring names the
action that the function describes. OceanBase's API reference for V4.2.2-CE has a page for each action, and the
Enterprise reference for each action that is marked with an Enterprise version. No action was tested against a real OMS.
Sources: docs/develop/oms-actions.md#community, docs/develop/oms-actions.md#later
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from airflow_provider_oms.client.envelope import Envelope
from airflow_provider_oms.client.errors import OmsInvalidRequestError
from airflow_provider_oms.client.fields import Model, identifier, objects
from airflow_provider_oms.client.models import (
    DataSource,
    Inconsistency,
    Label,
    LabelOutcome,
    ModifyRecord,
    PreCheckResult,
    Project,
    ProjectComponents,
    ProjectProgress,
    Region,
    Step,
    StepMetric,
    VerificationResult,
)
from airflow_provider_oms.client.paging import PagedCall
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.client.redaction import Secrets, secrets_in
from airflow_provider_oms.client.safe_text import LONGEST_VALUE, safe_repr, safe_text
from airflow_provider_oms.client.settings import encode_secret

T = TypeVar("T")
M = TypeVar("M", bound=Model)

# docs/develop/oms-actions.md#project-types
PROJECT_TYPES = ("MIGRATION", "SYNC")

#: Rows per page. OMS takes at most 150 for projects and tables, 10 for data sources.
#: Source: docs/develop/oms-wire.md#paging
PAGE_SIZE = 100
DATA_SOURCE_PAGE_SIZE = 10


# Reading ``data``


def _one(model: Callable[[Mapping[str, Any], str], M]) -> Callable[[Envelope, str], M]:
    """Read one object. OMS sends some objects as a list with one item (``DescribeProject``).

    Source: docs/develop/oms-wire.md#data-shapes
    """

    def read(envelope: Envelope, source: str) -> M:
        found = envelope.data
        if not isinstance(found, Mapping):
            listed = list(objects(found))
            if len(listed) != 1:
                raise ValueError("one object")
            found = listed[0]
        return model(found, source)

    return read


def _many(model: Callable[[Mapping[str, Any], str], M]) -> Callable[[Envelope, str], list[M]]:
    return lambda envelope, source: [model(item, source) for item in objects(envelope.data)]


def _all_of(read: Callable[[Envelope, str], list[M]]) -> Callable[[Envelope, str], list[M]]:
    """Read a list that OMS doesn't page; refuse one whose ``totalCount`` is larger than the number of its rows."""

    def read_all(envelope: Envelope, source: str) -> list[M]:
        rows = read(envelope, source)
        if (envelope.total_count or 0) > len(rows):
            raise ValueError(f"a list of all {envelope.total_count} rows")
        return rows

    return read_all


def _nothing(envelope: Envelope, source: str) -> None:
    return None


def _anything(envelope: Envelope, source: str) -> Any:
    return envelope.data


def _identifier(envelope: Envelope, source: str) -> str:
    """Read the id of a created object. Without one the object couldn't be found again, so the answer is malformed."""
    if isinstance(envelope.data, bool) or not isinstance(envelope.data, str | int):
        raise ValueError("an id")
    return identifier(envelope.data)


def _statements(envelope: Envelope, source: str) -> list[str]:
    data = envelope.data
    items = [] if data is None else data if isinstance(data, list) else [data]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("a list of SQL statements")
    return [safe_text(item, LONGEST_VALUE) for item in items]


def _by(*names: str) -> Callable[[Model], Hashable | None]:
    """Identify the rows of a list by the values under these names, as OMS sent them."""

    def identify(row: Model) -> Hashable | None:
        values = tuple(map(row.get, names))
        return None if all(value in (None, "") for value in values) else repr(values)

    return identify


def _given(**payload: Any) -> dict[str, Any]:
    """Drop arguments that weren't given, so that OMS applies its own defaults."""
    return {name: value for name, value in payload.items() if value is not None}


def _about_project(
    action: str, project_id: str, read: Callable[[Envelope, str], T], *, changes: bool = False
) -> Call[T]:
    return Call(
        action,
        {"id": _project(project_id)},
        read,
        reads_only=not changes,
        subject=f"project {project_id}",
        project_id=project_id,
    )


def _about_record(action: str, record_id: str) -> Call[None]:
    return Call(action, {"id": record_id}, _nothing, reads_only=False, subject=f"record {record_id}")


def _project(project_id: str) -> str:
    if not isinstance(project_id, str) or not project_id.strip():
        raise OmsInvalidRequestError(f"project_id must be the id of a project, not {safe_repr(project_id, 200)}.")
    return project_id


def call(action: str, payload: Mapping[str, Any] | None = None, *, reads_only: bool = False) -> Call[Any]:
    """Any action, including one that this package doesn't know. The answer is OMS's ``data``, unchanged.

    :param action: OMS's name of the action
    :param payload: its parameters, in OMS's own keys
    :param reads_only: whether the action changes nothing in OMS, so that it may be sent again after a failure
    :raises OmsInvalidRequestError: if ``action`` can't be the name of an action
    """
    if not action.isascii() or not action.isalnum():
        raise OmsInvalidRequestError(f"action must be the name of an OMS action, not {safe_repr(action, 200)}.")
    sent = dict(payload or {})
    return Call(action, sent, _anything, reads_only=reads_only, secrets=Secrets(*secrets_in(sent)))


# The state of a project


def describe_project_progress(project_id: str, project_type: str = "MIGRATION") -> Call[ProjectProgress]:
    """``DescribeProjectProgress``: status, percentages and checkpoints. The only action that ``v3`` has, too.

    Source: docs/develop/oms-wire.md#v3

    :param project_id: the project
    :param project_type: ``MIGRATION`` or ``SYNC``; only ``v3`` needs it
    """
    kind = {"MIGRATION": "migrations", "SYNC": "sync"}.get(project_type)
    if kind is None:
        raise OmsInvalidRequestError(f"project_type must be MIGRATION or SYNC, not {project_type!r}.")
    return Call(
        "DescribeProjectProgress",
        {"id": _project(project_id)},
        _one(ProjectProgress),
        subject=f"project {project_id}",
        legacy_path=(kind, project_id, "progress"),
        project_id=project_id,
    )


def describe_project_steps(project_id: str) -> Call[list[Step]]:
    """``DescribeProjectSteps``: the steps of a project, each with status, percentage and figures.

    :param project_id: the project
    """
    return _about_project("DescribeProjectSteps", project_id, _many(Step))


def describe_project(project_id: str) -> Call[Project]:
    """``DescribeProject``: a project with its configuration.

    :param project_id: the project
    """
    call = _about_project("DescribeProject", project_id, _one(Project))
    return replace(call, project_keys=("projectId", "id"))


def describe_project_components(project_id: str) -> Call[ProjectComponents]:
    """``DescribeProjectComponents``: the processes that work for a project.

    :param project_id: the project
    """
    return _about_project("DescribeProjectComponents", project_id, _one(ProjectComponents))


def describe_project_step_metric(
    project_id: str,
    step_name: str,
    metric_type: str,
    begin_timestamp: int,
    end_timestamp: int,
    aggregator: str = "AVG",
    max_point_num: int | None = None,
) -> Call[StepMetric]:
    """``DescribeProjectStepMetric``: a time series such as rows per second (needs OMS's InfluxDB).

    Source: docs/develop/oms-actions.md#metrics

    :param project_id: the project
    :param step_name: FULL_TRANSFER, INCR_TRANSFER, FULL_VERIFIER or REVERSE_INCR_TRANSFER
    :param metric_type: for example RPS, IOPS or DELAY; each step has its own
    :param begin_timestamp: start, Unix seconds
    :param end_timestamp: end, Unix seconds; at least an hour after the start
    :param aggregator: AVG or NONE
    :param max_point_num: the most points to return
    """
    payload = _given(
        projectId=_project(project_id),
        stepName=step_name,
        metricType=metric_type,
        aggregator=aggregator,
        beginTimestamp=begin_timestamp,
        endTimestamp=end_timestamp,
        maxPointNum=max_point_num,
    )
    return Call(
        "DescribeProjectStepMetric",
        payload,
        _one(StepMetric),
        subject=f"project {project_id}",
        project_id=project_id,
    )


def list_projects(
    search_key: str | None = None,
    *,
    project_type: str | None = None,
    statuses: Sequence[str] | None = None,
    label_ids: Sequence[str] | None = None,
    source_endpoint_types: Sequence[str] | None = None,
    sink_endpoint_types: Sequence[str] | None = None,
    visible_sub_project: bool | None = None,
    sort_field: str | None = None,
    order: str | None = None,
    page_size: int = PAGE_SIZE,
) -> PagedCall[Project]:
    """``ListProjects``: the projects that the user may see, all pages.

    :param search_key: part of a name, or an id
    :param project_type: MIGRATION or SYNC; VERIFY from V4.3.1
    :param statuses: only projects in one of these
    :param label_ids: only projects with one of these labels
    :param source_endpoint_types: only projects from such sources, for example MYSQL
    :param sink_endpoint_types: only projects to such targets, for example OB_MYSQL
    :param visible_sub_project: whether to list sub-projects too
    :param sort_field: gmtCreate or gmtModified
    :param order: asc or descend, as OceanBase's page spells them (docs/develop/oms-actions.md#order)
    :param page_size: rows per request, at most 150
    """
    payload = _given(
        searchKey=search_key,
        type=project_type,
        status=statuses and list(statuses),
        labelIds=label_ids and list(label_ids),
        sourceEndpointTypes=source_endpoint_types and list(source_endpoint_types),
        sinkEndpointTypes=sink_endpoint_types and list(sink_endpoint_types),
        visibleSubProject=visible_sub_project,
        sortField=sort_field,
        order=order,
    )
    return PagedCall(
        "ListProjects", payload, _many(Project), page_size, subject=search_key or "", identify=_by("id", "projectId")
    )


# Changing a project


def create_project(project: Mapping[str, Any]) -> Call[str]:
    """``CreateProject``: returns the new project's id. It is never sent twice, because it has no idempotency key.

    Source: docs/develop/oms-actions.md#create-project

    :param project: the body, in OMS's own keys
    """
    return Call("CreateProject", dict(project), _identifier, reads_only=False, subject=str(project.get("name") or ""))


def start_project(project_id: str) -> Call[None]:
    """``StartProject``: starts a project that is INIT.

    :param project_id: the project
    """
    return _about_project("StartProject", project_id, _nothing, changes=True)


def stop_project(project_id: str) -> Call[None]:
    """``StopProject``: stops a running project, which is SUSPEND some time later.

    :param project_id: the project
    """
    return _about_project("StopProject", project_id, _nothing, changes=True)


def resume_project(project_id: str) -> Call[None]:
    """``ResumeProject``: resumes a project that is SUSPEND or FAILED; this also retries a failed step.

    :param project_id: the project
    """
    return _about_project("ResumeProject", project_id, _nothing, changes=True)


def release_project(project_id: str) -> Call[None]:
    """``ReleaseProject``: releases a project that is SUSPEND, FAILED or FINISHED. This can't be undone.

    :param project_id: the project
    """
    return _about_project("ReleaseProject", project_id, _nothing, changes=True)


def delete_project(project_id: str) -> Call[None]:
    """``DeleteProject``: deletes a project that is INIT or RELEASED.

    :param project_id: the project
    """
    return _about_project("DeleteProject", project_id, _nothing, changes=True)


def advance_project(project_id: str) -> Call[Any]:
    """``AdvanceProject`` (Enterprise V4.3.1): starts the project's next step and returns the name of that step.

    Source: docs/develop/oms-actions.md#advance

    :param project_id: the project
    """
    return _about_project("AdvanceProject", project_id, _anything, changes=True)


def update_project_config(project_id: str, config: Mapping[str, Any]) -> Call[Any]:
    """``UpdateProjectConfig`` (Enterprise V4.2.4): replaces the configuration. Items that are left out are deleted.

    Source: docs/develop/oms-actions.md#update-config

    :param project_id: the project
    :param config: ``commonTransferConfig``, ``structTransferConfig``, ``fullTransferConfig``, ``incrTransferConfig``
    """
    return Call(
        "UpdateProjectConfig",
        {**config, "id": _project(project_id)},
        _anything,
        reads_only=False,
        subject=f"project {project_id}",
        project_id=project_id,
    )


def reset_incr_start_timestamp(project_id: str, start_timestamp: int, reverse: bool = False) -> Call[str]:
    """``ResetIncrStartTimestamp`` (Enterprise V4.3.0): returns the id of OMS's operation ticket.

    :param project_id: the project
    :param start_timestamp: where incremental sync starts again, Unix seconds
    :param reverse: whether to reset the reverse direction instead of the forward one
    """
    payload = {"id": _project(project_id), "reverse": reverse, "startTimestamp": start_timestamp}
    return Call("ResetIncrStartTimestamp", payload, _identifier, reads_only=False, subject=f"project {project_id}")


def create_project_modify_records(project_id: str, databases: Sequence[Mapping[str, Any]]) -> Call[str]:
    """``CreateProjectModifyRecords`` (Enterprise V4.2.2): returns the id of the record of the change.

    Give the **whole** new list: we assume that OMS removes what the list leaves out.

    Source: docs/develop/oms-actions.md#object-records

    :param project_id: the project
    :param databases: everything that the project is to move, in OMS's own keys, as in ``transferMapping.databases``
    """
    payload = {"id": _project(project_id), "databases": [dict(database) for database in databases]}
    return Call("CreateProjectModifyRecords", payload, _identifier, reads_only=False, subject=f"project {project_id}")


def list_project_modify_records(project_id: str) -> Call[list[ModifyRecord]]:
    """``ListProjectModifyRecords`` (Enterprise V4.2.2): what was added to a project or removed from it.

    Source: docs/develop/oms-actions.md#object-records

    :param project_id: the project
    """
    call = _about_project("ListProjectModifyRecords", project_id, _all_of(_many(ModifyRecord)))
    # It isn't known whether a record names its project or the task that copies its objects, so neither is checked.
    return replace(call, project_id=None)


def cancel_project_modify_record(record_id: str) -> Call[None]:
    """``CancelProjectModifyRecord`` (Enterprise V4.2.2): cancels a record that is PENDING.

    :param record_id: the record
    """
    return _about_record("CancelProjectModifyRecord", record_id)


def stop_project_modify_records(record_id: str) -> Call[None]:
    """``StopProjectModifyRecords`` (Enterprise V4.2.2): stops a record that is running or FAILED. It can't be undone.

    :param record_id: the record
    """
    return _about_record("StopProjectModifyRecords", record_id)


def retry_project_modify_records(record_id: str) -> Call[None]:
    """``RetryProjectModifyRecords`` (Enterprise V4.2.2): retries a record that is FAILED.

    :param record_id: the record
    """
    return _about_record("RetryProjectModifyRecords", record_id)


def start_projects_by_label(label_id: str) -> Call[LabelOutcome]:
    """``StartProjectsByLabel``: starts the label's projects that are INIT.

    :param label_id: the label
    """
    return Call(
        "StartProjectsByLabel", {"id": label_id}, _one(LabelOutcome), reads_only=False, subject=f"label {label_id}"
    )


def stop_projects_by_label(label_id: str) -> Call[LabelOutcome]:
    """``StopProjectsByLabel``: stops the label's projects that are RUNNING.

    :param label_id: the label
    """
    return Call(
        "StopProjectsByLabel", {"id": label_id}, _one(LabelOutcome), reads_only=False, subject=f"label {label_id}"
    )


def submit_pre_check(project: Mapping[str, Any]) -> Call[str]:
    """``SubmitPreCheck`` (Enterprise V4.2.2): checks a project before it exists; returns the pre-check's id.

    :param project: a body like that of ``CreateProject``
    """
    return Call("SubmitPreCheck", dict(project), _identifier, reads_only=False, subject=str(project.get("name") or ""))


def get_pre_check_result(pre_check_id: str) -> Call[PreCheckResult]:
    """``GetPreCheckResult`` (Enterprise V4.2.2, V4.2.12-CE): the state of a pre-check, and its items.

    Source: docs/develop/oms-actions.md#pre-check

    :param pre_check_id: the id that ``SubmitPreCheck`` returned
    """
    return Call("GetPreCheckResult", {"id": pre_check_id}, _one(PreCheckResult), subject=f"pre-check {pre_check_id}")


# Verification


def list_project_full_verify_result(
    project_id: str,
    *,
    source_schemas: Sequence[str] | None = None,
    dest_schemas: Sequence[str] | None = None,
    statuses: Sequence[str] | None = None,
    page_size: int = PAGE_SIZE,
) -> PagedCall[VerificationResult]:
    """``ListProjectFullVerifyResult``: the result of full verification, one result object per page.

    Sources: docs/develop/oms-facts.md#verification-result, docs/develop/oms-wire.md#data-shapes

    :param project_id: the project
    :param source_schemas: only these schemas of the source
    :param dest_schemas: only these schemas of the target
    :param statuses: only tables in one of these states
    :param page_size: tables per request, at most 150
    """
    payload = _given(
        projectId=_project(project_id),
        sourceSchemas=source_schemas and list(source_schemas),
        destSchemas=dest_schemas and list(dest_schemas),
        status=statuses and list(statuses),
    )
    return PagedCall(
        "ListProjectFullVerifyResult",
        payload,
        _many(VerificationResult),
        page_size,
        subject=f"project {project_id}",
        items_of=lambda pages: [table for page in pages for table in page.tables],
        identify=_by("sourceSchemaName", "sourceTableName", "destSchemaName", "destTableName"),
        project_id=project_id,
    )


def list_full_verify_inconsistencies_result(
    project_id: str, schema: str, table: str, *, page_size: int = PAGE_SIZE
) -> PagedCall[Inconsistency]:
    """``ListFullVerifyInconsistenciesResult``: the differing rows of a table.

    :param project_id: the project
    :param schema: the table's schema
    :param table: the table
    :param page_size: rows per request
    """
    payload = {"projectId": _project(project_id), "schema": schema, "table": table}
    action = "ListFullVerifyInconsistenciesResult"
    return PagedCall(
        action, payload, _many(Inconsistency), page_size, subject=f"project {project_id}", project_id=project_id
    )


def list_full_verify_corrections_result(
    project_id: str, schema: str, table: str, *, page_size: int = PAGE_SIZE
) -> PagedCall[str]:
    """``ListFullVerifyCorrectionsResult``: SQL statements that would fix a table.

    :param project_id: the project
    :param schema: the table's schema
    :param table: the table
    :param page_size: statements per request
    """
    payload = {"projectId": _project(project_id), "schema": schema, "table": table}
    return PagedCall(
        "ListFullVerifyCorrectionsResult",
        payload,
        _statements,
        page_size,
        subject=f"project {project_id}",
        project_id=project_id,
    )


# Data sources, labels, regions


def encode_password(password: str) -> str:
    """Encode a data source's password as OMS expects it: Base64 (documented in the Chinese pages; ODC does so, too).

    Source: docs/develop/oms-actions.md#data-sources

    :param password: the password in clear text
    :raises OmsInvalidRequestError: if it can't be written as UTF-8
    """
    return encode_secret(password, "the password")


def _create_data_source(action: str, payload: Mapping[str, Any]) -> Call[str]:
    return Call(
        action,
        payload,
        _identifier,
        reads_only=False,
        subject=f"data source {payload['name']}",
        secrets=Secrets(*secrets_in(payload)),
    )


def create_mysql_data_source(
    name: str,
    *,
    ip: str,
    port: int,
    username: str,
    password: str,
    schema: str | None = None,
    region: str | None = None,
    description: str | None = None,
    try_keep_hb: bool | None = None,
) -> Call[str]:
    """``CreateMySqlDataSource``: returns the data source's id.

    :param name: at most 32 letters and digits
    :param ip: host of the database
    :param port: its port
    :param username: a database user
    :param password: that user's password in clear text; it is encoded here
    :param schema: the database
    :param region: the region in which the database is
    :param description: at most 128 characters
    :param try_keep_hb: whether OMS may write heartbeats into it, so that an idle source keeps a small lag
    """
    payload = _given(
        name=name,
        ip=ip,
        port=port,
        username=username,
        password=encode_password(password),
        schema=schema,
        region=region,
        description=description,
        tryKeepHb=try_keep_hb,
    )
    return _create_data_source("CreateMySqlDataSource", payload)


def create_oceanbase_data_source(
    name: str,
    *,
    tenant: str,
    cluster: str,
    ip: str,
    port: int,
    username: str,
    password: str,
    data_source_type: str | None = None,
    schema: str | None = None,
    region: str | None = None,
    description: str | None = None,
    ocp_name: str | None = None,
    config_url: str | None = None,
    drc_username: str | None = None,
    drc_password: str | None = None,
    inner_drc_password: str | None = None,
) -> Call[str]:
    """``CreateOceanBaseDataSource``: returns the data source's id. The user is sent as ``userName``, as in OceanBase's
    samples.

    Source: docs/develop/oms-actions.md#data-sources

    :param name: the data source's name
    :param tenant: the tenant
    :param cluster: the cluster of the tenant
    :param ip: host of the database
    :param port: its port
    :param username: a database user
    :param password: that user's password in clear text; all three passwords are encoded here
    :param data_source_type: OB_MYSQL, OB_MYSQL_CE or OB_ORACLE
    :param schema: the database
    :param region: the region in which the database is
    :param description: at most 128 characters
    :param ocp_name: the OceanBase Cloud Platform that the cluster belongs to
    :param config_url: the cluster's ``obconfig_url``
    :param drc_username: the user that reads incremental logs
    :param drc_password: that user's password
    :param inner_drc_password: password of ``__oceanbase_inner_drc_user``
    """
    payload = _given(
        name=name,
        type=data_source_type,
        tenant=tenant,
        cluster=cluster,
        ip=ip,
        port=port,
        userName=username,
        password=encode_password(password),
        schema=schema,
        region=region,
        description=description,
        ocpName=ocp_name,
        configUrl=config_url,
        drcUserName=drc_username,
        drcPassword=None if drc_password is None else encode_password(drc_password),
        innerDrcPassword=None if inner_drc_password is None else encode_password(inner_drc_password),
    )
    return _create_data_source("CreateOceanBaseDataSource", payload)


def create_kafka_data_source(
    name: str,
    *,
    endpoint: str,
    region: str | None = None,
    description: str | None = None,
    enable_ssl: bool | None = None,
    cert_ssl_id: str | None = None,
    enable_sasl: bool | None = None,
    sasl_mechanism: str | None = None,
    username: str | None = None,
    password: str | None = None,
    kdc_path: str | None = None,
    sasl_kerberos_principal: str | None = None,
    service_name: str | None = None,
) -> Call[str]:
    """``CreateKafkaDataSource`` (V4.2.12-CE): returns the data source's id.

    Source: docs/develop/oms-actions.md#more-data-sources

    :param name: the data source's name
    :param endpoint: ``host:port``, or several of these, separated by commas
    :param region: the region in which the database is
    :param description: at most 128 characters
    :param enable_ssl: whether to use TLS
    :param cert_ssl_id: the id of a certificate that was uploaded to OMS
    :param enable_sasl: whether to log in with SASL
    :param sasl_mechanism: GSSAPI, PLAIN, SCRAM_SHA_256 or SCRAM_SHA_512
    :param username: the user; not used with GSSAPI
    :param password: that user's password in clear text; it is encoded here
    :param kdc_path: for GSSAPI, the address of the key distribution centre
    :param sasl_kerberos_principal: for GSSAPI, the user's principal
    :param service_name: for GSSAPI, the server's principal
    """
    payload = _given(
        name=name,
        endpoint=endpoint,
        region=region,
        description=description,
        enableSSL=enable_ssl,
        certSSLId=cert_ssl_id,
        enableSASL=enable_sasl,
        saslMechanism=sasl_mechanism,
        username=username,
        password=None if password is None else encode_password(password),
        kdcPath=kdc_path,
        saslKerberosPrincipal=sasl_kerberos_principal,
        serviceName=service_name,
    )
    return _create_data_source("CreateKafkaDataSource", payload)


def create_oceanbase_odp_data_source(
    name: str,
    *,
    url: str,
    username: str,
    password: str,
    access_key: str | None = None,
    secret_key: str | None = None,
    odp: str | None = None,
    route: str | None = None,
    instance_id: str | None = None,
    middleware_instance_id: str | None = None,
    region: str | None = None,
    description: str | None = None,
    drc_username: str | None = None,
    drc_password: str | None = None,
) -> Call[str]:
    """``CreateOceanBaseODPDataSource`` (Enterprise V4.2.2): OceanBase behind its proxy; returns the data source's id.

    Source: docs/develop/oms-actions.md#more-data-sources

    :param name: the data source's name
    :param url: the address of the gateway, or of its JSON file
    :param username: a database user
    :param password: that user's password in clear text; both passwords are encoded here
    :param access_key: the visitor's access key
    :param secret_key: the visitor's secret key in clear text; OceanBase's page doesn't ask for Base64
    :param odp: ``host:port`` of the proxy
    :param route: the route, for example ``MiddleWareCluster-ODP``
    :param instance_id: the id of the proxy's node, for example ``odp-...``
    :param middleware_instance_id: the id of the middleware, for example ``000001``
    :param region: the region in which the database is
    :param description: at most 128 characters
    :param drc_username: the user that reads incremental logs
    :param drc_password: that user's password
    """
    payload = _given(
        name=name,
        url=url,
        obProxy=odp,
        route=route,
        accessKey=access_key,
        secretKey=secret_key,
        instanceId=instance_id,
        middlewareInstanceId=middleware_instance_id,
        userName=username,
        password=encode_password(password),
        region=region,
        description=description,
        drcUserName=drc_username,
        drcPassword=None if drc_password is None else encode_password(drc_password),
    )
    return _create_data_source("CreateOceanBaseODPDataSource", payload)


def create_polardb_data_source(
    name: str,
    *,
    username: str,
    password: str,
    access_key: str,
    secret_key: str,
    intranet_addr: str | None = None,
    region: str | None = None,
    description: str | None = None,
) -> Call[str]:
    """``CreatePolarDBDataSource`` (Enterprise V4.2.4): PolarDB-X 1.0; returns the data source's id.

    OMS spells the action ``CreatePilarDBDataSource``: docs/develop/oms-actions.md#more-data-sources

    :param name: the data source's name
    :param username: a database user
    :param password: that user's password in clear text; it is encoded here
    :param access_key: the id of an AccessKey of Alibaba Cloud
    :param secret_key: the secret of that AccessKey
    :param intranet_addr: the internal address of the database
    :param region: the region in which the database is
    :param description: at most 128 characters
    """
    payload = _given(
        name=name,
        username=username,
        password=encode_password(password),
        accessKey=access_key,
        secretKey=secret_key,
        intranetAddr=intranet_addr,
        region=region,
        description=description,
    )
    return _create_data_source("CreatePilarDBDataSource", payload)


def list_data_source(
    search_key: str | None = None, *, types: Sequence[str] | None = None, page_size: int = DATA_SOURCE_PAGE_SIZE
) -> PagedCall[DataSource]:
    """``ListDataSource``: the data sources that the user may see, all pages.

    :param search_key: part of a name, or an id
    :param types: only these types, for example MYSQL
    :param page_size: rows per request, at most 10
    """
    payload = _given(searchKey=search_key, types=types and list(types))
    return PagedCall(
        "ListDataSource", payload, _many(DataSource), page_size, subject=search_key or "", identify=_by("id")
    )


def delete_data_source(data_source_id: str) -> Call[None]:
    """``DeleteDataSource`` (V4.2.12-CE): deletes a data source.

    :param data_source_id: the data source
    """
    return Call(
        "DeleteDataSource", {"id": data_source_id}, _nothing, reads_only=False, subject=f"data source {data_source_id}"
    )


def create_label(name: str) -> Call[str]:
    """``CreateLabel``: returns the label's id.

    :param name: the label's name
    """
    return Call("CreateLabel", {"name": name}, _identifier, reads_only=False, subject=f"label {name}")


def list_all_labels() -> Call[list[Label]]:
    """``ListAllLabels``: every label. It takes no parameters, so it is also used to test a connection."""
    return Call("ListAllLabels", {}, _many(Label))


def describe_regions() -> Call[list[Region]]:
    """``DescribeRegions`` (Enterprise V4.3.1): every region."""
    return Call("DescribeRegions", {}, _many(Region))


# Components


def _update_component(
    action: str, dimension: str, key: str, cm_region: str, config: Mapping[str, Any], **more: Any
) -> Call[str]:
    payload = _given(dimension=dimension, key=key, cmRegion=cm_region, config=dict(config), **more)
    return Call(action, payload, _identifier, reads_only=False, subject=key)


def update_store(key: str, cm_region: str, config: Mapping[str, Any]) -> Call[str]:
    """``UpdateStore``: returns the id of OMS's operation task.

    Source: docs/develop/oms-actions.md#components

    :param key: the component's name
    :param cm_region: the component's region
    :param config: its configuration, in OMS's own keys
    """
    return _update_component("UpdateStore", "NAME", key, cm_region, config)


def update_full_import(
    key: str, cm_region: str, config: Mapping[str, Any], allow_delete: bool | None = None
) -> Call[str]:
    """``UpdateFullImport``: returns the id of OMS's operation task.

    Source: docs/develop/oms-actions.md#components

    :param key: the component's name
    :param cm_region: the component's region
    :param config: its configuration, in OMS's own keys
    :param allow_delete: whether items that are left out are deleted
    """
    return _update_component("UpdateFullImport", "NAME", key, cm_region, config, allowDelete=allow_delete)


def update_incr_sync(
    key: str, cm_region: str, config: Mapping[str, Any], dimension: str = "NAME", allow_delete: bool | None = None
) -> Call[str]:
    """``UpdateIncrSync``: returns the id of OMS's operation task.

    Source: docs/develop/oms-actions.md#components

    :param key: the component's name, task name or IP, according to ``dimension``
    :param cm_region: the component's region
    :param config: its configuration, in OMS's own keys
    :param dimension: NAME, TASK_NAME or IP
    :param allow_delete: whether items that are left out are deleted
    """
    return _update_component("UpdateIncrSync", dimension, key, cm_region, config, allowDelete=allow_delete)


def update_full_verification(key: str, cm_region: str, config: Mapping[str, Any]) -> Call[str]:
    """``UpdateFullVerification``: returns the id of OMS's operation task.

    Source: docs/develop/oms-actions.md#components

    :param key: the component's name
    :param cm_region: the component's region
    :param config: its configuration, in OMS's own keys
    """
    return _update_component("UpdateFullVerification", "NAME", key, cm_region, config)
