"""Reads the arguments that a DAG's author gives. The same mistake has the same message everywhere.

Templates render to text, so numbers and dates are also accepted as text.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

#: Unix seconds of the years 1973 and 5138. A larger number is in milliseconds. A smaller one is a date written as a
#: number; read as seconds it would lie in 1970 and open every gate at once. OMS counts in seconds:
#: docs/develop/oms-facts.md#checkpoint-units
_EARLIEST, _LATEST = 1e8, 1e11

#: Unix seconds that a person may write as a number: of the years 2001 and 2039. Dates written as numbers mostly lie
#: outside: ``%Y%j%H`` in the year 1976, which every checkpoint has passed, ``%y%m%d%H%M`` in 2052.
_FIRST_WRITTEN, _LAST_WRITTEN = 1e9, 2.2e9

#: How Jinja, Python, pandas and JSON render a missing value, in lower case.
_NOTHING = frozenset({"none", "null", "nil", "nan", "nat", "<na>", "undefined", "[]", "{}", "()", "set()", "''", '""'})

#: What True and False render to. A project may have such a name, but never such an id.
_YES_NO = frozenset({"true", "false"})

#: Ids in OceanBase's API reference are of this form: ``np_...``, ``p_...``, ``l_...``.
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_nothing(value: Any) -> bool:
    """Return whether a value is what a template renders for a missing value.

    :param value: a rendered argument
    """
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING | {""})


def proper_name(name: str, value: Any) -> str:
    """Read the name of a project, a label or a data source: one line of text, without blanks around it.

    :param name: the argument's name
    :param value: what was given, or what its template was rendered to
    :raises ValueError: if the value is invalid; the message names the argument
    """
    if not isinstance(value, str) or is_nothing(value):
        raise ValueError(f"{name} must be text that isn't empty; it is {value!r}")
    stripped = value.strip()
    if not stripped.isprintable():
        raise ValueError(f"{name} must be one line of text without control characters; it is {value!r}")
    return stripped


def identifier(name: str, value: Any) -> str:
    """Read the id of a project or of a label; raise for a text that can't be an id.

    OMS doesn't distinguish an id that never existed from a deleted project, so a wrong id must not be sent to it.

    :param name: the argument's name
    :param value: what was given, or what its template was rendered to
    :raises ValueError: if the value is invalid; the message names the argument
    """
    stripped = proper_name(name, value)
    if not _ID.fullmatch(stripped) or stripped.lower() in _YES_NO:
        raise ValueError(
            f"{name} must be an id of OMS, such as np_4w5abcde: letters, digits, '_' and '-'; it is {value!r}"
        )
    return stripped


def texts(name: str, value: Any) -> list[str]:
    """Read a list of texts, also one that a template rendered to text: JSON, a Python list, or parts between commas.

    :param name: the argument's name
    :param value: what was given, or what its template was rendered to
    :raises ValueError: if the value is invalid; the message names the argument
    """
    items = _listed(value) if isinstance(value, str) else value
    if isinstance(items, list | tuple | set | frozenset):
        return [proper_name(f"each of {name}", item) for item in items]
    raise ValueError(f"{name} must be a list of texts; it is {value!r}")


def _listed(value: str) -> Any:
    """Return the list that a text stands for; None if that isn't clear."""
    text = value.strip()
    if text[:1] not in ("[", "(", "{"):
        return None if is_nothing(text) else text.split(",")
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def seconds(name: str, value: Any) -> float:
    """Read a length of time that isn't negative.

    :param name: the argument's name
    :param value: a timedelta, or seconds
    :raises ValueError: if the value is invalid; the message names the argument
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    parsed = _number(value)
    if parsed is None or parsed < 0:
        raise ValueError(f"{name} must be a timedelta or a number of seconds, not negative; it is {value!r}")
    return parsed


def whole(name: str, value: Any, *, least: int) -> int:
    """Read a whole number.

    :param name: the argument's name
    :param value: what was given
    :param least: the smallest allowed value
    :raises ValueError: if the value is invalid; the message names the argument
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more; it is {value!r}")
    return value


def percentage(name: str, value: Any) -> float:
    """Read a percentage to wait for.

    :raises ValueError: if the value is invalid; the message names the argument
    """
    parsed = _number(value)
    if parsed is None or not 0 < parsed <= 100:
        raise ValueError(f"{name} must be a percentage above 0 and up to 100; it is {value!r}")
    return parsed


def in_utc(naive: datetime) -> datetime:
    """Return a time that has no zone as a time in UTC."""
    return naive.replace(tzinfo=UTC)


def moment(name: str, value: Any, localize: Callable[[datetime], datetime] = in_utc) -> float:
    """Read a point in time as Unix seconds.

    :param name: the argument's name
    :param value: a datetime, ISO 8601 text, or Unix seconds
    :param localize: gives a zone to a datetime that has none; UTC by default
    :raises ValueError: if the value is invalid; the message names the argument
    """
    basic_date = isinstance(value, str) and len(value.strip()) == 8  # 20270115, Airflow's ds_nodash
    if _is_hour_in_digits(value):
        raise ValueError(
            f"{name} must be Unix seconds where it is a number; {value!r} looks like the date and the hour in digits. "
            "Write it as ISO 8601, for example 2027-01-15T08:00:00+00:00"
        )
    parsed = None if basic_date else _number(value)
    if parsed is None:
        try:
            when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
            parsed = (when if when.tzinfo else localize(when)).timestamp()
        except (ValueError, OverflowError):
            raise ValueError(f"{name} must be a datetime, ISO 8601 text or Unix seconds; it is {value!r}") from None
    elif not isinstance(value, float) and not _FIRST_WRITTEN <= parsed < _LAST_WRITTEN:  # a float was read before
        raise ValueError(
            f"{name} must be Unix seconds between 2001 and 2039 where it is a number; it is {value!r}. Write any other "
            "moment as ISO 8601, for example 2027-01-15T08:00:00+00:00"
        )
    if not _EARLIEST < parsed < _LATEST:
        raise ValueError(f"{name} must lie between 1973 and 5138; it is {value!r} (Unix time is taken in seconds)")
    return parsed


def flag(name: str, value: Any) -> bool:
    """Read True or False. Text is refused, because the text "false" would count as true.

    :raises ValueError: if the value is invalid; the message names the argument
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False; it is {value!r}")
    return value


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Read one of the allowed words.

    :raises ValueError: if the value is invalid; the message names the argument
    """
    if value not in allowed:
        raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}; it is {value!r}")
    return str(value)


def project_or_none(name: str, value: Any) -> str | None:
    """Read the id or the name of a project; None is allowed.

    :raises ValueError: if the value is invalid; the message names the argument
    """
    return None if value is None else proper_name(name, value)


def name_of(name: str, value: Any) -> str:
    """Read a word of OMS's vocabulary, in capitals.

    :raises ValueError: if the value is invalid; the message names the argument
    """
    word = value.strip().upper() if isinstance(value, str) else ""
    if not word or not word.replace("_", "").isalnum() or not word.isascii():
        raise ValueError(f"{name} must be a name such as FULL_TRANSFER or RUNNING; it is {value!r}")
    return word


def names_of(name: str, value: Any) -> tuple[str, ...]:
    """Read one or more words of OMS's vocabulary.

    :raises ValueError: if the value is invalid; the message names the argument
    """
    values = _listed(value) if isinstance(value, str) else value
    words = tuple(name_of(name, item) for item in values) if isinstance(values, Iterable) else ()
    if not words:
        raise ValueError(f"{name} must name at least one; it is {value!r}")
    return words


def tables(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Read schemas and names of tables.

    :param name: the argument's name
    :param value: ``["schema.table"]``, ``{"schema": ["table"]}`` or pairs, also as text that a template rendered: JSON,
        Python, or parts between commas. A name with a dot in it needs the second form
    :raises ValueError: if the value is invalid; the message names the argument
    """
    given = _listed(value) if isinstance(value, str) else value
    if isinstance(given, Mapping):
        listed = {schema: [names] if isinstance(names, str) else names for schema, names in given.items()}
        if not all(isinstance(names, list | tuple | set | frozenset) for names in listed.values()):
            raise ValueError(f"{name} must hold a list of tables for each schema; it is {value!r}")
        items = [(schema, table) for schema, names in listed.items() for table in names]
    elif isinstance(given, Iterable):
        items = [_pair(name, item) for item in given]
    else:
        raise ValueError(f"{name} must name tables as 'schema.table'; it is {value!r}")
    for item in items:
        if not all(isinstance(part, str) and part.strip() for part in item):
            raise ValueError(f"{name} must name tables as 'schema.table'; {item!r} is not of that form")
    return tuple(dict.fromkeys((schema.strip(), table.strip()) for schema, table in items))


def _pair(name: str, item: Any) -> tuple[Any, Any]:
    """Read one table: text with one dot, or a pair."""
    parts = item.split(".") if isinstance(item, str) else item
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise ValueError(f"{name} must name tables as 'schema.table'; {item!r} is not of that form")
    return parts[0], parts[1]


def _is_hour_in_digits(value: Any) -> bool:
    """Decide whether a number is a date and an hour in the form ``%Y%m%d%H``: as Unix seconds it would lie years ahead.

    From 2032 on, one in a hundred Unix seconds also has this form; write such a moment as a date. A float was already
    converted, so no person wrote it in this form.
    """
    digits = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if len(digits) != 10 or not digits.isdecimal() or digits < "1970":
        return False
    try:
        datetime.strptime(f"{digits} +0000", "%Y%m%d%H %z")
    except ValueError:
        return False
    return True


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) and math.isfinite(value) else None
