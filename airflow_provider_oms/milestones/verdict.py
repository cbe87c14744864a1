"""The verdict of a poll."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Self

#: Bytes of JSON: Airflow 3.3 takes an XCom of 48 KiB, of which something is left for what is around it.
_LARGEST = 44 * 1024


class State(StrEnum):
    """The three verdicts. A gate opens for REACHED and for nothing else."""

    WAITING = "waiting"
    REACHED = "reached"
    FAILED = "failed"


class Observation(NamedTuple):
    """What a gate observed. A sensor returns it (XCom), so every value is plain JSON.

    :param project: the project's id
    :param status: the project's status, in OMS's words
    :param step: the step that the gate is about, otherwise the project's current one
    :param progress: percentage of that step, or of the full transfer
    :param checkpoint: Unix seconds, or the text of a source that has no time-based checkpoint
    :param lag: seconds between the checkpoint and ``time``
    :param time: when OMS said so: ISO 8601, UTC
    :param note: a restriction that users of the result should know; None if there is none
    :param name: the project's name; None where only the id was given, since to ask for it would take a request
    :param checkpoint_time: the checkpoint in ISO 8601, UTC; None where there is no time in it
    """

    project: str | None = None
    status: str | None = None
    step: str | None = None
    progress: float | None = None
    checkpoint: float | str | None = None
    lag: float | None = None
    time: str | None = None
    note: str | None = None
    name: str | None = None
    checkpoint_time: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


class Seen(NamedTuple):
    """One of many projects.

    :param name: what people call it
    :param state: what its poll came to
    :param observed: what was seen
    """

    name: str
    state: State
    observed: Observation


class FleetObservation(Observation):
    """What a gate over many projects saw; its percentage is how many of them are ready."""

    projects: Sequence[Seen] = ()
    ready: int = 0
    failed: int = 0

    @classmethod
    def of(cls, projects: Sequence[Seen], *, ready: int, failed: int, note: str | None) -> Self:
        """Return what was seen of many projects.

        :param projects: each; where there is no room for all, the last ones are left out
        :param ready: how many are there
        :param failed: how many never will be
        :param note: what whoever relies on it should know
        """
        percent = float(100 * ready // len(projects)) if projects else None
        times = [one.observed.time for one in projects if one.observed.time]
        made = cls(progress=percent, time=min(times, default=None), note=note)
        made.projects, made.ready, made.failed = projects, ready, failed
        return made

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON that Airflow takes for an XCom."""
        told: dict[str, Any] = {
            "total": len(self.projects),
            "reached": sum(one.state is State.REACHED for one in self.projects),
            "failed": self.failed,
            "time": self.time,
            "note": self.note,
            "projects": [],
            "left_out": 0,
        }
        room = _LARGEST - len(json.dumps(told))
        for number, one in enumerate(self.projects):
            row = {**one.observed.as_dict(), "name": one.name, "state": one.state.value}
            room -= len(json.dumps(row)) + 2
            if room < 0:
                told["left_out"] = len(self.projects) - number
                break
            told["projects"].append(row)
        return told


class Verdict(NamedTuple):
    """The verdict of a poll.

    :param state: waiting, reached or failed
    :param message: why, in words for the log
    :param observed: the observation
    :param figures: the progress, only for the log: rows, rates, time left
    :param alarming: whether a person should look at it although the gate goes on waiting
    :param unanswered: how many polls in a row had no usable answer, this one included
    :param begin_anew: for a gate that has failed: whether another try, which remembers nothing, may go on
    """

    state: State
    message: str
    observed: Observation = Observation()
    figures: str = ""
    alarming: bool = False
    unanswered: int = 0
    begin_anew: bool = False
