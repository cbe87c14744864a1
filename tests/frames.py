"""What the most talkative log handler shows of an error: what it came from, and the values in all the frames."""

from __future__ import annotations

import traceback


def shown_with_frames(error):
    """Return all of it as text, but for the frames of the tests, which hold secrets on purpose."""
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
