"""A measured figure beside what it is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param what: what was measured
    :param ours: our figure
    :param peer: what it is compared with: the limit, or another provider
    :param theirs: its figure
    :param unit: the unit of both
    :param aim: the largest ratio (``ours / theirs``) that is fine; None where the aim is another, or there is none
    :param most: the largest figure of ours that is fine
    :param note: what else belongs to it
    """

    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    unit: str = ""
    aim: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the other's figure ours is."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def is_ok(self) -> bool | None:
        """Whether the aim is met; None without one."""
        if self.aim is not None and self.ratio is not None:
            return self.ratio <= self.aim
        return None if self.most is None else self.ours <= self.most

    def cells(self) -> list[str]:
        """The row as texts, in the order of :data:`HEADINGS`."""
        aim = f"<= {self.aim:g} x" if self.aim is not None else ""
        aim = aim or (f"<= {self.most:g} {self.unit}" if self.most is not None else "")
        return [
            self.what,
            _figure(self.ours, self.unit),
            self.peer,
            _figure(self.theirs, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f} x",
            aim,
            {None: "", True: "ok", False: "over"}[self.is_ok],
            self.note,
        ]


@dataclass(frozen=True)
class Skipped:
    """Something that could not be measured here, and why."""

    what: str
    why: str

    def cells(self) -> list[str]:
        """The row as texts."""
        return [self.what, "not measured", "", "", "", "", "", self.why]


HEADINGS = ["what", "ours", "against", "theirs", "ratio", "aim", "", "note"]

assert len(fields(Row)) == len(HEADINGS)


def markdown(rows: Iterable[Row | Skipped]) -> str:
    """Write rows as a table that reads well as text, too."""
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
        for cells in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".strip()
