"""Numbers of things, in words that agree with them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Write how many there are of something: ``1 table``, ``1,200 tables``.

    :param number: how many
    :param noun: what they are, in the singular
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verb(number: int, one: str, many: str) -> str:
    """Choose the form of a verb.

    :param number: of how many it tells
    :param one: the form for one, such as ``is``
    :param many: the form for any other number, such as ``are``
    """
    return one if number == 1 else many
