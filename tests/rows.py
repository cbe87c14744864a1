"""Runs many rows of a table in one test, because pytest's overhead per test is larger than the test of a pure function.

``--rows TEXT`` runs only the rows whose name contains a text.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

#: How many failures are shown in full.
_SHOWN = 5

#: The value of ``--rows``; empty if it isn't given.
chosen = ""


def each_row(names: str | Sequence[str], rows: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each row, as ``pytest.mark.parametrize`` does, but as one test that reports which rows failed.

    The rows share the test's fixtures. A row's name is its ``str()``.

    :param names: the names of the arguments in a row
    :param rows: the rows: one value each, or a tuple if there are several names
    """
    arguments = (names,) if isinstance(names, str) else tuple(names)
    table = [(row,) if isinstance(names, str) else tuple(row) for row in rows]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        def run(**fixtures: Any) -> None:
            failed = []
            wanted = [row for row in table if chosen in name_of(row)]
            for row in wanted:
                try:
                    test(**dict(zip(arguments, row, strict=True)), **fixtures)
                except (Exception, pytest.fail.Exception) as error:
                    failed.append((name_of(row), error))
            if failed:
                pytest.fail(_report(failed, len(wanted)), pytrace=False)
            if not wanted:
                pytest.skip(f"no row contains {chosen!r}")

        parameters = inspect.signature(test).parameters
        run.__name__, run.__qualname__ = test.__name__, test.__qualname__
        run.__doc__, run.__module__ = test.__doc__, test.__module__
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                parameter.replace(kind=parameter.KEYWORD_ONLY)
                for name, parameter in parameters.items()
                if name not in arguments
            ]
        )
        return run

    return decorate


def name_of(row: tuple[Any, ...]) -> str:
    """Return the name of a row in a report."""
    return "-".join(str(value) for value in row)


def _report(failed: list[tuple[str, BaseException]], count: int) -> str:
    lines = [f"{len(failed)} of {count} rows failed:", *(f"  {name}" for name, _ in failed)]
    for name, error in failed[:_SHOWN]:
        lines += ["", f"--- {name}", "".join(traceback.format_exception(error)).rstrip()]
    return "\n".join(lines)
