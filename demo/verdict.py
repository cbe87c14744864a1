"""What happened when, by whose clock, and whether the downstream task ran only after the milestones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo.report import RunReport, TaskReport

OMS = "OMS (simulated)"
AIRFLOW = "Airflow"

#: Seconds by which OMS's time in an answer may be early: the Date header has no fractions.
_DATE_HEADER = 1.0


@dataclass(frozen=True)
class Facts:
    """What the simulator has recorded.

    :param project: the project's id
    :param started: when it was started (Unix seconds)
    :param full_transfer: when all rows had arrived
    :param lag: when the lag was first small enough
    :param max_lag: the largest lag that is small enough, in seconds
    """

    project: str
    started: float | None
    full_transfer: float | None
    lag: float | None
    max_lag: float


@dataclass(frozen=True)
class Happening:
    """Something that happened.

    :param time: when (Unix seconds), None when it didn't
    :param what: what it was
    :param source: whose clock says so
    """

    time: float | None
    what: str
    source: str


@dataclass(frozen=True)
class Check:
    """A condition of success.

    :param what: what must be so
    :param passed: whether it is
    """

    what: str
    passed: bool


def happenings(facts: Facts, run: RunReport) -> list[Happening]:
    """Return what happened, in order of time; events that didn't happen come last."""
    tasks = run.tasks
    found = [
        Happening(facts.started, "project started", OMS),
        Happening(facts.full_transfer, "full transfer reached", OMS),
        Happening(_time(tasks, "full_transfer", "end"), "gate full_transfer opened", AIRFLOW),
        Happening(facts.lag, f"lag of {facts.max_lag:g} s reached", OMS),
        Happening(_time(tasks, "lag", "end"), "gate lag opened", AIRFLOW),
        Happening(_time(tasks, "downstream", "start"), "downstream began", AIRFLOW),
        Happening(_time(tasks, "downstream", "end"), "downstream ran", AIRFLOW),
    ]
    return sorted(found, key=lambda one: float("inf") if one.time is None else one.time)


def checks(facts: Facts, run: RunReport) -> list[Check]:
    """Return what must be so, each judged by the simulator's record and not by what a task says of itself."""
    began = _time(run.tasks, "downstream", "start")
    returned = run.tasks["downstream"].returned if "downstream" in run.tasks else None
    observed = returned if isinstance(returned, Mapping) else {}
    full, lag = _observation(observed, "full_transfer"), _observation(observed, "lag")
    return [
        Check("Airflow's run succeeded", run.state == "success"),
        Check("downstream ran", began is not None and run.tasks["downstream"].state == "success"),
        Check("the project was started before downstream began", _before(facts.started, began)),
        Check("downstream began after the full transfer was reached", _before(facts.full_transfer, began)),
        Check("downstream began after the lag was reached", _before(facts.lag, began)),
        Check(
            "downstream received what the gates had observed, and it was true",
            full.get("project") == lag.get("project") == facts.project
            and _number(full.get("progress")) >= 100
            and 0 <= _number(lag.get("lag"), -1) <= facts.max_lag
            and _before(facts.full_transfer, _moment(full.get("time")), _DATE_HEADER)
            and _before(facts.lag, _moment(lag.get("time")), _DATE_HEADER),
        ),
    ]


def _time(tasks: Mapping[str, TaskReport], name: str, moment: str) -> float | None:
    """Return when a task that succeeded began or ended."""
    task = tasks.get(name)
    return getattr(task, moment) if task is not None and task.state == "success" else None


def _before(earlier: float | None, later: float | None, tolerance: float = 0.0) -> bool:
    return earlier is not None and later is not None and earlier <= later + tolerance


def _observation(observed: Mapping[str, Any], gate: str) -> Mapping[str, Any]:
    found = observed.get(gate)
    return found if isinstance(found, Mapping) else {}


def _number(value: Any, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return None
