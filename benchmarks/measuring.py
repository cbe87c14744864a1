"""Measures contenders in turn, so that a busy machine affects all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """The size of a run.

    :param quick: a short run, which only shows that everything works; its figures mean little
    """

    quick: bool = False

    def of(self, full: T, quick: T) -> T:
        """Return the first number for a full run, the second for a short one."""
        return quick if self.quick else full


def median_of_rounds(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Measure each contender once in every round, in turn, and return the median of each.

    :param contenders: each returns one figure
    """
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        order = list(contenders) if number % 2 == 0 else list(reversed(contenders))
        for name in order:
            gc.collect()
            figures[name].append(contenders[name]())
    return {name: statistics.median(found) for name, found in figures.items()}


def each(times: int, work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> Callable[[], float]:
    """Return a contender that measures microseconds per call of a function, of CPU unless another clock is given."""

    def measure() -> float:
        work()
        began = clock()
        for _ in range(times):
            work()
        return (clock() - began) / times * 1e6

    return measure
