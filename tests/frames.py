"""The text of an error in the most verbose log handlers: its causes, and the variables of all frames."""

from __future__ import annotations

import traceback


def shown_with_frames(error):
    """Return the text of an error, without the frames of the tests, which contain the secrets."""
    shown, known, todo = [], set(), [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in known:
            continue
        known.add(id(one))
        told = traceback.TracebackException.from_exception(one, capture_locals=True)
        frames = [frame for frame in told.stack if "/tests/" not in frame.filename]
        notes = getattr(one, "__notes__", [])
        shown += [str(one), repr(one), *notes, *(f"{frame.name} {frame.locals}" for frame in frames)]
        todo += [one.__cause__, one.__context__]
    return "\n".join(shown)
