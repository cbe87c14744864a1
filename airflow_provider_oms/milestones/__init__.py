"""The decisions: pure functions from what OMS said, and when, to a verdict. Nothing here does I/O or reads a clock.

``poll`` is one poll at a project; ``kinds`` holds the milestones, ``steps``, ``status``, ``freshness`` and
``verification`` the rules they share, ``gate`` the settings, ``verdict`` the outcome,
``memory`` what a gate remembers.
"""
