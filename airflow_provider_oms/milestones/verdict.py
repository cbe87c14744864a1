"""The verdict of a poll."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Self

#: Bytes of JSON. Airflow 3.3 accepts an XCom of up to 48 KiB; the rest is left for what surrounds the JSON.
_LARGEST = 44 * 1024


class State(StrEnum):
    """The three verdicts. A gate opens for REACHED and for nothing else."""

    WAITING = "waiting"
    REACHED = "reached"
    FAILED = "failed"


class Observation(NamedTuple):
    """What a gate observed. A sensor returns it and Airflow stores it as XCom, so every value is plain JSON.

    :param project: the project's id
    :param status: the project's status, in OMS's words
    :param step: the step that the gate is about; for other gates the project's current step
    :param progress: percentage of that step, or of the full transfer
    :param checkpoint: Unix seconds, or the text of a source that has no time-based checkpoint
    :param lag: seconds between the checkpoint and ``time``
    :param time: when OMS answered: ISO 8601, UTC
    :param note: a restriction that users of the result should know; None if there is none
    :param name: the project's name; None if only the id was given, because asking for the name would take a request
    :param checkpoint_time: the checkpoint in ISO 8601, UTC; None if it isn't a time
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

    :param name: how messages name it
    :param state: the state of its verdict
    :param observed: its observation
    """

    name: str
    state: State
    observed: Observation


class FleetObservation(Observation):
    """What a gate over many projects observed; its ``progress`` is the percentage of projects that are ready."""

    projects: Sequence[Seen] = ()
    ready: int = 0
    failed: int = 0

    @classmethod
    def of(cls, projects: Sequence[Seen], *, ready: int, failed: int, note: str | None) -> Self:
        """Return the observation of many projects.

        :param projects: the observation of each; if XCom has no room for all, the last ones are left out
        :param ready: how many projects have reached the milestone
        :param failed: how many projects have failed
        :param note: a restriction that users of the result should know; None if there is none
        """
        percent = float(100 * ready // len(projects)) if projects else None
        times = [one.observed.time for one in projects if one.observed.time]
        made = cls(progress=percent, time=min(times, default=None), note=note)
        made.projects, made.ready, made.failed = projects, ready, failed
        return made

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON that is small enough for an XCom."""
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
    :param message: the reason, in words for the log
    :param observed: the observation
    :param figures: the progress, only for the log: rows, rates, time left
    :param alarming: whether a person should look at it although the gate goes on waiting
    :param unanswered: how many polls in a row had no usable answer, this one included
    :param begin_anew: for a gate that has failed: whether another try of the task, which remembers nothing, may succeed
    """

    state: State
    message: str
    observed: Observation = Observation()
    figures: str = ""
    alarming: bool = False
    unanswered: int = 0
    begin_anew: bool = False
