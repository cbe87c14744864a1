"""The lineage of a task for OpenLineage: which tables are moved where, and what a gate observed.

``naming`` and ``tables`` are pure: they turn OMS's answers into names of datasets. ``facets`` needs the extra
``[openlineage]`` and is only imported by ``extraction``, which Airflow's OpenLineage provider calls when a task has
ended.
"""
