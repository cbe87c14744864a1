"""What a project's status means for a milestone that isn't reached yet. Every status string of OMS stands here."""

from __future__ import annotations

from enum import Enum

# docs/develop/oms-facts.md#project-status
RELEASING, RELEASED, DELETED = "RELEASING", "RELEASED", "DELETED"

#: The end of a project, in its order. Nothing that comes before can be reached from one of these.
_END_OF_LIFE = (RELEASING, RELEASED, DELETED)


class Outlook(Enum):
    """Whether a milestone can still be reached."""

    UNDER_WAY = "under way"
    PAUSED = "paused"
    FAILED = "failed"
    GONE = "gone"
    OVER = "over"
    UNKNOWN = "unknown"


def is_running(status: str | None) -> bool:
    """Decide whether a project is at work now: RUNNING and all that OMS calls RUNNING_something.

    Source: docs/develop/oms-facts.md#project-status
    """
    return status == "RUNNING" or (status or "").startswith("RUNNING_")


def outlook(status: str | None) -> Outlook:
    """Return what a status means for whatever hasn't happened yet.

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
    """Decide whether one of the target statuses can still come although the project fails, is over or is going.

    What has failed or finished can be released, what is released can be deleted.
    Source: docs/develop/oms-facts.md#transitions
    """
    ahead = _END_OF_LIFE[_END_OF_LIFE.index(status) + 1 :] if status in _END_OF_LIFE else _END_OF_LIFE
    reachable = set(targets) & set(ahead)
    if outlook(status) is Outlook.FAILED:
        return reachable == set(targets)  # a resumed project may reach the others, but that is for the FAILED rule
    return bool(reachable) and outlook(status) in (Outlook.GONE, Outlook.OVER)
