"""Numbers with nouns and verbs in the right form: one table is, two tables are."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 table``, ``1,200 tables``.

    :param number: the number
    :param noun: the noun in the singular; its plural must end in ``s``
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verb(number: int, one: str, many: str) -> str:
    """Return the form of a verb that agrees with a number.

    :param number: the number
    :param one: the form for one, such as ``is``
    :param many: the form for any other number, such as ``are``
    """
    return one if number == 1 else many
