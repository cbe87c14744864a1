"""The exit codes of the commands, for shell scripts."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes. They are public: scripts rely on them."""

    #: The milestone is reached; every table is consistent; the output was shown.
    OK = 0
    #: The gate failed; tables differ; a point of ``doctor`` differs.
    FAILED = 1
    #: The command line is invalid. This is argparse's own code, too.
    USAGE = 2
    #: Still waiting at the time-out.
    TIMEOUT = 3
    #: The result isn't certain: a verification that isn't done.
    UNKNOWN = 4
    #: OMS, or Airflow's connection to it, gave no usable answer.
    NO_ANSWER = 5
    #: Ctrl-C, as in shells.
    INTERRUPTED = 130
    #: The reader of stdout has closed it (SIGPIPE), as in shells.
    NOBODY_READS = 141
    #: SIGTERM, as in shells.
    TERMINATED = 143
