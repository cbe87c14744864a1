"""Reading single values of an answer: tolerant of spelling, strict about the value.

OMS and the proxies in front of it vary the case of keys and send numbers and booleans as text
(docs/develop/oms-wire.md#key-case, docs/develop/oms-wire.md#values-as-text). An absent or null value reads as
None. An impossible value raises :class:`OmsMalformedAnswerError`, but only when it is read, so that a malformed field
that no caller reads does no harm. Every text is made safe to show and to store when it is read; ``raw`` holds the
original.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, Self, TypeVar, overload

from airflow_provider_oms.client.errors import OmsMalformedAnswerError
from airflow_provider_oms.client.safe_text import safe_repr, safe_text

T = TypeVar("T")

#: Larger than any row count, byte rate or Unix time (also in milliseconds); larger numbers overflow in arithmetic.
_HUGE = 1e18
_LONGEST_WORD = 100
_NUMBERS = (int, float)
#: The keys of an object aren't cached if there are more of them, or if they have more characters in all. OMS has no
#: such object.
_MOST_KEYS, _LONGEST_KEYS = 100, 5000
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
#: OMS's ids are letters, digits and "_". Quotes, brackets, asterisks (the mask of a secret) and long texts are refused.
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:@/+=-]{1,128}")

#: A position in a stream of changes: Unix seconds, or text if the source counts in something else than time (Sybase).
#: Source: docs/develop/oms-facts.md#checkpoint-units
Checkpoint = float | str


class Model:
    """A view of one JSON object of an answer. A value is read once and then cached.

    :param raw: the object as OMS sent it
    :param source: where it came from, for error messages
    """

    __slots__ = ("__dict__", "raw", "source")

    def __init__(self, raw: Mapping[str, Any], source: str = "OMS") -> None:
        self.raw = raw
        self.source = source

    def get(self, name: str) -> Any:
        """Return the value under ``name``, ignoring the case of the key; None if it is absent.

        :param name: the key, in the documented spelling
        """
        return value_of(self.raw, name)

    def part(self, name: str) -> Mapping[str, Any]:
        """Return the object under ``name``; an empty one if there is none.

        :param name: the key, in the documented spelling
        """
        part = self.get(name)
        return part if isinstance(part, Mapping) else {}

    def malformed(self, name: str, value: Any, wanted: str) -> OmsMalformedAnswerError:
        """Return the error for an impossible value.

        :param name: the key
        :param value: the value
        :param wanted: what it should be, such as ``a number``
        """
        return OmsMalformedAnswerError(
            f"{self.source} has {name}={safe_repr(value, 80)}, which is not {wanted}. "
            "The answer isn't trusted; look at the project in the OMS console."
        )

    def __eq__(self, other: object) -> bool:
        try:
            return type(self) is type(other) and self.raw == other.raw
        except RecursionError:  # nested too deeply for Python to compare
            return False

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({safe_repr(self.raw)})"


def value_of(raw: Mapping[str, Any], name: str) -> Any:
    """Return the value under ``name`` in an object, ignoring the case of the key; None if it is absent."""
    if name in raw:
        return raw[name]
    for key in _spellings(raw).get(name.lower(), ()):
        if (value := raw[key]) is not None:
            return value
    return None


def _spellings(raw: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """Return the keys of an object, grouped by their spelling in lower case; the last key comes first."""
    keys = tuple(raw)
    kept = len(keys) <= _MOST_KEYS and sum(map(len, map(str, keys))) <= _LONGEST_KEYS
    return _spellings_of(keys) if kept else _spellings_of.__wrapped__(keys)


@lru_cache(maxsize=128)  # the rows of a list, and the answers to the same request, have the same keys
def _spellings_of(keys: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in reversed(keys):
        found.setdefault(str(key).strip().lower(), []).append(key)
    return found


class Field(Generic[T]):
    """One value of a :class:`Model`: its names in OMS, and how it is read.

    :param read: converts a value that isn't null, or raises a ValueError whose text says what it should be
    :param names: the keys of the value: the current key first, then those of older API generations
    """

    __slots__ = ("attribute", "names", "read")

    def __init__(self, read: Callable[[Any], T], *names: str) -> None:
        self.read = read
        self.names = names
        self.attribute = ""

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute

    @overload
    def __get__(self, model: None, owner: type) -> Self: ...
    @overload
    def __get__(self, model: Model, owner: type) -> T | None: ...
    def __get__(self, model: Model | None, owner: type) -> Any:
        if model is None:
            return self
        name = self.names[0]
        value = model.raw.get(name)
        if value is None:  # it may be written in another case, or have the name of another API generation
            for other in self.names:
                if (found := model.get(other)) is not None:
                    name, value = other, found
                    break
        try:
            meaning = None if value is None else self.read(value)
        except ValueError as error:
            raise model.malformed(name, value, str(error)) from None
        # The next time Python finds the value there, without this method. The rules read the same few values many
        # times.
        model.__dict__[self.attribute] = meaning
        return meaning


class NestedField(Field[list[T]]):
    """A list of objects inside a model. Null or absent reads as an empty list, a single object as a list with one item.

    :param model: the model of each object
    :param names: the keys of the list, as in :class:`Field`
    :param lone: the key under which an item that isn't an object is read; without it such an item is malformed
    """

    __slots__ = ("lone", "model")

    def __init__(self, model: Callable[[Mapping[str, Any], str], T], *names: str, lone: str | None = None) -> None:
        super().__init__(lambda value: value, *names)
        self.model = model
        self.lone = lone

    def __get__(self, model: Model | None, owner: type) -> Any:
        if model is None:
            return self
        value = next((found for found in map(model.get, self.names) if found is not None), None)
        try:
            return [self.model(item, model.source) for item in objects(value, self.lone)]
        except ValueError as error:
            raise model.malformed(self.names[0], value, str(error)) from None


def value_or_none(model: Model, field: Field[Any]) -> Any:
    """Read a value for which a missing value does no harm, such as one that is only shown; None if it is malformed.

    :param model: the model that holds the value
    :param field: the field of the value
    """
    try:
        return getattr(model, field.attribute)
    except OmsMalformedAnswerError:
        return None


def text(value: Any) -> str:
    """Read a text; a number is converted to text."""
    if isinstance(value, bool | list | dict):
        raise ValueError("text")
    return safe_text(value)


def texts(value: Any) -> list[str]:
    """Read a list of texts; a single text counts as a list with one item."""
    return [text(item) for item in value] if isinstance(value, list) else [text(value)]


def word(value: Any) -> str:
    """Read a status or a name of a fixed vocabulary: in upper case, without surrounding blanks."""
    if isinstance(value, str):
        return _short_word(value) if len(value) <= _LONGEST_WORD else _short_word.__wrapped__(value)
    return _short_word.__wrapped__(text(value))


@lru_cache(maxsize=512)  # OMS has few such words, and every poll reads the same ones
def _short_word(value: str) -> str:
    return safe_text(value.strip().upper(), _LONGEST_WORD)


def identifier(value: Any) -> str:
    """Read an id. It is sent back to OMS, stored and shown, so anything that doesn't look like an id is refused."""
    found = value.strip() if isinstance(value, str) else text(value)
    if not _IDENTIFIER.fullmatch(found):
        raise ValueError("an id")
    return found


def number(value: Any) -> float:
    """Read a finite number, or a text that holds one."""
    if not isinstance(value, bool):
        if isinstance(value, _NUMBERS) and -_HUGE < value < _HUGE:  # false for nan, too
            return value
        if isinstance(value, str):
            stripped = value.strip()
            # float() alone would accept "1_0", "nan" and digits of other scripts.
            if len(stripped) < 18 and _NUMBER.fullmatch(stripped):
                parsed = float(stripped)
                return int(parsed) if parsed.is_integer() else parsed
    raise ValueError("a number")


def percent(value: Any) -> float:
    """Read a percentage; a value outside 0..100 is malformed.

    Source: docs/develop/oms-wire.md#values-as-text
    """
    parsed = number(value)
    if not 0 <= parsed <= 100:
        raise ValueError("a percentage from 0 to 100")
    return parsed


def count(value: Any) -> int:
    """Read a count: a whole number that isn't negative."""
    parsed = number(value)
    if parsed < 0 or parsed != int(parsed):
        raise ValueError("a count")
    return int(parsed)


def boolean(value: Any) -> bool:
    """Read a boolean, or a text that holds one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("true or false")


def checkpoint(value: Any) -> Checkpoint:
    """Read a checkpoint: a number if it is one, otherwise OMS's text."""
    try:
        return number(value)
    except ValueError:
        if isinstance(value, str):
            return safe_text(value.strip(), _LONGEST_WORD)
        raise ValueError("a checkpoint") from None


def moment(value: Any) -> datetime | None:
    """Read a point in time. A time without an offset is taken as UTC, which is documented for the times of steps.

    A time that can't be read is None and not an error, because times are mainly shown to people.
    Source: docs/develop/oms-facts.md#times
    """
    try:
        parsed = datetime.fromisoformat(text(value).strip())
    except ValueError:
        return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        return None


def objects(data: Any, lone: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Iterate over the objects in ``data``. Null counts as no objects, and a single object as a list with one item.

    Source: docs/develop/oms-wire.md#data-shapes

    :param data: the ``data`` of an answer
    :param lone: the key under which a value that isn't an object is wrapped into one; None to refuse it
    :raises ValueError: when one of the values is not an object
    """
    if data is None:
        return
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, Mapping):
            yield item
        elif lone is None:
            raise ValueError("a list of objects")
        elif item is not None:
            yield {lone: item}
