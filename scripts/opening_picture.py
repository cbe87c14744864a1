"""Draw docs/images/when-a-gate-opens.svg: a checkpoint, a midnight, and the moment at which the gate opens.

Run python3 scripts/opening_picture.py with any Python; nothing needs to be installed. The result is always the same.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "docs" / "images" / "when-a-gate-opens.svg"

#: (hour by the clock, hour up to which all changes have arrived). Hours below 0 are the evening before.
CHECKPOINT = [(-4.0, -4.4), (-2.0, -2.3), (-1.6, -2.0), (-0.2, -2.0), (2.4, 0.6), (3.2, 2.7), (4.0, 3.8)]

FIRST, LAST = -4.0, 4.0
WIDTH, HEIGHT = 640, 470
LEFT, RIGHT, TOP, BOTTOM = 78, 612, 20, 400


def x(hour: float) -> float:
    """Return the horizontal position of an hour of the clock."""
    return LEFT + (hour - FIRST) / (LAST - FIRST) * (RIGHT - LEFT)


def y(hour: float) -> float:
    """Return the vertical position of an hour of the checkpoint."""
    return BOTTOM - (hour - FIRST) / (LAST - FIRST) * (BOTTOM - TOP)


def opening() -> float:
    """Return the hour at which the checkpoint passes midnight, interpolated between two points of the curve."""
    for (began, before), (ended, after) in pairwise(CHECKPOINT):
        if before <= 0 < after:
            return began + (0 - before) / (after - before) * (ended - began)
    raise ValueError("the checkpoint never passes midnight")


def name(hour: float) -> str:
    """Write an hour as a clock does."""
    return f"{int(hour) % 24:02d}:00"


def draw() -> str:
    """Return the picture."""
    opens = opening()
    clip = f'<clipPath id="plot"><rect x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BOTTOM - TOP}"/></clipPath>'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="15">',
        "<title>When a gate about a checkpoint opens</title>",
        f"<defs>{clip}</defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for hour in range(int(FIRST), int(LAST) + 1, 2):
        parts += [
            _line(x(hour), TOP, x(hour), BOTTOM, "#e4e7eb"),
            _line(LEFT, y(hour), RIGHT, y(hour), "#e4e7eb"),
            _text(x(hour), BOTTOM + 22, name(hour), "middle"),
            _text(LEFT - 8, y(hour) + 5, name(hour), "end"),
        ]
    points = " ".join(f"{x(clock):.1f},{y(arrived):.1f}" for clock, arrived in CHECKPOINT)
    parts += [
        _line(x(FIRST), y(FIRST), x(LAST), y(LAST), "#9aa5b1", dashed=True),
        _line(LEFT, y(0), RIGHT, y(0), "#c2410c", width=2),
        f'<polyline points="{points}" clip-path="url(#plot)" fill="none" stroke="#1d4ed8" stroke-width="3"/>',
        _line(x(opens), y(0), x(opens), BOTTOM, "#15803d", width=2),
        f'<circle cx="{x(opens):.1f}" cy="{y(0):.1f}" r="7" fill="#15803d"/>',
        _text(LEFT + 8, y(0) - 8, "midnight: the end of the day", colour="#c2410c"),
        _text(x(opens) + 12, y(0) + 24, "the gate opens", colour="#15803d", bold=True),
        _text(x(-1.6), y(-2.4), "the checkpoint stands still", colour="#1d4ed8"),
        _text(x(2.5), y(2.85), "now", "end", colour="#52606d"),
        _line(x(0.8), y(0.8), x(0.8), y(-1.0), "#52606d"),
        _text(x(0.86), y(-0.55), "lag", colour="#52606d"),
        _text((LEFT + RIGHT) / 2, HEIGHT - 14, "time by the clock", "middle"),
        f'<text x="16" y="{(TOP + BOTTOM) / 2}" text-anchor="middle" fill="#1f2933" '
        f'transform="rotate(-90 16 {(TOP + BOTTOM) / 2})">every change until then has arrived</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="6 5"' if dashed else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dash}/>'


def _text(
    left: float, top: float, text: str, anchor: str = "start", colour: str = "#1f2933", *, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{text}</text>'


if __name__ == "__main__":
    FILE.write_text(draw(), encoding="utf-8")
    print(FILE.name)
