"""Apache Airflow provider for OceanBase Migration Service (OMS)."""

__version__ = "0.1.0"
