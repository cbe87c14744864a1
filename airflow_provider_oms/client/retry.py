"""The retry policy of both clients: only reads are tried again, a few times, after temporary errors, with longer
pauses.

``tenacity`` counts and sleeps. OMS documents no rate limit (docs/develop/oms-wire.md#rate-limits), and no action that
changes something is known to be safe to repeat (docs/develop/oms-facts.md#transitions).
"""

from __future__ import annotations

from typing import Any, TypedDict

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from airflow_provider_oms.client.errors import OmsError, OmsTemporaryError
from airflow_provider_oms.client.protocol import Call
from airflow_provider_oms.client.settings import ClientSettings

#: Seconds. If a server asks for a longer pause, the call fails, and the gate's next poll tries again.
LONGEST_PAUSE = 60.0

_backoff = wait_random_exponential(multiplier=1, max=10)


class RetryPolicy(TypedDict):
    """The arguments for tenacity's ``Retrying`` and ``AsyncRetrying``."""

    stop: Any
    wait: Any
    retry: Any
    reraise: bool


def attempts(settings: ClientSettings, call: Call[Any]) -> int:
    """Return how many times a call is sent at most. A call that changes something in OMS is never sent twice.

    :param settings: the settings of the client
    :param call: the call
    """
    return 1 + (settings.retries if call.reads_only else 0)


def retry_policy(settings: ClientSettings, call: Call[Any]) -> RetryPolicy:
    """Return the policy for one call.

    :param settings: the settings of the client
    :param call: the call
    """
    return RetryPolicy(
        stop=stop_after_attempt(attempts(settings, call)),
        wait=_pause,
        retry=retry_if_exception(_may_pass),
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, OmsTemporaryError) and (error.details.retry_after or 0) <= LONGEST_PAUSE


def _pause(state: RetryCallState) -> float:
    """Return the seconds until the next try: random within limits, and never less than ``Retry-After`` asks for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.details.retry_after if isinstance(error, OmsError) else None
    return max(_backoff(state), asked or 0.0)
