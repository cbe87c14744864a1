"""``doctor``: does what this provider takes for granted hold at a real OMS?

``questions`` asks (the only module here that does I/O), ``seen`` is what came back, ``probes`` and ``conditions`` judge
it, ``anonymous`` makes of it what may be shown to others.
"""
