"""Removes secrets from what OMS answers, in whatever encoding the answer repeats them.

A front end may quote the request that it received in its answer, and encode it on the way. The secrets of a call are
known (the login of the connection, passwords in the payload). So they are searched for in clear text, in Base64, in
hexadecimal, and with single characters escaped as in JSON, URLs and HTML, also repeatedly. The cost grows with the
length of the text, not with the length of the secret.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

MASK = "***"

#: Shorter secrets aren't searched for, because they occur in ordinary sentences.
SHORTEST = 3
#: The same limit for answers that are used and not only shown, where a short secret may equal one of OMS's words.
SHORTEST_IN_DATA = 6
#: The fewest characters from the middle of a Base64 text to search for; fewer would be found by chance.
_SHORTEST_CORE = 6
_LEVELS = 3

_ESCAPE = re.compile(
    rb"%[0-9A-Fa-f]{2}"
    rb"|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"  # a character of more than 16 bits
    rb"|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[^ux]"
    rb"|&#[0-9]{1,7};|&#[xX][0-9A-Fa-f]{1,6};|&(?:amp|lt|gt|quot|apos);"
)
_NAMED = {b"&amp;": b"&", b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&apos;": b"'"}
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

_SENSITIVE = ("password", "passwd", "secret", "accesskey", "access_key", "token")


class Secrets:
    """The texts that must not be shown.

    :param secrets: the secrets, in clear text or as they are sent
    """

    __slots__ = ("_forms", "_long_forms", "_plain")

    def __init__(self, *secrets: str | None) -> None:
        self._plain = frozenset(filter(None, secrets))
        self._forms = _forms(self._plain)
        self._long_forms = _forms(secret for secret in self._plain if len(secret) >= SHORTEST_IN_DATA)

    def __or__(self, other: Secrets) -> Secrets:
        if not other._plain - self._plain:
            return self
        return Secrets(*self._plain, *other._plain)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secrets) and self._plain == other._plain

    def __hash__(self) -> int:
        return hash(self._plain)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def __repr__(self) -> str:
        return f"Secrets({MASK})"

    def forms(self) -> list[str]:
        """Return the texts to hide, for other maskers, which only search for exact texts."""
        forms = [form.decode("utf-8", "replace") for form in self._forms]
        forms += [b64encode(_bytes(secret)).decode() for secret in self._plain]
        escaped = [f(form) for form in forms for f in (quote, _quote_all, _in_json)]
        return list(dict.fromkeys(forms + escaped))

    def are_in(self, text: str | bytes) -> bool:
        """Return whether a secret occurs in JSON that is used.

        :param text: the JSON
        """
        data = _bytes(text) if isinstance(text, str) else text
        return next(_found(data, self._long_forms), None) is not None

    def redact(self, text: str) -> str:
        """Replace the secrets in a text that is only shown.

        :param text: the whole text; in a shortened text, part of a secret would not be recognised
        """
        return _redacted(text, self._forms) if self._forms else text

    def redact_data(self, value: Any) -> Any:
        """Replace the secrets in a JSON value that is used, including its keys.

        :param value: the value
        """
        if isinstance(value, str):
            return _redacted(value, self._long_forms)
        if isinstance(value, Mapping):
            return {self.redact_data(name): self.redact_data(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.redact_data(item) for item in value]
        return value


def secrets_in(payload: Mapping[str, Any]) -> list[str]:
    """Return a payload's values under keys such as ``password``, unchanged and decoded from Base64.

    :param payload: the payload to be sent
    """
    found = list(_sensitive(payload))
    return found + [clear for secret in found if (clear := _decoded(secret))]


def _sensitive(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _sensitive(item, str(key).lower())
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _sensitive(item, name)
    elif isinstance(value, str) and value and any(word in name for word in _SENSITIVE):
        yield value


def _decoded(secret: str) -> str | None:
    from base64 import b64decode

    try:
        return b64decode(secret, validate=True).decode()
    except ValueError:
        return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _forms(secrets: Iterable[str]) -> list[bytes]:
    """Return the forms to search for, the longest first."""
    forms = {form for secret in secrets for form in _spellings(_bytes(secret)) if len(form) >= SHORTEST}
    return sorted(forms, key=len, reverse=True)


def _spellings(secret: bytes) -> Iterator[bytes]:
    """Iterate over the forms of a secret to search for in a text, and in the text with its escapes decoded."""
    yield secret
    decoded = secret
    for _ in range(_LEVELS):  # in case the secret contains something that looks like an escape
        if not _has_escapes(decoded):
            break
        decoded = _Decoding(decoded).decoded
        yield decoded
    yield secret.replace(b" ", b"+")
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in range(3):  # the secret's offset within a longer text in Base64
        encoded = b64encode(bytes(before) + secret).rstrip(b"=")
        # The characters at both ends also encode bits of the text before and after.
        start, end = (before * 8 + 5) // 6, (before + len(secret)) * 8 // 6
        for form in (encoded[start:end], *((encoded,) if before == 0 else ())):
            if len(form) >= (_SHORTEST_CORE if form != encoded else SHORTEST):
                yield form
                yield form.translate(bytes.maketrans(b"+/", b"-_"))


def _redacted(text: str, forms: Iterable[bytes]) -> str:
    data = _bytes(text)
    spans = sorted(_found(data, forms))
    if not spans:
        return text
    parts, done = [], 0
    for start, end in spans:
        if end > done:
            parts += [data[done : max(start, done)], MASK.encode() if start >= done else b""]
            done = end
    parts.append(data[done:])
    return b"".join(parts).decode("utf-8", "replace")


def _found(data: bytes, forms: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Iterate over the positions of a form in the data, in clear or escaped."""
    decoded, ways = data, list[_Decoding]()
    for _ in range(_LEVELS + 1):
        for form in forms:
            at = decoded.find(form)
            while at >= 0:
                start, end = at, at + len(form)
                for way in reversed(ways):
                    start, end = way.start(start), way.end(end)
                yield start, end
                at = decoded.find(form, at + len(form))
        if not _has_escapes(decoded):
            return
        way = _Decoding(decoded)
        decoded = way.decoded
        ways.append(way)


def _has_escapes(data: bytes) -> bool:
    return (b"\\" in data or b"%" in data or b"&" in data) and _ESCAPE.search(data) is not None


class _Decoding:
    """Data with its escapes decoded, and a mapping from each byte back to its position in the data."""

    def __init__(self, data: bytes) -> None:
        parts: list[bytes] = []
        # The start of each stretch in the decoded text and in the data; stretches with an odd index were escapes.
        self._after, self._before = [0], [0]
        done = after = 0
        for match in _ESCAPE.finditer(data):
            start, end = match.span()
            character = _character(match[0])
            after += start - done
            self._after += (after, after + len(character))
            self._before += (start, end)
            after += len(character)
            parts += (data[done:start], character)
            done = end
        parts.append(data[done:])
        self.decoded = b"".join(parts)

    def start(self, at: int) -> int:
        """Return the position in the data of a stretch's first byte."""
        index = bisect_right(self._after, at) - 1
        return self._before[index] + (0 if index % 2 else at - self._after[index])

    def end(self, at: int) -> int:
        """Return the position in the data of the byte after a stretch's end."""
        index = bisect_left(self._after, at) - 1
        return self._before[index + 1] if index % 2 else self._before[index] + at - self._after[index]


@lru_cache(maxsize=1024)
def _character(escape: bytes) -> bytes:
    if escape in _NAMED:
        return _NAMED[escape]
    if escape[:1] == b"%":
        return bytes([int(escape[1:], 16)])
    if escape[:1] == b"\\":
        if escape[1:2] not in b"ux":
            return _SIMPLE.get(escape[1:], escape[1:])
        codes = [int(code, 16) for code in re.split(rb"\\[ux]", escape)[1:]]
        if len(codes) == 2:
            return _encoded(0x10000 + ((codes[0] - 0xD800) << 10) + codes[1] - 0xDC00)
        return _encoded(codes[0])
    digits = escape[2:-1]
    return _encoded(int(digits[1:], 16) if digits[:1] in b"xX" else int(digits))


def _encoded(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b""


def _quote_all(text: str) -> str:
    return quote(text, safe="")


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


NO_SECRETS = Secrets()
