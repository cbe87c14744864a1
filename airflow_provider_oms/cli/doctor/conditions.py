"""Further checks of a real OMS: clocks, how often checkpoints move, unknown words and keys, permissions.

Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from airflow_provider_oms.cli.doctor.keys import KNOWN
from airflow_provider_oms.cli.doctor.probes import Finding, Judged, Outcome, differs, holds, undecided
from airflow_provider_oms.cli.doctor.seen import Reply, Seen, objects
from airflow_provider_oms.client.errors import (
    OmsAuthenticationError,
    OmsProjectNotFoundError,
    OmsUnsupportedActionError,
    safe_text,
)
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Project, ProjectProgress, Step
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.freshness import FINEST_LAG
from airflow_provider_oms.milestones.status import DOCUMENTED
from airflow_provider_oms.milestones.steps import kind_of

#: Seconds by which clocks may differ without being reported. The Date header has whole seconds.
_CLOSE = 5.0

#: The most unknown words and keys to name.
_NAMED = 20


def findings(seen: Seen) -> list[Finding]:
    """Judge the points that aren't on the page "What is untested".

    :param seen: the answers
    """
    judged = {
        "OMS says that it is healthy (GET /oms/health)": _health(seen),
        "the clocks of OMS and of this worker agree": _worker_clock(seen),
        "the clocks of OMS and of the source database agree": _database_clock(seen),
        "checkpoints move often enough for a small max_lag": _movement(seen),
        "every status of a project is known": _statuses(seen),
        "every step is known": _steps(seen),
        "every status of a step is known": _step_statuses(seen),
        "every key of an answer is known": _keys(seen),
        "every answer is as this provider reads it": _misread(seen),
    }
    return [Finding(point, *one) for point, one in judged.items()]


#: What doctor says about an action, the most certain first. Of several answers, the most certain one counts.
_YES, _NO, _ABSENT, _UNKNOWN, _NO_ANSWER = "yes", "no", "OMS doesn't have it", "unknown", "no answer"
_RANKS = (_YES, _NO, _ABSENT, _UNKNOWN, _NO_ANSWER)


def rights(seen: Seen) -> dict[str, str]:
    """Return for every reading action that was called whether this user may call it.

    :param seen: the answers
    """
    told: dict[str, str] = {}
    for reply in seen.replies:
        if reply.is_action:
            told[reply.action] = min(told.get(reply.action, _NO_ANSWER), _right(reply), key=_RANKS.index)
    return told


def _right(reply: Reply) -> str:
    if reply.error is None or isinstance(reply.error, OmsProjectNotFoundError):
        return _YES
    if isinstance(reply.error, OmsAuthenticationError):
        return _NO
    if isinstance(reply.error, OmsUnsupportedActionError):
        return _ABSENT
    # OMS or a proxy has refused the request for another reason, which says nothing about the user's rights.
    return _NO_ANSWER if reply.status is None else _UNKNOWN


def _health(seen: Seen) -> Judged:
    reply = seen.one("health")
    if reply is None:
        return undecided("Alibaba Cloud's gateway has no such page.")
    if reply.status is None or reply.status >= 400 or not isinstance(reply.json, Mapping):
        return undecided(f"OMS answers HTTP {reply.status}." if reply.status else "There was no answer.")
    data = reply.envelope.part("data")
    healthy = {str(key).lower(): value for key, value in data.items()}.get("healthy")
    if healthy is True:
        return holds("It is.")
    return differs("It says that it isn't." if healthy is False else "It answers something else.")


def _worker_clock(seen: Seen) -> Judged:
    """Compare the Date header with the middle of the request. The shortest request is the most exact."""
    told = [reply for reply in seen.replies if reply.told_time]
    if not told:
        return undecided("OMS sends no Date header, so gates use this worker's clock for the lag.")
    best = min(told, key=lambda reply: reply.received_at - reply.sent_at)
    difference = best.at + 0.5 - (best.sent_at + best.received_at) / 2
    words = f"OMS's clock is {_seconds(difference)} this worker's."
    if abs(difference) <= _CLOSE:
        return holds(words)
    return differs(
        f"{words} Gates use OMS's clock for the lag, so this doesn't affect them. Set the clock that is wrong."
    )


def _database_clock(seen: Seen) -> Judged:
    lags = [reply.at - checkpoint for reply, checkpoint in seen.checkpoints if reply.told_time]
    if not lags:
        return undecided("No checkpoint was seen.")
    smallest = min(lags)
    if smallest < -_CLOSE:
        return differs(
            f"A checkpoint lies {-smallest:.0f} s ahead of OMS's clock, so the source database's clock is at least "
            "that far ahead. A lag gate opens too early by this time; a checkpoint gate isn't affected."
        )
    return undecided(
        f"The smallest lag that was observed is {smallest:.0f} s: the source's clock is behind by at most that, or the "
        "target is."
    )


def _movement(seen: Seen) -> Judged:
    points = seen.checkpoints
    moves = [now for before, now in pairwise(points) if now[1] != before[1]]
    if len(points) < 2 or len(moves) < 2:
        seconds = points[-1][0].at - points[0][0].at if points else 0.0
        return undecided(
            f"The checkpoint moved {len(moves)} times within {seconds:.0f} s ({len(points)} polls); two moves are "
            "needed. Try a larger --observe, while somebody writes into the source."
        )
    times = [reply.at for reply, _ in moves]
    longest = max(later - earlier for earlier, later in pairwise(times))
    words = f"The checkpoint moves at least every {longest:.0f} s."
    if longest <= FINEST_LAG:
        return holds(f"{words} max_lag of {FINEST_LAG:g} s or more can be used.")
    return differs(f"{words} With a max_lag below {longest:.0f} s, a gate opens only by chance.")


def _statuses(seen: Seen) -> Judged:
    words = {value_or_none(row, Project.status) for row in seen.projects}
    words |= {value_or_none(progress, ProjectProgress.status) for _, progress in seen.progress}
    words.discard(None)
    return _known("status", words, {word for word in words if word in DOCUMENTED})


def _steps(seen: Seen) -> Judged:
    names = {value_or_none(step, Step.name) for step in seen.steps}
    names |= {value_or_none(progress, ProjectProgress.current_step) for _, progress in seen.progress}
    names.discard(None)
    return _known("step", names, {name for name in names if kind_of(name) is not None})


def _step_statuses(seen: Seen) -> Judged:
    words = {value_or_none(step, Step.status) for step in seen.steps}
    words.discard(None)
    return _known("status", words, {word for word in words if word in step_rules.DOCUMENTED})


def _keys(seen: Seen) -> Judged:
    found = set(keys_in(seen))
    return _known("key", found, {key for key in found if key.lower() in KNOWN})


def keys_in(seen: Seen) -> Iterator[str]:
    """Return the keys of OMS's answers, without those of objects whose keys are private names.

    :param seen: the answers
    """
    for body in seen.bodies():
        for one in objects(body):
            names = [str(key) for key in one]
            if any(name.lower() in KNOWN for name in names):
                yield from names


def _known(kind: str, words: set[Any], known: set[Any]) -> Judged:
    if not words:
        return undecided(f"No {kind} was seen.")
    if unknown := sorted(safe_text(word, 60) for word in words - known):
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        return differs(f"Unknown to this provider: {', '.join(unknown[:_NAMED])}{more}.")
    return holds(f"{len(words)} seen, all of them known.")


def _misread(seen: Seen) -> Judged:
    """Report the answers that the client couldn't read, except those to requests that are expected to fail."""
    expected = ("unknown project", "http on https", "3.3 endpoint", "health")
    wrong = [
        f"{reply.action}: {reply.error.problem}"
        for reply in seen.replies
        if reply.error is not None
        and reply.name not in expected
        and not isinstance(reply.error, OmsAuthenticationError | OmsUnsupportedActionError)
    ]
    if wrong:
        return differs(" ".join(dict.fromkeys(wrong)))
    good = sum(reply.ok for reply in seen.replies)
    return holds(f"{good} answers were read.") if good else Judged(Outcome.UNKNOWN, "There was no answer.")


def _seconds(difference: float) -> str:
    return f"{abs(difference):.0f} s {'ahead of' if difference > 0 else 'behind'}"
