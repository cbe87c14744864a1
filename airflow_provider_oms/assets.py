"""Assets with events about OMS projects, which start DAGs. For Airflow 3.3 and later.

Each function returns an Airflow ``Asset`` with a watcher, for the ``schedule`` of a DAG. Nothing is looked up when a
DAG is parsed. Airflow can lose an event or deliver it twice, so a DAG that is started by an event should begin with a
gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.milestones.boundaries import Boundaries
from airflow_provider_oms.milestones.gate import (
    DEFAULT_CONN_ID,
    DEFAULT_FAILURE_GRACE,
    DEFAULT_OUTAGE_TOLERANCE,
    DEFAULT_POKE_INTERVAL,
    Gate,
)
from airflow_provider_oms.milestones.kinds import (
    CheckpointBehindMilestone,
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
    Milestone,
    ProjectStatusMilestone,
    StepMilestone,
)
from airflow_provider_oms.milestones.watchers import (
    BEGINNING,
    DEFAULT_HOLD_FOR,
    DEFAULT_REARM_AFTER,
    DEFAULT_STILL_FOR,
    AlarmWatcher,
    CompleteUntilWatcher,
    MilestoneWatcher,
    Watcher,
)
from airflow_provider_oms.tasks.airflow_version import airflow_version
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.sdk import Asset

Step = StepMilestone
FullTransfer = FullTransferMilestone
CheckpointLag = CheckpointLagMilestone
CheckpointReached = CheckpointReachedMilestone
FullVerification = FullVerificationMilestone
ProjectStatus = ProjectStatusMilestone
CutoverReady = CutoverReadyMilestone

__all__ = [
    "CheckpointLag",
    "CheckpointReached",
    "Completed",
    "CutoverReady",
    "FullTransfer",
    "FullVerification",
    "ProjectStatus",
    "Step",
    "complete_until",
    "completed",
    "oms_alarm_asset",
    "oms_asset",
    "oms_complete_until_asset",
]


def oms_asset(
    name: str,
    *,
    milestone: Milestone,
    project_id: str | None = None,
    project_name: str | None = None,
    on: str | Iterable[str] = ("reached",),
    rearm_after: timedelta | float = DEFAULT_REARM_AFTER,
    project_type: str = "MIGRATION",
    oms_conn_id: str = DEFAULT_CONN_ID,
    poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
    allow_modifying: bool = False,
    failure_grace: timedelta | float = DEFAULT_FAILURE_GRACE,
) -> Asset:
    """Return an asset with an event each time that a milestone is reached, or has failed.

    The event is sent when the milestone is reached, and again only after it wasn't reached for ``rearm_after``. A
    milestone that is already reached at the first poll causes an event. Polls without an answer from OMS change
    nothing.

    :param name: the asset's name, unique in Airflow
    :param milestone: what to wait for, for example ``FullTransfer(100)`` or ``CheckpointLag(max_lag=25)``
    :param project_id: the project's id
    :param project_name: the project's name instead, which is unique for an OMS user
    :param on: ``reached``, ``failed`` or both
    :param rearm_after: seconds (or timedelta) for which the condition must have been false on every poll before it can
        cause another event
    :param project_type: ``MIGRATION`` or ``SYNC``; only connections with ``api_version`` v3 need it
    :param oms_conn_id: the Airflow connection
    :param poke_interval: seconds (or timedelta) between two polls
    :param allow_modifying: ignore that objects are being added to the project or removed from it
    :param failure_grace: seconds (or timedelta) that OMS has to recover from a failure by itself
    :raises ValueError: if an argument is invalid, or if Airflow is older than 3.3; the message says which
    """
    if not isinstance(milestone, Milestone):
        raise ValueError(f"milestone must be a milestone such as FullTransfer(100); it is {milestone!r}")
    gate = _gate(
        milestone,
        project_id=project_id,
        project_name=project_name,
        project_type=project_type,
        oms_conn_id=oms_conn_id,
        poke_interval=poke_interval,
        failure_grace=failure_grace,
        allow_modifying=allow_modifying,
    )
    return _asset(name, MilestoneWatcher(gate, _words(on), rearm_after))  # type: ignore[arg-type]


def oms_complete_until_asset(
    name: str,
    *,
    project_id: str | None = None,
    project_name: str | None = None,
    every: str = "1d",
    timezone: str = "Asia/Shanghai",
    direction: str = "forward",
    project_type: str = "MIGRATION",
    oms_conn_id: str = DEFAULT_CONN_ID,
    allow_modifying: bool = False,
    poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
) -> Asset:
    """Return an asset with an event each time that all changes up to a boundary have arrived in the target.

    There is one event per boundary, in order and without gaps, even after an outage. The first event is about the last
    boundary that was passed before, not about earlier boundaries. In the DAG, :func:`complete_until` returns the
    boundary.

    :param name: the asset's name, unique in Airflow
    :param project_id: the project's id
    :param project_name: the project's name instead, which is unique for an OMS user
    :param every: whole days (``1d``, ``7d``), which end at local midnight, or a length that divides a day (``6h``,
        ``15m``), counted from midnight
    :param timezone: the time zone of midnight
    :param direction: the direction of the checkpoint: ``forward`` or ``reverse``
    :param project_type: ``MIGRATION`` or ``SYNC``; only connections with ``api_version`` v3 need it
    :param oms_conn_id: the Airflow connection
    :param poke_interval: seconds (or timedelta) between two polls
    :param allow_modifying: ignore that objects are being added to the project or removed from it
    :raises ValueError: if an argument is invalid, or if Airflow is older than 3.3; the message says which
    """
    gate = _gate(
        CheckpointReachedMilestone(BEGINNING, direction),
        project_id=project_id,
        project_name=project_name,
        project_type=project_type,
        oms_conn_id=oms_conn_id,
        poke_interval=poke_interval,
        allow_modifying=allow_modifying,
    )
    return _asset(name, CompleteUntilWatcher(gate, Boundaries(every, timezone)))


def oms_alarm_asset(
    name: str,
    *,
    min_lag: timedelta | float,
    hold_for: timedelta | float = DEFAULT_HOLD_FOR,
    project_id: str | None = None,
    project_name: str | None = None,
    on: str | Iterable[str] = AlarmWatcher.EVENTS,
    still_for: timedelta | float = DEFAULT_STILL_FOR,
    rearm_after: timedelta | float = DEFAULT_REARM_AFTER,
    direction: str = "forward",
    project_type: str = "MIGRATION",
    oms_conn_id: str = DEFAULT_CONN_ID,
    poke_interval: timedelta | float = DEFAULT_POKE_INTERVAL,
    failure_grace: timedelta | float = DEFAULT_FAILURE_GRACE,
    outage_tolerance: timedelta | float = DEFAULT_OUTAGE_TOLERANCE,
) -> Asset:
    """Return an asset with an event each time that a project begins to need attention.

    ``behind``: the lag has been above ``min_lag`` on every poll for ``hold_for``. ``failed``: the project, or its
    synchronization, has failed or is over. ``still``: the checkpoint of the running project hasn't moved for
    ``still_for``. ``unreachable``: OMS has given no usable answer for ``outage_tolerance``, or refuses the login. A
    checkpoint that is missing or can't be trusted never counts as late.

    :param name: the asset's name, unique in Airflow
    :param min_lag: seconds (or timedelta) that the checkpoint may lie behind
    :param hold_for: seconds (or timedelta) for which it must have lain further behind on every poll
    :param project_id: the project's id
    :param project_name: the project's name instead, which is unique for an OMS user
    :param on: which of the four conditions cause events
    :param still_for: seconds (or timedelta) for which the checkpoint may stand still
    :param rearm_after: seconds (or timedelta) for which the condition must have been false on every poll before it can
        cause another event
    :param direction: the direction of the checkpoint: ``forward`` or ``reverse``
    :param project_type: ``MIGRATION`` or ``SYNC``; only connections with ``api_version`` v3 need it
    :param oms_conn_id: the Airflow connection
    :param poke_interval: seconds (or timedelta) between two polls
    :param failure_grace: seconds (or timedelta) that OMS has to recover from a failure by itself
    :param outage_tolerance: seconds (or timedelta) without a usable answer from OMS
    :raises ValueError: if an argument is invalid, or if Airflow is older than 3.3; the message says which
    """
    gate = _gate(
        CheckpointBehindMilestone(min_lag, direction),  # type: ignore[arg-type]
        project_id=project_id,
        project_name=project_name,
        project_type=project_type,
        oms_conn_id=oms_conn_id,
        poke_interval=poke_interval,
        failure_grace=failure_grace,
        outage_tolerance=outage_tolerance,
    )
    return _asset(name, AlarmWatcher(gate, _words(on), hold_for, still_for, rearm_after))  # type: ignore[arg-type]


@dataclass(frozen=True, order=True)
class Completed:
    """A period of time whose changes have all arrived in the target.

    :param begin: the beginning of the period
    :param end: the end of the period, which is the boundary; every change before it has arrived
    :param id: the event's id; a second copy of the event has the same id
    """

    begin: datetime
    end: datetime
    id: str


def completed(triggering_asset_events: Mapping[Any, Iterable[Any]], name: str | None = None) -> list[Completed]:
    """Return the complete periods of the events that started a DAG run: the earliest first, without duplicates.

    Airflow may start one run for several events, for example after an outage.

    :param triggering_asset_events: the entry ``triggering_asset_events`` of a task's context
    :param name: the asset's name, if the DAG waits for several assets of this kind
    :raises ValueError: when the run wasn't started by such an event
    """
    payloads = [
        payload
        for asset, events in triggering_asset_events.items()
        if name is None or getattr(asset, "name", asset) == name
        for event in events
        if isinstance(payload := (event.extra or {}).get("payload"), Mapping) and "complete_until" in payload
    ]
    if not payloads:
        raise ValueError(
            "This run was not started by an event of oms_complete_until_asset"
            f"{'' if name is None else f' named {name!r}'}, so it doesn't say until when data is complete."
        )
    found = {
        Completed(
            datetime.fromisoformat(payload["complete_from"]),
            datetime.fromisoformat(payload["complete_until"]),
            payload["id"],
        )
        for payload in payloads
    }
    return sorted(found)


def complete_until(triggering_asset_events: Mapping[Any, Iterable[Any]], name: str | None = None) -> datetime:
    """Return the moment until which data is complete: the latest boundary of the events that started a DAG run.

    :param triggering_asset_events: the entry ``triggering_asset_events`` of a task's context
    :param name: the asset's name, if the DAG waits for several assets of this kind
    :raises ValueError: when the run wasn't started by such an event
    """
    return completed(triggering_asset_events, name)[-1].end


def _gate(milestone: Milestone, **settings: Any) -> Gate:
    for name in ("project_id", "project_name", "oms_conn_id"):
        if not is_literal(settings[name]):
            raise ValueError(
                f"{name} is a template, but Airflow renders no templates in an asset; it is {settings[name]!r}"
            )
    return Gate(milestone, **settings)


def _asset(name: str, watcher: Watcher) -> Asset:
    if airflow_version() < (3, 3):
        from airflow import __version__

        raise ValueError(
            "Assets of OMS need Airflow 3.3 or later, in which watchers can store which events they have sent; "
            f"this is {__version__}. Use a gate instead: it can wait for the same milestone."
        )
    from airflow.providers.common.compat.sdk import Asset
    from airflow.sdk import AssetWatcher

    from airflow_provider_oms.triggers.events import OmsMilestoneEventTrigger

    return Asset(name, watchers=[AssetWatcher("oms", OmsMilestoneEventTrigger(name, watcher.as_json()))])


def _words(on: str | Iterable[str]) -> tuple[str, ...]:
    return (on,) if isinstance(on, str) else tuple(on)
