"""What a project's status means for a milestone that isn't reached yet. No other module compares OMS's statuses."""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum

# docs/develop/oms-facts.md#project-status
RELEASING, RELEASED, DELETED = "RELEASING", "RELEASED", "DELETED"

#: The last statuses of a project, in their order. No earlier status follows one of these.
_END_OF_LIFE = (RELEASING, RELEASED, DELETED)

#: The statuses of a running project whose percentages and checkpoints are complete. An undocumented status never counts
#: as one of these.
#: Source: docs/develop/oms-facts.md#project-status
_AT_WORK = ("RUNNING", "RUNNING_ALARMING")

#: The statuses of a project to which objects are being added or from which they are removed, in a separate task.
#: Source: docs/develop/oms-facts.md#objects-changing
_CHANGING = ("RUNNING_MODIFYING", "RUNNING_MERGING")

#: Every status that OceanBase documents: docs/develop/oms-facts.md#project-status
DOCUMENTED = ("INIT", *_AT_WORK, *_CHANGING, "SUSPEND", "FAILED", "FINISHED", *_END_OF_LIFE)

#: Other names of some statuses, used by people and by OMS's console: docs/develop/oms-facts.md#project-status
_ALSO_CALLED = {
    "paused": "SUSPEND",
    "stopped": "SUSPEND",
    "completed": "FINISHED",
    "done": "FINISHED",
    "ending": RELEASING,
    "ended": RELEASED,
    "modifying": "RUNNING_MODIFYING",
    "integrating": "RUNNING_MERGING",
}


class Outlook(Enum):
    """Whether a milestone can still be reached."""

    UNDER_WAY = "under way"
    PAUSED = "paused"
    FAILED = "failed"
    GONE = "gone"
    OVER = "over"
    UNKNOWN = "unknown"


def is_running(status: str | None) -> bool:
    """Decide whether a project is running, also while objects are being added. Other statuses RUNNING_... don't count.

    Source: docs/develop/oms-facts.md#project-status
    """
    return status in _AT_WORK or is_changing(status)


def is_changing(status: str | None) -> bool:
    """Decide whether objects are being added to a project or removed from it.

    Source: docs/develop/oms-facts.md#objects-changing
    """
    return status in _CHANGING


def may_be_changing(status: str | None) -> bool:
    """Decide whether objects may be being added to a project or removed from it, by an undocumented status RUNNING_...

    Source: docs/develop/oms-facts.md#objects-changing
    """
    return status is not None and status.startswith("RUNNING_") and status not in DOCUMENTED


def outlook(status: str | None) -> Outlook:
    """Return what a status means for a milestone that isn't reached yet.

    Sources: docs/develop/oms-facts.md#project-status, docs/develop/oms-facts.md#project-finished
    """
    if is_running(status) or status == "INIT":
        return Outlook.UNDER_WAY
    if status in _END_OF_LIFE:
        return Outlook.GONE
    return {"SUSPEND": Outlook.PAUSED, "FAILED": Outlook.FAILED, "FINISHED": Outlook.OVER}.get(
        status or "", Outlook.UNKNOWN
    )


def may_follow(status: str | None, targets: tuple[str, ...]) -> bool:
    """Decide whether one of the target statuses can still follow although the project has failed, finished or ended.

    A failed or finished project can be released, and a released project can be deleted.
    Source: docs/develop/oms-facts.md#transitions
    """
    ahead = _END_OF_LIFE[_END_OF_LIFE.index(status) + 1 :] if status in _END_OF_LIFE else _END_OF_LIFE
    reachable = set(targets) & set(ahead)
    if outlook(status) is Outlook.FAILED:
        return reachable == set(targets)  # the FAILED rule decides about targets that only a resumed project reaches
    return bool(reachable) and outlook(status) in (Outlook.GONE, Outlook.OVER)


def caution(targets: tuple[str, ...]) -> str | None:
    """Return a warning about statuses that OceanBase doesn't document, which a project may never have.

    Source: docs/develop/oms-facts.md#project-status

    :param targets: the statuses that are waited for
    """
    warnings = []
    for status in targets:
        if status not in DOCUMENTED:
            known = _ALSO_CALLED.get(status.lower())
            meant = known or next(iter(get_close_matches(status, DOCUMENTED, 1)), None)
            suggestion = f" Did you mean {meant}?" if meant else ""
            warnings.append(f"{status} isn't a status that OceanBase documents.{suggestion}")
    if not warnings:
        return None
    return f"{' '.join(warnings)} Documented: {', '.join(DOCUMENTED)}."
