"""How a command ends, for shell scripts."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes. They are public: scripts rely on them."""

    #: Reached; consistent; shown.
    OK = 0
    #: The gate failed; tables differ.
    FAILED = 1
    #: The command line is wrong. It is argparse's own code, too.
    USAGE = 2
    #: Still waiting when the time was up.
    TIMEOUT = 3
    #: Nothing certain can be said: a verification that isn't done.
    UNKNOWN = 4
    #: OMS, or Airflow's connection to it, gave no usable answer.
    NO_ANSWER = 5
    #: Ctrl-C, as shells have it.
    INTERRUPTED = 130
    #: Whoever read stdout has gone (SIGPIPE), as shells have it.
    NOBODY_READS = 141
    #: SIGTERM, as shells have it.
    TERMINATED = 143
