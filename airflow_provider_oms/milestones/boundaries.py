"""The moments at which a day, an hour or a quarter of an hour ends in a time zone.

Days are local days: they begin at local midnight, or, if a change of daylight saving time skips it, at the first moment
of the day. Shorter lengths are counted in real time from there, so that none is skipped or repeated when clocks are
changed; the last one of a day ends when the day ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from airflow_provider_oms.milestones.arguments import moment

_DAY = 86400
_UNITS = {"m": 60, "h": 3600, "d": _DAY}
_LENGTH = re.compile(r"([1-9][0-9]{0,3})([mhd])")

#: A Monday: lengths of seven days end on Mondays.
_FIRST_DAY = date(1970, 1, 5).toordinal()


@dataclass(frozen=True)
class Boundaries:
    """Moments at equal distances, such as the end of every day.

    :param every: ``1d``, ``7d``, ``1h``, ``15m`` and so on: whole days, or a length that divides a day of 24 hours
    :param timezone: the time zone, such as ``Asia/Shanghai``
    :raises ValueError: if an argument is invalid; the message names it
    """

    every: str = "1d"
    timezone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        found = _LENGTH.fullmatch(self.every) if isinstance(self.every, str) else None
        length = int(found[1]) * _UNITS[found[2]] if found else 0
        if not length or (length % _DAY and _DAY % length):
            raise ValueError(
                "every must be whole days ('1d', '7d'), or hours or minutes that divide a day ('6h', '15m'); "
                f"it is {self.every!r}"
            )
        if not isinstance(self.timezone, str) or not self.timezone:
            raise ValueError(f"timezone must be a name such as 'Asia/Shanghai'; it is {self.timezone!r}")
        try:
            ZoneInfo(self.timezone)
        except (KeyError, OSError, ValueError):
            raise ValueError(
                f"timezone must be a name such as 'Asia/Shanghai' that this machine knows; it is {self.timezone!r}"
            ) from None

    def after(self, at: float) -> float:
        """Return the first boundary that is later than a moment.

        :param at: Unix seconds
        """
        today = self._day_of(at)
        # If clocks go back over midnight, a day may have begun although the date is still that of the day before.
        return next(found for day in _days(today - 1) for found in self._of_day(day) if found > at)

    def before(self, at: float) -> float:
        """Return the last boundary that is earlier than a moment.

        :param at: Unix seconds
        """
        today = self._day_of(at)
        return next(found for day in _days(today + 1, -1) for found in reversed(self._of_day(day)) if found < at)

    def text(self, boundary: float) -> str:
        """Return a boundary as ISO 8601 with the zone's offset.

        :param boundary: Unix seconds
        """
        return datetime.fromtimestamp(boundary, self._zone).isoformat()

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def _length(self) -> int:
        return int(self.every[:-1]) * _UNITS[self.every[-1]]

    def _day_of(self, at: float) -> int:
        return datetime.fromtimestamp(moment("a boundary", at), self._zone).toordinal()

    def _of_day(self, day: int) -> list[float]:
        """Return the boundaries of a local day, from its beginning up to, but not including, that of the next day."""
        begin, end = self._begin(day), self._begin(day + 1)
        if begin >= end:  # a day that doesn't exist in the zone
            return []
        if self._length >= _DAY:
            return [begin] if (day - _FIRST_DAY) % (self._length // _DAY) == 0 else []
        return [begin + offset for offset in range(0, int(end - begin), self._length)]

    def _begin(self, day: int) -> float:
        """Return the first moment of a local day."""
        # If midnight comes twice, the first one (fold=0); if it is skipped, the moment when the clocks are changed.
        midnight = datetime.combine(date.fromordinal(day), time(), self._zone)
        return (midnight.astimezone(UTC) - _EPOCH) / timedelta(seconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _days(first: int, step: int = 1) -> Iterator[int]:
    day = first
    while True:
        yield day
        day += step
