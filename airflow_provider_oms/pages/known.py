"""What is known about each project: asked for while somebody has the page open, and kept for when OMS is unreachable.

However many people have a page open, this process asks each question only once at a time, and at most once per
interval, whatever the answer was.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from airflow_provider_oms.client.errors import OmsError

T = TypeVar("T")

#: Seconds between two sets of requests about the same project.
INTERVAL = 10.0

#: Seconds that a browser waits for OMS's answer: if an older answer can be shown, and if there is none.
PATIENCE = 2.0
LONGEST_WAIT = 6.0

#: The most projects and lists that are kept. The one that hasn't been shown for the longest time is dropped first.
MOST_KEPT = 200


@dataclass(frozen=True)
class Known(Generic[T]):
    """What is known now.

    :param value: the last answer of OMS; None if there is none yet
    :param age: seconds since that answer
    :param problem: why there is no newer answer, in words; empty if the answer is current
    """

    value: T | None = None
    age: float = 0.0
    problem: str = ""


class Kept(Generic[T]):
    """A question and the last answer.

    :param ask: asks OMS, given the answer before
    :param clock: a clock that measures elapsed time, in seconds
    """

    def __init__(self, ask: Callable[[T | None], Awaitable[T]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._value: T | None = None
        self._answered_at = 0.0
        self._asked_at = float("-inf")
        self._problem = ""
        self._under_way: asyncio.Task[None] | None = None

    async def look(self) -> Known[T]:
        """Return what is known, after asking OMS if that is due. A slow OMS is only waited for for a few seconds."""
        if self._under_way is None and self._clock() - self._asked_at >= INTERVAL:
            self._asked_at = self._clock()
            # In a separate task, so that others still get the answer if a browser closes its connection.
            self._under_way = asyncio.create_task(self._renew())
        if self._under_way is not None:
            wait = LONGEST_WAIT if self._value is None else PATIENCE
            await asyncio.wait([self._under_way], timeout=wait)
        waiting = "OMS hasn't answered yet." if self._under_way is not None else ""
        return Known(self._value, self._clock() - self._answered_at, self._problem or waiting)

    async def _renew(self) -> None:
        try:
            self._value = await self._ask(self._value)
            self._answered_at, self._problem = self._clock(), ""
        except OmsError as error:
            self._problem = str(error)
        except Exception as error:
            # Without the error's text, which isn't safe to show.
            self._problem = f"This page can't show OMS's answer ({type(error).__name__})."
        finally:
            self._under_way = None


class Memory:
    """The questions of one event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Kept[object]] = OrderedDict()
        self._same: dict[Hashable, Hashable] = {}

    async def look(self, key: Hashable, ask: Callable[[T | None], Awaitable[T]]) -> Known[T]:
        """Return what is known about something.

        :param key: identifies it
        :param ask: asks OMS for it, given the answer before
        """
        key = self._same.get(key, key)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = Kept(ask)  # type: ignore[arg-type]
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return await kept.look()  # type: ignore[return-value]

    def same(self, key: Hashable, other: Hashable) -> None:
        """Note that two keys mean the same, so that OMS is asked only once.

        :param key: a key that was used before
        :param other: the key under which the answer is kept from now on
        """
        if key == other or self._same.get(key) == other:
            return
        if len(self._same) >= MOST_KEPT:
            self._same.clear()
        self._same[key] = other
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept.setdefault(other, kept)
