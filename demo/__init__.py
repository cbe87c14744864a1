"""The demo: a DAG gated on a simulated migration, through a real Airflow in a throw-away home.

It runs from a checkout (``scripts/demo.py``) and is not part of the installed package.
"""
