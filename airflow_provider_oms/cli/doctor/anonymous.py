"""Replaces every value in OMS's answers that may be private. Nothing here does I/O.

Only values on lists are kept, so that an unforeseen value is replaced. These are documented keys, words of OMS's own
vocabularies, booleans and percentages. Counts become none, one or many. All times are moved by the same amount, so that
the distances between them stay. An id or text gets the same replacement wherever it occurs, so that values that belong
together still do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_oms import __version__
from airflow_provider_oms.cli.doctor.keys import KNOWN
from airflow_provider_oms.cli.doctor.probes import Finding
from airflow_provider_oms.cli.doctor.seen import Reply, Seen
from airflow_provider_oms.milestones import steps as step_rules
from airflow_provider_oms.milestones.status import DOCUMENTED
from airflow_provider_oms.milestones.steps import StepKind

#: The version of the report's format.
FORM = 1

#: The moment to which the first request of every report is moved: 2023-11-14T22:13:20Z.
BEGAN = 1_700_000_000

#: Keys whose numbers are kept, in lower case.
_NUMBERS = (
    *("progress", "order", "structtransferprogress", "fulltransferprogress", "structmigrationprogress"),
    *("fullmigrationprogress", "structsyncprogress", "fullsyncprogress", "runningprogress", "totalcount"),
    *("pagenumber", "pagesize", "maxpointnum"),
)

#: Keys, in lower case, under which a word in capital letters is OMS's, unless it is also a private name.
_WORDS = (
    *("status", "currentstep", "type", "resulttype", "runningstep", "alarmlevel", "importance", "level", "mode"),
    *("code", "errorcode", "projectstatus", "precheckstatus", "endpointtype", "sourceendpointtype"),
    *("sinkendpointtype", "endpointside", "checktype", "aggregator", "stepname", "metrictype", "dbengine"),
)
#: The form of such a word: shorter than an AccessKey, with at most two digits in a row. A code ends with six digits.
_PART = r"[A-Z]{2,15}[0-9]{0,2}"
_WORD = re.compile(rf"{_PART}(_({_PART}|[A-Z]|[0-9]{{1,2}}))*")
_CODE = re.compile(rf"{_WORD.pattern}|[A-Z]{{2,8}}-[A-Z]{{2,10}}[0-9]{{6}}")
_CODE_KEYS = ("code", "errorcode")

#: Words that are kept even if they are also a private name.
_VOCABULARY = {
    *DOCUMENTED,
    *(name for kind in StepKind for name in kind.value),
    *step_rules.DOCUMENTED,
    *("MIGRATION", "SYNC", "VERIFY", "SPECIFIC", "WILDCARD", "COMPLEX", "CONSISTENT", "INCONSISTENT"),
    *("BOTH_EMPTY", "PENDING", "MODIFYING", "MERGING", "SUCCESS", "TERMINATED", "CANCEL"),
    *("INCREASE_OBJECT", "DECREASE_OBJECT", "LOW", "MEDIUM", "HIGH", "IGNORE", "MYSQL", "OB_MYSQL", "OB_ORACLE"),
}
_LONGEST_WORD = 40

#: The deepest nesting of an answer of OMS.
_DEEPEST = 60

#: A private text with at least this many characters isn't part of another word by chance.
_TELLING = 4

#: Keys of OMS whose value may be anything, including objects with private names as keys.
_ANYTHING = {
    *("extracontext", "messagemcmscontext", "reasonmcmscontext", "proposalmcmscontext", "config", "tags"),
    *("failedrecorddetails", "failedrecorduniquekeys", "ruletorecentlytriggercount", "connextraattributes"),
    *("errorparam", "connectioninfo", "alarmcontent"),
}

#: The keys of a point of a curve. Its value, in rows per second or seconds, isn't private.
_POINT = {"timestamp", "value"}

#: Keys of a step. Only in an object with these keys is the value of ``name`` a word of OMS.
_STEP_KEYS = {"order", "stepinfo", "extrainfo", "starttime"}

#: Headers that show how OMS answers. Their values are kept only if they can't be private.
_HEADERS = ("content-type", "date", "retry-after", "age", "server")
_SAFE_HEADER = {
    "content-type": re.compile(
        r"(application/(json|xml|octet-stream)|text/(html|plain|xml))(; ?charset=(utf-?8|gbk|gb18030|iso-8859-1))?",
        re.IGNORECASE,
    ),
    "retry-after": re.compile(r"[0-9]{1,6}"),
    "age": re.compile(r"[0-9]{1,9}"),
}

#: The message of an OMS that doesn't have an action. It is kept if doctor has sent this action.
_UNSUPPORTED = re.compile(rf"(\[({_CODE.pattern})\]: ?)?Unsupported action: (?P<action>[A-Za-z]+)\.?")

_ID = re.compile(r"(np|p|e|c|l)_[A-Za-z0-9_-]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_PLAIN_KEY = re.compile(r"[a-z]+([A-Z][a-z]*)*|[A-Z][a-z]+([A-Z][a-z]*)*")

#: Unix seconds between these are moments: 2001 to 2096. Those in milliseconds are a thousand times as large.
_EARLIEST, _LATEST = 1_000_000_000, 4_000_000_000


class Disguise:
    """Replaces private values, always in the same way.

    :param began: the moment (Unix seconds) that becomes :data:`BEGAN`
    :param theirs: texts that are private wherever they occur
    :param actions: the actions that doctor has sent
    """

    def __init__(self, began: float, theirs: Iterable[str] = (), actions: Iterable[str] = ()) -> None:
        self._actions = frozenset(actions)
        self._shift = BEGAN - int(began)
        self._theirs = {text.lower() for text in theirs if len(text) > 1}
        self._stand_ins: dict[str, str] = {}

    def value(
        self, value: Any, key: str = "", siblings: Iterable[str] = (), *, strange: bool = False, depth: int = 0
    ) -> Any:
        """Replace a value.

        :param value: JSON
        :param key: the key of the value, in lower case; empty if it isn't OMS's
        :param siblings: the keys of the same object, in lower case
        :param strange: whether the value is part of something undocumented, in which no key is known
        :param depth: how deep the value is nested; a text or number that is nested too deep becomes null
        """
        if value is None or isinstance(value, bool) or depth > _DEEPEST:
            return value if isinstance(value, bool) else None
        if isinstance(value, Mapping):
            beside = {str(name).lower() for name in value}
            ours = not strange and _is_of_oms(beside)
            return {
                self._key(str(name), ours): self.value(
                    item,
                    str(name).lower() if ours else "",
                    beside,
                    strange=not ours or _may_hold_anything(str(name).lower()),
                    depth=depth + 1,
                )
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.value(item, key, siblings, strange=strange, depth=depth + 1) for item in value]
        if isinstance(value, int | float):
            return value if key == "value" and set(siblings) == _POINT else self._number(value, key)
        return self._text(str(value), key, siblings)

    def text(self, text: str) -> str:
        """Return the replacement for a text; the replacement for an id is an id of the same kind.

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
        """Keep a key if it is documented or looks like OMS's among documented keys; otherwise replace it."""
        if key.strip().lower() in KNOWN:
            return key
        if ours and len(key) <= 40 and _PLAIN_KEY.fullmatch(key) and not self._is_theirs(key):
            return key
        return self.text(key)

    def _is_theirs(self, text: str) -> bool:
        """Return whether a text is a private text, or contains one."""
        low = text.lower()
        return low in self._theirs or any(len(one) >= _TELLING and one in low for one in self._theirs)

    def _number(self, value: float, key: str) -> float:
        if key in _NUMBERS and abs(value) <= 1000:
            return value
        for scale in (1, 1000) if _is_time(key) else ():
            if _EARLIEST * scale <= value <= _LATEST * scale:
                return value + self._shift * scale
        sign = (value > 0) - (value < 0)
        size = sign if abs(value) <= 1 else sign * 2  # none, one, many
        return size if isinstance(value, int) else float(size)

    def _text(self, text: str, key: str, siblings: Iterable[str]) -> str:
        stripped = text.strip()
        if _NUMBER.fullmatch(stripped) and len(stripped) < 18:
            number = float(stripped)
            moved = self._number(number if "." in stripped else int(stripped), key)
            return str(moved)
        if stripped.lower() in ("true", "false"):
            return text
        if (lacking := _UNSUPPORTED.fullmatch(stripped)) and lacking["action"] in self._actions:
            return text
        if _is_time(key) and (found := _MOMENT.fullmatch(stripped)) is not None:
            return self._moved(found)
        if _is_word(key, siblings) and (stripped in _VOCABULARY or self._looks_like_oms(stripped, key)):
            return text
        return self.text(text)

    def _looks_like_oms(self, text: str, key: str) -> bool:
        form = _CODE if key in _CODE_KEYS else _WORD
        return bool(form.fullmatch(text)) and len(text) <= _LONGEST_WORD and not self._is_theirs(text)

    def _moved(self, found: re.Match[str]) -> str:
        day, between, clock, rest, zone = found.groups()
        try:
            moved = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp() + self._shift
            text = datetime.fromtimestamp(moved, UTC).strftime(f"%Y-%m-%d{between}%H:%M:%S")
        except (ValueError, OverflowError, OSError):
            return self.text(found[0])
        return f"{text}{rest or ''}{zone or ''}"


def _is_of_oms(keys: Collection[str]) -> bool:
    """Return whether an object is OMS's own, not a private row or map: at least half of its keys are documented."""
    return 2 * sum(key in KNOWN for key in keys) > len(keys)


def _may_hold_anything(key: str) -> bool:
    return key not in KNOWN or key in _ANYTHING


def _is_time(key: str) -> bool:
    """Return whether the value under a key is a point in time."""
    return any(part in key for part in ("time", "checkpoint", "gmt"))


def _is_word(key: str, siblings: Iterable[str]) -> bool:
    return key in _WORDS or (key == "name" and set(siblings) >= _STEP_KEYS)


def theirs_in(seen: Seen) -> set[str]:
    """Return the private texts in OMS's answers: names, ids, addresses, rows, messages, keys of maps.

    :param seen: the answers
    """
    found: set[str] = set()
    for text in (text for body in seen.bodies() for text in _their_texts(body)):
        found.update({text, *re.split(r"[^\w$#-]+", text)})
    return {text for text in found if len(text) > 2 and not _NUMBER.fullmatch(text)}


def _their_texts(body: Any) -> Iterator[str]:
    """Iterate over the texts of an answer, except OMS's own words and keys."""
    waiting: list[tuple[Any, str, Collection[str], bool]] = [(body, "", (), False)]
    while waiting:
        value, key, beside, strange = waiting.pop()
        if isinstance(value, Mapping):
            names = {str(name).lower() for name in value}
            ours = not strange and _is_of_oms(names)
            yield from () if ours else (name for name in names if name not in KNOWN)
            waiting += [
                (item, name.lower() if ours else "", names, not ours or _may_hold_anything(name.lower()))
                for name, item in ((str(name), item) for name, item in value.items())
            ]
        elif isinstance(value, list):
            waiting += [(item, key, beside, strange) for item in value]
        elif isinstance(value, str) and not _is_word(key, beside):
            yield value


def report(seen: Seen, findings: Iterable[Finding], theirs: Iterable[str]) -> dict[str, Any]:
    """Return a report that can be attached to an issue, and loaded into the simulator and the tests.

    :param seen: the answers
    :param findings: the results. Their texts are left out, because they may hold private names
    :param theirs: further private texts, which needn't be in the answers: the address, the login, the project
    """
    began = seen.replies[0].sent_at if seen.replies else 0.0
    asked = {reply.action for reply in seen.replies if reply.is_action}
    disguise = Disguise(began, {*theirs_in(seen), *theirs}, asked)
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
    """Return only the kind of a body that isn't JSON."""
    if not text.strip():
        return "empty"
    return "HTML" if "<html" in text.lower() else "text"


def _header(name: str, reply: Reply, disguise: Disguise) -> str:
    value = reply.headers[name].strip()
    if name == "date" and reply.told_time:
        return datetime.fromtimestamp(disguise.moment(reply.at), UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    safe = _SAFE_HEADER.get(name)
    return value if safe and safe.fullmatch(value) else "given"
