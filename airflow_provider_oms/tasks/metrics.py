"""What gates count, for Airflow's own metrics: ``[oms] metrics``, off unless somebody turns it on.

Plain statsd drops tags, so the project's id stands in a gauge's name. There are as many series as there are projects
that gates watch. Source: docs/develop/airflow-facts.md#statsd
"""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from airflow_provider_oms.hooks.options import metrics_are_on
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.verdict import Verdict

log = logging.getLogger(__name__)

#: Gauges, by project: seconds, and a percentage.
LAG, PROGRESS = "oms.lag", "oms.progress"

#: Counters: polls by what they came to, and polls with which OMS began to give no usable answer.
VERDICTS, OUTAGES = "oms.verdicts", "oms.outages"

#: The most characters of a project in a name. OpenTelemetry's names have 63 on Airflow 2.11, with its own prefix.
LONGEST = 32

_OTHERS = re.compile(r"[^A-Za-z0-9_-]")


class Metrics:
    """Counts what one gate sees.

    :param gate: the gate's settings
    :param beside_the_loop: whether an event loop runs here, which the sending must not hold up
    """

    def __init__(self, gate: Gate, *, beside_the_loop: bool) -> None:
        self._milestone = gate.milestone.kind
        self._send: Callable[..., Any] = _thread().submit if beside_the_loop else lambda send, *given: send(*given)
        self._stats = _triggerer_stats if beside_the_loop else _worker_stats

    def count(self, verdict: Verdict) -> None:
        """Count what a poll came to. Nothing that goes wrong here harms the gate."""
        self._send(_emit, self._stats, self._milestone, verdict)


def metrics_of(gate: Gate, *, beside_the_loop: bool = False) -> Metrics | None:
    """Return what counts for a gate; None where nothing is to be counted.

    :param gate: the gate's settings
    :param beside_the_loop: as for :class:`Metrics`
    """
    return Metrics(gate, beside_the_loop=beside_the_loop) if metrics_are_on() else None


def name_of(gauge: str, project_id: str) -> str:
    """Return a gauge's name.

    Where the id has a character that a name can't have, or too many of them, a checksum keeps two projects apart.

    :param gauge: what is measured
    :param project_id: the project
    """
    safe = _OTHERS.sub("_", project_id)
    if safe != project_id or len(safe) > LONGEST:
        safe = f"{safe[: LONGEST - 9]}_{zlib.crc32(project_id.encode()):08x}"
    return f"{gauge}.{safe}"


def _emit(stats: Callable[[], Any], milestone: str, verdict: Verdict) -> None:
    try:
        observed, to = verdict.observed, stats()
        tags = {"milestone": milestone, **({"project_id": observed.project} if observed.project else {})}
        to.incr(f"{VERDICTS}.{verdict.state.value}", tags=tags)
        if verdict.unanswered == 1:
            to.incr(OUTAGES, tags=tags)
        for gauge, value in ((LAG, observed.lag), (PROGRESS, observed.progress)):
            if observed.project and value is not None:
                to.gauge(name_of(gauge, observed.project), value, tags=tags)
    except Exception as error:
        log.debug("Metrics were not sent: %s", type(error).__name__)


def _worker_stats() -> Any:
    from airflow.providers.common.compat.sdk import Stats

    return Stats


def _triggerer_stats() -> Any:
    """Return what the triggerer has made ready: on Airflow 3.3 it is not that of the task SDK."""
    try:
        from airflow.observability.stats import Stats
    except ImportError:  # before Airflow 3.2
        from airflow.stats import Stats
    return Stats


@cache
def _thread() -> ThreadPoolExecutor:
    """Return the thread that sends: the first time it looks a host up, which would hold the event loop up."""
    return ThreadPoolExecutor(1, thread_name_prefix="oms-metrics")
