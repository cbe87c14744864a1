"""The verdict of a poll."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple


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


class Verdict(NamedTuple):
    """The verdict of a poll.

    :param state: waiting, reached or failed
    :param message: why, in words for the log
    :param observed: the observation
    :param figures: the progress, only for the log: rows, rates, time left
    :param alarming: whether a person should look at it although the gate goes on waiting
    """

    state: State
    message: str
    observed: Observation = Observation()
    figures: str = ""
    alarming: bool = False
