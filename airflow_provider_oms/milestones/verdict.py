"""What a poll at a project comes to, and what a gate remembers from one poll to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, NamedTuple


class State(StrEnum):
    """The three verdicts. A gate opens for REACHED and for nothing else."""

    WAITING = "waiting"
    REACHED = "reached"
    FAILED = "failed"


class Observation(NamedTuple):
    """What a gate saw. This is what a sensor returns (XCom), so every value is plain JSON.

    :param project: the project's id
    :param status: the project's status, in OMS's words
    :param step: the step that the gate is about, else the project's current one
    :param progress: percentage of that step, or of the full transfer
    :param checkpoint: Unix seconds, or the text of a source that has no time-based checkpoint
    :param lag: seconds between the checkpoint and ``time``
    :param time: when OMS said so: ISO 8601, UTC
    """

    project: str | None = None
    status: str | None = None
    step: str | None = None
    progress: float | None = None
    checkpoint: float | str | None = None
    lag: float | None = None
    time: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


class Verdict(NamedTuple):
    """What a poll came to.

    :param state: waiting, reached or failed
    :param message: why, in words for the log
    :param observed: what was seen
    :param figures: how far it is, for the log alone: rows, rates, time left
    :param alarming: whether a person should look at it although the gate goes on waiting
    """

    state: State
    message: str
    observed: Observation = Observation()
    figures: str = ""
    alarming: bool = False


@dataclass
class Memory:
    """What a gate remembers from poll to poll. Should it be lost, the gate waits longer; it never opens earlier.

    Airflow never updates a trigger's row: docs/develop/airflow-facts.md#triggers. What outlives a task's attempt:
    docs/develop/airflow-facts.md#state-store

    :param project_id: the id that the project's name was resolved to
    :param failed_since: since when OMS has called the project or the step FAILED without a break (OMS's clock)
    :param within_since: since when every poll has found the lag small enough
    :param within_clock: whose clock that is
    :param unreachable_since: since when no poll has got a usable answer (local clock)
    :param polls: how many polls there were
    :param kept: False where nothing survives until the next poll
    """

    project_id: str | None = None
    failed_since: float | None = None
    within_since: float | None = None
    within_clock: str | None = None
    unreachable_since: float | None = None
    polls: int = 0
    kept: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any] | None) -> Memory:
        """Read what :meth:`as_dict` returned; keys of another version are passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in (stored or {}).items() if name in known})
