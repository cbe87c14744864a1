"""Clocks that tests control, for every test in which time matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest


class Elapsed:
    """Replaces the module ``time`` in modules of the package. Only pauses and the test move its clocks.

    :param wall: Unix seconds at the beginning
    :param monotonic: the monotonic clock at the beginning; None if a module must not read it
    """

    def __init__(self, wall: float, monotonic: float | None = None) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self.passed = 0.0
        #: By how much the wall clock was changed.
        self.set_by = 0.0
        #: The pauses so far, in seconds.
        self.pauses: list[float] = []

    def time(self) -> float:
        """Return the wall clock."""
        return self._wall + self.passed + self.set_by

    def monotonic(self) -> float:
        """Return the monotonic clock."""
        if self._monotonic is None:
            raise AssertionError("the next poll may be on another machine, whose monotonic clock is another one")
        return self._monotonic + self.passed

    def sleep(self, seconds: float) -> None:
        """Advance both clocks."""
        self.pauses.append(seconds)
        self.passed += seconds

    def install(self, monkeypatch: pytest.MonkeyPatch, *modules: Any) -> None:
        """Replace ``time`` in modules."""
        for module in modules:
            monkeypatch.setattr(module, "time", self)


def pause_at_once(monkeypatch: pytest.MonkeyPatch, pause: Callable[[float], None]) -> None:
    """Make ``asyncio.sleep`` return at once. Other tasks still run, but without a real pause.

    :param pause: called with the seconds of each pause
    """
    really = asyncio.sleep

    async def sleep(seconds: float, result: Any = None) -> Any:
        if seconds > 0:
            pause(seconds)
        return await really(0, result)

    monkeypatch.setattr(asyncio, "sleep", sleep)
