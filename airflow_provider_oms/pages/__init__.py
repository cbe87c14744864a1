"""The page "Migration progress" in Airflow's API server.

``plugin`` is all that Airflow loads at every start; ``app`` has the routes; ``access`` and ``tasks_seen`` ask Airflow,
``sources`` and ``history`` ask OMS, ``known`` keeps what it said; ``project_view``, ``list_view`` and ``curve`` decide
what is shown, without I/O, by the rules of ``milestones``; ``templates`` and ``static`` are what a browser gets.
"""
