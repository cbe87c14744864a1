"""Makes text from outside safe for logs, XComs, trigger events and terminals, as soon as it enters the package.

A lone surrogate can't be written as UTF-8 and stops Airflow's triggerer. Databases refuse NUL. Line ends and escapes
can forge lines of a log. Bidirectional marks make a text look different from what it is.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 1000

#: Characters of one value of a row, or of one SQL statement. Such data is stored unchanged if it is safe.
LONGEST_VALUE = 100_000

#: Replaces text that can't be shown.
_REPLACEMENT = " "

# str.isprintable() is false for control and format characters, surrogates, and separators other than the space. It is
# true for the following characters, although they are invisible (Unicode's Default_Ignorable_Code_Point).
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")

_repr = reprlib.Repr()
_repr.maxlevel = 6
_repr.maxdict = _repr.maxlist = _repr.maxtuple = _repr.maxset = 40
_repr.maxstring = _repr.maxother = LONGEST_TEXT
_repr.maxlong = 100


def safe_text(value: Any, limit: int = LONGEST_TEXT) -> str:
    """Make text from outside safe to show and to store: one line, visible characters, limited length.

    :param value: the text
    :param limit: the most characters to keep
    """
    text = (value if isinstance(value, str) else _shown(value))[: limit + 1]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _REPLACEMENT for char in text)
    if not text.isascii():
        text = _INVISIBLE.sub(_REPLACEMENT, text)
    return text if len(text) <= limit else text[:limit] + "..."


def safe_repr(value: Any, limit: int = LONGEST_TEXT) -> str:
    """Return the safe ``repr`` of a value of any depth and length.

    :param value: the value
    :param limit: the most characters to keep
    """
    return safe_text(_written(value), limit)


def safe_json(value: Any, limit: int = LONGEST_TEXT) -> Any:
    """Make every text in a JSON value safe, including its keys.

    :param value: the value
    :param limit: the most characters to keep of each text
    """
    if isinstance(value, str):
        return safe_text(value, limit)
    if isinstance(value, Mapping):
        return {safe_text(name, limit): safe_json(item, limit) for name, item in value.items()}
    if isinstance(value, list):
        return [safe_json(item, limit) for item in value]
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _written(value)
    try:
        return str(value)
    except (ValueError, RecursionError):
        return _written(value)


def _written(value: Any) -> str:
    try:
        return _repr.repr(value)
    except (ValueError, RecursionError):  # Python refuses to write a number of more than 4,300 digits
        return f"<{type(value).__name__}>"
