"""``doctor``: checks whether a real OMS behaves as this provider assumes.

``questions`` asks OMS, and is the only module here that does I/O. ``seen`` holds the answers, ``probes`` and
``conditions`` judge them, and ``anonymous`` turns them into a report that may be shown to others.
"""
