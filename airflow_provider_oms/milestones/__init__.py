"""The decisions: pure functions that turn OMS's answers and their times into a verdict, without I/O or reading a clock.

``poll`` is one poll of a project. ``kinds`` holds the milestones; ``steps``, ``status``, ``freshness`` and
``verification`` hold the rules they share; ``gate`` holds the settings, ``verdict`` the outcome, and ``memory`` what a
gate remembers.
"""
