"""The ratios of the table as a picture: where each stands, and where it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.row import Row, Skipped

#: The colours of the documentation site, readable on its light and its dark background.
_OK, _OVER, _AXES = "#009688", "#e65100", "#808080"


def draw(rows: Sequence[Row | Skipped], file: Path) -> None:
    """Draw what has a ratio and an aim for it.

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
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.34 * len(shown)))
    for line, row in enumerate(shown):
        assert row.ratio is not None
        assert row.aim is not None
        colour = _OK if row.is_ok else _OVER
        axes.plot([1, row.ratio], [line, line], color=colour, linewidth=2)
        axes.plot(row.ratio, line, "o", color=colour)
        axes.plot(row.aim, line, "|", color=_AXES, markersize=14, markeredgewidth=2)
    axes.axvline(1, color=_AXES, linewidth=1)
    axes.set_xscale("log")
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 3]
    axes.set_xticks(ticks, [f"{tick:g} x" for tick in ticks])
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.set_yticks(range(len(shown)), [f"{row.what} / {row.peer}" for row in shown])
    axes.tick_params(colors=_AXES)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_AXES)
    figure.savefig(file, transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
