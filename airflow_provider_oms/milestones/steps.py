"""The steps of a project: their names, and when a step is done.

OMS has three vocabularies for the names: the current one, that of 3.x migrations, and that of 3.x and 4.0
synchronisations. The names are from OceanBase's API reference and from ODC; the samples in the reference show which of
them mean the same step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import ErrorDetail, Step, StepExtra, StepInfo

# docs/develop/oms-facts.md#step-status
INIT, RUNNING, FAILED, FINISHED, SUSPEND, MONITORING = "INIT", "RUNNING", "FAILED", "FINISHED", "SUSPEND", "MONITORING"

#: Every status of a step that OceanBase documents: docs/develop/oms-facts.md#step-status
DOCUMENTED = (INIT, RUNNING, FAILED, FINISHED, SUSPEND, MONITORING)


class StepKind(Enum):
    """The kinds of steps. The value holds all names of a kind, the current name first.

    Source: docs/develop/oms-facts.md#step-names
    """

    PRECHECK = ("TRANSFER_PRECHECK", "PRE_CHECK")
    PREPARE = ("TRANSFER_PREPARE", "PREPARE", "SYNC_PREPARE")
    SCHEMA = ("STRUCT_TRANSFER", "STRUCT_MIGRATION", "STRUCT_SYNC")
    LOG_PULL = ("TRANSFER_INCR_LOG_PULL", "INCR_LOG_PULL", "SYNC_INCR_LOG_PULL")
    FULL = ("FULL_TRANSFER", "FULL_MIGRATION", "CONNECTOR_FULL_SYNC")
    INDEX = ("INDEX_TRANSFER", "INDEX_MIGRATION")
    INCREMENTAL = ("INCR_TRANSFER", "INCR_SYNC", "CONNECTOR_INCR_SYNC")
    FULL_VERIFICATION = ("FULL_VERIFIER", "FULL_VALIDATION")
    INCREMENTAL_VERIFICATION = ("INCR_VERIFIER", "INCR_VALIDATION")
    SWITCHOVER = ("TRANSFER_APP_SWITCH", "APP_SWITCH")
    REVERSE = ("REVERSE_INCR_TRANSFER", "REVERSE_INCR_SYNC")


#: Steps that never end: MONITORING means that they have caught up once, and they stay MONITORING.
#: Source: docs/develop/oms-facts.md#monitoring
_ENDLESS = (StepKind.INCREMENTAL, StepKind.INCREMENTAL_VERIFICATION, StepKind.REVERSE)

#: The kinds of steps that always come before incremental synchronisation, and those that never do.
#: Source: docs/develop/oms-facts.md#step-order
_FIRST = (
    StepKind.PRECHECK,
    StepKind.PREPARE,
    StepKind.SCHEMA,
    StepKind.LOG_PULL,
    StepKind.FULL,
    StepKind.INDEX,
)
_LATER = tuple(kind for kind in StepKind if kind not in _FIRST)

#: The most details of an error to show; OMS may have one for each table.
_DETAILS = 3

_KINDS = {name: kind for kind in StepKind for name in kind.value}


def kind_of(name: str | None) -> StepKind | None:
    """Return the kind of a step by its name, None for an unknown name."""
    return _KINDS.get(name or "")


def stream_of(direction: str) -> str:
    """Return the name of the step that moves the changes of a direction, ``forward`` or ``reverse``."""
    name: str = (StepKind.INCREMENTAL if direction == "forward" else StepKind.REVERSE).value[0]
    return name


def find(steps: Iterable[Step], name: str) -> list[Step]:
    """Return the steps with a name, whichever vocabularies the name and the steps use."""
    kind = kind_of(name)
    names = kind.value if kind else (name,)
    return [step for step in steps if step.name in names]


def is_done(step: Step) -> bool:
    """Decide whether a step is done.

    An ordinary step is done when it is FINISHED, and at 100 if OMS gives a percentage.
    Full verification stays RUNNING at 100 until a person starts the next stage, and isn't done if it was cut short.
    Endless steps are done once they have caught up. A switchover that is RUNNING waits for a person.

    Sources: docs/develop/oms-facts.md#step-done, docs/develop/oms-facts.md#full-verification-done,
    docs/develop/oms-facts.md#monitoring, docs/develop/oms-facts.md#switchover
    """
    kind = kind_of(step.name)
    if kind in _ENDLESS:
        return step.status in (MONITORING, FINISHED)
    if kind is StepKind.SWITCHOVER:
        return step.status == FINISHED
    finished = step.status == FINISHED and step.progress in (None, 100)
    if kind is StepKind.FULL_VERIFICATION:
        skipped = step.info.skipped is True or step.info.validated is False
        return not skipped and (finished or (step.status == RUNNING and step.progress == 100))
    return finished


def is_cut_short(step: Step) -> bool:
    """Decide whether a full verification was ended before it was done.

    Source: docs/develop/oms-facts.md#full-verification-skipped
    """
    ended = step.status == FINISHED or step.info.skipped is True
    return kind_of(step.name) is StepKind.FULL_VERIFICATION and ended and not is_done(step)


def has_started(step: Step) -> bool:
    """Decide whether a step has begun."""
    return step.status in (RUNNING, MONITORING, FINISHED)


def caught_up(step: Step) -> bool:
    """Decide whether incremental sync is running and has caught up once. FINISHED would mean that it is switched off.

    Source: docs/develop/oms-facts.md#monitoring
    """
    return step.status == MONITORING


def is_precheck(step: Step) -> bool:
    """Decide whether a step is a precheck."""
    return kind_of(step.name) is StepKind.PRECHECK


def before_incremental(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that must be done before incremental synchronisation counts.

    These are all steps that are listed before it, and all that are known to come before it, wherever they are listed.

    Source: docs/develop/oms-facts.md#step-order
    """
    kinds = [kind_of(step.name) for step in steps]
    first = kinds.index(StepKind.INCREMENTAL) if StepKind.INCREMENTAL in kinds else len(steps)
    return [
        step
        for number, (step, kind) in enumerate(zip(steps, kinds, strict=True))
        if kind in _FIRST or (number < first and kind not in _LATER)
    ]


def verifying(steps: Sequence[Step]) -> list[Step]:
    """Return the verification steps of a project that only verifies: without a known one, all steps with unknown names.

    Source: docs/develop/oms-facts.md#step-names
    """
    return find(steps, StepKind.FULL_VERIFICATION.value[0]) or [step for step in steps if kind_of(step.name) is None]


def all_named(steps: Iterable[Step]) -> bool:
    """Decide whether every step has a name. A step without a name could be any step."""
    return all(step.name for step in steps)


def gone(listed: Iterable[Step], names_before: Iterable[str]) -> list[str]:
    """Return the steps that were listed before and are missing now, whichever vocabulary the list uses.

    Source: docs/develop/oms-facts.md#step-order (an incomplete list looks like a project without these steps)
    """
    now = {kind_of(step.name) or step.name for step in listed}
    return [name for name in names_before if (kind_of(name) or name) not in now]


def failed(steps: Iterable[Step]) -> list[Step]:
    """Return the steps that are FAILED."""
    return [step for step in steps if step.status == FAILED]


def failed_precheck(steps: Iterable[Step]) -> list[Step]:
    """Return a precheck that is FAILED and blocks the project. If a later step has begun, the precheck was skipped.

    Source: docs/develop/oms-facts.md#failed-recovers
    """
    prechecks = []
    for step in steps:
        if is_precheck(step):
            prechecks.append(step)
        elif has_started(step):
            return []
    return failed(prechecks)


def suspended(steps: Iterable[Step]) -> list[Step]:
    """Return the steps that are SUSPEND."""
    return [step for step in steps if step.status == SUSPEND]


def describe(step: Step) -> str:
    """Describe a step's state in OMS's words, for messages only."""
    progress = value_or_none(step, Step.progress)
    at = "" if progress is None else f" at {progress:g} %"
    skipped = ", skipped" if value_or_none(step.info, StepInfo.skipped) else ""
    return f"{step.name} is {safe_text(step.status, 60)}{at}{skipped}"


def error_of(step: Step) -> str:
    """Return why a step has failed, in OMS's words. Only the list of details may hold a reason.

    Source: docs/develop/oms-facts.md#failed-time
    """
    code, error = step.extra.get("errorCode"), step.extra.get("errorMsg")
    said = " ".join(safe_text(part) for part in (code, error) if part)
    details = details_of(value_or_none(step.extra, StepExtra.error_details), said)
    return f"{step.name} {' '.join(filter(None, (said, details))) or 'FAILED without an error'}"


def details_of(details: Sequence[ErrorDetail] | None, said: str = "") -> str:
    """Return the first details of an error, in OMS's words.

    :param details: the details; None if they can't be read
    :param said: text that is shown already, and isn't repeated
    """
    told = [summary for detail in details or () if (summary := safe_text(detail.summary, 500))]
    new = [summary for summary in dict.fromkeys(told) if summary not in said]
    more = f" (and {len(new) - _DETAILS} more)" if len(new) > _DETAILS else ""
    return f"{'; '.join(new[:_DETAILS])}{more}"


def names(steps: Sequence[Step]) -> str:
    """List steps for a person."""
    return ", ".join(step.name or "?" for step in steps)
