"""What a user describes: projects, verification tables, failures, pauses, labels, data sources."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.modifications import Modification

T = TypeVar("T")

PROJECT_TYPES = ("MIGRATION", "SYNC", "VERIFY")


def new_id(prefix: str) -> str:
    """Return a new id with OMS's prefixes: ``np_`` for a project, ``e_`` for a data source, ``l_`` for a label."""
    return f"{prefix}_{secrets.token_hex(6)}"


def build(cls: type[T], given: T | Mapping[str, Any], what: str) -> T:
    """Make one of our dataclasses from a mapping; raise ValueError with the unknown keys, if there are any."""
    if isinstance(given, cls):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"{what} must be a mapping, not {type(given).__name__}")
    known = {f.name for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise ValueError(f"{what}: unknown key(s) {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    try:
        return cls(**given)
    except TypeError as error:
        raise ValueError(f"{what}: {error}") from None


@dataclass
class Failure:
    """A step that fails.

    :param step: the step's name, in any of OMS's vocabularies.
    :param at: percentage of the step's progress at which it fails.
    :param after: instead of ``at``: seconds of the step's own running time (the way for continuous steps).
    :param code: OMS's error code; None if only ``details`` say it.
    :param message: OMS's message; None if only ``details`` say it.
    :param proposal: what OMS advises.
    :param details: the ``errorDetails`` that OMS shows, objects or texts; one object of the above when not given.
    :param recover_after: seconds until OMS recovers by itself; without it only ResumeProject helps.
    :param step_only: only the step is FAILED, the project stays RUNNING.
    :param times: how often the step fails; the try after that succeeds.
    """

    step: str
    at: float = 50.0
    after: float | None = None
    code: str | None = "GHANA-MIGRAT000201"
    message: str | None = "Failed to migrate the table."
    proposal: str | None = None
    details: list[Any] | None = None
    recover_after: float | None = None
    step_only: bool = False
    times: int = 1

    def __post_init__(self) -> None:
        self.step = steps.canonical(self.step)


@dataclass
class Pause:
    """A project that pauses by itself (as if a person had paused it), at a point of a step; ResumeProject continues it.

    :param step: the step's name, in any of OMS's vocabularies.
    :param at: percentage of the step's progress at which it pauses.
    :param after: instead of ``at``: seconds of the step's own running time (the way for continuous steps).
    """

    step: str
    at: float = 50.0
    after: float | None = None

    def __post_init__(self) -> None:
        self.step = steps.canonical(self.step)


@dataclass
class Scripted:
    """A change that happens to a project by itself, at a time. If its state doesn't allow the change, nothing happens.

    :param after: seconds after the project was added to the simulator.
    :param do: what happens: ``fail``, ``pause``, ``modify``, ``skip_verification`` and so on, see the documentation.
    :param args: its arguments.
    """

    after: float
    do: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass
class Table:
    """A table in the result of the full verification (ListProjectFullVerifyResult).

    :param schema: its schema in the source.
    :param table: its name.
    :param dest_schema: its schema in the target; the same when not given.
    :param result_type: ``CONSISTENT``, ``INCONSISTENT``, ``TARGET_TABLE_NOT_EXIST`` and so on.
    :param status: the status of its verification: ``RUNNING``, ``FINISHED``, ``ERROR``, ``SUSPEND``.
    :param consistent: how many rows are the same.
    :param source_only: how many rows only the source has.
    :param dest_only: how many rows only the target has.
    :param mismatched: how many rows differ.
    :param progress: a fraction as text, as OMS writes it.
    :param message: OMS's message.
    :param error_details: OMS's ``errorDetails``.
    :param differing: the rows for ListFullVerifyInconsistenciesResult, with the document's own keys
        (``failedRecordDetails``, ``failedRecordUniqueKeys``, ``type``); each may hold ``correction``, a SQL text for
        ListFullVerifyCorrectionsResult. Without it, rows are made up from the counts.
    """

    schema: str
    table: str
    dest_schema: str | None = None
    result_type: str | None = "CONSISTENT"
    status: str = "FINISHED"
    consistent: int = 1000
    source_only: int = 0
    dest_only: int = 0
    mismatched: int = 0
    progress: str = "1.0"
    message: str | None = None
    error_details: list[Any] | None = None
    differing: list[dict[str, Any]] = field(default_factory=list)

    @property
    def different(self) -> int:
        """The number of rows that differ."""
        return self.source_only + self.dest_only + self.mismatched


@dataclass
class Project:
    """The description of a migration or synchronization project.

    :param name: its name; the id when not given.
    :param id: its id; a new one when not given.
    :param type: ``MIGRATION``, ``SYNC`` or ``VERIFY``.
    :param status: INIT; or RUNNING, SUSPEND, FAILED, FINISHED, RELEASING, RELEASED to begin in the middle. Any
        other text is shown unchanged: ``RUNNING_...`` for a running project, the rest (``DELETED``, ``ODD``) for one
        that is not started.
    :param step: with a status other than INIT: the step at which the project stands; its first when not given.
    :param step_progress: the progress of that step, in percent.
    :param source_type: the source's type.
    :param sink_type: the target's type.
    :param source_endpoint_id: the source's data source.
    :param sink_endpoint_id: the target's data source.
    :param enable_struct: whether it copies the schema.
    :param enable_full: whether it copies the rows.
    :param enable_incr: whether it copies changes.
    :param enable_full_verify: whether it verifies the copy.
    :param enable_incr_verify: whether it verifies changes, in parallel with the other steps.
    :param enable_reverse_incr: whether changes are copied back after the switchover.
    :param durations: seconds by step, instead of those of :data:`steps.DURATIONS`.
    :param rows: the estimated number of rows (``capacity``).
    :param alarm_level: ``alarmLevel`` in the progress, ``importance`` in the list.
    :param monitoring_threshold: INCR_TRANSFER becomes MONITORING, for good, once the lag is not above it.
    :param initial_lag: seconds by which the checkpoint is behind when INCR_TRANSFER begins.
    :param start_timestamp: instead of it: the Unix second at which incremental synchronization begins to read.
    :param catch_up_rate: seconds of the source's log that are applied in one second (1 never catches up).
    :param changes: rows that the source changes in a second; only the metric RPS shows them.
    :param steady_lag: the lag that remains once it has caught up.
    :param idle_source: a source without writes and heartbeats: the checkpoint stands still, so the lag grows.
    :param defer_index: FULL_TRANSFER stays RUNNING at 100 until the indexes are there.
    :param wait_after: steps after which the project waits for AdvanceProject.
    :param verification: the result of full verification; one consistent table when not given.
    :param failures: when and how it fails.
    :param pauses: when it pauses by itself.
    :param labels: the names of its labels.
    :param owner: the OMS user whose project it is.
    :param worker_grade_id: the worker that it runs on, in the hosted OMS.
    :param sybase: checkpoints are texts such as ``"100,30"``.
    :param vocabulary: ``v2`` or ``legacy``: step names that DescribeProjectSteps uses.
    :param current_step_legacy: ``currentStep`` in the old vocabulary, as the document's sample shows it.
    :param status_override: text shown as the project's status in every state.
    :param stop_delay: seconds between StopProject and SUSPEND.
    :param release_delay: seconds between RELEASING and RELEASED.
    :param transfer_mapping: what it moves, in OMS's own keys.
    :param config: its configuration, by section, in OMS's own keys.
    :param modification: how objects are added and removed.
    :param script: changes that happen by themselves.
    :param shown: values that answers show instead of the simulated ones, in OMS's own keys: under ``progress`` those
        of DescribeProjectProgress, under ``row`` those of a project's row, under ``steps`` those of steps, by name.
    """

    name: str = ""
    id: str = ""
    type: str = "MIGRATION"
    status: str = "INIT"
    step: str | None = None
    step_progress: float = 0.0
    source_type: str = "MYSQL"
    sink_type: str = "OB_MYSQL"
    source_endpoint_id: str | None = None
    sink_endpoint_id: str | None = None
    enable_struct: bool = True
    enable_full: bool = True
    enable_incr: bool = True
    enable_full_verify: bool = True
    enable_incr_verify: bool = False
    enable_reverse_incr: bool = True
    durations: dict[str, float] = field(default_factory=dict)
    rows: int = 92198
    alarm_level: str = "MEDIUM"
    monitoring_threshold: float = 300.0
    initial_lag: float = 60.0
    start_timestamp: float | None = None
    catch_up_rate: float = 10.0
    changes: float = 50.0
    steady_lag: float = 1.0
    idle_source: bool = False
    defer_index: bool = False
    wait_after: list[str] = field(default_factory=list)
    verification: list[Table] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    owner: str = "admin"
    worker_grade_id: str | None = None
    sybase: bool = False
    vocabulary: str = "v2"
    current_step_legacy: bool = False
    status_override: str | None = None
    stop_delay: float = 1.0
    release_delay: float = 2.0
    transfer_mapping: dict[str, Any] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    modification: Modification = field(default_factory=Modification)
    script: list[Scripted] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = self.id or new_id("np")
        self.name = self.name or self.id
        if self.type not in PROJECT_TYPES:
            raise ValueError(f"project {self.name!r}: type {self.type!r} isn't one of {', '.join(PROJECT_TYPES)}")
        if self.vocabulary not in ("v2", "legacy"):
            raise ValueError(f"project {self.name!r}: vocabulary {self.vocabulary!r} is neither v2 nor legacy")
        where = f"project {self.name!r}"
        self.verification = [build(Table, t, f"{where}, verification") for t in self.verification]
        self.failures = [build(Failure, f, f"{where}, failures") for f in self.failures]
        self.pauses = [build(Pause, p, f"{where}, pauses") for p in self.pauses]
        self.modification = build(Modification, self.modification, f"{where}, modification")
        self.script = [build(Scripted, item, f"{where}, script") for item in self.script]
        if unknown := set(self.shown) - {"progress", "row", "steps"}:
            raise ValueError(f"{where}, shown: unknown key(s) {', '.join(sorted(unknown))}")
        self.durations = {steps.canonical(k): float(v) for k, v in self.durations.items()}
        for name, seconds in self.durations.items():
            if seconds < 0:
                raise ValueError(f"{where}: the duration of {name} is negative")
        self.wait_after = [steps.canonical(name) for name in self.wait_after]
        if self.step is not None:
            self.step = steps.canonical(self.step)
            if self.step not in self.step_names or self.step == steps.INCR_VERIFY:
                raise ValueError(
                    f"{where}: it cannot begin at step {self.step}; its steps are {', '.join(self.step_names)}"
                )

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Project:
        """Make a project from a mapping with the same keys, as in a YAML scenario.

        :param given: the mapping.
        :raises ValueError: if a key is wrong; the message names it.
        """
        return build(cls, given, f"project {given.get('name', '?')!r}" if isinstance(given, Mapping) else "project")

    @property
    def step_names(self) -> list[str]:
        """The steps that the project has, in order; steps that are not enabled are absent, as in OMS."""
        migration, moves = self.type == "MIGRATION", self.type != "VERIFY"
        has = {
            steps.PRECHECK: True,
            steps.STRUCT: moves and self.enable_struct,
            steps.LOG_PULL: moves and self.enable_incr,
            steps.FULL: moves and self.enable_full,
            steps.INDEX: migration and self.enable_struct and self.enable_full,
            steps.INCR: moves and self.enable_incr,
            steps.FULL_VERIFY: self.type != "SYNC" and self.enable_full_verify,
            steps.INCR_VERIFY: moves and self.enable_incr and self.enable_incr_verify,
            steps.SWITCH: migration and self.enable_incr,
            steps.REVERSE: migration and self.enable_incr and self.enable_reverse_incr,
        }
        return [name for name in steps.ORDER if has[name]]

    @property
    def tables(self) -> list[Table]:
        """The result of full verification for the tables that the project begins with."""
        return self.verification or [Table("test", "t1", consistent=self.rows)]

    @property
    def mapping(self) -> dict[str, Any]:
        """``transferMapping``: as given, or made from the verification's tables."""
        if self.transfer_mapping is not None:
            return self.transfer_mapping
        databases: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for table in self.tables:
            rows = databases.setdefault((table.schema, table.dest_schema or table.schema), [])
            rows.append({"name": table.table, "mappedName": table.table})
        return {
            "mode": "SPECIFIC",
            "databases": [
                {"name": name, "mappedName": mapped, "tables": rows} for (name, mapped), rows in databases.items()
            ],
        }

    def duration(self, step: str) -> float:
        """Return how long a step takes, in seconds.

        :param step: its name, as :attr:`step_names` has it.
        """
        return self.durations.get(step, steps.DURATIONS[step])


@dataclass
class Label:
    """A label of projects (CreateLabel, ListAllLabels).

    :param name: its name.
    :param id: its id; a new one when not given.
    """

    name: str
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or new_id("l")


@dataclass
class DataSource:
    """A data source (CreateMySqlDataSource, CreateOceanBaseDataSource, ListDataSource).

    :param name: its name.
    :param id: its id; a new one when not given.
    :param type: ``MYSQL``, ``OB_MYSQL`` and so on.
    :param owner: the OMS user whose data source it is.
    :param tenant: the tenant, of OceanBase.
    :param cluster: the cluster, of OceanBase.
    :param schema: the database that it is limited to.
    :param ip: its host.
    :param port: its port.
    :param username: the database user.
    :param region: its region.
    :param description: its description.
    :param ocp_name: the OceanBase Cloud Platform that it belongs to.
    :param config_url: the cluster's ``obconfig_url``.
    :param drc_username: the user that reads incremental logs.
    :param try_keep_hb: whether OMS may write heartbeats into it.
    :param password: decoded, for a test to check; no answer, log line, page or ``repr`` shows it.
    :param drc_password: the same of the user that reads incremental logs.
    :param attributes: further attributes of a kind of data source (``connExtraAttributes``).
    :param secrets: keys of an API, by OMS's name; like the passwords no answer, log line, page or ``repr`` shows them.
    :param created: when it was created, in simulated time.
    """

    name: str
    id: str = ""
    type: str = "MYSQL"
    owner: str = "admin"
    tenant: str | None = None
    cluster: str | None = None
    schema: str | None = None
    ip: str | None = "127.0.0.1"
    port: int | None = 3306
    username: str | None = None
    region: str | None = None
    description: str | None = None
    ocp_name: str | None = None
    config_url: str | None = None
    drc_username: str | None = None
    try_keep_hb: bool = False
    password: str | None = field(default=None, repr=False)
    drc_password: str | None = field(default=None, repr=False)
    attributes: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    created: float | None = None

    def __post_init__(self) -> None:
        self.id = self.id or new_id("e")
