"""The version of the running Airflow."""

from __future__ import annotations


def airflow_version() -> tuple[int, int]:
    """Return the major and minor version of the Airflow that runs this code."""
    from airflow import __version__

    major, minor = __version__.split(".")[:2]
    return int(major), int(minor)


def has_task_state_store() -> bool:
    """Return whether this Airflow can store a task's state between two pokes (AIP-103, from Airflow 3.3 on)."""
    return airflow_version() >= (3, 3)
