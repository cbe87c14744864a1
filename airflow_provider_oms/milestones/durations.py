"""Formats lengths of time for people. This is the only module that does."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(length: float) -> str:
    """Format a length of time with its two largest units, rounded down: ``45 s``, ``1 min 30 s``, ``22 h 15 min``.

    :param length: seconds, not below 0
    """
    if length < 10 and length != int(length):
        return f"{length:.2g} s"
    whole = int(length)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, (_MINUTE, "min"), (1, "s"))
    if whole < _DAY:
        return _two(whole, (_HOUR, "h"), (_MINUTE, "min"))
    return _two(whole, (_DAY, "d"), (_HOUR, "h"))


def estimate(length: float) -> str:
    """Format an estimated length of time, without seconds if it has minutes.

    :param length: seconds, not below 0
    """
    if _MINUTE <= length < _HOUR:
        length = round(length / _MINUTE) * _MINUTE
    return duration(int(length))


def _two(whole: int, larger: tuple[int, str], smaller: tuple[int, str]) -> str:
    first, rest = divmod(whole, larger[0])
    second = rest // smaller[0]
    return f"{first:,} {larger[1]}" + (f" {second} {smaller[1]}" if second else "")
