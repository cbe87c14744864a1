"""Run a DAG by ``dag.test()``, with Airflow's metrics initialised as on a worker."""

from __future__ import annotations

import runpy
import sys

from airflow_provider_oms.tasks.airflow_version import airflow_version


def make_ready() -> None:
    """Initialise metrics as the task runner of this Airflow does; before 3.2 they initialise themselves."""
    if airflow_version() < (3, 2):
        return
    from airflow.providers.common.compat.sdk import Stats, conf
    from airflow.sdk.observability.metrics import stats_utils

    if airflow_version() == (3, 2):
        Stats.initialize(factory=stats_utils.get_stats_factory(Stats))
    else:
        legacy = conf.getboolean("metrics", "legacy_names_on")
        Stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=legacy)


def flush() -> None:
    """Send the metrics that OpenTelemetry has buffered; on 2.11 the last ones may be lost when a process ends."""
    from opentelemetry import metrics

    if flush_now := getattr(metrics.get_meter_provider(), "force_flush", None):
        flush_now()


if __name__ == "__main__":
    make_ready()
    run = runpy.run_path(sys.argv[1])["dag"].test()
    if "opentelemetry" in sys.modules:
        flush()
    states = {str(getattr(ti.state, "value", ti.state)) for ti in run.get_task_instances()}
    sys.exit(f"{states}" if states != {"success"} else 0)
