"""What OMS answered with every value that could be somebody's replaced. Nothing here does I/O.

What stays is on lists, so that what nobody has thought of is replaced: keys that are documented, words of OMS's own
vocabularies, truth values, percentages, and numbers of things as none, one or many. Times are moved, so that the
distances between them stay; ids and texts become the same stand-in wherever they occur, so that what belongs together
still does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_oms import __version__
from airflow_provider_oms.cli.doctor.keys import KNOWN
from airflow_provider_oms.cli.doctor.probes import Finding
from airflow_provider_oms.cli.doctor.seen import Reply, Seen, objects
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.status import DOCUMENTED
from airflow_provider_oms.milestones.steps import StepKind

#: The form of a report.
FORM = 1

#: The moment that the first request of every report is moved to: 2023-11-14T22:13:20Z.
BEGAN = 1_700_000_000

#: Keys whose numbers stay as they are, in small letters.
_NUMBERS = (
    *("progress", "order", "structtransferprogress", "fulltransferprogress", "structmigrationprogress"),
    *("fullmigrationprogress", "structsyncprogress", "fullsyncprogress", "runningprogress", "totalcount"),
    *("pagenumber", "pagesize", "maxpointnum"),
)

#: Keys under which a word in capital letters is one of OMS's, if nobody has it for a name; in small letters.
_WORDS = (
    *("status", "currentstep", "type", "resulttype", "runningstep", "alarmlevel", "importance", "level", "mode"),
    *("code", "errorcode", "projectstatus", "precheckstatus", "endpointtype", "sourceendpointtype"),
    *("sinkendpointtype", "endpointside", "checktype", "aggregator", "stepname", "metrictype", "dbengine"),
)
_WORD = re.compile(r"[A-Z]{2,}[A-Z0-9]*([_-][A-Z0-9]+)*")

#: Words that stay whoever has them for a name.
_VOCABULARY = {
    *DOCUMENTED,
    *(name for kind in StepKind for name in kind.value),
    *step_rules.DOCUMENTED,
    *("MIGRATION", "SYNC", "VERIFY", "SPECIFIC", "WILDCARD", "COMPLEX", "CONSISTENT", "INCONSISTENT"),
    *("BOTH_EMPTY", "PENDING", "MODIFYING", "MERGING", "SUCCESS", "TERMINATED", "CANCEL"),
    *("INCREASE_OBJECT", "DECREASE_OBJECT", "LOW", "MEDIUM", "HIGH", "IGNORE", "MYSQL", "OB_MYSQL", "OB_ORACLE"),
}
_LONGEST_WORD = 40

#: Somebody's text of so many characters isn't found in a word by chance.
_TELLING = 4

#: Keys of OMS under which anything may stand, also somebody's own names as keys.
_ANYTHING = {
    *("extracontext", "messagemcmscontext", "reasonmcmscontext", "proposalmcmscontext", "config", "tags"),
    *("failedrecorddetails", "failedrecorduniquekeys", "ruletorecentlytriggercount", "connextraattributes"),
    *("errorparam", "connectioninfo", "alarmcontent"),
}

#: The keys of a point of a curve: a number of rows a second, or of seconds, is nobody's.
_POINT = {"timestamp", "value"}

#: Where a step's name stands: only there is a name a word.
_STEP_KEYS = {"order", "stepinfo", "extrainfo", "starttime"}

#: Headers that tell how OMS answers; their values stay only where they can be nobody's.
_HEADERS = ("content-type", "date", "retry-after", "age", "server")
_SAFE_HEADER = {
    "content-type": re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=[A-Za-z0-9-]+)?"),
    "retry-after": re.compile(r"[0-9]{1,6}"),
    "age": re.compile(r"[0-9]{1,9}"),
}

#: What an OMS without an action says; the action is one of ours.
_UNSUPPORTED = re.compile(r"(\[[A-Z0-9_-]{1,40}\]: ?)?Unsupported action: [A-Z][A-Za-z]{2,60}\.?")

_ID = re.compile(r"(np|p|e|c|l)_[A-Za-z0-9_-]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_PLAIN_KEY = re.compile(r"[a-z]+([A-Z][a-z]*)*|[A-Z][a-z]+([A-Z][a-z]*)*")

#: Unix seconds between these are moments: 2001 to 2096. Those in milliseconds are a thousand times as large.
_EARLIEST, _LATEST = 1_000_000_000, 4_000_000_000


class Disguise:
    """Replaces what could be somebody's, always in the same way.

    :param began: the moment (Unix seconds) that becomes :data:`BEGAN`
    :param theirs: texts that are somebody's, wherever they occur
    """

    def __init__(self, began: float, theirs: Iterable[str] = ()) -> None:
        self._shift = BEGAN - int(began)
        self._theirs = {text.lower() for text in theirs if len(text) > 1}
        self._stand_ins: dict[str, str] = {}

    def value(self, value: Any, key: str = "", siblings: Iterable[str] = (), *, strange: bool = False) -> Any:
        """Replace a value.

        :param value: JSON
        :param key: the key that it stands under, in small letters; none where that isn't OMS's
        :param siblings: the keys beside that, in small letters
        :param strange: whether it is part of something that isn't documented, so that nothing in it is known
        """
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            beside = {str(name).lower() for name in value}
            ours = not strange and any(name in KNOWN for name in beside)
            return {
                self._key(str(name), ours): self.value(
                    item,
                    str(name).lower() if ours else "",
                    beside,
                    strange=not ours or str(name).lower() not in KNOWN or str(name).lower() in _ANYTHING,
                )
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, key, siblings, strange=strange) for item in value]
        if isinstance(value, int | float):
            return value if key == "value" and set(siblings) == _POINT else self._number(value, key)
        return self._text(str(value), key, siblings)

    def text(self, text: str) -> str:
        """Return what stands for a text; an id stays one of its kind.

        :param text: the text
        """
        if not text:
            return text
        kind = found[1] + "_" if (found := _ID.fullmatch(text)) else "text_"
        return self._stand_ins.setdefault(text, f"{kind}{len(self._stand_ins) + 1}")

    def moment(self, at: float) -> float:
        """Move a moment.

        :param at: Unix seconds
        """
        return at + self._shift

    def _key(self, key: str, ours: bool) -> str:
        """Keep a key that is documented, and one beside such that looks like OMS's; those of other maps are texts."""
        if key.strip().lower() in KNOWN:
            return key
        if ours and len(key) <= 40 and _PLAIN_KEY.fullmatch(key) and not self._is_theirs(key):
            return key
        return self.text(key)

    def _is_theirs(self, text: str) -> bool:
        """Tell whether a text is what is somebody's, or holds it."""
        low = text.lower()
        return low in self._theirs or any(len(one) >= _TELLING and one in low for one in self._theirs)

    def _number(self, value: float, key: str) -> float:
        if key in _NUMBERS and abs(value) <= 1000:
            return value
        for scale in (1, 1000) if _is_time(key) else ():
            if _EARLIEST <= value / scale <= _LATEST:
                return value + self._shift * scale
        sign = (value > 0) - (value < 0)
        size = sign if abs(value) <= 1 else sign * 2  # none, one, many
        return size if isinstance(value, int) else float(size)

    def _text(self, text: str, key: str, siblings: Iterable[str]) -> str:
        stripped = text.strip()
        if _NUMBER.fullmatch(stripped) and len(stripped) < 18:
            number = float(stripped)
            moved = self._number(number if "." in stripped else int(stripped), key)
            return f"{moved:g}" if "." in stripped else str(moved)
        if stripped.lower() in ("true", "false") or _UNSUPPORTED.fullmatch(stripped):
            return text
        if _is_time(key) and (found := _MOMENT.fullmatch(stripped)) is not None:
            return self._moved(found)
        if _is_word(key, siblings) and (
            stripped in _VOCABULARY
            or (_WORD.fullmatch(stripped) and len(stripped) <= _LONGEST_WORD and not self._is_theirs(stripped))
        ):
            return text
        return self.text(text)

    def _moved(self, found: re.Match[str]) -> str:
        day, between, clock, rest, zone = found.groups()
        try:
            moved = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp() + self._shift
            text = datetime.fromtimestamp(moved, UTC).strftime(f"%Y-%m-%d{between}%H:%M:%S")
        except (ValueError, OverflowError, OSError):
            return self.text(found[0])
        return f"{text}{rest or ''}{zone or ''}"


def _is_time(key: str) -> bool:
    """Tell whether a key is that of a moment."""
    return any(part in key for part in ("time", "checkpoint", "gmt"))


def _is_word(key: str, siblings: Iterable[str]) -> bool:
    return key in _WORDS or (key == "name" and set(siblings) >= _STEP_KEYS)


def theirs_in(seen: Seen) -> set[str]:
    """Return the texts in OMS's answers that are somebody's: names, ids, addresses, rows, messages.

    :param seen: what was seen
    """
    found: set[str] = set()
    for body in seen.bodies():
        for one in objects(body):
            beside = {str(key).lower() for key in one}
            for key, value in one.items():
                for text in value if isinstance(value, list) else [value]:
                    if isinstance(text, str) and not _is_word(str(key).lower(), beside):
                        found.update({text, *re.split(r"[^\w$#-]+", text)})
    return {text for text in found if len(text) > 2 and not _NUMBER.fullmatch(text)}


def report(seen: Seen, findings: Iterable[Finding], theirs: Iterable[str]) -> dict[str, Any]:
    """Make a report that can be attached to an issue, and loaded into the simulator and the tests.

    :param seen: what was seen
    :param findings: what was made of it. Their words are left out: they may name something
    :param theirs: what is somebody's beside what stands in the answers: the address, the login, the project
    """
    began = seen.replies[0].sent_at if seen.replies else 0.0
    disguise = Disguise(began, {*theirs_in(seen), *theirs})
    return {
        "form": FORM,
        "made_by": __version__,
        "api_version": seen.api_version,
        "schema": seen.schema,
        "findings": [{"point": one.point, "outcome": one.outcome.value} for one in findings],
        "answers": [_answer(reply, disguise) for reply in seen.replies],
    }


def _answer(reply: Reply, disguise: Disguise) -> dict[str, Any]:
    text = reply.body.decode("utf-8", "replace")
    asked = reply.action if reply.is_action else reply.name
    return {
        "asked": reply.name,
        "action": asked,
        "payload": disguise.value(dict(reply.payload)),
        "sent_at": round(disguise.moment(reply.sent_at), 1),
        "seconds": round(reply.received_at - reply.sent_at, 2),
        "status": reply.status,
        "headers": {name: _header(name, reply, disguise) for name in _HEADERS if name in reply.headers},
        "body": disguise.value(reply.json) if reply.json is not None else None,
        "no_json": None if reply.json is not None else _kind(text),
        "error": type(reply.error).__name__ if reply.error else None,
    }


def _kind(text: str) -> str:
    """Say what a body that isn't JSON looks like, and no more."""
    if not text.strip():
        return "empty"
    return "HTML" if "<html" in text.lower() else "text"


def _header(name: str, reply: Reply, disguise: Disguise) -> str:
    value = reply.headers[name].strip()
    if name == "date" and reply.told_time:
        return datetime.fromtimestamp(disguise.moment(reply.at), UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    safe = _SAFE_HEADER.get(name)
    return value if safe and safe.fullmatch(value) else "given"
