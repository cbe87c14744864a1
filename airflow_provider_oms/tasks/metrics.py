"""The metrics that gates send with Airflow's own. They are off unless ``[oms] metrics`` is True.

Plain statsd drops tags, so the project's id is part of a gauge's name. There are as many series as projects that gates
watch. Source: docs/develop/airflow-facts.md#statsd
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

#: The gauges of each project: the lag in seconds, and the progress as a percentage.
LAG, PROGRESS = "oms.lag", "oms.progress"

#: The counters: polls by verdict, and polls at which OMS began to give no usable answer.
VERDICTS, OUTAGES = "oms.verdicts", "oms.outages"

#: The most characters of a project's id in a name. On Airflow 2.11, OpenTelemetry's names have at most 63 characters,
#: including Airflow's own prefix.
LONGEST = 32

_OTHERS = re.compile(r"[^A-Za-z0-9_-]")


class Metrics:
    """Sends the metrics of one gate.

    :param gate: the gate's settings
    :param beside_the_loop: whether an event loop runs in this thread, so that metrics are sent from another one
    """

    def __init__(self, gate: Gate, *, beside_the_loop: bool) -> None:
        self._milestone = gate.milestone.kind
        self._send: Callable[..., Any] = _thread().submit if beside_the_loop else lambda send, *given: send(*given)
        self._stats = _triggerer_stats if beside_the_loop else _worker_stats

    def count(self, verdict: Verdict) -> None:
        """Send the metrics of a poll. An error here doesn't affect the gate.

        :param verdict: the verdict of the poll
        """
        self._send(_emit, self._stats, self._milestone, verdict)


def metrics_of(gate: Gate, *, beside_the_loop: bool = False) -> Metrics | None:
    """Return the sender of a gate's metrics; None if metrics are off.

    :param gate: the gate's settings
    :param beside_the_loop: as for :class:`Metrics`
    """
    return Metrics(gate, beside_the_loop=beside_the_loop) if metrics_are_on() else None


def name_of(gauge: str, project_id: str) -> str:
    """Return a gauge's name.

    If the id is too long, or has a character that a name can't have, a checksum is added, so that two projects never
    share a name.

    :param gauge: :data:`LAG` or :data:`PROGRESS`
    :param project_id: the project's id
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
    """Return the statistics object that the triggerer has set up. On Airflow 3.3 it isn't that of the task SDK."""
    try:
        from airflow.observability.stats import Stats
    except ImportError:  # before Airflow 3.2
        from airflow.stats import Stats
    return Stats


@cache
def _thread() -> ThreadPoolExecutor:
    """Return the thread that sends metrics. Its first host lookup would block the event loop."""
    return ThreadPoolExecutor(1, thread_name_prefix="oms-metrics")
