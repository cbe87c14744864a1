"""How OMS, or the way to it, says no: one hierarchy that tells "may pass by itself" from "won't pass".

Every error says what was asked, what OMS answered (message, code, advice, request id) and what a person can do.
None of them holds a password, a header or a request body.
Which answer means which error: docs/develop/oms-wire.md#errors
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

_LONGEST_TEXT = 1000


def safe_text(value: Any, limit: int = _LONGEST_TEXT) -> str:
    """Make text that came from OMS safe for one line of a log: no control characters, no endless length.

    :param value: what came
    :param limit: the most characters to keep
    """
    text = str(value)[: limit + 1]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= limit else text[:limit] + "..."


@dataclass(frozen=True)
class ErrorDetails:
    """What is known about a failed call, in OMS's own words.

    :param asked: the action and the project, for a person to read
    :param message: OMS's message, the one of ``errorDetail`` where there is one
    :param code: OMS's error code, for example ``GHANA-PROJECT000001``
    :param advice: OMS's proposal or advice
    :param request_id: OMS's request id, which its support asks for
    :param status: the HTTP status
    :param retry_after: seconds that the server asked to wait (``Retry-After``)
    """

    asked: str = ""
    message: str | None = None
    code: str | None = None
    advice: str | None = None
    request_id: str | None = None
    status: int | None = None
    retry_after: float | None = None


class OmsError(Exception):
    """Anything that kept an OMS call from giving an answer.

    :param problem: what is wrong and, where it is known, what to do about it
    :param details: what was asked and what OMS answered
    """

    #: True when waiting may cure it, so that a gate goes on waiting for a while.
    temporary = False

    def __init__(self, problem: str, details: ErrorDetails | None = None) -> None:
        super().__init__(problem, details)
        self.problem = problem
        self.details = details or ErrorDetails()

    def about(self, asked: str) -> OmsError:
        """Return the same error, saying what had been asked, where it doesn't say so yet.

        :param asked: the action and the project, for a person to read
        """
        if self.details.asked:
            return self
        return type(self)(self.problem, replace(self.details, asked=asked))

    def __str__(self) -> str:
        said = self.details
        parts = [f"{safe_text(said.asked)}: {self.problem}" if said.asked else self.problem]
        if said.message:
            parts.append(f"OMS said: {safe_text(said.message)}")
        known = [
            f"{name} {safe_text(value)}"
            for name, value in (("HTTP", said.status), ("code", said.code), ("request id", said.request_id))
            if value not in (None, "")
        ]
        if known:
            parts.append(f"({', '.join(known)})")
        if said.advice:
            parts.append(f"OMS advises: {safe_text(said.advice)}")
        return " ".join(parts)


class OmsTemporaryError(OmsError):
    """May pass by itself: a gate waits on until it has lasted for its ``outage_tolerance``."""

    temporary = True


class OmsUnreachableError(OmsTemporaryError):
    """No connection came about, so OMS never saw the request."""


class OmsTimeoutError(OmsTemporaryError):
    """No whole answer came in time; OMS may have carried the request out."""


class OmsConnectionLostError(OmsTemporaryError):
    """The connection broke before a whole answer was there; OMS may have carried the request out."""


class OmsBusyError(OmsTemporaryError):
    """OMS or a proxy before it is overloaded or failing: HTTP 408, 429, 5xx, or one of OMS's own passing codes."""


class OmsMalformedAnswerError(OmsTemporaryError):
    """The answer isn't what OMS is documented to send: HTML, half a body, or a value that can't be."""


class OmsPermanentError(OmsError):
    """Won't pass by itself: somebody has to change something."""


class OmsAuthenticationError(OmsPermanentError):
    """HTTP 401 or 403: the login, the password (OMS expires them) or the user's role."""


class OmsNotFoundError(OmsPermanentError):
    """HTTP 404: this address has no OMS API, or not of this generation."""


class OmsRedirectError(OmsPermanentError):
    """OMS's address answered with a redirect; credentials are not carried to another place."""


class OmsTlsError(OmsPermanentError):
    """The TLS connection can't be trusted or set up."""


class OmsAnswerTooLargeError(OmsPermanentError):
    """The answer is larger than any that this client reads."""


class OmsRejectedError(OmsPermanentError):
    """OMS understood and said no (``success: false``, or another 4xx)."""


class OmsUnsupportedActionError(OmsRejectedError):
    """This OMS, or the API generation of the connection, doesn't have the action."""


class OmsProjectNotFoundError(OmsRejectedError):
    """No such project, or it has been deleted (``GHANA-PROJECT000001``)."""


class OmsInvalidRequestError(OmsPermanentError, ValueError):
    """What was to be asked can't be asked: an argument is wrong. Nothing was sent."""
