"""A second, deliberately naive opinion on the gates, written from the design alone, without any code of the package.

It reads raw HTTP answers. :func:`may_open` errs towards yes where an answer is odd in form, so that a gate that opens
against it has surely opened too early; :func:`verdicts` tells what a gate may say of well-formed answers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

SAME = [
    {"TRANSFER_PRECHECK", "PRE_CHECK"},
    {"TRANSFER_PREPARE", "PREPARE", "SYNC_PREPARE"},
    {"STRUCT_TRANSFER", "STRUCT_MIGRATION", "STRUCT_SYNC"},
    {"TRANSFER_INCR_LOG_PULL", "INCR_LOG_PULL", "SYNC_INCR_LOG_PULL"},
    {"FULL_TRANSFER", "FULL_MIGRATION", "CONNECTOR_FULL_SYNC"},
    {"INDEX_TRANSFER", "INDEX_MIGRATION"},
    {"INCR_TRANSFER", "INCR_SYNC", "CONNECTOR_INCR_SYNC"},
    {"FULL_VERIFIER", "FULL_VALIDATION"},
    {"INCR_VERIFIER", "INCR_VALIDATION"},
    {"TRANSFER_APP_SWITCH", "APP_SWITCH"},
    {"REVERSE_INCR_TRANSFER", "REVERSE_INCR_SYNC"},
]


@dataclass
class Http:
    """An HTTP answer; ``lost`` where none came."""

    body: bytes = b""
    status: int = 200
    date: str | None = None
    lost: bool = False


@dataclass
class Observed:
    """All that OMS would say at one poll, and the local time."""

    local: float
    progress: Http
    steps: Http
    verify: list[Http] = field(default_factory=list)


@dataclass
class Wish:
    """What a gate waits for, in the words of its sensor."""

    gate: str
    arguments: dict[str, Any]
    fail_on_suspend: bool = False
    failure_grace: float = 120


# Reading


def get(thing: Any, *names: str) -> Any:
    for name in names:
        for key, value in thing.items():
            if key.strip().lower() == name.lower() and value is not None:
                return value
    return None


def envelope(answer: Http) -> dict[str, Any] | None:
    try:
        read = None if answer.lost else json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def data(answer: Http) -> Any:
    read = envelope(answer)
    if read is None or answer.status != 200 or str(get(read, "success")).strip().lower() != "true":
        return None
    return get(read, "data")


def rows(answer: Http) -> list[dict[str, Any]]:
    found = data(answer)
    found = found if isinstance(found, list) else [found]
    return [row for row in found if isinstance(row, dict)]


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        value = float(value)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def word(value: Any) -> str | None:
    return str(value).strip().upper() if isinstance(value, int | float | str) else None


def off(value: Any) -> bool:
    return str(value).strip().lower() == "false"


def progress_of(observed: Observed) -> dict[str, Any] | None:
    found = rows(observed.progress)
    return found[0] if len(found) == 1 else None


def clock(observed: Observed) -> float:
    try:
        return parsedate_to_datetime(observed.progress.date or "").timestamp()
    except (TypeError, ValueError):
        return observed.local


def named(steps: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    meant = next((names for names in SAME if name in names), {name})
    return [row for row in steps if word(get(row, "name")) in meant]


# What is reached


def done(row: dict[str, Any]) -> bool:
    name, status, percent = word(get(row, "name")), word(get(row, "status")), get(row, "progress")
    if name in SAME[6] | SAME[8] | SAME[10]:
        return status in ("MONITORING", "FINISHED")
    if name in SAME[7]:
        return status == "FINISHED" or (status == "RUNNING" and number(percent) == 100)
    if name in SAME[9]:
        return status == "FINISHED"
    return status == "FINISHED" and (percent is None or number(percent) == 100)


def consistent(observed: Observed) -> bool:
    tables = []
    for answer in observed.verify:
        for page in rows(answer):
            if number(get(page, "differentNumber")) != 0:
                return False
            listed = get(page, "fullVerifyTableStatistics")
            tables += listed if isinstance(listed, list) else [listed]
    good = ("CONSISTENT", "BOTH_EMPTY")
    return bool(tables) and all(isinstance(t, dict) and word(get(t, "resultType")) in good for t in tables)


def running(progress: dict[str, Any]) -> bool:
    status = word(get(progress, "status")) or ""
    return status == "RUNNING" or status.startswith("RUNNING_")


def raw_checkpoint(progress: dict[str, Any], direction: str) -> Any:
    if direction == "reverse":
        return get(progress, "reverseIncrTransferCheckpoint", "reverseIncrSyncCheckpoint")
    return get(progress, "incrSyncCheckpoint")


def switched_off(progress: dict[str, Any], direction: str) -> bool:
    if direction == "reverse":
        return off(get(progress, "enableReverseIncrTransfer", "enableReverseIncrSync"))
    return off(get(progress, "enableIncrSync"))


def checkpoint(observed: Observed, direction: str) -> float | None:
    """Return a checkpoint that can be believed."""
    progress = progress_of(observed)
    if progress is None or switched_off(progress, direction):
        return None
    percent = number(get(progress, "fullTransferProgress", "fullMigrationProgress", "fullSyncProgress"))
    if percent != 100 and not off(get(progress, "enableFullTransfer", "enableFullMigration", "enableFullSync")):
        return None
    at = number(raw_checkpoint(progress, direction))
    return at if at is not None and 0 < at <= clock(observed) + 300 else None


def within(observed: Observed, direction: str, max_lag: float) -> bool:
    progress, at = progress_of(observed), checkpoint(observed, direction)
    return progress is not None and running(progress) and at is not None and max(0, clock(observed) - at) <= max_lag


def may_open(wish: Wish, history: Sequence[Observed]) -> bool:
    """Tell whether a gate may open at the last of these looks."""
    observed, milestone = history[-1], wish.arguments
    if wish.gate == "OmsProjectStatusSensor" and "DELETED" in milestone["target_statuses"]:
        refused = envelope(observed.progress)
        if refused is not None and "GHANA-PROJECT000001" in json.dumps(refused):
            return True
    progress, steps = progress_of(observed), rows(observed.steps)
    if progress is None:
        return False
    verifier = named(steps, "FULL_VERIFIER")
    verified = all(map(done, verifier)) and consistent(observed)
    if wish.gate == "OmsStepSensor":
        begun = ("RUNNING", "MONITORING", "FINISHED")
        found = named(steps, milestone["step"])
        if milestone.get("until") == "started":
            return bool(found) and all(word(get(row, "status")) in begun for row in found)
        return bool(found) and all(map(done, found))
    if wish.gate == "OmsFullTransferSensor":
        percent = number(get(progress, "fullTransferProgress", "fullMigrationProgress", "fullSyncProgress"))
        enabled = not off(get(progress, "enableFullTransfer", "enableFullMigration", "enableFullSync"))
        return enabled and percent is not None and milestone.get("progress", 100) <= percent <= 100
    if wish.gate == "OmsCheckpointLagSensor":
        direction, hold, now = milestone.get("direction", "forward"), milestone.get("hold_for", 0), observed.local
        begin = now
        for earlier in reversed(history):
            if not within(earlier, direction, milestone["max_lag"]):
                break
            begin = earlier.local  # what has passed is told by our own clock
        return within(observed, direction, milestone["max_lag"]) and now - begin >= hold
    if wish.gate == "OmsCheckpointReachedSensor":
        at = checkpoint(observed, milestone.get("direction", "forward"))
        return at is not None and at > milestone["checkpoint"]
    if wish.gate == "OmsFullVerificationSensor":
        return bool(verifier) and verified
    if wish.gate == "OmsProjectStatusSensor":
        return word(get(progress, "status")) in milestone["target_statuses"]
    assert wish.gate == "OmsCutoverReadySensor"
    full, incremental = named(steps, "FULL_TRANSFER"), named(steps, "INCR_TRANSFER")
    return (
        within(observed, "forward", milestone.get("max_lag", 25))
        and (bool(full) or off(get(progress, "enableFullTransfer", "enableFullMigration", "enableFullSync")))
        and all(map(done, full))
        and bool(incremental)
        and all(word(get(row, "status")) == "MONITORING" for row in incremental)
        and (not verifier or verified)
        and all(word(get(row, "name")) for row in steps)
    )


# What a gate that isn't open says of well-formed answers


def _unreachable(wish: Wish, progress: dict[str, Any], steps: list[dict[str, Any]], observed: Observed) -> bool:
    gate = wish.gate
    verifier = named(steps, "FULL_VERIFIER")
    different = any(
        number(get(page, "differentNumber"))
        or any(
            word(get(table, "resultType")) not in ("CONSISTENT", "BOTH_EMPTY", "RUNNING", None)
            for table in get(page, "fullVerifyTableStatistics") or []
        )
        for answer in observed.verify
        for page in rows(answer)
    )
    differs = bool(verifier) and all(map(done, verifier)) and different
    if gate == "OmsStepSensor":
        return bool(steps) and not named(steps, wish.arguments["step"])
    if gate == "OmsFullTransferSensor":
        return off(get(progress, "enableFullTransfer"))
    if gate == "OmsFullVerificationSensor":
        return (bool(steps) and not verifier) or differs
    if gate == "OmsProjectStatusSensor":
        return False
    direction = wish.arguments.get("direction", "forward")
    given = raw_checkpoint(progress, direction)
    lost = switched_off(progress, direction) or (isinstance(given, str) and number(given) is None)
    if gate == "OmsCutoverReadySensor":
        return lost or (bool(steps) and not named(steps, "INCR_TRANSFER")) or differs
    return lost


def _awaited(wish: Wish) -> list[str]:
    if wish.gate == "OmsStepSensor":
        return [wish.arguments["step"]]
    return {
        "OmsFullTransferSensor": ["FULL_TRANSFER"],
        "OmsFullVerificationSensor": ["FULL_VERIFIER"],
        "OmsProjectStatusSensor": [],
        "OmsCutoverReadySensor": ["FULL_TRANSFER", "INCR_TRANSFER", "FULL_VERIFIER"],
    }.get(
        wish.gate,
        ["REVERSE_INCR_TRANSFER" if wish.arguments.get("direction") == "reverse" else "INCR_TRANSFER"],
    )


def _failure(wish: Wish, broken: list[dict[str, Any]], now: float, kept: bool) -> str:
    if any(word(get(row, "name")) in SAME[0] for row in broken) or wish.failure_grace == 0:
        return "failed"
    times = list(_failed_times(broken, now))
    if not times:
        return "waiting" if kept else "failed"
    return "failed" if now - max(times) > wish.failure_grace else "waiting"


def _failed_times(broken: list[dict[str, Any]], now: float) -> Iterator[float]:
    for row in broken:
        text = get(get(row, "extraInfo") or {}, "failedTime")
        if text:
            at = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
            if at <= now + 300:
                yield at


def verdicts(wish: Wish, observed: Observed, *, kept: bool = True) -> set[str]:
    """Tell what a gate may say at its first poll."""
    if may_open(wish, [observed]):
        return {"reached"}
    progress, steps, now = progress_of(observed), rows(observed.steps), clock(observed)
    assert progress is not None
    if _unreachable(wish, progress, steps, observed):
        return {"failed"}
    status = word(get(progress, "status")) or ""
    awaited = [row for name in _awaited(wish) for row in named(steps, name)]
    failed = [row for row in awaited if word(get(row, "status")) == "FAILED"]
    suspended = [row for row in awaited if word(get(row, "status")) == "SUSPEND"]
    under_way = running(progress) or status == "INIT"
    if wish.gate == "OmsProjectStatusSensor":
        # Released is what comes after the end, and deleted after that.
        order = ["RELEASING", "RELEASED", "DELETED"]
        ahead = order[order.index(status) + 1 :] if status in order else order
        milestone = wish.arguments["target_statuses"]
        if status in (*order, "FINISHED") and set(milestone) & set(ahead):
            return {"waiting"}
        if status == "FAILED" and set(milestone) <= set(order):
            return {"waiting"}
    if status == "FAILED":
        broken = [row for row in steps if word(get(row, "status")) == "FAILED"]
        return {_failure(wish, broken, now, kept)}
    if status in ("RELEASING", "RELEASED", "DELETED", "FINISHED"):
        return {"failed"}
    if status == "SUSPEND":
        return {"failed" if wish.fail_on_suspend else "waiting"}
    if wish.gate == "OmsCheckpointLagSensor":
        direction, max_lag = wish.arguments.get("direction", "forward"), wish.arguments["max_lag"]
        at = checkpoint(observed, direction)
        if within(observed, direction, max_lag) or (at is not None and not running(progress)):
            return {"waiting"}  # held, or not running: no step is to blame
    if under_way and failed:
        return {_failure(wish, failed, now, kept)}
    if under_way and suspended and wish.fail_on_suspend:
        return {"failed"}
    return {"waiting"}
