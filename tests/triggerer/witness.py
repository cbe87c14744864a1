"""Records what the simulated OMS answered, and what was true then, to be compared with what the gates report."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PROGRESS, STEPS = "DescribeProjectProgress", "DescribeProjectSteps"


@dataclass(frozen=True)
class Answered:
    """An answer of the simulator.

    :param at: the simulated time of the answer
    :param real: the real time
    """

    at: float
    real: float
    action: str
    project: str


class Witness:
    """Records answers; it is passed to the simulator as ``on_request``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: list[Answered] = []
        self._refused: list[Answered] = []

    def __call__(self, record: Any) -> None:
        if record.project_id:
            asked = Answered(record.time, time.time(), record.action, record.project_id)
            with self._lock:
                (self._answers if record.outcome == "success" else self._refused).append(asked)

    @property
    def answers(self) -> list[Answered]:
        """The answers so far, oldest first."""
        with self._lock:
            return list(self._answers)

    def answered_since(self, real: float) -> Counter[str]:
        """Return how often the progress of each project was answered since a real time."""
        return Counter(one.project for one in self.answers if one.real >= real and one.action == PROGRESS)

    def refused_since(self, real: float) -> Counter[str]:
        """Return how often each project was requested without success since a real time."""
        with self._lock:
            return Counter(one.project for one in self._refused if one.real >= real)

    def per_interval(self, begin: float, end: float, interval: float) -> Counter[tuple[str, str]]:
        """Return how often each view of each project was requested in an interval, on average.

        :param begin: the real time of the beginning
        :param end: the real time of the end
        :param interval: real seconds
        """
        counted = Counter(
            (one.project, one.action)
            for one in self.answers
            if one.action in (PROGRESS, STEPS) and begin <= one.real < end
        )
        return Counter({view: count * interval / (end - begin) for view, count in counted.items()})


def poll_of(answers: Sequence[Answered], told: float, within: float) -> list[Answered]:
    """Return the answers of the poll with this time in its Date header, which has only whole seconds.

    :param answers: the answers about one project
    :param told: that time
    :param within: simulated seconds in which there can't have been a second poll
    """
    # The header is written a moment after the answer, and a poll may request the steps after the progress.
    begun = max(
        (one.at for one in answers if one.action == PROGRESS and told - within < one.at < told + 1), default=None
    )
    return [] if begun is None else [one for one in answers if begun <= one.at < begun + within]
