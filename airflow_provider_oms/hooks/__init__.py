"""The hook: makes a client of OMS from an Airflow connection."""
