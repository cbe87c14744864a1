"""The Airflow versions that this provider is tested with; each has a constraints file of its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Airflow:
    """One version.

    :param release: its newest release
    :param pythons: the Python versions on which both it and this provider run
    :param tested: what ``scripts/test.py`` runs on it: ``whole``, or the tests with, or without, one marker of
        ``tests/parts.py``
    :param in_ci: what ``.ci/run`` has time for on it; nothing if it is empty
    :param published_before: a date. Newer packages are not installed, since this release does not run with them
    """

    release: str
    pythons: tuple[str, ...]
    tested: str
    in_ci: str = ""
    published_before: str = ""


#: In the order in which they are run. Scripts that need only one version use the first.
AIRFLOWS = {
    "3.3": Airflow("3.3.2", ("3.11", "3.12", "3.13", "3.14"), "whole", in_ci="whole"),
    "2.11": Airflow("2.11.2", ("3.11", "3.12"), "not once", in_ci="not once"),
    "3.2": Airflow("3.2.2", ("3.11", "3.12", "3.13", "3.14"), "airflow", published_before="2026-06-01"),
    "3.1": Airflow("3.1.8", ("3.11", "3.12", "3.13"), "airflow", published_before="2026-04-01"),
    "3.0": Airflow("3.0.6", ("3.11", "3.12"), "airflow", in_ci="smoke", published_before="2025-09-01"),
    "3.4": Airflow("3.4.0b2", ("3.11", "3.12", "3.13", "3.14"), "smoke"),
}

NEWEST = next(iter(AIRFLOWS))

#: The two versions for which the docs have pictures and times.
MAIN = ("3.3", "2.11")
