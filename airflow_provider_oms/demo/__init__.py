"""The demo: a DAG gated on a simulated migration, through a real Airflow in a throw-away home."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script ``oms-demo`` and return its exit status."""
    # Airflow imports this package for the runner, which needs nothing of what follows.
    from airflow_provider_oms.demo.command import main as run

    return run(arguments)
