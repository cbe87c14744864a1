"""What both clients share about connections: the mapping from a library's errors to ours, and the limits of an answer.

``requests`` and ``aiohttp`` wrap the same few errors of the operating system and of ``ssl`` in different ways, so the
mapping uses the innermost error.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from airflow_provider_oms.client.envelope import MAX_ANSWER_BYTES
from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsAnswerTooLargeError,
    OmsConnectionLostError,
    OmsError,
    OmsInvalidRequestError,
    OmsMalformedAnswerError,
    OmsTimeoutError,
    OmsTlsError,
    OmsUnreachableError,
)
from airflow_provider_oms.client.safe_text import safe_repr, safe_text
from airflow_provider_oms.client.settings import ClientSettings

# OpenSSL's reasons if the server answers in plain HTTP, as an OMS without a certificate does:
# docs/develop/oms-wire.md#https
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
)
# Client and server have no version or cipher in common, or OMS wants a client certificate: both are permanent.
_NO_COMMON_TLS = (
    "UNSUPPORTED_PROTOCOL",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    "NO_CIPHERS_AVAILABLE",
    "NO_PROTOCOLS_AVAILABLE",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    "DH_KEY_TOO_SMALL",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "TLSV1_ALERT_UNKNOWN_CA",
    "TLSV1_UNRECOGNIZED_NAME",
)
_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL)


@contextmanager
def mark_as_unsent() -> Iterator[None]:
    """Mark errors in this block: no request was sent, so OMS hasn't carried out anything."""
    try:
        yield
    except Exception as error:
        setattr(error, "unsent", True)  # noqa: B010  # our own attribute on a library's error
        raise


def check_ca_bundle(settings: ClientSettings, asked: str) -> None:
    """Raise an error if the CA bundle of the connection doesn't exist.

    :param settings: the settings of the client
    :param asked: the call, for the error
    :raises OmsTlsError: if there is no file or directory at the path
    """
    if not settings.base_url.startswith("https:"):
        return
    bundle = settings.ca_bundle
    if isinstance(bundle, str) and not os.path.exists(bundle):
        raise OmsTlsError(
            f"there is no CA bundle at {safe_repr(bundle, 200)} on this machine. Correct verify in the extra.",
            ErrorDetails(asked=asked),
        )


def connection_error(
    error: BaseException,
    settings: ClientSettings,
    asked: str,
    *,
    connecting: bool,
    timed_out: bool,
    malformed: bool = False,
    at_proxy: bool = False,
) -> OmsError:
    """Return the error that an error of an HTTP library means.

    :param error: the library's error
    :param settings: the settings of the client
    :param asked: the call, for the error
    :param connecting: whether the library reports that no connection was made
    :param timed_out: whether the library reports a time-out
    :param malformed: whether the library reports invalid HTTP
    :param at_proxy: whether the library reports an error of a proxy
    """
    parts = urlsplit(settings.base_url)
    where, details = f"{parts.hostname}:{parts.port}", ErrorDetails(asked=asked)
    if at_proxy:
        return OmsUnreachableError(
            f"the proxy in the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) doesn't connect to {where}. Check "
            "the proxy, or put the host of OMS into NO_PROXY.",
            details,
        )
    connecting = connecting or any(getattr(cause, "unsent", False) for cause in _causes(error))
    for cause in _causes(error):
        match cause:
            # aiohttp's wrappers are SSLErrors too, but without these attributes, so the patterns don't match them.
            case ssl.SSLCertVerificationError(verify_message=why):
                return OmsTlsError(
                    f"the certificate of {where} is not trusted: {safe_text(why).rstrip('.')}. Set verify in the "
                    "connection's extra to the CA bundle that signed it.",
                    details,
                )
            case ssl.SSLError(reason=_):
                return _tls_error(cause, where, details, connecting=connecting)
            case socket.gaierror():
                return OmsUnreachableError(
                    f"the host {parts.hostname} is unknown. Check the connection's host, or this machine's DNS.",
                    details,
                )
            case TimeoutError() if "handshake" in str(cause):
                connecting = timed_out = True
            case http.client.RemoteDisconnected() | http.client.IncompleteRead():
                pass  # the connection broke
            case http.client.HTTPException():
                malformed = True
            case ConnectionRefusedError():
                return OmsUnreachableError(
                    f"nothing listens at {where}. Check host and port of the connection, and that OMS is up.", details
                )
            case OSError() if cause.errno in _NO_ROUTE:
                return OmsUnreachableError(
                    f"there is no network route to {where}: {safe_text(cause.strerror)}.", details
                )
    if connecting and timed_out:
        return OmsUnreachableError(
            f"{where} didn't accept the connection within {settings.connect_timeout:g} s. Check host and port of the "
            "connection, and firewalls between.",
            details,
        )
    if connecting:
        return OmsUnreachableError(f"the connection to {where} failed: {safe_text(error, 200)}.", details)
    if timed_out:
        return too_slow(settings, asked)
    if malformed:
        return OmsMalformedAnswerError(
            f"the answer of {where} is not valid HTTP. A proxy or another service may be answering: check host and "
            "port.",
            details,
        )
    return OmsConnectionLostError(
        f"the connection to {where} broke before the answer was complete. If it always does, check port and schema: "
        "the port may speak https.",
        details,
    )


def _tls_error(error: ssl.SSLError, where: str, details: ErrorDetails, *, connecting: bool) -> OmsError:
    """Return the error that a broken TLS connection means: temporary, unless the configuration is wrong."""
    reason, said = error.reason or "", safe_text(error, 200)
    if error.library not in ("SSL", None) or reason in _NO_COMMON_TLS:
        return OmsTlsError(f"TLS with {where} failed: {said}.", details)
    lost = OmsUnreachableError if connecting else OmsConnectionLostError
    if reason in _NOT_TLS:
        return lost(f"{where} doesn't speak https. If it never does, set the connection's schema to http.", details)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        when = "while TLS was being set up" if connecting else "before the answer was complete"
        return lost(f"{where} closed the connection {when}.", details)
    return lost(f"TLS with {where} broke: {said}.", details)


def bad_address(asked: str) -> OmsInvalidRequestError:
    """Return the error for an address to which no request can be sent."""
    return OmsInvalidRequestError(
        "no request can be sent to this address. Check the connection's host and port, and the environment's "
        "HTTP_PROXY and similar variables.",
        ErrorDetails(asked=asked),
    )


def bad_proxy(asked: str) -> OmsInvalidRequestError:
    """Return the error for a proxy that the HTTP libraries can't use."""
    return OmsInvalidRequestError(
        "the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) names a proxy that isn't an HTTP proxy. Name one, or put "
        "the host of OMS into NO_PROXY.",
        ErrorDetails(asked=asked),
    )


def too_slow(settings: ClientSettings, asked: str) -> OmsTimeoutError:
    """Return the error for an answer that wasn't complete in time."""
    return OmsTimeoutError(
        f"there was no complete answer within {settings.timeout:g} s (timeout in the connection's extra).",
        ErrorDetails(asked=asked),
    )


def too_large(asked: str) -> OmsAnswerTooLargeError:
    """Return the error for an answer that is too large."""
    return OmsAnswerTooLargeError(
        f"the answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB and was not read. Is this an OMS?",
        ErrorDetails(asked=asked),
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Iterate over an error and all errors that it wraps, wherever the library keeps them."""
    queue: list[object] = [error]
    observed: set[int] = set()
    while queue:
        cause = queue.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in observed:
            continue
        observed.add(id(cause))
        yield cause
        queue += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), getattr(cause, "os_error", None)]
        queue += cause.args
