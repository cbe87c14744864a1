"""What the page of a connection shows. It does no I/O and decides nothing; the rules are in ``milestones``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.milestones.attention import Attention, Level, attention
from airflow_provider_oms.milestones.facts import urgency_of
from airflow_provider_oms.pages import phrases
from airflow_provider_oms.pages.known import Known
from airflow_provider_oms.pages.sources import ListSeen

#: The most rows of a page; a filter finds the others.
MOST = 500

#: The filters of the list, in the order in which they are offered.
SHOWS = {"": "all", "act": "needing a person", "work": "under way", "ended": "ended"}

#: The orders of the list.
SORTS = {"": "needs a person first", "name": "name", "lag": "lag, the largest first", "progress": "progress"}

_LEVELS = {"act": (Level.ACT, Level.LOOK), "work": (Level.NOTHING,), "ended": (Level.ENDED,)}


@dataclass(frozen=True)
class RowView:
    """A project.

    :param name: its name
    :param project_id: its id
    :param about: what kind of project it is
    :param status: its status, in OMS's words
    :param tone: the colour of the status
    :param attention: why a person is needed; empty if nobody is
    :param urgent: whether a person is needed now
    :param states: the states of its steps, in order
    :param done: how many steps are done, in words
    :param step: the step that it is at
    :param progress: the percentage of that step
    :param percent: the percentage in words
    :param lag: its lag, in words
    """

    name: str
    project_id: str
    about: str
    status: str
    tone: str
    attention: str
    urgent: bool
    states: tuple[str, ...]
    done: str
    step: str
    progress: float | None
    percent: str
    lag: str


@dataclass(frozen=True)
class ListView:
    """The projects of a connection.

    :param rows: the projects that are shown
    :param found: how many projects match the filter
    :param total: how many projects there are
    :param counts: how many projects there are of each level of attention, in words
    :param seen: when OMS answered, ISO 8601
    :param age: how long ago that was, in words
    :param problem: why there is no newer answer; empty if the answer is current
    """

    rows: tuple[RowView, ...]
    found: int
    total: int
    counts: str
    seen: str
    age: str
    problem: str


def list_view(known: Known[ListSeen], seen: ListSeen, search: str = "", show: str = "", sort: str = "") -> ListView:
    """Return what the page of a connection shows.

    :param known: what is known about its projects, for the age and the problem
    :param seen: the projects, as OMS listed them
    :param search: what a project's name, id, type, label or status must contain
    :param show: which levels of attention, a key of :data:`SHOWS`
    :param sort: the order, a key of :data:`SORTS`
    """
    judged = [(attention(row["status"], row["steps"], row["alarms"]), row) for row in seen.rows]
    wanted = _LEVELS.get(show)
    found = [
        (need, row)
        for need, row in judged
        if (wanted is None or need.level in wanted) and _contains(row, search.strip().casefold())
    ]
    found.sort(key=_KEYS.get(sort, _KEYS[""]))
    return ListView(
        rows=tuple(_row(need, row) for need, row in found[:MOST]),
        found=len(found),
        total=len(judged),
        counts=_counts(need.level for need, _ in judged),
        seen=seen.rows[0]["time"] if seen.rows else "",
        age=phrases.ago(known.age),
        problem=phrases.shown(known.problem, 1000),
    )


_Judged = tuple[Attention, Mapping[str, Any]]


def _name(judged: _Judged) -> str:
    return str(judged[1]["name"] or judged[1]["id"] or "").casefold()


_KEYS: dict[str, Callable[[_Judged], Any]] = {
    "": lambda one: (one[0].level, urgency_of(one[1]), -(one[1]["lag"] or 0), _name(one)),
    "name": _name,
    "lag": lambda one: (one[1]["lag"] is None, -(one[1]["lag"] or 0), _name(one)),
    "progress": lambda one: (_done(one[1]), one[1]["progress"] or 0, _name(one)),
}


def _done(row: Mapping[str, Any]) -> float:
    steps = row["steps"] or []
    return sum(step["state"] == "done" for step in steps) / len(steps) if steps else 0.0


def _contains(row: Mapping[str, Any], search: str) -> bool:
    told = (row["name"], row["id"], row["type"], row["status"], row["source_type"], row["target_type"], *row["labels"])
    return any(search in str(text).casefold() for text in told if text)


def _counts(levels: Iterable[Level]) -> str:
    counted = Counter(levels)
    said = {
        Level.ACT: "need a person",
        Level.LOOK: "to look at",
        Level.NOTHING: "under way",
        Level.ENDED: "ended",
    }
    return ", ".join(f"{counted[level]:,} {text}" for level, text in said.items() if counted[level])


def _row(need: Attention, row: Mapping[str, Any]) -> RowView:
    steps = row["steps"] or []
    done = sum(step["state"] == "done" for step in steps)
    ends = [phrases.shown(row[end], 40) for end in ("source_type", "target_type")]
    lag = phrases.lag(row["lag"])
    return RowView(
        name=phrases.shown(row["name"]) or phrases.shown(row["id"]) or "no name",
        project_id=phrases.shown(row["id"]),
        about=" to ".join(ends) if all(ends) else phrases.shown(row["type"], 40).capitalize(),
        status=phrases.shown(row["status"], 40) or "no status",
        tone=phrases.tone_of(row["status"]),
        attention=need.reason,
        urgent=need.level is Level.ACT,
        states=tuple(step["state"] for step in steps),
        done=f"{done} of {len(steps)} steps done" if steps else "OMS lists no steps",
        step=phrases.step_name(row["step"]) if row["step"] else "",
        progress=row["progress"],
        percent=phrases.percent(row["progress"]),
        lag=f"{lag} (reverse)" if lag and row["direction"] == "reverse" else lag,
    )
