"""What a task tells OpenLineage: which tables are moved where, and what a gate saw.

``naming`` and ``tables`` are pure: from what OMS said to the names of datasets. ``facets`` needs the extra
``[openlineage]`` and is imported by ``extraction`` alone, which Airflow's OpenLineage provider calls when a task has
ended.
"""
