"""One table of cases for all seven gates: OMS's answers at one poll, and the gate's verdict.

The same rows are run on the pure functions (``tests/milestones``) and with the sensors in poke, reschedule and
deferrable mode, where :func:`serve` makes a simulator send the answers. Every expected verdict is written from the
design, none is computed by the package. Nothing here imports the package's milestones, or Airflow.

Use it as ``@pytest.mark.parametrize("case", CASES, ids=str)``. All times count from :data:`NOW`, so give the simulator
``Clock(start=NOW, speed=0)`` and the connection ``retries=0``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

#: 2027-01-15T08:00:00Z: the time on OMS's clock at every poll.
NOW = 1_800_000_000

PROGRESS, STEPS, VERIFY = "DescribeProjectProgress", "DescribeProjectSteps", "ListProjectFullVerifyResult"
PROJECT, PROJECTS, RECORDS = "DescribeProject", "ListProjects", "ListProjectModifyRecords"

WAITING, REACHED, FAILED = "waiting", "reached", "failed"


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer, for cases in which the ``data`` of a successful one isn't enough.

    :param body: JSON, or a raw text
    :param status: the HTTP status
    :param headers: further headers
    :param fault: instead of an answer one of the simulator's faults, such as ``reset_before``
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None

    @property
    def raw(self) -> bytes:
        """The body as it is sent."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Apart:
    """A project that verifies another one.

    :param progress: ``data`` of its DescribeProjectProgress
    :param steps: ``data`` of its DescribeProjectSteps
    :param verify_pages: ``data`` of its ListProjectFullVerifyResult, page by page
    :param project: ``data`` of its DescribeProject
    :param rows: what ListProjects lists
    """

    progress: Any
    steps: Any
    verify_pages: Sequence[Any] = ()
    project: Any = None
    rows: Sequence[Any] = ()


@dataclass(frozen=True)
class Case:
    """One case: OMS's answers, and the expected verdict.

    :param id: the case's name in test reports
    :param sensor: the sensor's class name
    :param arguments: its keyword arguments, without the project and the connection
    :param progress: ``data`` of DescribeProjectProgress, or a :class:`Reply`
    :param steps: ``data`` of DescribeProjectSteps, or a :class:`Reply`
    :param verify_pages: ``data`` of ListProjectFullVerifyResult, page by page, or a :class:`Reply`
    :param project: ``data`` of DescribeProject, or a :class:`Reply`; None for a project that is to be verified
    :param apart: the project that verifies it, whose id is :data:`APART`
    :param records: ``data`` of ListProjectModifyRecords, or a :class:`Reply`
    :param task: ``data`` of DescribeProject of the task of an addition, whose id is :data:`TASK`, or a :class:`Reply`
    :param expected: the verdict of the first poll
    :param message: a regular expression that the verdict's message contains
    :param without_memory: the verdict where nothing is remembered between two polls, if it is another one
    :param date_offset: how far OMS's clock (the Date header) is ahead of :data:`NOW`
    """

    id: str
    sensor: str
    arguments: Mapping[str, Any]
    progress: Any
    steps: Any = ()
    verify_pages: Sequence[Any] | Reply = ()
    project: Any = None
    apart: Apart | None = None
    records: Any = ()
    task: Any = None
    expected: str = WAITING
    message: str | None = None
    without_memory: str | None = None
    date_offset: float = 0

    def __str__(self) -> str:
        return self.id

    @property
    def expected_without_memory(self) -> str:
        """The verdict if nothing is remembered, as in reschedule mode before Airflow 3.3."""
        return self.without_memory or self.expected

    @property
    def needs_memory(self) -> bool:
        """Whether the sensor has an argument that has no effect if nothing is remembered."""
        return bool(self.arguments.get("hold_for"))

    def reply(self, action: str, payload: Any) -> Reply:
        """Return OMS's answer to an action."""
        if action == PROJECTS:
            rows = [] if self.apart is None else list(self.apart.rows)
            return _reply(rows if payload["pageNumber"] == 1 else [], total=len(rows))
        asked = payload.get("id") or payload.get("projectId")
        if action == RECORDS:
            return _reply(list(self.records) if isinstance(self.records, tuple) else self.records)
        if action == PROJECT and asked == TASK:
            return _reply(self.task)
        shown = self.apart if self.apart is not None and asked == APART else self
        if action == PROJECT:
            return _reply(project() if shown.project is None else shown.project)
        if action == PROGRESS:
            return _reply(shown.progress)
        if action == STEPS:
            return _reply(list(shown.steps) if isinstance(shown.steps, tuple) else shown.steps)
        if action != VERIFY:
            raise AssertionError(f"no gate asks for {action}")
        if isinstance(shown.verify_pages, Reply):
            return shown.verify_pages
        number = payload["pageNumber"]
        past_the_end = {"differentNumber": 0, "fullVerifyTableStatistics": []}
        page = shown.verify_pages[number - 1] if number <= len(shown.verify_pages) else past_the_end
        return _reply(page, total=sum(len(_tables_of(page)) for page in shown.verify_pages))


#: The id of a task that adds objects.
TASK = "np_task"

#: The id of a project that verifies another one.
APART = "np_apart"


def serve(simulator: Any, case: Case) -> None:
    """Make a simulator answer as a case says, whatever the project's id, and nothing of an earlier case.

    :param simulator: an ``airflow_provider_oms.simulator.Simulator`` whose clock stands at :data:`NOW`
    :param case: the case
    """
    from airflow_provider_oms.simulator import Fault

    simulator.date_header = case.date_offset
    simulator.clear_faults()
    for action in (PROGRESS, STEPS, VERIFY, PROJECT, PROJECTS, RECORDS):
        first = case.reply(action, {"pageNumber": 1})
        simulator.set_answer(action, None)
        if first.fault is not None:
            simulator.add_fault(Fault(first.fault, action=action))
        elif first.status != 200:
            simulator.add_fault(
                Fault("status", action=action, status=first.status, headers=first.headers, body=first.raw)
            )
        else:
            simulator.set_answer(action, lambda payload, action=action: case.reply(action, payload).raw)


def _reply(data: Any, **envelope: Any) -> Reply:
    return data if isinstance(data, Reply) else Reply(success(data, **envelope))


def _tables_of(page: Any) -> list[Any]:
    tables = page.get("fullVerifyTableStatistics") if isinstance(page, dict) else None
    return tables if isinstance(tables, list) else []


# OMS's answers


def success(data: Any, total: int | None = None) -> dict[str, Any]:
    """Return the envelope of a success."""
    return {
        "success": True,
        "errorDetail": None,
        "code": None,
        "message": None,
        "advice": None,
        "requestId": "req-1",
        "pageNumber": None,
        "pageSize": None,
        "totalCount": total,
        "cost": "4 ms",
        "data": data,
    }


def refusal(code: str | None, message: str, proposal: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the envelope of a refusal; OMS's real reason is in ``errorDetail``."""
    detail = {"code": code, "level": "ERROR", "message": message, "proposal": proposal}
    return {"success": False, "code": code, "message": "generic", "requestId": "req-9", "errorDetail": detail, **more}


#: A key that OMS doesn't send at all.
MISSING = object()


def _without_missing(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not MISSING}


def progress(status: Any = "RUNNING", **changes: Any) -> dict[str, Any]:
    """Return the progress of a project in full transfer; the value :data:`MISSING` removes a key."""
    return _without_missing(
        **{
            "projectId": "np_1",
            "status": status,
            "alarmLevel": "LOW",
            "enableStructTransfer": True,
            "enableFullTransfer": True,
            "enableIncrSync": True,
            "enableReverseIncrTransfer": True,
            "currentStep": "FULL_TRANSFER",
            "structTransferProgress": 100,
            "fullTransferProgress": 42,
            "incrSyncCheckpoint": None,
            "reverseIncrTransferCheckpoint": None,
            **changes,
        }
    )


def caught_up(status: Any = "RUNNING", behind: float = 10, **changes: Any) -> dict[str, Any]:
    """Return the progress of a project whose target is a number of seconds behind."""
    given = {"currentStep": "INCR_TRANSFER", "fullTransferProgress": 100, "incrSyncCheckpoint": NOW - behind}
    return progress(status, **{**given, **changes})


def switched(status: Any = "RUNNING", behind: float = 10, **changes: Any) -> dict[str, Any]:
    """Return the progress of a project after its switchover: the forward checkpoint stands still."""
    given = {
        "currentStep": "REVERSE_INCR_TRANSFER",
        "incrSyncCheckpoint": NOW - 72_000,
        "reverseIncrTransferCheckpoint": NOW - behind,
    }
    return caught_up(status, **{**given, **changes})


def step(name: Any, status: Any = "INIT", percent: Any = 0, **changes: Any) -> dict[str, Any]:
    """Return a step as in DescribeProjectSteps."""
    given = {
        "order": 1,
        "name": name,
        "description": "说明",
        "status": status,
        "extraInfo": {"errorDetails": None, "errorCode": None, "errorMsg": None, "failedTime": None},
        "startTime": "2027-01-15T06:00:00",
        "finishTime": None,
        "progress": percent,
        "stepInfo": None,
    }
    return _without_missing(**{**given, **changes})


def failed_step(name: str, failed_time: Any = None, percent: Any = 42) -> dict[str, Any]:
    """Return a step that is FAILED."""
    error = {"errorCode": "CONNECTOR-CNT0042", "errorMsg": "the sink is full", "failedTime": failed_time}
    return step(name, "FAILED", percent, extraInfo=error)


def oms_time(at: float) -> str:
    """Format a time like OMS's ``failedTime``: UTC, no offset, milliseconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000")


def in_transfer(full: str = "RUNNING", percent: Any = 42) -> list[dict[str, Any]]:
    """Return the steps of a project in full transfer."""
    return [
        step("TRANSFER_PRECHECK", "FINISHED", 100),
        step("STRUCT_TRANSFER", "FINISHED", 100),
        step("TRANSFER_INCR_LOG_PULL", "FINISHED", 100),
        step("FULL_TRANSFER", full, percent),
        step("INCR_TRANSFER"),
        step("FULL_VERIFIER"),
        step("TRANSFER_APP_SWITCH"),
    ]


def replaced(steps: list[dict[str, Any]], *others: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps with some replaced by others of the same name."""
    by_name = {other["name"]: other for other in others}
    return [by_name.get(row["name"], row) for row in steps]


def without(steps: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Return the steps without those of a name."""
    return [row for row in steps if row["name"] not in names]


#: The steps of a project that is ready for its cut-over.
ALL_DONE = replaced(
    in_transfer("FINISHED", 100),
    step("INCR_TRANSFER", "MONITORING", 99, finishTime="2027-01-15T07:00:00"),
    step("FULL_VERIFIER", "RUNNING", 100, finishTime="2027-01-15T07:30:00"),
)


def table(name: str = "orders", result: Any = "CONSISTENT", **changes: Any) -> dict[str, Any]:
    """Return a table of a verification's result."""
    given = {
        "sourceSchemaName": "shop",
        "sourceTableName": name,
        "destSchemaName": "shop",
        "status": "FINISHED",
        "resultType": result,
        "progress": "1.0",
        "errorDetails": None,
    }
    return _without_missing(**{**given, **changes})


def page(*tables: dict[str, Any], different: Any = 0) -> dict[str, Any]:
    """Return a page of a verification's result."""
    return _without_missing(differentNumber=different, fullVerifyTableStatistics=list(tables))


CONSISTENT = (page(table("orders"), table("items", "BOTH_EMPTY")),)


def project(*, verify: Any = True, in_mode: Any = False, **changes: Any) -> dict[str, Any]:
    """Return a project with its configuration, as in DescribeProject."""
    config = _without_missing(allowDestTableNotEmpty=in_mode)
    given = {"id": "np_1", "type": "MIGRATION", "enableFullVerify": verify, "fullTransferConfig": config}
    given["transferMapping"] = mapping("orders", "items")
    return _without_missing(**{**given, **changes})


def mapping(*tables: str, mode: Any = "SPECIFIC", **changes: Any) -> dict[str, Any]:
    """Return the objects that a project migrates: tables of the schema ``shop``, and a view."""
    objects = {"name": "shop", "mappedName": "shop", "tables": [{"name": name} for name in tables]}
    return _without_missing(mode=mode, databases=[{**objects, "views": [{"name": "totals"}], **changes}])


def record(status: Any = "RUNNING", kind: Any = "INCREASE_OBJECT", *tables: str, **changes: Any) -> dict[str, Any]:
    """Return a record of added or removed objects, as in ListProjectModifyRecords, with these tables."""
    listed = [{"name": "shop", "tables": [{"name": name} for name in tables]}] if tables else None
    given = {"id": 45, "type": kind, "status": status, "subProjectId": None, "databases": listed, "errorDetail": None}
    return _without_missing(**{**given, **changes})


#: A project whose configuration has no verification.
UNVERIFIED = project(verify=False)


# The statuses, each with the verdict of a gate whose milestone isn't reached


@dataclass(frozen=True)
class Status:
    """A project status as sent, and what it means for what isn't reached yet.

    :param value: as sent
    :param name: in capitals, None where there is none to wait for
    :param expected: the verdict
    :param message: what the verdict says
    :param running: whether it counts as running
    :param changing: whether objects are being added or removed meanwhile, or may be
    :param without_memory: the verdict where nothing is remembered
    """

    value: Any
    name: str | None
    expected: str = WAITING
    message: str | None = None
    running: bool = False
    changing: bool = False
    without_memory: str | None = None


STATUSES = {
    "init": Status("INIT", "INIT"),
    "running": Status("RUNNING", "RUNNING", running=True),
    "modifying": Status("RUNNING_MODIFYING", "RUNNING_MODIFYING", running=True, changing=True),
    "merging": Status("RUNNING_MERGING", "RUNNING_MERGING", running=True, changing=True),
    "alarming": Status("RUNNING_ALARMING", "RUNNING_ALARMING", running=True),
    "running_other": Status(
        "RUNNING_DEFRAGMENTING", "RUNNING_DEFRAGMENTING", message="RUNNING_DEFRAGMENTING", changing=True
    ),
    "running_nothing": Status("RUNNING_", "RUNNING_", message="RUNNING_", changing=True),
    "suspend": Status("SUSPEND", "SUSPEND", message="SUSPEND"),
    # It isn't known since when: new if the gate remembers, otherwise old.
    "failed": Status("FAILED", "FAILED", message="failed", without_memory=FAILED),
    "releasing": Status("RELEASING", "RELEASING", FAILED, "RELEASING"),
    "released": Status("RELEASED", "RELEASED", FAILED, "RELEASED"),
    "deleted": Status("DELETED", "DELETED", FAILED, "DELETED"),
    "finished": Status("FINISHED", "FINISHED", FAILED, "FINISHED"),
    "unknown": Status("HIBERNATING", "HIBERNATING", message="HIBERNATING"),
    "not_quite_running": Status("RUNNINGLESS", "RUNNINGLESS", message="RUNNINGLESS"),
    "null": Status(None, None, message="no status"),
    "missing": Status(MISSING, None, message="no status"),
    "empty": Status("", None),
    "lower_case": Status("running", "RUNNING", running=True),
    "blanks": Status(" Released ", "RELEASED", FAILED, "RELEASED"),
    "number": Status(7, None, message="7"),
    "true": Status(True, None),
    "list": Status(["RUNNING"], None),
    "object": Status({"name": "RUNNING"}, None),
}

_BY_NAME = {"step": "OmsStepSensor", "full": "OmsFullTransferSensor", "lag": "OmsCheckpointLagSensor"}
_BY_NAME |= {"checkpoint": "OmsCheckpointReachedSensor", "verification": "OmsFullVerificationSensor"}
_BY_NAME |= {"status": "OmsProjectStatusSensor", "cutover": "OmsCutoverReadySensor"}
_BY_NAME |= {"objects": "OmsObjectsSensor"}

#: gate -> (arguments, not reached, reached), the latter two as (progress of a status, steps, verification).
SCENES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "step": (
        {"step": "FULL_TRANSFER"},
        (progress, in_transfer(), ()),
        (caught_up, in_transfer("FINISHED", 100), ()),
    ),
    "full": ({}, (progress, in_transfer(), ()), (caught_up, in_transfer("FINISHED", 100), ())),
    "lag": (
        {"max_lag": 60},
        (lambda status: caught_up(status, behind=61), ALL_DONE, ()),
        (lambda status: caught_up(status, behind=60), ALL_DONE, ()),
    ),
    "checkpoint": (
        {"checkpoint": NOW - 100},
        (lambda status: caught_up(status, behind=100), ALL_DONE, ()),
        (lambda status: caught_up(status, behind=99), ALL_DONE, ()),
    ),
    "verification": (
        {},
        (caught_up, replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 99)), CONSISTENT),
        (caught_up, ALL_DONE, CONSISTENT),
    ),
    "objects": (
        {"tables": ["shop.orders"]},
        (progress, in_transfer(), ()),
        (caught_up, in_transfer("FINISHED", 100), ()),
    ),
    "cutover": (
        {},
        (lambda status: caught_up(status, behind=26), ALL_DONE, CONSISTENT),
        (lambda status: caught_up(status, behind=25), ALL_DONE, CONSISTENT),
    ),
}

#: The gates that require a present state; for the others a milestone stays reached.
_OF_NOW = ("lag", "cutover")

#: The gates about complete data: while objects are being added, the data that they see isn't complete.
_OF_ALL = ("full", "lag", "checkpoint", "verification", "cutover", "objects")


def _case(gate: str, what: str, arguments: Mapping[str, Any], sent: Any, steps: Any = (), **more: Any) -> Case:
    return Case(f"{gate}-{what}", _BY_NAME[gate], arguments, sent, steps, **more)


def _statuses() -> Iterator[Case]:
    for (gate, (arguments, not_yet, reached)), (name, status) in product(SCENES.items(), STATUSES.items()):
        for what, (sent, steps, pages) in (("not_yet", not_yet), ("reached", reached)):
            if status.changing and gate in _OF_ALL:
                verdict: dict[str, Any] = {"message": f"{status.name}.*seen since 2027-01-15T08:00:00.*allow_modifying"}
            elif what == "reached" and (gate not in _OF_NOW or status.running):
                verdict = {"expected": REACHED}
            else:
                verdict = {
                    "expected": status.expected,
                    "message": status.message,
                    "without_memory": status.without_memory,
                }
            yield _case(
                gate, f"{what}-status_{name}", arguments, sent(status.value), steps, verify_pages=pages, **verdict
            )
    for name, status in STATUSES.items():
        yield _case(
            "status",
            f"not_yet-status_{name}",
            {"target_statuses": ["PARKED"]},
            progress(status.value),
            in_transfer(),
            expected=status.expected,
            message=status.message,
            without_memory=status.without_memory,
        )
        if status.name is not None:
            targets = {"target_statuses": ["PARKED", status.name]}
            yield _case("status", f"reached-status_{name}", targets, progress(status.value), expected=REACHED)
    for gate, (arguments, (sent, steps, pages), _) in SCENES.items():
        strict = {**arguments, "fail_on_suspend": True}
        yield _case(
            gate,
            "fail_on_suspend",
            strict,
            sent("SUSPEND"),
            steps,
            verify_pages=pages,
            expected=FAILED,
            message=r"The project is paused \(SUSPEND\)",
        )
        yield _case(gate, "fail_on_suspend-running", strict, sent("RUNNING"), steps, verify_pages=pages)
    for gate, (arguments, _, (sent, steps, pages)) in SCENES.items():
        if gate not in _OF_NOW:
            strict = {**arguments, "fail_on_suspend": True}
            given = sent("SUSPEND")
            yield _case(gate, "fail_on_suspend-reached", strict, given, steps, verify_pages=pages, expected=REACHED)
    for (gate, (arguments, not_yet, reached)), name in product(
        SCENES.items(), ("modifying", "merging", "running_other")
    ):
        for what, (sent, steps, pages) in (("not_yet", not_yet), ("reached", reached)):
            if name == "running_other" and gate in _OF_NOW:  # it isn't known to run
                continue
            yield _case(
                gate,
                f"{what}-allowed_{name}",
                {**arguments, "allow_modifying": True},
                sent(STATUSES[name].value),
                steps,
                verify_pages=pages,
                expected=REACHED if what == "reached" else WAITING,
            )
    for gate in _OF_NOW:
        # Only the statuses that OceanBase documents can be allowed.
        arguments, _, (sent, steps, pages) = SCENES[gate]
        given = {**arguments, "allow_modifying": True}
        yield _case(gate, "allowed_other", given, sent("RUNNING_DEFRAGMENTING"), steps, verify_pages=pages)
    # An error stays an error while objects are being added.
    sent = caught_up("RUNNING_MODIFYING")
    bad = [page(table("items", "INCONSISTENT"))]
    for gate in ("verification", "cutover"):
        yield _case(gate, "modifying-bad", {}, sent, ALL_DONE, verify_pages=bad, expected=FAILED, message="shop.items")
    sent = progress("RUNNING_MODIFYING", enableFullTransfer=False)
    yield _case("full", "modifying-no_full_transfer", {}, sent, expected=FAILED)
    suspended = {"target_statuses": ["PARKED"], "fail_on_suspend": True}
    yield _case("status", "fail_on_suspend", suspended, progress("SUSPEND"), expected=FAILED, message="SUSPEND")


def _project_status() -> Iterator[Case]:
    # A finished project can still be released and deleted, and RELEASING goes on to RELEASED.
    for now, target, expected in (
        ("RELEASING", "RELEASED", WAITING),
        ("RELEASING", "DELETED", WAITING),
        ("RELEASED", "DELETED", WAITING),
        ("RELEASED", "RELEASING", FAILED),
        ("DELETED", "RELEASED", FAILED),
        ("DELETED", "FINISHED", FAILED),
        ("RELEASED", "RUNNING", FAILED),
        ("FINISHED", "RUNNING", FAILED),
        ("RUNNING", "RELEASED", WAITING),
        ("SUSPEND", "RELEASED", WAITING),
        ("RUNNING_MODIFYING", "RUNNING", WAITING),
        ("FINISHED", "RELEASED", WAITING),
    ):
        yield _case("status", f"{now}_for_{target}", {"target_statuses": [target]}, progress(now), expected=expected)
    both = {"target_statuses": ["FINISHED", "FAILED"]}
    yield _case("status", "either", both, progress("FAILED"), expected=REACHED)
    yield _case("status", "target_lower_case", {"target_statuses": "finished"}, progress("FINISHED"), expected=REACHED)
    yield _case(
        "status", "target_listed", {"target_statuses": "SUSPEND, FINISHED"}, progress("SUSPEND"), expected=REACHED
    )


# Steps

#: What a step does -> its names: the present one, that of a 3.x migration, and that of a synchronisation.
STEP_NAMES = {
    "precheck": ("TRANSFER_PRECHECK", "PRE_CHECK"),
    "prepare": ("TRANSFER_PREPARE", "PREPARE", "SYNC_PREPARE"),
    "schema": ("STRUCT_TRANSFER", "STRUCT_MIGRATION", "STRUCT_SYNC"),
    "log_pull": ("TRANSFER_INCR_LOG_PULL", "INCR_LOG_PULL", "SYNC_INCR_LOG_PULL"),
    "full": ("FULL_TRANSFER", "FULL_MIGRATION", "CONNECTOR_FULL_SYNC"),
    "index": ("INDEX_TRANSFER", "INDEX_MIGRATION"),
    "incremental": ("INCR_TRANSFER", "INCR_SYNC", "CONNECTOR_INCR_SYNC"),
    "full_verification": ("FULL_VERIFIER", "FULL_VALIDATION"),
    "incremental_verification": ("INCR_VERIFIER", "INCR_VALIDATION"),
    "switchover": ("TRANSFER_APP_SWITCH", "APP_SWITCH"),
    "reverse": ("REVERSE_INCR_TRANSFER", "REVERSE_INCR_SYNC"),
}

_ENDLESS = ("incremental", "incremental_verification", "reverse")

#: ``stepInfo`` of a full verification that has ended, and whether it counts as done.
_SKIPPED: tuple[tuple[str, Any, str], ...] = (
    ("skipped", {"skipped": True}, WAITING),
    ("skipped_text", {"skipped": "true"}, WAITING),
    ("skipped_nonsense", {"skipped": "perhaps"}, WAITING),
    ("not_validated", {"validated": False}, WAITING),
    ("skipped_and_validated", {"skipped": True, "validated": True}, WAITING),
    ("not_skipped", {"skipped": False, "validated": True}, REACHED),
    ("skipped_null", {"skipped": None, "validated": None}, REACHED),
)


def step_is_done(kind: str, status: str, percent: int | None) -> bool:
    """The rule for a step that is done, from the design."""
    if kind in _ENDLESS:
        return status in ("MONITORING", "FINISHED")
    if kind == "full_verification":
        return (status, percent) in (("FINISHED", 100), ("FINISHED", None), ("RUNNING", 100))
    if kind == "switchover":
        return status == "FINISHED"
    return status == "FINISHED" and percent in (100, None)


def _step_case(what: str, row: Any, arguments: Mapping[str, Any] | None = None, **more: Any) -> Case:
    name = row["name"] if isinstance(row, dict) else "FULL_TRANSFER"
    return _case("step", what, {"step": name, **(arguments or {})}, caught_up(), [row], **more)


def _step_names() -> Iterator[Case]:
    for kind, names in STEP_NAMES.items():
        for asked, listed in product(names, names):
            row = step(listed, "MONITORING" if kind in _ENDLESS else "FINISHED", 100)
            yield _step_case(f"{asked}_finds_{listed}", row, {"step": asked}, expected=REACHED)
    for asked in ("full_transfer", " Full_Migration "):
        yield _step_case(
            f"name_{asked.strip()}", step("FULL_TRANSFER", "FINISHED", 100), {"step": asked}, expected=REACHED
        )
    yield _step_case(
        "listed_lower_case", step("full_transfer", "Finished", 100), {"step": "FULL_TRANSFER"}, expected=REACHED
    )
    new = step("SHADOW_TABLE_SWAP", "FINISHED", 100)
    yield _step_case("unheard_of_done", new, expected=REACHED)
    yield _step_case("unheard_of_running", {**new, "status": "RUNNING"})


def _step_states() -> Iterator[Case]:
    statuses = ("INIT", "RUNNING", "SUSPEND", "MONITORING", "FINISHED", "PAUSING")
    for kind, status, percent in product(STEP_NAMES, statuses, (100, 99, 0, None)):
        name = f"{kind}-{status}_{'null' if percent is None else percent}"
        row = step(STEP_NAMES[kind][0], status, percent)
        yield _step_case(name, row, expected=REACHED if step_is_done(kind, status, percent) else WAITING)
    for kind, status in product(("schema", "full_verification", "switchover", "incremental"), statuses):
        begun = status in ("RUNNING", "MONITORING", "FINISHED")
        row = step(STEP_NAMES[kind][0], status, 0)
        yield _step_case(f"{kind}-started-{status}", row, {"until": "started"}, expected=REACHED if begun else WAITING)
    for name, value in {"null": None, "missing": MISSING, "number": 3, "true": True, "list": ["FINISHED"]}.items():
        yield _step_case(f"status_{name}", step("FULL_TRANSFER", value, 100))
        yield _step_case(f"status_{name}-started", step("FULL_TRANSFER", value, 100), {"until": "started"})
    for name, value in {"list": ["FULL_TRANSFER"], "true": True}.items():
        yield _step_case(f"name_{name}", step(value, "FINISHED", 100), {"step": "FULL_TRANSFER"})
    for name, percent, expected in (
        ("text_100", "100", REACHED),
        ("text_99", "99", WAITING),
        ("float_100", 100.0, REACHED),
        ("missing", MISSING, REACHED),
        ("5151", 5151, WAITING),
        ("101", 101, WAITING),
        ("negative", -1, WAITING),
        ("abc", "abc", WAITING),
        ("empty", "", WAITING),
        ("true", True, WAITING),
        ("nan", float("nan"), WAITING),
        ("list", [100], WAITING),
    ):
        yield _step_case(f"progress_{name}", step("FULL_TRANSFER", "FINISHED", percent), expected=expected)
    # These keys don't affect whether a step is done.
    done, not_done = step("FULL_TRANSFER", "FINISHED", 100), step("FULL_TRANSFER", "RUNNING", 100)
    fixed = {"errorCode": "OLD", "errorMsg": "fixed since", "failedTime": oms_time(NOW - 9000)}
    yield _step_case("finish_time_while_running", {**not_done, "finishTime": oms_time(NOW - 60)})
    yield _step_case("finished_without_finish_time", {**done, "finishTime": None}, expected=REACHED)
    yield _step_case("finished_with_old_failure", {**done, "extraInfo": fixed}, expected=REACHED)
    yield _step_case("running_with_old_failure", {**not_done, "extraInfo": fixed})
    yield _step_case("description", {**not_done, "description": "FINISHED"})
    yield _step_case("extra_info_null", {**done, "extraInfo": None, "stepInfo": []}, expected=REACHED)
    for name, info, expected in _SKIPPED:
        for status in ("FINISHED", "RUNNING"):
            row = step("FULL_VERIFIER", status, 100, stepInfo=info)
            yield _step_case(f"verification_{status}-{name}", row, expected=expected)
    # Their meaning is known only for a verification.
    yield _step_case("skipped_transfer", {**done, "stepInfo": {"skipped": True}}, expected=REACHED)
    twice = [done, step("FULL_TRANSFER", "RUNNING", 3)]
    yield _case("step", "listed_twice", {"step": "FULL_TRANSFER"}, caught_up(), twice)
    yield _case("step", "listed_twice-turned", {"step": "FULL_TRANSFER"}, caught_up(), twice[::-1])
    # A step that the project doesn't have fails the gate, but while the project lists no steps at all it isn't known.
    lacking = without(ALL_DONE, "FULL_VERIFIER")
    yield _case(
        "step",
        "missing",
        {"step": "FULL_VERIFIER"},
        caught_up(),
        lacking,
        expected=FAILED,
        message="(?s)FULL_VERIFIER.*TRANSFER_PRECHECK.*INCR_TRANSFER.*TRANSFER_APP_SWITCH",
    )
    for name, rows in {"empty": [], "null": None}.items():
        yield _case("step", f"none_listed_{name}", {"step": "FULL_VERIFIER"}, progress("INIT"), rows)
        yield _case(
            "step",
            f"none_listed_{name}-released",
            {"step": "FULL_VERIFIER"},
            progress("RELEASED"),
            rows,
            expected=FAILED,
        )
    for name, rows in {"text": "steps", "number": 4, "list_of_text": ["FULL_TRANSFER"], "list_of_null": [None]}.items():
        yield _case("step", f"rows_{name}", {"step": "FULL_TRANSFER"}, caught_up(), rows)
    yield _case("step", "rows_lone_object", {"step": "FULL_TRANSFER"}, caught_up(), done, expected=REACHED)
    yield _case("step", "data_missing", {"step": "FULL_TRANSFER"}, caught_up(), Reply({"success": True}))


def _failures() -> Iterator[Case]:
    old, new = oms_time(NOW - 121), oms_time(NOW - 10)
    both: dict[str, Any] = {"expected": FAILED, "message": "FULL_TRANSFER.*CONNECTOR-CNT0042.*the sink is full"}
    times: dict[str, tuple[Any, dict[str, Any]]] = {
        "new": (new, {"expected": WAITING, "message": "CONNECTOR-CNT0042"}),
        "at_the_limit": (oms_time(NOW - 120), {"expected": WAITING, "message": "waiting 0 s more"}),
        "old": (old, both),
        "old_with_offset": ("2027-01-15T15:57:59.000+08:00", both),
        "absent": (None, {"expected": WAITING, "without_memory": FAILED}),
        "unparseable": ("yesterday", {"expected": WAITING, "without_memory": FAILED}),
        "number": (17, {"expected": WAITING, "without_memory": FAILED}),
        "list": ([old], {"expected": WAITING, "without_memory": FAILED}),
        "just_ahead": (oms_time(NOW + 300), {"expected": WAITING}),
        "far_ahead": (oms_time(NOW + 30_000), {"expected": WAITING, "without_memory": FAILED}),
    }
    for name, (failed_time, verdict) in times.items():
        rows = replaced(in_transfer(), failed_step("FULL_TRANSFER", failed_time))
        for status in ("RUNNING", "FAILED", "RUNNING_ALARMING"):
            for gate, arguments in (("step", {"step": "FULL_MIGRATION"}), ("full", {})):
                yield _case(gate, f"{status}-failed_time_{name}", arguments, progress(status), rows, **verdict)
    rows = replaced(in_transfer(), failed_step("FULL_TRANSFER", old))
    target = {"target_statuses": ["FINISHED"]}
    yield _case("status", "failed_old", target, progress("FAILED"), rows, **both)
    yield _case("status", "failed_step_in_running", target, progress("RUNNING"), rows)
    yield _case("lag", "failed_old", {"max_lag": 60}, progress("FAILED"), rows, **both)
    yield _case("checkpoint", "failed_old", {"checkpoint": NOW - 100}, progress("FAILED"), rows, **both)
    yield _case("cutover", "failed_old", {}, progress("FAILED"), rows, **both)
    yield _case("cutover", "failed_step_in_running", {}, progress("RUNNING"), rows, **both)
    yield _case("verification", "failed_old", {}, progress("FAILED"), rows, **both)
    verifier = replaced(ALL_DONE, failed_step("FULL_VERIFIER", old))
    said = "FULL_VERIFIER.*CONNECTOR-CNT0042"
    yield _case("verification", "failed_step", {}, caught_up(), verifier, expected=FAILED, message=said)
    incremental = replaced(ALL_DONE, failed_step("INCR_TRANSFER", old))
    said = "INCR_TRANSFER.*CONNECTOR-CNT0042"
    late = caught_up(behind=900)
    yield _case("lag", "failed_step", {"max_lag": 60}, late, incremental, expected=FAILED, message=said)
    yield _case("checkpoint", "failed_step", {"checkpoint": NOW}, late, incremental, expected=FAILED, message=said)
    turned = [*ALL_DONE, failed_step("REVERSE_INCR_TRANSFER", old)]
    backwards = {"max_lag": 60, "direction": "reverse"}
    said = "REVERSE_INCR_TRANSFER.*CONNECTOR-CNT0042"
    yield _case("lag", "failed_step-reverse", backwards, switched(behind=900), turned, expected=FAILED, message=said)
    # In a running project, only the step that is waited for counts.
    yield _case(
        "step", "another_failed", {"step": "STRUCT_TRANSFER"}, progress(), replaced(rows, step("STRUCT_TRANSFER"))
    )
    yield _case("lag", "another_failed", {"max_lag": 60}, late, verifier)
    # Of several failures, the newest counts.
    several = replaced(rows, failed_step("INCR_TRANSFER", new))
    yield _case("full", "several_failed", {}, progress("FAILED"), several, message="INCR_TRANSFER")
    for name, grace, rows_of, expected in (
        ("longer", 600, old, WAITING),
        ("shorter", 5, new, FAILED),
        ("none", 0, new, FAILED),
        ("none_and_no_time", 0, None, FAILED),
        ("text", "600", old, WAITING),
    ):
        rows = replaced(in_transfer(), failed_step("FULL_TRANSFER", rows_of))
        yield _case("full", f"grace_{name}", {"failure_grace": grace}, progress("FAILED"), rows, expected=expected)
    # An error that can't be recovered from fails the gate at once.
    for name, status in product(STEP_NAMES["precheck"], ("FAILED", "RUNNING", "INIT")):
        rows = [failed_step(name, new, 0), step("FULL_TRANSFER")]
        yield _case(
            "step",
            f"{name}-failed-{status}",
            {"step": "PRE_CHECK"},
            progress(status),
            rows,
            expected=FAILED,
            message=name,
        )
    rows = [failed_step("PRE_CHECK", new, 0), step("FULL_TRANSFER")]
    for gate, (arguments, _, _) in SCENES.items():
        if gate not in ("verification", "cutover"):
            yield _case(
                gate,
                "precheck_failed",
                arguments,
                progress("FAILED", fullTransferProgress=0),
                rows,
                expected=FAILED,
                message="PRE_CHECK",
            )
    # After a failed precheck nothing starts, even if OMS still shows the project as RUNNING.
    skipped = [rows[0], step("FULL_TRANSFER", "RUNNING", 3)]
    for gate in ("full", "lag", "checkpoint"):
        arguments = SCENES[gate][0]
        said = progress(fullTransferProgress=0)
        yield _case(gate, "precheck_failed_in_running", arguments, said, rows, expected=FAILED, message="PRE_CHECK")
        yield _case(gate, "precheck_skipped", arguments, said, skipped, expected=WAITING)
    failed_without_words = [step("FULL_TRANSFER", "FAILED", 3, extraInfo={})]
    yield _case(
        "full",
        "failed_without_words",
        {"failure_grace": 0},
        progress("FAILED"),
        failed_without_words,
        expected=FAILED,
        message="FULL_TRANSFER",
    )
    yield _case("full", "failed_without_step", {"failure_grace": 0}, progress("FAILED"), [], expected=FAILED)
    # OMS may send only details: texts, or objects.
    objects = [{"code": "C-7", "message": "no space", "reason": "disk", "proposal": "add one"}]
    for name, details, message in (
        ("texts", ["no space", "no luck"], "FULL_TRANSFER no space; no luck[.]"),
        ("objects", objects, "FULL_TRANSFER C-7 no space disk OMS advises: add one[.]"),
        ("many", [f"no {number}" for number in range(5)], "no 0; no 1; no 2 .and 2 more.[.]"),
        ("lone", "no space", "FULL_TRANSFER no space[.]"),
        ("nothing", [], "FULL_TRANSFER FAILED without an error"),
        ("odd", [[1], None, {}], "FULL_TRANSFER"),
    ):
        row = step("FULL_TRANSFER", "FAILED", 3, extraInfo={"errorDetails": details})
        given = {"expected": FAILED, "message": message}
        yield _case("full", f"failed_with_{name}", {"failure_grace": 0}, progress("FAILED"), [row], **given)
    twice = {"errorCode": "C-7", "errorMsg": "no space", "errorDetails": ["no space", "full"]}
    row = step("FULL_TRANSFER", "FAILED", 3, extraInfo=twice)
    given = {"expected": FAILED, "message": "FULL_TRANSFER C-7 no space full[.]"}
    yield _case("full", "failed_with_words_and_details", {"failure_grace": 0}, progress("FAILED"), [row], **given)
    # A milestone stays reached in a project that has failed since, and a failed step isn't done.
    yield _case(
        "step", "failed_at_100", {"step": "FULL_TRANSFER"}, progress(), [failed_step("FULL_TRANSFER", new, 100)]
    )
    # Steps that are paused.
    paused = [step("FULL_TRANSFER", "SUSPEND", 42), step("INCR_TRANSFER")]
    strict = {"fail_on_suspend": True}
    for gate, arguments in (("step", {"step": "FULL_TRANSFER"}), ("full", {})):
        yield _case(gate, "step_suspended", arguments, progress(), paused, message="SUSPEND")
        yield _case(
            gate,
            "step_suspended-strict",
            {**arguments, **strict},
            progress(),
            paused,
            expected=FAILED,
            message="SUSPEND",
        )
        yield _case(
            gate,
            "step_suspended-strict-unknown",
            {**arguments, **strict},
            progress("HIBERNATING"),
            paused,
            message="HIBERNATING",
        )
    yield _case("step", "another_suspended-strict", {"step": "INCR_TRANSFER", **strict}, progress(), paused)


def _full_transfer() -> Iterator[Case]:
    for name, value, expected in (
        ("0", 0, WAITING),
        ("99", 99, WAITING),
        ("almost", 99.999, WAITING),
        ("100", 100, REACHED),
        ("text_100", "100", REACHED),
        ("text_blanks", " 100 ", REACHED),
        ("float", 100.0, REACHED),
        ("text_99", "99", WAITING),
        ("null", None, WAITING),
        ("missing", MISSING, WAITING),
        ("5151", 5151, WAITING),
        ("101", 101, WAITING),
        ("negative", -1, WAITING),
        ("minus_100", "-100", WAITING),
        ("abc", "abc", WAITING),
        ("percent_sign", "100%", WAITING),
        ("empty", "", WAITING),
        ("true", True, WAITING),
        ("nan", float("nan"), WAITING),
        ("infinity", float("inf"), WAITING),
        ("huge", 10**30, WAITING),
        ("list", [100], WAITING),
        ("object", {"value": 100}, WAITING),
    ):
        yield _case(
            "full", f"progress_{name}", {}, progress(fullTransferProgress=value), in_transfer(), expected=expected
        )
    for wanted, at, expected in (
        (50, 50, REACHED),
        (50, 49.9, WAITING),
        ("50", 51, REACHED),
        (0.5, 1, REACHED),
        (100, 99, WAITING),
    ):
        given = progress(fullTransferProgress=at)
        yield _case("full", f"wanted_{wanted}_at_{at}", {"progress": wanted}, given, in_transfer(), expected=expected)
    for name, value, expected in (
        ("false", False, FAILED),
        ("text_false", "False", FAILED),
        ("null", None, REACHED),
        ("missing", MISSING, REACHED),
        ("nonsense", "perhaps", WAITING),
    ):
        given = progress(enableFullTransfer=value, fullTransferProgress=100)
        message = "no full transfer" if expected == FAILED else None
        yield _case("full", f"enabled_{name}", {}, given, in_transfer(), expected=expected, message=message)
    old = progress(fullTransferProgress=MISSING, fullMigrationProgress=100)
    yield _case("full", "migration_key", {}, old, in_transfer(), expected=REACHED)
    old = progress(fullTransferProgress=MISSING, fullSyncProgress=100)
    yield _case("full", "sync_key", {}, old, in_transfer(), expected=REACHED)
    pascal = {name[0].upper() + name[1:]: value for name, value in progress(fullTransferProgress=100).items()}
    yield _case("full", "pascal_case", {}, Reply({"Success": True, "Data": pascal}), expected=REACHED)
    steps_gone = Reply(refusal(None, "Unsupported action: DescribeProjectSteps"))
    yield _case("full", "steps_unsupported", {}, progress(), steps_gone)


# Checkpoints

_CHECKPOINTS: tuple[tuple[str, Any, str, str | None], ...] = (
    ("null", None, WAITING, None),
    ("missing", MISSING, WAITING, None),
    ("zero", 0, WAITING, None),
    ("text_zero", "0", WAITING, None),
    ("negative", -1, WAITING, None),
    ("text_negative", "-5", WAITING, None),
    ("empty", "", WAITING, None),
    ("text", str(NOW - 10), REACHED, None),
    ("text_blanks", f" {NOW - 10} ", REACHED, None),
    ("fraction", NOW - 10.5, REACHED, None),
    ("sybase", "100,30", FAILED, "no time-based checkpoint"),
    ("words", "soon", FAILED, "no time-based checkpoint"),
    ("now", NOW, REACHED, None),
    ("ahead_299", NOW + 299, REACHED, None),
    ("ahead_300", NOW + 300, REACHED, None),
    ("ahead_301", NOW + 301, WAITING, "ahead"),
    ("milliseconds", (NOW - 10) * 1000, WAITING, "ahead"),
    ("text_milliseconds", str((NOW - 10) * 1000), WAITING, "ahead"),
    ("nan", float("nan"), WAITING, None),
    ("infinity", float("inf"), WAITING, None),
    ("huge", 10**30, WAITING, None),
    ("true", True, WAITING, None),
    ("list", [NOW - 10], WAITING, None),
    ("object", {"timestamp": NOW - 10}, WAITING, None),
)

#: The gates that read a checkpoint, with a moment that all of the above have passed.
_READERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lag", {"max_lag": 60}),
    ("checkpoint", {"checkpoint": NOW - 3600}),
    ("cutover", {"max_lag": 60}),
)


def _checkpoints() -> Iterator[Case]:
    for (gate, arguments), (name, value, expected, message) in product(_READERS, _CHECKPOINTS):
        given: dict[str, Any] = {"verify_pages": CONSISTENT, "expected": expected, "message": message}
        yield _case(gate, f"value_{name}", arguments, caught_up(incrSyncCheckpoint=value), ALL_DONE, **given)
        if gate != "cutover":
            turned = {**arguments, "direction": "reverse"}
            back = switched(reverseIncrTransferCheckpoint=value)
            yield _case(gate, f"reverse-value_{name}", turned, back, ALL_DONE, expected=expected, message=message)
    for gate, arguments in _READERS:
        done: dict[str, Any] = {"verify_pages": CONSISTENT}

        def of(
            what: str, sent: Any, gate: str = gate, arguments: Any = arguments, done: Any = done, **more: Any
        ) -> Case:
            return _case(gate, what, arguments, sent, ALL_DONE, **{**done, **more})

        for percent in (0, 99, 99.99, 5151, "abc"):
            yield of(f"full_at_{percent}", caught_up(fullTransferProgress=percent))
        # If no percentage is given, the step's status counts; only the cut-over gate requests the steps.
        by_step = REACHED if gate == "cutover" else WAITING
        for name, percent in (("null", None), ("missing", MISSING)):
            yield of(f"full_at_{name}", caught_up(fullTransferProgress=percent), expected=by_step)
        yield of("full_at_text_100", caught_up(fullTransferProgress="100"), expected=REACHED)
        sent = caught_up(enableFullTransfer=None, fullTransferProgress=None)
        yield of("full_unsaid", sent, expected=by_step)
        off = caught_up(enableFullTransfer=False, fullTransferProgress=None)
        yield of("full_off", off, expected=REACHED)
        yield of("incr_off", caught_up(enableIncrSync=False), expected=FAILED, message="no forward incremental sync")
        yield of("incr_off_text", caught_up(enableIncrSync="false"), expected=FAILED)
        yield of("incr_unsaid", caught_up(enableIncrSync=None), expected=REACHED)
        yield of("incr_nonsense", caught_up(enableIncrSync="perhaps"))
        yield of("current_step_odd", caught_up(currentStep={"name": "INCR_TRANSFER"}), expected=REACHED)
        # The present is the time on OMS's clock, not on ours.
        fast, slow = caught_up(incrSyncCheckpoint=NOW + 7190), caught_up(incrSyncCheckpoint=NOW - 10)
        yield of("oms_clock_ahead", fast, date_offset=7200, expected=REACHED)
        yield of("oms_clock_behind", slow, date_offset=-7200, message="ahead")
    stale = caught_up(incrSyncCheckpoint=NOW - 10)
    yield _case("lag", "our_clock_slow", {"max_lag": 60}, stale, ALL_DONE, date_offset=7200)
    for gate, arguments in _READERS[:2]:
        turned = {**arguments, "direction": "reverse"}
        yield _case(gate, "reverse", turned, switched(), ALL_DONE, expected=REACHED)
        yield _case(gate, "reverse_not_begun", turned, caught_up(), ALL_DONE)
        off = switched(enableReverseIncrTransfer=False)
        yield _case(gate, "reverse_off", turned, off, ALL_DONE, expected=FAILED, message="no reverse incremental sync")
        alone = switched(enableIncrSync=False)
        yield _case(gate, "reverse_alone", turned, alone, ALL_DONE, expected=REACHED)
        old = {"reverseIncrTransferCheckpoint": MISSING, "reverseIncrSyncCheckpoint": NOW - 10}
        yield _case(gate, "reverse_old_key", turned, switched(**old), ALL_DONE, expected=REACHED)
    yield _case("lag", "frozen", {"max_lag": 60}, switched(), ALL_DONE, message="switchover.*reverse")
    frozen = switched(currentStep="REVERSE_INCR_SYNC")
    yield _case("cutover", "frozen", {}, frozen, ALL_DONE, verify_pages=CONSISTENT, message="switchover.*reverse")
    for lag, limit, expected in (
        (60, 60, REACHED),
        (61, 60, WAITING),
        (60.5, 60, WAITING),
        (0, 0, REACHED),
        (-5, 0, REACHED),
        (1, 0, WAITING),
        (90, "90", REACHED),
    ):
        yield _case("lag", f"{lag}_of_{limit}", {"max_lag": limit}, caught_up(behind=lag), ALL_DONE, expected=expected)
    yield _case("lag", "held", {"max_lag": 60, "hold_for": 30}, caught_up(), ALL_DONE, message="30")
    yield _case("lag", "held_not_at_all", {"max_lag": 60, "hold_for": 0}, caught_up(), ALL_DONE, expected=REACHED)
    for name, moment in {
        "number": NOW - 10,
        "text_number": str(NOW - 10),
        "iso": "2027-01-15T07:59:50+00:00",
        "iso_z": "2027-01-15T07:59:50Z",
        "iso_offset": "2027-01-15T15:59:50+08:00",
        "iso_without_zone": "2027-01-15 07:59:50",
        "datetime": datetime(2027, 1, 15, 7, 59, 50, tzinfo=UTC),
        "datetime_without_zone": datetime(2027, 1, 15, 7, 59, 50),
    }.items():
        # Strictly greater, because a change in that second may not have arrived.
        for what, behind, expected in (("at", 10, WAITING), ("past", 9, REACHED), ("before", 11, WAITING)):
            given = caught_up(behind=behind)
            yield _case("checkpoint", f"{what}_{name}", {"checkpoint": moment}, given, ALL_DONE, expected=expected)
    for name, moment in {"ds_nodash": "20270115", "ds": "2027-01-15", "ts_nodash": "20270115T000000"}.items():
        midnight = 1_799_971_200
        given = caught_up(incrSyncCheckpoint=midnight)
        yield _case("checkpoint", f"{name}-at", {"checkpoint": moment}, given, ALL_DONE)
        given = caught_up(incrSyncCheckpoint=midnight + 1)
        yield _case("checkpoint", f"{name}-past", {"checkpoint": moment}, given, ALL_DONE, expected=REACHED)


# Verification


def _verifications() -> Iterator[Case]:
    good = table()
    pages: tuple[tuple[str, Sequence[Any], str, str | None], ...] = (
        ("consistent", CONSISTENT, REACHED, None),
        ("lower_case", [page(table(result="consistent"))], REACHED, None),
        ("text_zero", [page(good, different="0")], REACHED, None),
        ("several_pages", [page(table("a")), page(table("b")), page(table("c"))], REACHED, None),
        ("bad_on_page_2", [page(good), page(table("items", "INCONSISTENT"))], FAILED, "shop.items"),
        ("bad_on_page_3", [page(good), page(table("b")), page(table("c", "SOURCE_EMPTY"))], FAILED, "shop.c"),
        ("different_on_page_2", [page(good), page(table("b"), different=3)], FAILED, "3"),
        ("different_on_page_1", [page(good, different=3), page(table("b"))], FAILED, "3"),
        ("different_in_the_middle", [page(good), page(table("b"), different=3), page(table("c"))], FAILED, "3"),
        ("different", [page(good, different=1)], FAILED, "1"),
        ("different_text", [page(good, different="12")], FAILED, "12"),
        ("different_null", [page(good, different=None)], WAITING, None),
        ("different_missing", [page(good, different=MISSING)], WAITING, None),
        ("different_null_on_page_2", [page(good), page(table("b"), different=None)], WAITING, None),
        ("different_null_on_page_1", [page(good, different=None), page(table("b"))], WAITING, None),
        ("different_negative", [page(good, different=-1)], WAITING, None),
        ("different_true", [page(good, different=True)], WAITING, None),
        ("different_false", [page(good, different=False)], WAITING, None),
        ("different_abc", [page(good, different="none")], WAITING, None),
        ("no_tables", [page()], WAITING, None),
        ("no_page", [], WAITING, None),
        ("tables_null", [{"differentNumber": 0, "fullVerifyTableStatistics": None}], WAITING, None),
        ("tables_missing", [{"differentNumber": 0}], WAITING, None),
        ("tables_text", [{"differentNumber": 0, "fullVerifyTableStatistics": "all"}], WAITING, None),
        ("data_null", [None], WAITING, None),
        ("data_text", ["CONSISTENT"], WAITING, None),
        ("result_null", [page(good, table("items", None))], WAITING, "shop.items"),
        ("result_missing", [page(table("items", MISSING))], WAITING, "shop.items"),
        ("result_running", [page(good, table("items", "RUNNING", status="RUNNING"))], WAITING, "shop.items"),
        ("result_unknown", [page(good, table("items", "MOSTLY_FINE"))], WAITING, "shop.items.*MOSTLY_FINE"),
        ("result_number", [page(table("items", 0))], WAITING, "shop.items"),
        ("result_true", [page(table("items", True))], WAITING, None),
        ("error", [page(good, table("items", None, status="ERROR"))], FAILED, "shop.items"),
        ("error_and_exception", [page(table("items", "RUNTIME_EXCEPTION", status="ERROR"))], FAILED, "shop.items"),
        ("details", [page(table("items", "INCONSISTENT", errorDetails=["no key"]))], FAILED, "INCONSISTENT: no key"),
        ("details_odd", [page(table("items", errorDetails=[[1], None]))], REACHED, None),
        # The row of a table must agree with its result.
        ("status_running", [page(good, table("items", status="RUNNING"))], WAITING, "shop.items.*RUNNING"),
        ("status_suspend", [page(good, table("items", status="SUSPEND"))], WAITING, "shop.items.*SUSPEND"),
        ("status_error", [page(good, table("items", status="ERROR"))], FAILED, "shop.items.*ERROR"),
        ("status_null", [page(good, table("items", status=None))], WAITING, "shop.items"),
        ("status_missing", [page(good, table("items", status=MISSING))], WAITING, "shop.items"),
        ("status_unknown", [page(good, table("items", status="INIT"))], WAITING, "shop.items.*INIT"),
        ("status_list", [page(good, table("items", status=["FINISHED"]))], WAITING, "shop.items"),
        ("status_lower_case", [page(table("items", status="finished"))], REACHED, None),
        ("both_empty_running", [page(table("items", "BOTH_EMPTY", status="RUNNING"))], WAITING, "shop.items"),
        ("progress_half", [page(good, table("items", progress="0.5"))], WAITING, "shop.items.*0.5"),
        ("progress_almost", [page(table("items", progress=0.9999))], WAITING, "shop.items"),
        ("progress_0", [page(table("items", progress=0))], WAITING, "shop.items"),
        ("progress_percent", [page(table("items", progress="100"))], WAITING, "shop.items"),
        ("progress_negative", [page(table("items", progress=-1))], WAITING, "shop.items"),
        ("progress_nonsense", [page(table("items", progress="all"))], WAITING, "shop.items"),
        ("progress_true", [page(table("items", progress=True))], WAITING, "shop.items"),
        ("progress_null", [page(table("items", progress=None))], REACHED, None),
        ("progress_missing", [page(table("items", progress=MISSING))], REACHED, None),
        ("progress_1", [page(table("items", progress=1))], REACHED, None),
        # Earlier results don't count while a table is being compared again.
        ("again", [page(good, table("items", "INCONSISTENT", status="RUNNING"))], WAITING, "shop.items"),
        ("again_with_number", [page(table("items", "INCONSISTENT", status="RUNNING"), different=3)], WAITING, None),
        ("again_and_bad", [page(table("a", status="RUNNING"), table("b", "TARGET_EMPTY"))], FAILED, "shop.b"),
    )
    for key in ("sourceOnlyCount", "destOnlyCount", "mismatchedCount"):
        for name, number, expected in (
            ("0", 0, REACHED),
            ("null", None, REACHED),
            ("text_0", "0", REACHED),
            ("1", 1, FAILED),
            ("text_12", "12", FAILED),
            ("negative", -1, WAITING),
            ("half", 0.5, WAITING),
            ("nonsense", "some", WAITING),
            ("true", True, WAITING),
        ):
            said = None if expected == REACHED else "shop.items"
            pages += ((f"{key}_{name}", [page(good, table("items", **{key: number}))], expected, said),)
    bad = ("SCHEMA_MISMATCH", "INDEX_CONFLICT", "TARGET_TABLE_NOT_EXIST", "RUNTIME_EXCEPTION", "INCONSISTENT")
    bad += ("SOURCE_EMPTY", "TARGET_EMPTY", "MISMATCH_LIMIT", "MISMATCH_LIMIT_NO_PK", "NOT_CATEGORIZED")
    # OMS's differentNumber doesn't include tables that couldn't be compared.
    pages += tuple(
        (f"result_{name}", [page(good, table("items", name))], FAILED, f"shop.items.*{name}") for name in bad
    )
    for (name, sent, expected, message), gate in product(pages, ("verification", "cutover")):
        yield _case(
            gate, f"pages-{name}", {}, caught_up(), ALL_DONE, verify_pages=sent, expected=expected, message=message
        )
    # All steps that verify must be done, whatever their names and places.
    for gate, name in product(("verification", "cutover"), ("FULL_VERIFIER", "FULL_VALIDATION")):
        second = step(name, "RUNNING", 40)
        for what, rows in (("after", [*ALL_DONE, second]), ("before", [second, *ALL_DONE])):
            yield _case(gate, f"second_{name}-{what}", {}, caught_up(), rows, verify_pages=CONSISTENT)
    short = Reply(success(page(good), total=2))
    yield _case("verification", "pages-the_same_again", {}, caught_up(), ALL_DONE, verify_pages=short)
    refused = Reply(refusal("PARAM_ERROR", "no result for you"))
    yield _case(
        "verification",
        "pages-refused",
        {},
        caught_up(),
        ALL_DONE,
        verify_pages=refused,
        expected=FAILED,
        message="no result for you",
    )
    busy = Reply(refusal("GHANA-OPERAT000001", "CM service may be not available"))
    yield _case("verification", "pages-busy", {}, caught_up(), ALL_DONE, verify_pages=busy)
    bad_pages = [page(table("items", "INCONSISTENT"), different=7)]
    for status, percent, expected in (
        ("FINISHED", 100, REACHED),
        ("FINISHED", None, REACHED),
        ("FINISHED", 99, WAITING),
        ("FINISHED", 40, WAITING),
        ("FINISHED", 0, WAITING),
        ("RUNNING", 100, REACHED),
        ("RUNNING", "100", REACHED),
        ("RUNNING", 99, WAITING),
        ("RUNNING", None, WAITING),
        ("RUNNING", 5151, WAITING),
        ("MONITORING", 100, WAITING),
        ("INIT", 100, WAITING),
        ("INIT", 0, WAITING),
        ("SUSPEND", 100, WAITING),
        (None, 100, WAITING),
    ):
        rows = replaced(ALL_DONE, step("FULL_VERIFIER", status, percent))
        yield _case(
            "verification",
            f"step-{status}_{percent!r}",
            {},
            caught_up(),
            rows,
            verify_pages=CONSISTENT,
            expected=expected,
        )
        # The result of an earlier run, or of a part of a run, doesn't count.
        verdict = FAILED if expected == REACHED else WAITING
        yield _case(
            "verification",
            f"step-{status}_{percent!r}-bad",
            {},
            caught_up(),
            rows,
            verify_pages=bad_pages,
            expected=verdict,
        )
    for name, info, expected in _SKIPPED:
        for gate, status in product(("verification", "cutover"), ("FINISHED", "RUNNING")):
            rows = replaced(ALL_DONE, step("FULL_VERIFIER", status, 100, stepInfo=info))
            yield _case(gate, f"{name}-{status}", {}, caught_up(), rows, verify_pages=CONSISTENT, expected=expected)
    # In IN mode, rows that exist only in the target aren't searched for.
    for gate in ("verification", "cutover"):
        for name, config, message in (
            ("in_mode", project(in_mode=True), "only the target has.*IN mode"),
            ("in_mode_text", project(in_mode="true"), "IN mode"),
            ("not_in_mode", project(), None),
            ("mode_null", project(in_mode=None), None),
            ("mode_missing", project(fullTransferConfig=None), None),
            ("mode_nonsense", project(in_mode="perhaps"), "isn't known"),
            ("mode_refused", Reply(refusal("PARAM_ERROR", "not for you")), "isn't known.*not for you"),
            ("mode_away", Reply("", 503), "isn't known"),
        ):
            given = {"verify_pages": CONSISTENT, "project": config, "expected": REACHED, "message": message}
            yield _case(gate, name, {}, caught_up(), ALL_DONE, **given)
    renamed = [{**row, "name": "FULL_VALIDATION"} if row["name"] == "FULL_VERIFIER" else row for row in ALL_DONE]
    yield _case("verification", "old_name", {}, caught_up(), renamed, verify_pages=CONSISTENT, expected=REACHED)
    lacking = without(ALL_DONE, "FULL_VERIFIER")
    yield _case(
        "verification",
        "no_such_step",
        {},
        caught_up(),
        lacking,
        verify_pages=CONSISTENT,
        expected=FAILED,
        message="INCR_TRANSFER",
    )
    yield _case("verification", "no_steps", {}, progress("INIT"), [], verify_pages=CONSISTENT)


# Cut-over


def _cutovers() -> Iterator[Case]:
    def of(what: str, sent: Any = None, steps: Any = ALL_DONE, **more: Any) -> Case:
        return _case("cutover", what, {}, sent or caught_up(), steps, **{"verify_pages": CONSISTENT, **more})

    yield of("all_there", expected=REACHED)
    yield of(
        "verification_finished", steps=replaced(ALL_DONE, step("FULL_VERIFIER", "FINISHED", 100)), expected=REACHED
    )
    alone = without(ALL_DONE, "FULL_TRANSFER")
    yield of("without_full", caught_up(enableFullTransfer=False, fullTransferProgress=None), alone, expected=REACHED)
    yield of("full_not_listed", steps=alone)
    for status, percent in (("RUNNING", 100), ("FINISHED", 99), ("SUSPEND", 100), (None, 100), ("MONITORING", 100)):
        yield of(f"full_{status}_{percent}", steps=replaced(ALL_DONE, step("FULL_TRANSFER", status, percent)))
    for status in ("RUNNING", "FINISHED", "INIT", "SUSPEND", None, "PAUSING"):
        yield of(f"incremental_{status}", steps=replaced(ALL_DONE, step("INCR_TRANSFER", status, 100)))
    yield of(
        "incremental_monitoring_at_0",
        steps=replaced(ALL_DONE, step("INCR_TRANSFER", "MONITORING", 0)),
        expected=REACHED,
    )
    yield of("incremental_not_listed", steps=without(ALL_DONE, "INCR_TRANSFER"), expected=FAILED, message="incremental")
    yield of("verification_running", steps=replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 99)))
    yield of("verification_not_begun", steps=replaced(ALL_DONE, step("FULL_VERIFIER", "INIT", 0)))
    yield of("lag_26", caught_up(behind=26))
    yield of("no_steps", steps=[])
    yield of("steps_null", steps=None)
    nameless = [*without(ALL_DONE, "FULL_VERIFIER"), step(None, "RUNNING", 3)]
    yield of("nameless_step", steps=nameless, project=UNVERIFIED)
    yield from _through_before_incremental()
    yield from _without_verification()
    yield _case(
        "cutover",
        "max_lag_60",
        {"max_lag": 60},
        caught_up(behind=60),
        ALL_DONE,
        verify_pages=CONSISTENT,
        expected=REACHED,
    )
    names = {"FULL_TRANSFER": "CONNECTOR_FULL_SYNC", "INCR_TRANSFER": "CONNECTOR_INCR_SYNC"}
    synchronised = [{**row, "name": names.get(row["name"], row["name"])} for row in without(ALL_DONE, "FULL_VERIFIER")]
    sync = {"require_verification": False}
    late = replaced(synchronised, step("CONNECTOR_INCR_SYNC", "RUNNING", 100))
    for what, rows, expected in (("sync_names", synchronised, REACHED), ("sync_names_not_caught_up", late, WAITING)):
        yield _case("cutover", what, sync, caught_up(), rows, project=UNVERIFIED, expected=expected)


def _through_before_incremental() -> Iterator[Case]:
    """All steps before incremental synchronisation must be done, whatever their names."""
    done: dict[str, Any] = {"verify_pages": CONSISTENT}
    kinds = ("precheck", "prepare", "schema", "log_pull", "full", "index")
    for kind, (status, percent) in product(
        kinds, (("RUNNING", 100), ("FINISHED", 99), ("INIT", 0), ("SUSPEND", 50), ("MONITORING", 100), (None, 100))
    ):
        name = STEP_NAMES[kind][0]
        rows = [*without(ALL_DONE, name)]
        at_end = [*rows, step(name, status, percent)]
        message = f"step {name} is {status}"
        for where, listed in (("first", [step(name, status, percent), *rows]), ("last", at_end)):
            what = f"{kind}_{status}_{percent}-{where}"
            yield _case("cutover", what, {}, caught_up(), listed, message=message, **done)
    for kind in kinds:
        for name in STEP_NAMES[kind]:
            rows = [step(name, "FINISHED", 100), *without(ALL_DONE, STEP_NAMES[kind][0])]
            yield _case("cutover", f"{kind}_as_{name}", {}, caught_up(), rows, expected=REACHED, **done)
            rows = replaced(rows, step(name, "RUNNING", 42))
            yield _case("cutover", f"{kind}_as_{name}-running", {}, caught_up(), rows, message=name, **done)
    new = step("SHADOW_TABLE_SWAP", "RUNNING", 3)
    for what, rows, expected in (
        ("before", [new, *ALL_DONE], WAITING),
        ("before_done", [{**new, "status": "FINISHED", "progress": 100}, *ALL_DONE], REACHED),
        ("after", [*ALL_DONE, new], REACHED),
    ):
        yield _case("cutover", f"unheard_of_{what}", {}, caught_up(), rows, expected=expected, **done)
    old, fresh = oms_time(NOW - 121), oms_time(NOW - 10)
    for kind in ("schema", "log_pull", "full", "index"):
        name = STEP_NAMES[kind][0]
        for what, at, expected in (("new", fresh, WAITING), ("old", old, FAILED)):
            rows = [failed_step(name, at), *without(ALL_DONE, name)]
            said = f"{name}.*CONNECTOR-CNT0042"
            yield _case(
                "cutover", f"{kind}_failed_{what}", {}, caught_up(), rows, expected=expected, message=said, **done
            )
        rows = [step(name, "SUSPEND", 50), *without(ALL_DONE, name)]
        strict = {"fail_on_suspend": True}
        yield _case("cutover", f"{kind}_suspended-strict", strict, caught_up(), rows, expected=FAILED, **done)
    # If OMS has continued after it, the step isn't done, but nothing will fail.
    rows = replaced(ALL_DONE, failed_step("TRANSFER_PRECHECK", old))
    yield _case("cutover", "precheck_passed_over", {}, caught_up(), rows, message="TRANSFER_PRECHECK is FAILED", **done)
    # Later steps, and those in parallel, may be in any state.
    later = [step("INCR_VERIFIER", "RUNNING", 3), step("REVERSE_INCR_TRANSFER", "INIT", 0)]
    yield _case("cutover", "later_steps", {}, caught_up(), [*ALL_DONE, *later], expected=REACHED, **done)


def _without_verification() -> Iterator[Case]:
    """No verification is listed: that is correct only if none is configured and none is required."""
    lacking, optional = without(ALL_DONE, "FULL_VERIFIER"), {"require_verification": False}
    off = "no full verification.*verification_project.*require_verification=False"
    on = "enableFullVerify.*lists no step"
    refused = Reply(refusal("PARAM_ERROR", "not for you"))
    for name, config, required, left_out, message in (
        ("off", UNVERIFIED, FAILED, REACHED, off),
        ("off_text", project(verify="false"), FAILED, REACHED, off),
        ("unsaid", project(verify=None), FAILED, REACHED, off),
        ("missing", project(verify=MISSING), FAILED, REACHED, off),
        ("on", project(), WAITING, WAITING, on),
        ("on_text", project(verify="True"), WAITING, WAITING, on),
        ("nonsense", project(verify="perhaps"), WAITING, WAITING, None),
        ("away", Reply("", 503), WAITING, WAITING, None),
        ("refused", refused, FAILED, FAILED, "not for you"),
    ):
        given: dict[str, Any] = {"project": config}
        yield _case(
            "cutover", f"unverified_{name}", {}, caught_up(), lacking, expected=required, message=message, **given
        )
        said = None if left_out == REACHED else message
        given |= {"expected": left_out, "message": said}
        yield _case("cutover", f"unverified_{name}-optional", optional, caught_up(), lacking, **given)
    late = caught_up(behind=900)
    yield _case("cutover", "unverified-late", {}, late, lacking, project=UNVERIFIED, expected=FAILED, message=off)
    yield _case("cutover", "unverified-late-optional", optional, late, lacking, project=UNVERIFIED, message="15 min")
    yield _case("cutover", "unverified-no_steps", {}, caught_up(), [], project=UNVERIFIED)
    # If there is a verification it counts, even if none is required.
    yield _case(
        "cutover", "optional-consistent", optional, caught_up(), ALL_DONE, verify_pages=CONSISTENT, expected=REACHED
    )
    rows = replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 42))
    yield _case("cutover", "optional-running", optional, caught_up(), rows, verify_pages=CONSISTENT)
    bad = [page(table("items", "INCONSISTENT"))]
    yield _case("cutover", "optional-bad", optional, caught_up(), ALL_DONE, verify_pages=bad, expected=FAILED)


# Verification in a project of its own


_SOURCE = {"endpointId": "e_1", "host": "db1", "port": 3306}
_DATABASES = {"sourceConnectInfo": _SOURCE, "sinkConnectInfo": {"endpointId": "e_2"}}


def _apart() -> Iterator[Case]:
    lacking = without(ALL_DONE, "FULL_VERIFIER")
    steps = [step("TRANSFER_PRECHECK", "FINISHED", 100), step("FULL_VERIFIER", "FINISHED", 100)]
    finished = progress("FINISHED", projectId=APART, currentStep="FULL_VERIFIER")
    row = {"id": APART, "name": "shop_check", "type": "VERIFY", "status": "FINISHED"}
    verifies = {"id": APART, "type": "VERIFY"}
    good = Apart(finished, steps, CONSISTENT, project(**verifies), [row])
    bad = [page(table("items", "INCONSISTENT"), different=7)]
    failed = [steps[0], failed_step("FULL_VERIFIER", oms_time(NOW - 121))]
    gone = Reply(refusal("GHANA-PROJECT000001", "the project does not exist"))
    said = f"In verification project {APART}"
    untold = f"OMS doesn't show whether project {APART} compares "

    def but(**changes: Any) -> Apart:
        return replace(good, **changes)

    def compares(tables: Any = MISSING, **changes: Any) -> dict[str, Any]:
        told = {} if tables is MISSING else {"transferMapping": tables}
        return project(**verifies, **{**_DATABASES, **told, **changes})

    def at(status: Any, *rows: dict[str, Any]) -> Apart:
        return but(progress={**finished, "status": status}, steps=[steps[0], *rows])

    older = step("FULL_VERIFIER", "FINISHED", 100, finishTime="2027-01-15T05:59:59")
    running = step("FULL_VERIFIER", "RUNNING", 42)
    for name, apart, expected, message in (
        ("consistent", good, REACHED, "doesn't show whether project np_apart compares the databases of this one"),
        ("compared", but(project=compares(mapping("orders", "items"))), REACHED, r"consistent\.\W*$|consistent\.$"),
        ("still_running_at_100", at("RUNNING", step("FULL_VERIFIER", "RUNNING", 100)), REACHED, None),
        ("old_name", at("FINISHED", step("FULL_VALIDATION", "FINISHED", 100)), REACHED, None),
        # The names of its steps aren't known: then all of them must be done.
        ("unheard_of_step", at("FINISHED", step("DATA_CHECK", "FINISHED", 100)), REACHED, None),
        (
            "unheard_of_step_running",
            at("RUNNING", step("DATA_CHECK", "RUNNING", 100)),
            WAITING,
            "DATA_CHECK is RUNNING",
        ),
        ("released_since", at("RELEASED", *steps[1:]), REACHED, None),
        ("running", at("RUNNING", running), WAITING, f"{said}.*42 %"),
        ("init", at("INIT", step("FULL_VERIFIER", "INIT", 0)), WAITING, said),
        ("suspend", at("SUSPEND", running), WAITING, f"{said}.*SUSPEND"),
        ("unknown", at("HIBERNATING", running), WAITING, f"{said}.*HIBERNATING"),
        ("failed", at("FAILED", failed[1]), FAILED, f"{said}.*the sink is full"),
        ("failed_step", at("RUNNING", failed[1]), FAILED, f"{said}.*the sink is full"),
        ("released", at("RELEASED", running), FAILED, f"{said}.*RELEASED"),
        ("cut_short", at("FINISHED", step("FULL_VERIFIER", "FINISHED", 40)), WAITING, f"{said}.*cut short"),
        ("no_steps", at("INIT"), WAITING, said),
        ("different", but(verify_pages=bad), FAILED, f"{said}.*7 rows.*shop.items"),
        ("no_result", but(verify_pages=[page()]), WAITING, f"{said}.*doesn't give"),
        ("no_result_running", replace(at("RUNNING", steps[1]), verify_pages=[page()]), WAITING, "doesn't give"),
        ("modifying", at("RUNNING_MODIFYING", steps[1]), WAITING, f"{said}.*RUNNING_MODIFYING"),
        ("gone", but(progress=gone), FAILED, "GHANA-PROJECT000001"),
        ("away", but(progress=Reply("", 503)), WAITING, None),
        ("of_another_type", but(rows=[{**row, "type": "MIGRATION"}]), FAILED, "MIGRATION, not VERIFY"),
        ("type_unsaid", but(rows=[{**row, "type": None}]), REACHED, None),
        ("not_listed", but(rows=[]), REACHED, None),
        ("not_listed_of_another_type", but(rows=[], project=project(id=APART)), FAILED, "is of type MIGRATION"),
        ("not_listed_of_no_type", but(rows=[], project=project(id=APART, type=None)), REACHED, None),
        # It is that of an earlier project with the same tables.
        ("of_yesterday", but(steps=[steps[0], older]), WAITING, f"{said}.*ended at 2027-01-15T05:59:59.*Verify again"),
        ("of_yesterday_at_100", at("RUNNING", {**older, "status": "RUNNING"}), WAITING, "ended at .*Verify again"),
        ("of_today", but(steps=[steps[0], {**older, "finishTime": "2027-01-15T07:30:00"}]), REACHED, None),
        ("of_two_days", but(steps=[older, {**older, "finishTime": "2027-01-15T07:30:00"}]), REACHED, None),
        ("of_a_time_untold", but(steps=[older, steps[1]]), REACHED, None),
        ("in_mode", but(project=project(**verifies, in_mode=True)), REACHED, "IN mode"),
        # Only its name connects it with the project that it verifies.
        ("of_fewer_tables", but(project=compares(mapping("orders"))), FAILED, "leaves out shop.items"),
        ("of_more_tables", but(project=compares(mapping("items", "orders", "more"))), REACHED, None),
        ("of_no_views", but(project=compares(mapping("items", "orders", views=[]))), REACHED, None),
        ("of_other_tables", but(project=compares(mapping("items", "orders", name="other"))), FAILED, "shop.orders"),
        ("of_another_source", but(project=compares(sourceConnectInfo={"endpointId": "e_3"})), FAILED, "source.*e_3"),
        ("registered_twice", but(project=compares(sourceConnectInfo={**_SOURCE, "endpointId": "e_3"})), REACHED, None),
        (
            "of_another_port",
            but(project=compares(sourceConnectInfo={**_SOURCE, "endpointId": "e_3", "port": 3307})),
            FAILED,
            "source.*e_3",
        ),
        ("of_another_target", but(project=compares(sinkConnectInfo={"endpointId": "e_3"})), FAILED, "target.*e_3"),
        ("by_rules", but(project=compares(mapping("orders", mode="WILDCARD"))), REACHED, untold + "every table"),
        ("of_untold_tables", but(project=compares({"databases": []})), REACHED, untold + "every table"),
        (
            "of_untold_databases",
            but(project=compares(sourceConnectInfo=None, sinkConnectInfo={})),
            REACHED,
            untold + "the databases",
        ),
        ("untold", but(project=Reply(refusal("GHANA-X000001", "no"))), REACHED, untold + "every table"),
        ("not_told_now", but(project=Reply("", 503)), WAITING, None),
    ):
        for gate in ("verification", "cutover"):
            moves = {**UNVERIFIED, **_DATABASES}
            given: dict[str, Any] = {"apart": apart, "project": moves, "expected": expected, "message": message}
            # A result may still come, but it isn't remembered since when it is missing.
            if name in ("cut_short", "no_result") or name == "of_yesterday":
                given |= {"without_memory": FAILED, "message": None}
            yield _case(gate, f"apart-{name}", {"verification_project": APART}, caught_up(), lacking, **given)
    for gate in ("verification", "cutover"):

        def of(what: str, text: str, sent: Any, rows: Any, gate: str = gate, **more: Any) -> Case:
            given = {"apart": good, "project": UNVERIFIED, "verify_pages": CONSISTENT, **more}
            return _case(gate, f"apart-{what}", {"verification_project": text}, sent, rows, **given)

        yield of("by_name", "shop_check", caught_up(), lacking, expected=REACHED)
        two = [row, {**row, "id": "np_other"}]
        message = "2 projects.*shop_check"
        yield of(
            "name_of_two", "shop_check", caught_up(), lacking, apart=but(rows=two), expected=FAILED, message=message
        )
        deleted = [row, {**row, "id": "np_other", "status": "DELETED"}]
        yield of("deleted_namesake", "shop_check", caught_up(), lacking, apart=but(rows=deleted), expected=REACHED)
        yield of("no_such_name", "shop_chek", caught_up(), lacking, expected=FAILED, message="shop_chek")
        part = [{**row, "name": "shop_check_2"}]
        yield of("part_of_a_name", "shop_check", caught_up(), lacking, apart=but(rows=part), expected=FAILED)
        # A verification in the project itself counts, too.
        yield of("and_own", APART, caught_up(), ALL_DONE, expected=REACHED)
        own = replaced(ALL_DONE, step("FULL_VERIFIER", "RUNNING", 42))
        yield of("and_own_running", APART, caught_up(), own, message="42 %")
        yield of("and_own_bad", APART, caught_up(), ALL_DONE, verify_pages=bad, expected=FAILED, message="shop.items")
        yield of("own_lists_no_steps", APART, caught_up(), [])
        yield of("own_modifying", APART, caught_up("RUNNING_MODIFYING"), lacking, message="allow_modifying")
        allowed = {"verification_project": APART, "allow_modifying": True}
        sent = caught_up("RUNNING_MODIFYING")
        yield _case(gate, "apart-allowed", allowed, sent, lacking, apart=good, project=UNVERIFIED, expected=REACHED)
    yield of("late", APART, caught_up(behind=900), lacking, message="15 min")
    optional = {"verification_project": APART, "require_verification": False}
    given = {"apart": but(verify_pages=bad), "project": UNVERIFIED, "expected": FAILED}
    yield _case("cutover", "apart-optional_bad", optional, caught_up(), lacking, **given)


# The verdicts of ODC


def odc_cases(what: str, steps: list[dict[str, Any]], pages: Sequence[dict[str, Any]]) -> Iterator[Case]:
    """Return the table of ODC's verdicts and ours. ODC's own class has judged these variations of its answers.

    ``docs/develop/oms-facts.md#odc-verdict`` says where the two differ, and why. The id has ODC's verdict.

    :param what: which answers, for the ids
    :param steps: the steps of a project that is ready
    :param pages: the pages of its verification
    """

    def of(odc: str, name: str, expected: str, sent: Any = None, rows: Any = steps, **more: Any) -> Case:
        given = {"verify_pages": pages, "expected": expected, **more}
        arguments = given.pop("arguments", {})
        return _case("cutover", f"{what}-odc_{odc}-{name}", arguments, sent or caught_up(), rows, **given)

    def but(name: str, status: str, percent: Any) -> list[dict[str, Any]]:
        return replaced(steps, step(name, status, percent))

    def found(**changes: Any) -> list[dict[str, Any]]:
        return [{**pages[0], **changes}]

    failing = {"message": "CONNECTOR-CNT0042"}
    fresh = oms_time(NOW - 10)
    yield of("ready", "as_captured", REACHED)
    for percent in (0, None):
        yield of("ready", f"incremental_at_{percent}", REACHED, rows=but("INCR_TRANSFER", "MONITORING", percent))
    lacking = without(steps, "FULL_VERIFIER")
    yield of("ready", "no_verification", FAILED, rows=lacking, project=UNVERIFIED, message="require_verification=False")
    optional = {"require_verification": False}
    yield of("ready", "no_verification-optional", REACHED, rows=lacking, project=UNVERIFIED, arguments=optional)
    yield of("ready", "verification_not_listed", WAITING, rows=lacking, arguments=optional)
    yield of("waits", "behind_50", WAITING, caught_up(behind=50))
    for name, value in (("null", None), ("0", 0)):
        yield of("waits", f"checkpoint_{name}", WAITING, caught_up(incrSyncCheckpoint=value))
    yield of("waits", "full_running_at_100", WAITING, rows=but("FULL_TRANSFER", "RUNNING", 100))
    yield of("waits", "full_finished_at_99", WAITING, rows=but("FULL_TRANSFER", "FINISHED", 99))
    for status in ("RUNNING", "FINISHED"):
        yield of("waits", f"incremental_{status}", WAITING, rows=but("INCR_TRANSFER", status, 100))
    for name in ("INCR_TRANSFER", "FULL_VERIFIER", "TRANSFER_INCR_LOG_PULL"):
        yield of("waits", f"{name}_FAILED", WAITING, rows=replaced(steps, failed_step(name, fresh)), **failing)
    yield of("waits", "verification_running_at_99", WAITING, rows=but("FULL_VERIFIER", "RUNNING", 99))
    for status in ("RUNNING", "SUSPEND"):
        yield of("waits", f"log_pull_{status}", WAITING, rows=but("TRANSFER_INCR_LOG_PULL", status, 100))
    yield of("waits", "verification_finished_at_40", WAITING, rows=but("FULL_VERIFIER", "FINISHED", 40))
    yield of("waits", "verification_finished_at_100", REACHED, rows=but("FULL_VERIFIER", "FINISHED", 100))
    yield of("fails", "different_3", FAILED, verify_pages=found(differentNumber=3))
    yield of("fails", "different_null", WAITING, verify_pages=found(differentNumber=None))
    yield of("ready", "no_table", WAITING, verify_pages=found(fullVerifyTableStatistics=[]))
    for result in ("TARGET_TABLE_NOT_EXIST", "RUNTIME_EXCEPTION", "NOT_CATEGORIZED", "INDEX_CONFLICT", "SOURCE_EMPTY"):
        tables = [{**row, "resultType": result} for row in pages[0]["fullVerifyTableStatistics"]]
        yield of("ready", result, FAILED, verify_pages=found(fullVerifyTableStatistics=tables), message=result)
    yield of("ready", "progress_null", REACHED, caught_up(fullTransferProgress=None))
    yield of("ready", "progress_99", WAITING, caught_up(fullTransferProgress=99))
    message = "16 min 40 s ahead of now .OMS clock"
    yield of("ready", "ahead_1000", WAITING, caught_up(incrSyncCheckpoint=NOW + 1000), message=message)
    for status, expected in (("SUSPEND", WAITING), ("INIT", WAITING), ("RELEASED", FAILED), ("HIBERNATING", WAITING)):
        yield of("ready", f"project_{status}", expected, caught_up(status))
    yield of("ready", "project_FAILED", WAITING, caught_up("FAILED"), without_memory=FAILED)
    for status in ("RUNNING_MODIFYING", "RUNNING_MERGING"):
        yield of("ready", f"project_{status}", WAITING, caught_up(status), message="allow_modifying")


# Errors of transport


def _objects() -> Iterator[Case]:
    def of(what: str, tables: Any = ("shop.prices",), sent: Any = None, **more: Any) -> Case:
        given = caught_up() if sent is None else sent
        return _case("objects", what, {"tables": tables}, given, more.pop("steps", ALL_DONE), **more)

    both = project(transferMapping=mapping("orders", "prices"))
    # The objects in the project
    for name, tables in {
        "list": ["shop.orders", "shop.items"],
        "text": "shop.orders, shop.items",
        "schemas": {"shop": ["orders", "items"]},
        "view": ["shop.totals"],
        "twice": ["shop.orders", "shop.orders"],
    }.items():
        yield of(f"in_it-{name}", tables, expected=REACHED)
    for name, tables in {"table": ["shop.prices"], "schema": ["store.orders"], "case": ["shop.Orders"]}.items():
        message = f"not in the project: {tables[0]}.*Correct the names"
        yield of(f"not_in_it-{name}", tables, message=tables[0], without_memory=FAILED)
        yield _case(
            "objects",
            f"not_in_it-no_grace-{name}",
            {"tables": tables, "failure_grace": 0},
            caught_up(),
            ALL_DONE,
            expected=FAILED,
            message=message,
        )
    partly = ["shop.orders", "shop.prices"]
    yield of("partly", partly, message=r"not in the project: shop\.prices", without_memory=FAILED)
    for name, told in {
        "wildcard": mapping("prices", mode="WILDCARD"),
        "no_databases": {"mode": "SPECIFIC"},
        "null": None,
        "text": "shop.prices",
    }.items():
        given = {"project": project(transferMapping=told), "message": "one by one"}
        yield of(f"untold-{name}", **given)
        impatient = {"tables": ["shop.prices"], "outage_tolerance": 0}
        yield _case(
            "objects", f"untold-no_tolerance-{name}", impatient, caught_up(), ALL_DONE, expected=FAILED, **given
        )
    yield of("mode_missing", project=project(transferMapping=mapping("prices", mode=MISSING)), expected=REACHED)
    yield of("empty", project=project(transferMapping={"mode": "SPECIFIC", "databases": []}), without_memory=FAILED)
    # Objects that are being added or removed
    for status in ("PENDING", "MODIFYING", "RUNNING", "MERGING", "FINISHED", "DONE", None, ""):
        told = {"message": "45"} if status else {}
        yield of(f"adding-{status}", records=(record(status, "INCREASE_OBJECT", "prices"),), **told)
        # An old list that already has the table, and a record that isn't done: not merged.
        yield of(
            f"adding-{status}-listed", records=(record(status, "INCREASE_OBJECT", "prices"),), project=both, **told
        )
        yield of(f"removing-{status}", ["shop.orders"], records=(record(status, "DECREASE_OBJECT", "orders"),), **told)
    yield of("added", records=(record("SUCCESS", "INCREASE_OBJECT", "prices"),), project=both, expected=REACHED)
    yield of("added-not_listed", records=(record("SUCCESS", "INCREASE_OBJECT", "prices"),), without_memory=FAILED)
    removed = record("SUCCESS", "DECREASE_OBJECT", "prices")
    yield of("removed", records=(removed,), message=r"not in the project: shop\.prices", without_memory=FAILED)
    for status in ("CANCEL", "TERMINATED"):
        dropped = (record(status, "INCREASE_OBJECT", "prices"),)
        yield of(f"dropped-{status}", records=dropped, message=f"shop.prices.*45.*{status}", without_memory=FAILED)
        yield of(f"dropped-{status}-again", records=dropped, project=both, expected=REACHED)
    # Changes of other tables
    for status in ("PENDING", "RUNNING", "FAILED"):
        other = (record(status, "INCREASE_OBJECT", "prices"),)
        yield of(f"other-{status}", ["shop.orders"], records=other, expected=REACHED)
        yield of(f"unknown-{status}", ["shop.orders"], records=(record(status),), without_memory=_lost(status))
        apart = (record(status, subProjectId=TASK),)
        task = {"task": project(id=TASK, transferMapping=mapping("prices"))}
        yield of(f"task_of_other-{status}", ["shop.orders"], records=apart, expected=REACHED, **task)
        yield of(f"task-{status}", records=apart, message="shop.prices", without_memory=_lost(status), **task)
        gone = {"task": Reply(refusal("GHANA-PROJECT000001", "gone"))}
        yield of(f"task_gone-{status}", ["shop.orders"], records=apart, without_memory=_lost(status), **gone)
    listed = {"tables": [{"schema": "shop", "name": "orders"}], "views": [{"schema": "shop", "name": "totals"}]}
    for table in ("orders", "totals"):
        removing = (record("RUNNING", "DECREASE_OBJECT", migrationObjectsInfo=listed),)
        yield of(f"migration_objects-{table}", [f"shop.{table}"], records=removing, message="removal of shop.orders")
    yield of("migration_objects-other", ["shop.items"], records=removing, expected=REACHED)
    # A failed addition
    why = {"code": "GHANA-MIGRAT000201", "message": "no space left", "proposal": "Make room."}
    said = "shop.prices.*45.*FAILED.*GHANA-MIGRAT000201 no space left.*Make room"
    for age, expected in ((None, WAITING), (10, WAITING), (120, WAITING), (121, FAILED), (-301, WAITING)):
        at = None if age is None else oms_time(NOW - age)
        bad = record("FAILED", "INCREASE_OBJECT", "prices", errorDetail=why, gmtModified=at)
        lost = {"without_memory": FAILED} if age in (None, -301) else {}
        yield of(f"failed-{age}", records=(bad,), expected=expected, message=said, **lost)
    untold = record("FAILED", "INCREASE_OBJECT", "prices", gmtModified=oms_time(NOW - 900))
    yield of("failed-untold", records=(untold,), expected=FAILED, message="OMS gives no error for it")
    # Copied
    for status, percent in (("RUNNING", 99), ("RUNNING", 100), ("FINISHED", 99)):
        steps = in_transfer(status, percent)
        yield of(f"not_copied-{status}_{percent}", ["shop.orders"], steps=steps, message="FULL_TRANSFER")
    yield of("not_copied-not_listed", ["shop.orders"], steps=without(ALL_DONE, "FULL_TRANSFER"), message="no step")
    no_copy = caught_up(enableFullTransfer=False, fullTransferProgress=None)
    yield of("no_full_transfer", ["shop.orders"], no_copy, steps=without(ALL_DONE, "FULL_TRANSFER"), expected=REACHED)
    bad_step = replaced(ALL_DONE, failed_step("FULL_TRANSFER", oms_time(NOW - 900)))
    yield of("full_transfer_failed", ["shop.orders"], steps=bad_step, expected=FAILED, message="the sink is full")
    # OMS doesn't answer
    for name, reply, expected in (
        ("busy", Reply("", 503), WAITING),
        ("denied", Reply("", 403), FAILED),
        ("not_all", Reply(success([record("SUCCESS", "INCREASE_OBJECT", "prices")], total=2)), WAITING),
        ("text", Reply(success("none")), WAITING),
    ):
        yield of(f"records_{name}", ["shop.orders"], records=reply, expected=expected)
        yield of(f"project_{name}", ["shop.orders"], project=reply, expected=expected)
    yield of("task_busy", ["shop.orders"], records=(record(subProjectId=TASK),), task=Reply("", 503))
    unsupported = Reply(refusal(None, "Unsupported action: ListProjectModifyRecords"))
    yield of("records_unsupported", ["shop.orders"], records=unsupported, expected=REACHED)
    # Gates that wait while objects are being added name the unfinished changes; if OMS doesn't list them, they wait all
    # the same.
    pending = (record("SUCCESS", "INCREASE_OBJECT", "old", id=44), record("MERGING", "INCREASE_OBJECT", "prices"))
    for gate, (arguments, _, (sent, steps, pages)) in SCENES.items():
        if gate in _OF_ALL:
            given = {"verify_pages": pages}
            changing = sent("RUNNING_MERGING")
            named = r"Unfinished changes: addition of shop\.prices \(record 45\) is MERGING\."
            yield _case(gate, "names_pending", arguments, changing, steps, records=pending, message=named, **given)
            silent = [("unsupported", unsupported), ("none", ())]
            if gate != "objects":
                silent += [("busy", Reply("", 503)), ("denied", Reply("", 403)), ("text", Reply(success("none")))]
            for name, reply in silent:
                told = {"records": reply, "message": "allow_modifying"}
                yield _case(gate, f"pending_{name}", arguments, changing, steps, **told, **given)


def _lost(status: str) -> str | None:
    """Return the verdict on a change with that status if nothing is remembered and the verdict is another one."""
    return FAILED if status == "FAILED" else None


def _transport() -> Iterator[Case]:
    html = "<html><body>502 Bad Gateway</body></html>"
    passing = {
        "408": Reply("", 408),
        "429": Reply("slow down", 429),
        "500": Reply("", 500),
        "502_html": Reply(html, 502),
        "503": Reply("", 503),
        "504": Reply(html, 504),
        "html": Reply(html),
        "empty": Reply(""),
        "half": Reply('{"success": true, "data": {"status": "RUNN'),
        "list": Reply([1, 2]),
        "text": Reply('"RUNNING"'),
        "success_missing": Reply({"data": caught_up()}),
        "success_null": Reply({"success": None, "data": caught_up()}),
        "success_odd": Reply({"success": "maybe", "data": caught_up()}),
        "cm_not_available": Reply(refusal("GHANA-OPERAT000001", "CM service may be not available")),
        "reset": Reply(fault="reset_before"),
        "cut": Reply(fault="cut_headers"),
        "500_with_success": Reply(success(caught_up()), 500),
        "data_null": Reply(success(None)),
        "data_missing": Reply({"success": True}),
        "data_two": Reply(success([caught_up(), caught_up()])),
        "data_text": Reply(success("RUNNING")),
        "data_number": Reply(success(100)),
    }
    lasting = {
        "401": (Reply("", 401), "login"),
        "403": (Reply("", 403), "login"),
        "404": (Reply(html, 404), "404"),
        "302": (Reply("", 302, {"Location": "/oms-v2/login"}), "redirect"),
        "400": (Reply("bad", 400), "400"),
        "param_error": (
            Reply(refusal("PARAM_ERROR", "id is odd", "look at it")),
            "id is odd.*PARAM_ERROR.*req-9.*look at it",
        ),
        "unsupported": (Reply(refusal(None, "Unsupported action: DescribeProjectProgress")), "Unsupported action"),
        "refused_with_data": (Reply({**success(caught_up()), "success": False}), None),
        "refused_as_text": (Reply({**success(caught_up()), "success": "false"}), None),
        "gone": (Reply(refusal("GHANA-PROJECT000001", "the project does not exist")), "GHANA-PROJECT000001"),
    }
    every = {gate: arguments for gate, (arguments, _, _) in SCENES.items()} | {
        "status": {"target_statuses": ["RUNNING"]}
    }
    for gate, arguments in every.items():
        some = passing if gate in ("full", "status") else {name: passing[name] for name in ("503", "html", "reset")}
        for name, reply in some.items():
            yield _case(gate, f"passing_{name}", arguments, reply, ALL_DONE, verify_pages=CONSISTENT)
        impatient = {**arguments, "outage_tolerance": 0}
        yield _case(
            gate,
            "passing-no_tolerance",
            impatient,
            passing["503"],
            ALL_DONE,
            expected=FAILED,
            message="outage_tolerance",
        )
        for name, (reply, message) in lasting.items():
            yield _case(
                gate,
                f"lasting_{name}",
                arguments,
                reply,
                ALL_DONE,
                verify_pages=CONSISTENT,
                expected=FAILED,
                message=message,
            )
    for gate in ("step", "verification", "cutover"):
        yield _case(gate, "passing_steps", every[gate], caught_up(), passing["503"], verify_pages=CONSISTENT)
        yield _case(
            gate, "lasting_steps", every[gate], caught_up(), lasting["403"][0], verify_pages=CONSISTENT, expected=FAILED
        )
        gone = lasting["gone"][0]
        yield _case(gate, "gone_between", every[gate], caught_up(), gone, verify_pages=CONSISTENT, expected=FAILED)
    for name, targets, expected in (
        ("deleted", ["DELETED"], REACHED),
        ("deleted_or_released", "RELEASED,DELETED", REACHED),
        ("released", ["RELEASED"], FAILED),
        ("finished", ["FINISHED"], FAILED),
    ):
        yield _case("status", f"gone_for_{name}", {"target_statuses": targets}, lasting["gone"][0], expected=expected)
    wrapped = Reply({"success": False, "message": "[GHANA-PROJECT000001]: project is not exists", "code": None})
    yield _case("status", "gone_in_words", {"target_statuses": ["DELETED"]}, wrapped, expected=REACHED)
    yield _case("status", "denied_for_deleted", {"target_statuses": ["DELETED"]}, lasting["403"][0], expected=FAILED)
    # Unusual but correct answers: only ``success`` decides.
    coded = {**success(caught_up()), "code": "INNER_ERROR", "errorDetail": {"message": "?"}}
    yield _case("full", "code_with_success", {}, Reply(coded), expected=REACHED)
    yield _case("full", "success_as_text", {}, Reply({**success(caught_up()), "success": "true"}), expected=REACHED)
    yield _case("full", "list_of_one", {}, [caught_up()], expected=REACHED)


def _all() -> Iterator[Case]:
    yield from _statuses()
    yield from _project_status()
    yield from _step_names()
    yield from _step_states()
    yield from _failures()
    yield from _full_transfer()
    yield from _checkpoints()
    yield from _verifications()
    yield from _cutovers()
    yield from _apart()
    yield from _objects()
    yield from odc_cases("ours", ALL_DONE, CONSISTENT)
    yield from _transport()


CASES: tuple[Case, ...] = tuple(_all())

_TWICE = [name for name, count in Counter(case.id for case in CASES).items() if count > 1]
if _TWICE:
    raise AssertionError(f"cases with the same id: {_TWICE}")
