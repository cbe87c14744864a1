"""A second, simple implementation of the gates, written from the design alone, without any code of the package.

It reads raw HTTP answers. For a malformed answer :func:`may_open` tends to return True, so that a gate that opens
although it returns False has certainly opened too early; :func:`verdicts` returns the allowed verdicts on well-formed
answers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import product
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
    """An HTTP answer; ``lost`` if there was none."""

    body: bytes = b""
    status: int = 200
    date: str | None = None
    lost: bool = False


@dataclass
class Observed:
    """OMS's answers at one poll, about the project and about the one that verifies it, and the local time."""

    local: float
    progress: Http
    steps: Http
    verify: list[Http] = field(default_factory=list)
    project: Http = field(default_factory=Http)
    records: Http = field(default_factory=Http)
    apart: Observed | None = None


@dataclass
class Wish:
    """What a gate waits for: its sensor and arguments."""

    gate: str
    arguments: dict[str, Any]
    fail_on_suspend: bool = False
    allow_modifying: bool = False
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


def yes(value: Any) -> bool:
    return str(value).strip().lower() == "true"


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


# The rules


def done(row: dict[str, Any]) -> bool:
    name, status, percent = word(get(row, "name")), word(get(row, "status")), get(row, "progress")
    if name in SAME[6] | SAME[8] | SAME[10]:
        return status in ("MONITORING", "FINISHED")
    if name in SAME[7]:
        if yes(info(row, "skipped")) or off(info(row, "validated")):
            return False
        full = number(percent) == 100
        return (status == "FINISHED" and (full or percent is None)) or (status == "RUNNING" and full)
    if name in SAME[9]:
        return status == "FINISHED"
    return status == "FINISHED" and (percent is None or number(percent) == 100)


def info(row: dict[str, Any], name: str) -> Any:
    found = get(row, "stepInfo")
    return get(found, name) if isinstance(found, dict) else None


def cut_short(row: dict[str, Any]) -> bool:
    return not done(row) and (word(get(row, "status")) == "FINISHED" or yes(info(row, "skipped")))


def tables_of(observed: Observed) -> list[Any]:
    tables = []
    for answer in observed.verify:
        for page in rows(answer):
            listed = get(page, "fullVerifyTableStatistics")
            tables += listed if isinstance(listed, list) else [listed]
    return tables


def differences(observed: Observed) -> list[float | None]:
    return [number(get(page, "differentNumber")) for answer in observed.verify for page in rows(answer)]


def counted(table: dict[str, Any]) -> bool:
    return any(number(get(table, f"{side}Count")) for side in ("sourceOnly", "destOnly", "mismatched"))


def through(table: Any) -> bool:
    """Return whether a table was compared completely and without differences."""
    return (
        isinstance(table, dict)
        and word(get(table, "status")) == "FINISHED"
        and word(get(table, "resultType")) in ("CONSISTENT", "BOTH_EMPTY")
        and (get(table, "progress") is None or number(get(table, "progress")) == 1)
        and not counted(table)
    )


def consistent(observed: Observed) -> bool:
    tables = tables_of(observed)
    return all(each == 0 for each in differences(observed)) and bool(tables) and all(map(through, tables))


def verified(observed: Observed) -> bool:
    """Return whether the project's verification is done and has found all tables consistent."""
    verifier = named(rows(observed.steps), "FULL_VERIFIER")
    return bool(verifier) and all(map(done, verifier)) and consistent(observed)


def verified_apart(observed: Observed) -> bool:
    """Return whether the project that verifies this one allows the gate to open. The names of its steps are unknown."""
    apart = observed.apart
    progress = None if apart is None else progress_of(apart)
    if apart is None or progress is None:
        return False
    steps = rows(apart.steps)
    unknown = [row for row in steps if not any(word(get(row, "name")) in names for names in SAME)]
    verifier = named(steps, "FULL_VERIFIER") or unknown
    ended, began = (
        [get(row, "finishTime") for row in verifier],
        min(
            (str(at) for row in named(rows(observed.steps), "FULL_TRANSFER") if (at := get(row, "startTime"))),
            default="",
        ),
    )
    if all(ended) and began and max(map(str, ended), default="") < began:  # both as OMS writes times
        return False
    return bool(verifier) and all(map(done, verifier)) and consistent(apart) and compares_all(observed, apart)


def compares_all(observed: Observed, apart: Observed) -> bool:
    """Return whether nothing shows that the verification covers other objects than the project migrates."""
    here, there = ((rows(told.project) or [{}])[0] for told in (observed, apart))
    if there and here and word(get(there, "type")) not in (None, "VERIFY"):
        return False
    for side in ("sourceConnectInfo", "sinkConnectInfo"):
        infos = [info if isinstance(info := get(told, side), dict) else {} for told in (here, there)]
        moved, compared = (str(get(info, "endpointId") or "") for info in infos)
        addresses = [(str(get(info, "host") or ""), str(get(info, "port") or "")) for info in infos]
        registered_twice = all(addresses[0]) and addresses[0] == addresses[1]
        if moved and compared and moved != compared and not registered_twice:
            return False
    compared_tables = moved_by(apart, "tables")
    return not compared_tables or (moved_by(observed, "tables") or set()) <= compared_tables


CHANGING = ("RUNNING_MODIFYING", "RUNNING_MERGING")


def may_be_changing(progress: dict[str, Any]) -> bool:
    status = word(get(progress, "status")) or ""
    return status.startswith("RUNNING_") and status != "RUNNING_ALARMING"


def changing(progress: dict[str, Any]) -> bool:
    return word(get(progress, "status")) in CHANGING


def running(progress: dict[str, Any], wish: Wish) -> bool:
    known = ("RUNNING", "RUNNING_ALARMING", *(CHANGING if wish.allow_modifying else ()))
    return word(get(progress, "status")) in known


def before_incremental(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps to be done before incremental sync: schema, log, rows, indexes, and steps listed before it."""
    found = []
    first = next((n for n, row in enumerate(steps) if word(get(row, "name")) in SAME[6]), len(steps))
    for place, row in enumerate(steps):
        name = word(get(row, "name"))
        known = next((n for n, names in enumerate(SAME) if name in names), None)
        if (known is not None and known < 6) or (known is None and place < first):
            found.append(row)
    return found


def lost_steps(history: Sequence[Observed]) -> bool:
    """Return whether a step was listed at an earlier poll and is missing now.

    A malformed list doesn't count, nor does one that itself lacks a step.
    """
    seen: set[str] = set()
    for earlier in history[:-1]:
        listed = data(earlier.steps)
        if progress_of(earlier) is None or not isinstance(listed, list):
            continue
        names = [get(row, "name") if isinstance(row, dict) else None for row in listed]
        known = all(isinstance(name, str) and any(name in kind for kind in SAME) for name in names)
        if known and all(named(rows(earlier.steps), name) for name in seen):
            seen |= set(names)
    return not all(named(rows(history[-1].steps), name) for name in seen)


def raw_checkpoint(progress: dict[str, Any], direction: str) -> Any:
    if direction == "reverse":
        return get(progress, "reverseIncrTransferCheckpoint", "reverseIncrSyncCheckpoint")
    return get(progress, "incrSyncCheckpoint")


def switched_off(progress: dict[str, Any], direction: str) -> bool:
    if direction == "reverse":
        return off(get(progress, "enableReverseIncrTransfer", "enableReverseIncrSync"))
    return off(get(progress, "enableIncrSync"))


def checkpoint(observed: Observed, direction: str, *, by_step: bool = False) -> float | None:
    """Return an acceptable checkpoint. Full transfer must be done; if no percentage is given, by the step's status."""
    progress = progress_of(observed)
    if progress is None or switched_off(progress, direction):
        return None
    percent = number(get(progress, "fullTransferProgress", "fullMigrationProgress", "fullSyncProgress"))
    given = get(progress, "fullTransferProgress", "fullMigrationProgress", "fullSyncProgress")
    full = named(rows(observed.steps), "FULL_TRANSFER") if by_step and given is None else []
    by_word = bool(full) and all(map(done, full))
    enabled = not off(get(progress, "enableFullTransfer", "enableFullMigration", "enableFullSync"))
    if percent != 100 and enabled and not by_word:
        return None
    at = number(raw_checkpoint(progress, direction))
    return at if at is not None and 0 < at <= clock(observed) + 300 else None


def within(observed: Observed, wish: Wish, direction: str, max_lag: float, *, by_step: bool = False) -> bool:
    progress, at = progress_of(observed), checkpoint(observed, direction, by_step=by_step)
    if progress is None or at is None or not running(progress, wish):
        return False
    return max(0, clock(observed) - at) <= max_lag


def may_open(wish: Wish, history: Sequence[Observed]) -> bool:
    """Return whether a gate may open at the last of these polls."""
    observed, milestone = history[-1], wish.arguments
    if wish.gate == "OmsProjectStatusSensor" and "DELETED" in milestone["target_statuses"]:
        refused = envelope(observed.progress)
        if refused is not None and "GHANA-PROJECT000001" in json.dumps(refused):
            return True
    progress, steps = progress_of(observed), rows(observed.steps)
    if progress is None:
        return False
    if wish.gate not in ("OmsStepSensor", "OmsProjectStatusSensor") and not wish.allow_modifying:
        apart = None if observed.apart is None else progress_of(observed.apart)
        verifying = milestone.get("verification_project") and apart is not None
        if may_be_changing(progress) or (verifying and may_be_changing(apart)):
            return False
    if wish.gate in ("OmsStepSensor", "OmsFullVerificationSensor", "OmsCutoverReadySensor") and lost_steps(history):
        return False
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
            if not within(earlier, wish, direction, milestone["max_lag"]):
                break
            begin = earlier.local  # the time that has passed, by the local clock
        return within(observed, wish, direction, milestone["max_lag"]) and now - begin >= hold
    if wish.gate == "OmsCheckpointReachedSensor":
        at = checkpoint(observed, milestone.get("direction", "forward"))
        return at is not None and at > milestone["checkpoint"]
    verifier = named(steps, "FULL_VERIFIER")
    apart = milestone.get("verification_project") is not None
    if wish.gate == "OmsFullVerificationSensor":
        if apart:
            return bool(steps) and verified_apart(observed) and (not verifier or verified(observed))
        return verified(observed)
    if wish.gate == "OmsProjectStatusSensor":
        return word(get(progress, "status")) in milestone["target_statuses"]
    if wish.gate == "OmsObjectsSensor":
        full, moved = named(steps, "FULL_TRANSFER"), moved_by(observed)
        copied = off(get(progress, "enableFullTransfer", "enableFullMigration", "enableFullSync"))
        copied = copied or (bool(full) and all(map(done, full)))
        return copied and moved is not None and wanted(wish) <= moved and not unfinished(wish, observed)
    assert wish.gate == "OmsCutoverReadySensor"
    full, incremental = named(steps, "FULL_TRANSFER"), named(steps, "INCR_TRANSFER")
    if verifier or apart:
        safe = (not verifier or verified(observed)) and (not apart or verified_apart(observed))
    else:
        safe = not milestone.get("require_verification", True) and not configured(observed)
    return (
        within(observed, wish, "forward", milestone.get("max_lag", 25), by_step=True)
        and (bool(full) or off(get(progress, "enableFullTransfer", "enableFullMigration", "enableFullSync")))
        and all(map(done, before_incremental(steps)))
        and bool(incremental)
        and all(word(get(row, "status")) == "MONITORING" for row in incremental)
        and safe
        and all(word(get(row, "name")) for row in steps)
    )


def wanted(wish: Wish) -> set[tuple[str, ...]]:
    return {tuple(table.split(".")) for table in wish.arguments["tables"]}


def named_in(databases: Any, *kinds: str) -> set[tuple[str, ...]]:
    """Return schema and name of the tables and views in a list of databases, or only of one kind."""
    found = set()
    for database in databases if isinstance(databases, list) else [databases]:
        for kind in kinds or ("tables", "views") if isinstance(database, dict) else ():
            listed = get(database, kind)
            for one in listed if isinstance(listed, list) else [listed]:
                if isinstance(one, dict):
                    found.add((str(get(database, "name")), str(get(one, "name"))))
    return found


def moved_by(observed: Observed, *kinds: str) -> set[tuple[str, ...]] | None:
    """Return the objects that the project migrates; None if it doesn't list its tables one by one."""
    described = rows(observed.project)
    mapping = get(described[0], "transferMapping") if len(described) == 1 else None
    if not isinstance(mapping, dict) or get(mapping, "databases") is None:
        return None
    return named_in(get(mapping, "databases"), *kinds) if word(get(mapping, "mode")) in (None, "SPECIFIC") else None


def unfinished(wish: Wish, observed: Observed) -> list[dict[str, Any]]:
    """Return the records that aren't done and that may be about the tables."""
    found = []
    for record in rows(observed.records):
        told = named_in(get(record, "databases"))
        through = word(get(record, "status")) in ("SUCCESS", "CANCEL", "TERMINATED")
        if not through and (not told or told & wanted(wish)):
            found.append(record)
    return found


def _objects_failed(wish: Wish, observed: Observed, now: float, kept: bool) -> str | None:
    """Return what a gate on objects may say about a change that has failed, or about a table that no change adds."""
    pending, moved = unfinished(wish, observed), moved_by(observed)
    if moved is None:
        return None
    failed = [record for record in pending if word(get(record, "status")) == "FAILED"]
    if failed:
        return _failure(wish, [{"extraInfo": {"failedTime": get(row, "gmtModified")}} for row in failed], now, kept)
    return "failed" if not pending and not wanted(wish) <= moved and (not kept or not wish.failure_grace) else None


def configured(observed: Observed) -> bool:
    """Return whether the project's configuration includes verification."""
    return any(yes(get(row, "enableFullVerify")) for row in rows(observed.project))


# The verdicts of a gate that doesn't open, on well-formed answers


def _unreachable(wish: Wish, progress: dict[str, Any], steps: list[dict[str, Any]], observed: Observed) -> bool:
    gate = wish.gate
    verifier = named(steps, "FULL_VERIFIER")
    differs = bool(verifier) and all(map(done, verifier)) and found_different(observed)
    if gate == "OmsStepSensor":
        return bool(steps) and not named(steps, wish.arguments["step"])
    if gate == "OmsFullTransferSensor":
        return off(get(progress, "enableFullTransfer"))
    if gate == "OmsFullVerificationSensor":
        return (bool(steps) and not verifier) or differs
    if gate in ("OmsProjectStatusSensor", "OmsObjectsSensor"):
        return False
    direction = wish.arguments.get("direction", "forward")
    given = raw_checkpoint(progress, direction)
    lost = switched_off(progress, direction) or (isinstance(given, str) and number(given) is None)
    if gate == "OmsCutoverReadySensor":
        required = wish.arguments.get("require_verification", True) and not configured(observed)
        unverified = bool(steps) and not verifier and required
        return lost or (bool(steps) and not named(steps, "INCR_TRANSFER")) or differs or unverified
    return lost


def comparing(table: dict[str, Any]) -> bool:
    """Return whether a table is being compared; then the rest of its row doesn't count."""
    status, result = word(get(table, "status")), word(get(table, "resultType"))
    return status == "RUNNING" or (result == "RUNNING" and status != "ERROR")


def found_different(observed: Observed) -> bool:
    tables = tables_of(observed)
    settled = [table for table in tables if not comparing(table)]
    bad = any(
        word(get(table, "resultType")) not in ("CONSISTENT", "BOTH_EMPTY", None)
        or word(get(table, "status")) == "ERROR"
        or counted(table)
        for table in settled
    )
    return bad or (any(differences(observed)) and settled == tables)


def owes_a_result(observed: Observed) -> bool:
    """Return whether the verification is done but its result can't be read, at least now."""
    verifier = named(rows(observed.steps), "FULL_VERIFIER")
    if any(map(cut_short, verifier)):
        return True
    open_tables = [table for table in tables_of(observed) if not through(table)]
    still = any(comparing(table) or word(get(table, "status")) == "SUSPEND" for table in open_tables)
    return bool(verifier) and all(map(done, verifier)) and not still


def _awaited(wish: Wish, observed: Observed) -> list[str]:
    if wish.gate == "OmsStepSensor":
        return [wish.arguments["step"]]
    if wish.gate == "OmsObjectsSensor":
        moved = moved_by(observed)
        there = moved is not None and wanted(wish) <= moved and not unfinished(wish, observed)
        return ["FULL_TRANSFER"] if there else []
    return {
        "OmsFullTransferSensor": ["FULL_TRANSFER"],
        "OmsFullVerificationSensor": ["FULL_VERIFIER"],
        "OmsProjectStatusSensor": [],
        "OmsCutoverReadySensor": [sorted(names)[0] for names in (*SAME[1:7], SAME[7])],
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


def _failed_precheck(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a failed precheck after which nothing has started. It fails every gate that waits for a step."""
    behind = [row for row in steps if word(get(row, "name")) not in SAME[0]]
    if any(word(get(row, "status")) in ("RUNNING", "MONITORING", "FINISHED") for row in behind):
        return []
    return [row for row in steps if row not in behind and word(get(row, "status")) == "FAILED"]


def _failed_times(broken: list[dict[str, Any]], now: float) -> Iterator[float]:
    for row in broken:
        text = get(get(row, "extraInfo") or {}, "failedTime")
        if text:
            at = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
            if at <= now + 300:
                yield at


def verdicts(wish: Wish, observed: Observed, *, kept: bool = True) -> set[str]:
    """Return the verdicts that a gate may have at its first poll."""
    if may_open(wish, [observed]):
        return {"reached"}
    progress, steps, now = progress_of(observed), rows(observed.steps), clock(observed)
    assert progress is not None
    if _unreachable(wish, progress, steps, observed):
        return {"failed"}
    status = word(get(progress, "status")) or ""
    awaited = [row for name in _awaited(wish, observed) for row in named(steps, name)]
    failed = [row for row in awaited if word(get(row, "status")) == "FAILED"]
    if not failed and _awaited(wish, observed):
        failed = _failed_precheck(steps)
    suspended = [row for row in awaited if word(get(row, "status")) == "SUSPEND"]
    under_way = status in ("RUNNING", "RUNNING_ALARMING", "INIT", *CHANGING)
    if not wish.allow_modifying and may_open(replace(wish, allow_modifying=True), [observed]):
        return {"waiting"}
    if wish.gate == "OmsObjectsSensor" and (said := _objects_failed(wish, observed, now, kept)):
        return {said}
    if wish.gate == "OmsProjectStatusSensor":
        # RELEASED comes after the end, and DELETED after RELEASED.
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
    if status == "FINISHED" and wish.gate == "OmsFullVerificationSensor" and kept and owes_a_result(observed):
        return {"waiting"}
    if status in ("RELEASING", "RELEASED", "DELETED", "FINISHED"):
        return {"failed"}
    if status == "SUSPEND":
        return {"failed" if wish.fail_on_suspend else "waiting"}
    if wish.gate == "OmsCheckpointLagSensor":
        direction, max_lag = wish.arguments.get("direction", "forward"), wish.arguments["max_lag"]
        at = checkpoint(observed, direction)
        if within(observed, wish, direction, max_lag) or (at is not None and not running(progress, wish)):
            return {"waiting"}  # paused, or not running: no step is the cause
    if under_way and failed:
        return {_failure(wish, failed, now, kept)}
    if under_way and suspended and wish.fail_on_suspend:
        return {"failed"}
    return {"waiting"}


# Many projects


def of_set(each: Sequence[set[str]]) -> set[str]:
    """Return the verdicts that a gate over many may have, from those for each of its projects."""
    combined = set()
    for chosen in product(*each):
        combined.add("failed" if "failed" in chosen else "waiting" if "waiting" in chosen else "reached")
    return combined
