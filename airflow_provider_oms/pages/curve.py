"""Draws a curve over the last hours, as the paths of an SVG and as words. It does no I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_provider_oms.milestones.durations import duration

#: The size of the drawing. A browser scales it.
WIDTH, HEIGHT = 600, 120

#: Round lengths of time for the top of the drawing, in seconds. OMS moves checkpoints in steps of 10 to 20 s, so a lag
#: of that size must look small. Source: docs/develop/oms-facts.md#checkpoint-period
_TIMES = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)

#: Seconds without a point after which the line is interrupted, because nobody had the page open.
_GAP = 600.0


@dataclass(frozen=True)
class Scale:
    """What is drawn, and how its figures are shown.

    :param name: the name of the figure
    :param words: returns a figure in words
    :param top: returns the figure at the top of the drawing, given the highest figure to draw
    """

    name: str
    words: Callable[[float], str]
    top: Callable[[float], float]


def _round_time(least: float) -> float:
    day = _TIMES[-1]
    return float(next((top for top in _TIMES if top >= least), -(-least // day) * day))


def _round_number(least: float) -> float:
    """Return the next larger number of the form 1, 2 or 5 with zeros, but at least 10."""
    zeros = 10.0 ** max(0, math.floor(math.log10(max(least, 1.0))))
    return max(10.0, next(top for top in (zeros, 2 * zeros, 5 * zeros, 10 * zeros) if top >= least))


LAG = Scale("Lag", duration, _round_time)
RATE = Scale("Rows per second", lambda figure: f"{figure:,.0f}", _round_number)


@dataclass(frozen=True)
class Curve:
    """A drawing.

    :param name: what is drawn
    :param line: the line, as a path of SVG
    :param area: the area below the line, as a path of SVG
    :param top: the figure at the top of the drawing, in words
    :param middle: the figure at its middle, in words
    :param last: the last figure, in words
    :param begins: the time of the first point, ISO 8601, UTC
    :param ends: the time of the last point, ISO 8601, UTC
    :param words: a description for people who can't see the drawing
    :param rows: the same as a table: the time, and the highest figure up to the time of the next row
    """

    name: str
    line: str
    area: str
    top: str
    middle: str
    last: str
    begins: str
    ends: str
    words: str
    rows: tuple[tuple[str, str], ...]


def curve_of(points: Sequence[tuple[float, float]], scale: Scale) -> Curve | None:
    """Draw points; return None if there are too few.

    :param points: (Unix seconds, figure), the oldest first
    :param scale: what is drawn
    """
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return None
    first, last = points[0][0], points[-1][0]
    highest = max(value for _, value in points)
    top = scale.top(highest * 1.05)
    parts: list[list[tuple[float, float]]] = [[]]
    for number, (at, value) in enumerate(points):
        if number and at - points[number - 1][0] > max(_GAP, 3 * (last - first) / len(points)):
            parts.append([])
        parts[-1].append(((at - first) / (last - first) * WIDTH, HEIGHT - value / top * HEIGHT))
    lowest = min(value for _, value in points)
    words = (
        f"{scale.name} from {_clock(first)} to {_clock(last)} UTC: highest {scale.words(highest)}, "
        f"lowest {scale.words(lowest)}, last {scale.words(points[-1][1])}."
    )
    return Curve(
        scale.name,
        " ".join(map(_line, parts)),
        " ".join(map(_area, parts)),
        scale.words(top),
        scale.words(top / 2),
        scale.words(points[-1][1]),
        _iso(first),
        _iso(last),
        words,
        tuple(_table(points, scale)),
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _area(points: Sequence[tuple[float, float]]) -> str:
    return f"{_line(points)} L{points[-1][0]:.1f} {HEIGHT} L{points[0][0]:.1f} {HEIGHT} Z"


def _table(points: Sequence[tuple[float, float]], scale: Scale, rows: int = 12) -> list[tuple[str, str]]:
    """Return the highest figure in each of ``rows`` equal parts of the time."""
    first, last = points[0][0], points[-1][0]
    parts: list[list[tuple[float, float]]] = [[] for _ in range(rows)]
    for point in points:
        parts[min(rows - 1, int((point[0] - first) / (last - first) * rows))].append(point)
    return [(_clock(part[0][0]), scale.words(max(value for _, value in part))) for part in parts if part]


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
