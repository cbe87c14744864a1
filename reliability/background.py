"""A process in the background, whose output goes to a file."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def start(command: Sequence[str | Path], log: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own.

    :param command: what to run
    :param log: the file that its output is added to
    :param options: for :class:`subprocess.Popen`
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a process is ready; return False if it has ended before, or isn't ready in time.

    :param ready: returns whether it is ready
    :param process: the process
    :param seconds: real seconds to wait at most
    """
    until = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
