"""What sensors, operators and triggers share: deferring and resuming, the log lines, templates, Airflow's version."""
