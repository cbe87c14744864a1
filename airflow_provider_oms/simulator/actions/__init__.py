"""The actions of ``POST /api/v2?Action=...``: each module registers its own in :data:`ACTIONS` when it is imported."""

from airflow_provider_oms.simulator.actions import (
    configuration,
    data_sources,
    hosted,
    modifications,
    projects,
    verification,
)
from airflow_provider_oms.simulator.actions.registry import ACTIONS, run

__all__ = ["ACTIONS", "configuration", "data_sources", "hosted", "modifications", "projects", "run", "verification"]
