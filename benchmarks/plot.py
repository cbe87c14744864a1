"""Draws the ratios of the table and their aims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from benchmarks.row import Row, Skipped

#: The colours of the documentation site, readable on its light and its dark background.
_OK, _OVER, _AXES = "#009688", "#e65100", "#808080"

#: The width in inches, and how many letters fit into a line. It is as narrow as a phone, where nobody has to scroll.
_WIDTH, _LETTERS = 4.8, 56


def draw(rows: Sequence[Row | Skipped], file: Path) -> None:
    """Draw the rows that have a ratio and an aim for it.

    :param rows: the table
    :param file: an SVG
    :raises ImportError: without matplotlib, which the dependency group ``bench`` has
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "the same picture for the same figures"
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["font.family"] = "sans-serif"
    from matplotlib import pyplot as plt

    shown = [row for row in rows if isinstance(row, Row) and row.ratio is not None and row.aim is not None][::-1]
    labels = [[*wrap(row.what, _LETTERS), *wrap(f"/ {row.peer}", _LETTERS)] for row in shown]
    labels = [[" ".join(label)] if len(" ".join(label)) <= _LETTERS else label for label in labels]
    # From the bottom up: the height of a row depends on the lines of its label, and its bar is below the label.
    lines = [sum(len(label) + 1.8 for label in labels[:number]) for number in range(len(shown) + 1)]
    figure, axes = plt.subplots(figsize=(_WIDTH, 0.6 + 0.19 * lines[-1]))
    for line, label, row in zip(lines, labels, shown, strict=False):
        assert row.ratio is not None
        assert row.aim is not None
        colour = _OK if row.is_ok else _OVER
        axes.plot([1, row.ratio], [line, line], color=colour, linewidth=2)
        axes.plot(row.ratio, line, "o", color=colour)
        axes.plot(row.aim, line, "|", color=_AXES, markersize=11, markeredgewidth=2)
        for above, words in enumerate(reversed(label)):
            axes.text(0, line + 0.6 + above, words, color=_AXES, va="bottom", transform=axes.get_yaxis_transform())
    axes.axvline(1, color=_AXES, linewidth=1, alpha=0.4, zorder=0)
    axes.set_xscale("log")
    axes.set_ylim(-1, lines[-1])
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5]
    axes.set_xticks(ticks, [f"{tick:g} x" for tick in ticks])
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.set_yticks([])
    axes.tick_params(colors=_AXES)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_AXES)
    figure.savefig(file, transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
