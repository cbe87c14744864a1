"""The decisions, without Airflow and without a network."""
