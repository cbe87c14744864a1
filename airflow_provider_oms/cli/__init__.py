"""The command line: ``airflow oms ...`` and, with the same commands, ``airflow-oms ...``.

``definition`` says what there is to type and is all that Airflow loads at every start; ``running`` runs a command;
``commands`` holds one module a command; ``asking`` and ``observing`` ask OMS, ``pictures`` turns what
``milestones.facts`` makes of the answers into what a person reads. What opens a gate is decided in ``milestones``,
here as everywhere.
"""
