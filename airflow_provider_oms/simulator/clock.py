"""The simulated clock: real time, faster time, or time that is set by hand."""

from __future__ import annotations

import threading
import time


class Clock:
    """The clock of a simulator.

    :param speed: simulated seconds per real second; 0 stands still until :meth:`advance`.
    :param start: Unix seconds at which the clock begins; the real time when not given.
    """

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        if speed < 0:
            raise ValueError(f"A clock cannot run backwards: speed={speed}")
        self._lock = threading.Lock()
        self._speed = float(speed)
        self._base = time.time() if start is None else float(start)
        self._real = time.monotonic()

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        if value < 0:
            raise ValueError(f"A clock cannot run backwards: speed={value}")
        with self._lock:
            self._base, self._real = self._read(), time.monotonic()
            self._speed = float(value)

    def _read(self) -> float:
        return self._base + (time.monotonic() - self._real) * self._speed

    def now(self) -> float:
        """Return the simulated time in Unix seconds."""
        with self._lock:
            return self._read()

    def advance(self, seconds: float) -> float:
        """Move the clock forward by hand and return the new time.

        :param seconds: how far.
        :raises ValueError: when the clock would run backwards.
        """
        if seconds < 0:
            raise ValueError(f"A clock cannot run backwards: advance({seconds})")
        with self._lock:
            self._base += seconds
            return self._read()

    def __repr__(self) -> str:
        return f"Clock(speed={self._speed:g}, now={self.now():.3f})"
