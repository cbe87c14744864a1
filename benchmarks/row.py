"""A measured figure, and the figure that it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from statistics import median


@dataclass(frozen=True)
class Row:
    """One row of the table.

    :param what: what was measured
    :param ours: our figure
    :param peer: what it is compared with, such as another provider
    :param theirs: the figure of the peer
    :param unit: the unit of both figures
    :param aim: the largest acceptable ratio (``ours / theirs``); None if there is no such aim
    :param most: the largest acceptable value of ``ours``; None if there is no such aim
    :param note: further information
    :param ratios: the ratio in each process, if several processes have measured it
    """

    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    unit: str = ""
    aim: float | None = None
    most: float | None = None
    note: str = ""
    ratios: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Our figure as a multiple of theirs."""
        if self.ratios:
            return median(self.ratios)
        return self.ours / self.theirs if self.theirs else None

    @property
    def is_ok(self) -> bool | None:
        """Whether the aim is met; None if there is none."""
        if self.aim is not None and self.ratio is not None:
            return self.ratio <= self.aim
        return None if self.most is None else self.ours <= self.most

    def cells(self) -> list[str]:
        """The row as texts, in the order of :data:`HEADINGS`."""
        between = f" ({min(self.ratios):.2f} to {max(self.ratios):.2f})" if self.ratios else ""
        aim = f"<= {self.aim:g} x" if self.aim is not None else ""
        aim = aim or (f"<= {self.most:g} {self.unit}" if self.most is not None else "")
        return [
            self.what,
            _figure(self.ours, self.unit),
            self.peer,
            _figure(self.theirs, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f} x{between}",
            aim,
            {None: "", True: "ok", False: "over"}[self.is_ok],
            self.note,
        ]


def ratio_of(pairs: Sequence[tuple[float, float]], row: Row) -> Row:
    """Return a row with the medians of the figures of several processes, and with the ratio of each process.

    :param pairs: our figure and theirs in each process
    :param row: the rest of the row
    """
    ours, theirs = (median(figures) for figures in zip(*pairs, strict=True))
    return replace(row, ours=ours, theirs=theirs, ratios=tuple(our / their for our, their in pairs))


@dataclass(frozen=True)
class Skipped:
    """A figure that could not be measured here, and the reason."""

    what: str
    why: str

    def cells(self) -> list[str]:
        """The row as texts."""
        return [self.what, "not measured", "", "", "", "", "", self.why]


HEADINGS = ["what", "ours", "against", "theirs", "ratio", "aim", "", "note"]

assert len(fields(Row)) == len(HEADINGS) + 1  # the ratios are shown together with their median


def markdown(rows: Iterable[Row | Skipped]) -> str:
    """Return rows as a Markdown table with aligned columns."""
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
