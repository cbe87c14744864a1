"""Turns the verdicts of polls into events, with one pure function for each kind of watcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.protocol import utc_text
from airflow_provider_oms.milestones import edges, pace
from airflow_provider_oms.milestones.edges import Patience
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import CheckpointReachedMilestone
from airflow_provider_oms.milestones.remembered import Remembered
from airflow_provider_oms.milestones.status import Outlook, outlook
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.milestones.watchers import (
    BEGINNING,
    AlarmWatcher,
    CompleteUntilWatcher,
    MilestoneWatcher,
    Watcher,
    digest,
)


class Event(NamedTuple):
    """An event.

    :param name: its kind: ``reached``, ``failed``, ``complete_until``, ``behind``, ``still``, ``unreachable``
    :param which: identifies it among events of that kind; it stays the same if the event is sent again
    :param facts: further content of the payload
    """

    name: str
    which: str
    facts: Mapping[str, Any]


Judged = tuple[Remembered, Event | None]


def gate_now(watcher: Watcher, remembered: Remembered) -> Gate:
    """Return the gate for the next poll. A watcher of boundaries waits for the boundary after its last event.

    :param watcher: the watcher
    :param remembered: what it remembers
    """
    if not isinstance(watcher, CompleteUntilWatcher):
        return watcher.gate
    last = remembered.complete_until
    moment = BEGINNING if last is None else watcher.boundaries.after(last)
    return replace(watcher.gate, milestone=CheckpointReachedMilestone(moment, watcher.direction))


def judge(watcher: Watcher, remembered: Remembered, verdict: Verdict, time: float) -> Judged:
    """Process a poll; return what to remember, and the event if there is one.

    :param watcher: the watcher
    :param remembered: what it remembers
    :param verdict: the verdict of the poll
    :param time: when the poll was, Unix seconds
    """
    return _JUDGES[type(watcher)](watcher, remembered.of_project(verdict.observed.project), verdict, time)


def payload(watcher: Watcher, asset: str, event: Event, verdict: Verdict, time: float) -> dict[str, Any]:
    """Return the payload of an asset event, as JSON.

    :param watcher: the watcher
    :param asset: the asset's name
    :param event: the event
    :param verdict: the verdict of the poll
    :param time: when the poll was, Unix seconds
    """
    about = watcher.gate.subject(verdict.observed)._replace(purpose=f"asset {asset!r}")
    found = {
        "id": digest([asset, watcher.identity, event.name, event.which]),
        "event": event.name,
        **event.facts,
        "asset": asset,
        "project": verdict.observed.project or watcher.gate.project_id,
        "project_name": watcher.gate.project_name,
        "oms_conn_id": watcher.gate.oms_conn_id,
        "message": about.explain(verdict.message),
        "observed": verdict.observed.as_dict(),
        "time": utc_text(time),
    }
    return {name: _safe(value) for name, value in found.items()}


def is_gone(verdict: Verdict) -> bool:
    """Return whether the project has ended, so that another project may have its name by now.

    :param verdict: the verdict of the poll
    """
    return verdict.state is State.FAILED and outlook(verdict.observed.status) is Outlook.GONE


def _milestone(watcher: MilestoneWatcher, remembered: Remembered, verdict: Verdict, time: float) -> Judged:
    """The milestone becomes reached, or fails."""
    lasts, patience = edges.lasts_of(verdict), Patience(watcher.rearm_after)
    return _fire(remembered, {name: lasts[name] for name in watcher.on}, time, dict.fromkeys(watcher.on, patience))


def _complete_until(watcher: CompleteUntilWatcher, remembered: Remembered, verdict: Verdict, time: float) -> Judged:
    """The checkpoint has passed the next boundary."""
    boundaries = watcher.boundaries
    if verdict.state is not State.REACHED:
        return remembered, None
    last, checkpoint = remembered.complete_until, verdict.observed.checkpoint
    if last is None:
        if isinstance(checkpoint, int | float):
            # The first boundary is stored before any event is sent, so that a crash leaves no gap.
            remembered = replace(remembered, complete_until=boundaries.before(boundaries.before(checkpoint)))
        return remembered, None
    passed = boundaries.after(last)
    facts = {
        "complete_until": boundaries.text(passed),
        "complete_from": boundaries.text(last),
        "every": boundaries.every,
        "timezone": boundaries.timezone,
    }
    return replace(remembered, complete_until=passed), Event("complete_until", utc_text(passed), facts)


def _alarm(watcher: AlarmWatcher, remembered: Remembered, verdict: Verdict, time: float) -> Judged:
    """One of the alarms begins."""
    answered, known = edges.is_answered(verdict), edges.lasts_of(verdict)
    series = pace.Series(*remembered.series) if remembered.series else None
    # A checkpoint that isn't believed doesn't count as moving.
    series = None if verdict.alarming and answered else pace.follow(series, verdict.observed, watcher.direction)
    remembered = replace(remembered, series=None if series is None else series[:3])
    lasts = {
        # Until outage_tolerance has passed, it isn't known whether OMS counts as unreachable.
        "unreachable": False if answered else (True if verdict.state is State.FAILED else None),
        "failed": known["failed"],
        # A failed project has an event about its failure, so none about its lag.
        "behind": None if known["failed"] else known["reached"],
        "still": (series is not None and series.unmoved_for >= watcher.still_for) if answered else None,
    }
    patience = dict.fromkeys(lasts, Patience(watcher.rearm_after))
    patience["behind"] = Patience(watcher.rearm_after, watcher.hold_for)
    return _fire(remembered, {name: one for name, one in lasts.items() if name in watcher.on}, time, patience)


_JUDGES: dict[type[Watcher], Callable[[Any, Remembered, Verdict, float], Judged]] = {
    MilestoneWatcher: _milestone,
    CompleteUntilWatcher: _complete_until,
    AlarmWatcher: _alarm,
}


def _fire(
    remembered: Remembered, lasts: Mapping[str, bool | None], time: float, patience: Mapping[str, Patience]
) -> Judged:
    levels, fired = edges.first(remembered.levels, lasts, time, patience)
    remembered = replace(remembered, levels=levels)
    if fired is None:
        return remembered, None
    return remembered, Event(fired, f"{remembered.begun} {levels[fired].times}", {})


def _safe(value: Any) -> Any:
    """Make OMS's text safe for Airflow's database and page; a single invalid character can stop a triggerer.

    Source: docs/develop/airflow-facts.md#assets
    """
    if isinstance(value, Mapping):
        return {str(name): _safe(one) for name, one in value.items()}
    if isinstance(value, float) and not isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    return safe_text(value)
