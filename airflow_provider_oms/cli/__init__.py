"""The command line: ``airflow oms ...`` and, with the same commands, ``airflow-oms ...``.

``definition`` lists the commands and options; Airflow only loads this module at every start. ``running`` runs a
command, and ``commands`` holds one module per command. ``asking`` and ``observing`` ask OMS. ``milestones.facts`` turns
the answers into JSON, and ``pictures`` turns that into text for people. Whether a gate opens is decided in
``milestones``, as everywhere.
"""
