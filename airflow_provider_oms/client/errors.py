"""The errors of the client: one hierarchy that separates temporary errors from permanent ones.

Every error says what was asked, what OMS answered (message, code, advice, request id) and what a person can do.
None of them holds a password, a header or a request body.
Which answer means which error: docs/develop/oms-wire.md#errors
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from airflow_provider_oms.client.redaction import Secrets
from airflow_provider_oms.client.safe_text import safe_text as safe_text

E = TypeVar("E", bound=BaseException)

#: Characters of a whole error; its parts are shorter.
_LONGEST_ERROR = 6000


@dataclass(frozen=True)
class ErrorDetails:
    """What is known about a failed call, in OMS's own words.

    :param asked: the action and the project, for a person to read
    :param message: OMS's message; that of ``errorDetail`` if it has one
    :param code: OMS's error code, for example ``GHANA-PROJECT000001``; that of ``errorDetail`` if it has one
    :param other_codes: further codes of the same answer
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
    other_codes: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes of the answer, with that of ``errorDetail`` first."""
        return (*filter(None, (self.code,)), *self.other_codes)

    def redacted(self, secrets: Secrets) -> ErrorDetails:
        """Return the same details without the secrets.

        :param secrets: what must not be shown
        """
        texts = ("asked", "message", "code", "advice", "request_id")
        told: dict[str, Any] = {name: secrets.redact(value) for name in texts if (value := getattr(self, name))}
        return replace(self, other_codes=tuple(map(secrets.redact, self.other_codes)), **told)


class OmsError(Exception):
    """A call of OMS failed. The base class of the client's errors.

    :param problem: what is wrong and, if that is known, what to do about it
    :param details: what was asked and what OMS answered
    """

    #: True if the error may go away by itself, so that a gate waits for its ``outage_tolerance``.
    temporary = False

    def __init__(self, problem: str, details: ErrorDetails | None = None) -> None:
        super().__init__(problem, details)
        self.problem = problem
        self.details = details or ErrorDetails()

    def about(self, asked: str) -> OmsError:
        """Return the same error with the call added to its text, unless it names one already.

        :param asked: the action and the project, for a person to read
        """
        if self.details.asked:
            return self
        return type(self)(self.problem, replace(self.details, asked=asked))

    def bare(self, secrets: Secrets) -> Self:
        """Return the same error without secrets, traceback, cause and context.

        The frames of a traceback hold headers and bodies, which some log handlers show. The text of the error remains.

        :param secrets: what must not be shown
        """
        return type(self)(secrets.redact(self.problem), self.details.redacted(secrets))

    def __str__(self) -> str:
        said = self.details
        parts = [f"{safe_text(said.asked)}: {self.problem}" if said.asked else self.problem]
        if said.message:
            parts.append(f"OMS said: {safe_text(said.message)}")
        known = [
            f"{name} {safe_text(value)}"
            for name, value in (
                ("HTTP", said.status),
                ("code", said.code),
                ("also", ", ".join(said.other_codes)),
                ("request id", said.request_id),
            )
            if value not in (None, "")
        ]
        if known:
            parts.append(f"({', '.join(known)})")
        if said.advice:
            parts.append(f"OMS advises: {safe_text(said.advice)}")
        return safe_text(" ".join(parts), _LONGEST_ERROR)


class OmsTemporaryError(OmsError):
    """An error that may go away by itself. A gate waits until it has lasted for the gate's ``outage_tolerance``."""

    temporary = True


class OmsUnreachableError(OmsTemporaryError):
    """No connection could be made, so OMS never received the request."""


class OmsTimeoutError(OmsTemporaryError):
    """No complete answer came in time; OMS may have carried out the request."""


class OmsConnectionLostError(OmsTemporaryError):
    """The connection broke before the answer was complete; OMS may have carried out the request."""


class OmsBusyError(OmsTemporaryError):
    """OMS or a proxy in front of it is overloaded or failing: HTTP 408, 429, 5xx, or a temporary code of OMS."""


class OmsMalformedAnswerError(OmsTemporaryError):
    """The answer isn't what OMS is documented to send: HTML, an incomplete body, or an impossible value."""


class OmsPermanentError(OmsError):
    """An error that won't go away by itself: a person has to change something."""


class OmsAuthenticationError(OmsPermanentError):
    """OMS refused the user (HTTP 401 or 403, or a code): check login, password (OMS expires it) and role."""


class OmsNotFoundError(OmsPermanentError):
    """HTTP 404: there is no OMS API at this address, or its generation is another one than that of the connection."""


class OmsRedirectError(OmsPermanentError):
    """The address answered with a redirect. It isn't followed, because the credentials would go to another server."""


class OmsTlsError(OmsPermanentError):
    """The server's certificate isn't trusted, or client and server support no common TLS version or cipher."""


class OmsAnswerTooLargeError(OmsPermanentError):
    """The answer is larger than the client's limit."""


class OmsRejectedError(OmsPermanentError):
    """OMS understood the request and refused it (``success: false``, or another 4xx)."""


class OmsUnsupportedActionError(OmsRejectedError):
    """This OMS, or the API generation of the connection, doesn't have the action."""


class OmsProjectNotFoundError(OmsRejectedError):
    """OMS has no such project, or it was deleted (``GHANA-PROJECT000001``, formerly ``PROJECT_NOT_FOUND_ERROR``)."""


class OmsInvalidRequestError(OmsPermanentError, ValueError):
    """An argument is invalid, so nothing was sent."""


def without_frames(error: E) -> E:
    """Return an error without its traceback, its cause and its context.

    Some log handlers show the variables of frames, which may hold an Airflow connection with its password, or an HTTP
    library's request with the login.

    :param error: the error; raise the result outside of an ``except`` block
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def broken_off(error: E) -> E:
    """Return an unexpected error that ended a call, without its traceback: a task's time-out, a cancellation, a bug.

    A note with the lines of code, but no values, is added to a bug, so that it can be found.

    :param error: the error; raise the result outside of an ``except`` block
    """
    if isinstance(error, Exception):
        from traceback import format_tb

        error.add_note("".join(format_tb(error.__traceback__)))
    return without_frames(error)
