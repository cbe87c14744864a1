"""The decisions: pure functions from OMS's answers and their times to a verdict. No I/O is done, and no clock is read.

``poll`` is one poll at a project; ``kinds`` holds the milestones, ``steps``, ``status``, ``freshness`` and
``verification`` the rules they share, ``gate`` the settings, ``verdict`` the outcome,
``memory`` what a gate remembers.
"""
