"""The page "Migration progress" in Airflow's API server.

Airflow only loads ``plugin`` at every start. ``app`` has the routes. ``access`` and ``tasks_seen`` ask Airflow,
``sources`` and ``history`` ask OMS, and ``known`` keeps OMS's answers. ``project_view``, ``list_view`` and ``curve``
prepare what is shown, without I/O, by the rules in ``milestones``. ``templates`` and ``static`` are sent to the
browser.
"""
