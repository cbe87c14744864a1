"""Draws the projects of a label, with the progress of each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from airflow_provider_oms.cli.pictures.parts import Fitting, bar, fold, lag_text, percent, status_text, table
from airflow_provider_oms.cli.words import shown
from airflow_provider_oms.milestones.verdict import Seen, State

_BAR, _SHORT_BAR = 20, 10

#: How a project is drawn, by the state of its verdict.
_STATES = {State.REACHED: "done", State.WAITING: "under way", State.FAILED: "failed"}

#: The most rows, because a terminal has only so many lines. Projects that have failed or wait come first.
MOST = 40


def picture(projects: Sequence[Seen], *, plain: bool) -> RenderableType:
    """Draw the projects.

    :param projects: what was observed of each
    :param plain: whether no milestone is waited for
    """
    if not projects:
        return fold("The label has no project.")
    few = projects[:MOST]
    made = Fitting(_table(few, _BAR, plain=plain), _table(few, _SHORT_BAR, plain=plain, narrow=True))
    if len(projects) == len(few):
        return made
    most = table("")
    most.show_header = False
    most.add_row(made)
    most.add_row(fold(f"and {len(projects) - len(few):,} more", "dim"))
    return most


def _table(projects: Sequence[Seen], width: int, *, plain: bool, narrow: bool = False) -> Table:
    headings = (
        ("NAME", "STATUS", "", "") if narrow else ("NAME", "STATUS", "STEP", "", "", "LAG", "" if plain else "GATE")
    )
    drawn = table(*headings)
    for one in projects:
        seen, state = one.observed, _STATES[one.state]
        cells = [Text(shown(one.name, 60), overflow="fold"), status_text(seen.status)]
        bars = [bar(seen.progress, state, width), percent(seen.progress)]
        if narrow:
            drawn.add_row(*cells, *bars)
        else:
            how = Text("" if plain else one.state.value, style="bold red" if one.state is State.FAILED else "")
            drawn.add_row(*cells, shown(seen.step, 40), *bars, lag_text(seen.lag), how)
    return drawn
