"""A curve over the last hours, as the paths of an SVG and as words. It does no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_provider_oms.milestones.durations import duration

#: The size of the drawing; a browser stretches it.
WIDTH, HEIGHT = 600, 120

#: Seconds: the top of the drawing stands for it at least, since OMS moves checkpoints in steps of 10 to 20 s.
#: Source: docs/develop/oms-facts.md#checkpoint-period
_LEAST_TOP = 60.0

#: Round lengths of time for the top of the drawing, in seconds.
_TOPS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)

#: Seconds without a point after which the line is broken: nobody looked.
_GAP = 600.0


@dataclass(frozen=True)
class Curve:
    """A drawing.

    :param line: the line, as a path of SVG
    :param area: what is below it
    :param top: what the top of the drawing stands for, in words
    :param middle: what its middle stands for
    :param begins: where it begins, ISO 8601, UTC
    :param ends: where it ends
    :param words: the same for who can't see it
    :param rows: the same as a table: the time, and the highest lag of the time up to the next row
    """

    line: str
    area: str
    top: str
    middle: str
    begins: str
    ends: str
    words: str
    rows: tuple[tuple[str, str], ...]


def curve_of(points: Sequence[tuple[float, float]]) -> Curve | None:
    """Draw points; None where there are too few.

    :param points: (Unix seconds, seconds of lag), the oldest first
    """
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return None
    first, last = points[0][0], points[-1][0]
    highest = max(value for _, value in points)
    top = _top(highest)
    parts: list[list[tuple[float, float]]] = [[]]
    for number, (at, value) in enumerate(points):
        if number and at - points[number - 1][0] > max(_GAP, 3 * (last - first) / len(points)):
            parts.append([])
        parts[-1].append(((at - first) / (last - first) * WIDTH, HEIGHT - value / top * HEIGHT))
    lowest = min(value for _, value in points)
    words = (
        f"Lag from {_clock(first)} to {_clock(last)} UTC: highest {duration(highest)}, lowest {duration(lowest)}, "
        f"last {duration(points[-1][1])}."
    )
    return Curve(
        " ".join(map(_line, parts)),
        " ".join(map(_area, parts)),
        duration(top),
        duration(top / 2),
        _iso(first),
        _iso(last),
        words,
        tuple(_table(points)),
    )


def _top(highest: float) -> float:
    wanted = max(highest * 1.05, _LEAST_TOP)
    day = _TOPS[-1]
    return float(next((top for top in _TOPS if top >= wanted), -(-wanted // day) * day))


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _area(points: Sequence[tuple[float, float]]) -> str:
    return f"{_line(points)} L{points[-1][0]:.1f} {HEIGHT} L{points[0][0]:.1f} {HEIGHT} Z"


def _table(points: Sequence[tuple[float, float]], rows: int = 12) -> list[tuple[str, str]]:
    """Return the highest lag of each of so many equal parts of the time."""
    first, last = points[0][0], points[-1][0]
    parts: list[list[tuple[float, float]]] = [[] for _ in range(rows)]
    for point in points:
        parts[min(rows - 1, int((point[0] - first) / (last - first) * rows))].append(point)
    return [(_clock(part[0][0]), duration(max(value for _, value in part))) for part in parts if part]


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
