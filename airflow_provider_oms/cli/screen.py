"""The output of a command: pictures or JSON on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import time
from typing import IO, Any

from rich.console import Console, RenderableType
from rich.text import Text

from airflow_provider_oms.client.safe_text import LONGEST_VALUE, safe_json

#: Columns if there is no terminal: enough that nothing is cut.
_PIPE_WIDTH = 200


class Screen:
    """The output for a person or a script.

    :param out: stdout
    :param err: stderr
    :param as_json: whether stdout holds JSON and nothing else
    :param color: whether colours are allowed
    """

    def __init__(self, out: IO[str], err: IO[str], *, as_json: bool = False, color: bool = True) -> None:
        self.as_json = as_json
        self.out = _console(out, color)
        self.err = _console(err, color)

    @property
    def moves(self) -> bool:
        """Whether a picture can be redrawn in place."""
        return self.out.is_terminal and not self.out.is_dumb_terminal and not self.as_json

    def show(self, picture: RenderableType) -> None:
        """Show a picture, unless JSON is wanted."""
        if not self.as_json:
            self.out.print(picture)

    def write_json(self, value: Any, *, line: bool = False) -> None:
        """Write JSON, with ``--json``.

        :param value: what to write
        :param line: whether to write it in one line, because more values follow
        """
        if self.as_json:
            # The output is ASCII, and holds only text that is safe after decoding.
            self.out.file.write(json.dumps(safe_json(value, LONGEST_VALUE), indent=None if line else 2) + "\n")
            self.out.file.flush()

    def result(self, text: str, style: str = "") -> None:
        """Write the result."""
        self.show(Text(text, style=style, overflow="fold"))

    def note(self, text: str, style: str = "") -> None:
        """Write a line that isn't a result to stderr."""
        self.err.print(Text(text, style=style, overflow="fold"), soft_wrap=not self.err.is_terminal)

    def progress(self, text: str, style: str = "") -> None:
        """Write the progress, with the time, to stderr."""
        self.note(f"{time.strftime('%H:%M:%S')}  {text}", style)


def wants_color(refused: bool) -> bool:
    """Return whether to use colours: not with ``--no-color``, nor with ``NO_COLOR`` (https://no-color.org).

    :param refused: whether ``--no-color`` is given
    """
    return not refused and not os.environ.get("NO_COLOR")


def _console(file: IO[str], color: bool) -> Console:
    console = Console(file=file, color_system="auto" if color else None, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = _PIPE_WIDTH
    return console
