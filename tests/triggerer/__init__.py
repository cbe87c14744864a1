"""Tests with a real ``airflow triggerer`` process."""
