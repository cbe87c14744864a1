"""Applies a mutant to a module that is already loaded: replaces the code of functions without importing again."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from inspect import CO_OPTIMIZED
from itertools import zip_longest
from types import CodeType, FunctionType

#: What identifies a function in a process: its file, its first line and its qualified name.
Place = tuple[str, int, str]


def place_of(code: CodeType) -> Place:
    """Return what identifies a function."""
    return code.co_filename, code.co_firstlineno, code.co_qualname


def loaded_functions(below: str) -> dict[Place, list[FunctionType]]:
    """Return all loaded functions whose code is in files of a folder.

    :param below: the folder
    """
    found: dict[Place, list[FunctionType]] = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename.startswith(below):
            found.setdefault(place_of(one.__code__), []).append(one)
    return found


def exchange(path: str, before: str, after: str, functions: Mapping[Place, list[FunctionType]]) -> bool:
    """Replace the code of a module's loaded functions.

    :param path: the module's file
    :param before: the text that it was loaded from
    :param after: the changed text
    :param functions: the loaded functions
    :return: True if the whole change was applied; False if nothing was, because part of the change is in code that
        runs only at the import
    """
    codes = [compile(text, path, "exec", dont_inherit=True) for text in (before, after)]
    todo: list[tuple[FunctionType, CodeType]] = []
    for old, new in _changed(*codes):
        found = [one for one in functions.get(place_of(old), []) if _same(one.__code__, old)]
        if new is None or not found or old.co_freevars != new.co_freevars:
            return False
        if any(place_of(inner) in functions for inner in _within(old)):
            return False  # this function ran at the import and made others, as a decorator does
        todo += [(one, new) for one in found]
    for function, code in todo:
        function.__code__ = code
    return bool(todo)


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType | None]]:
    """Iterate over the outermost functions that differ, old and new; new is None if code outside functions differs."""
    if _outside(old) != _outside(new):
        yield old, None
    for one, other in zip_longest(_inner(old), _inner(new)):
        if one is None or other is None:
            yield old, None
        elif not one.co_flags & CO_OPTIMIZED:  # a class
            yield from _changed(one, other)
        elif not _same(one, other):
            yield one, other


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _within(code: CodeType) -> Iterator[CodeType]:
    for one in _inner(code):
        yield one
        yield from _within(one)


def _outside(code: CodeType) -> object:
    """Return what identifies a piece of code, without the functions in it and without its line numbers."""
    constants = [repr(one) for one in code.co_consts if not isinstance(one, CodeType)]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_exceptiontable, constants


def _same(one: CodeType, other: CodeType) -> bool:
    inner = zip_longest(_inner(one), _inner(other))
    return _outside(one) == _outside(other) and all(a is not None and b is not None and _same(a, b) for a, b in inner)
