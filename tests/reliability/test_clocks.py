"""A process whose clock is ahead reads another time, but waits as long as any other."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from reliability import clocks

#: Printed by the child: its time, and whether its waits ended as they should.
CHILD = """
import datetime, multiprocessing, os, threading, time
time.sleep(0.01)
threading.Event().wait(0.01)
multiprocessing.Semaphore(0).acquire(timeout=0.01)
print(time.time(), datetime.datetime.now(datetime.UTC).timestamp(), time.monotonic())
"""


@pytest.mark.skipif(clocks.compiler() is None, reason="no C compiler")
def test_a_clock_is_ahead_and_nothing_waits_for_it(tmp_path):
    before, monotonic = time.time(), time.monotonic()
    environment = {**os.environ, **clocks.ahead(90_000, tmp_path)}
    command = [sys.executable, "-c", CHILD]
    told = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60, text=True).stdout
    wall, date, passed = (float(word) for word in told.split())
    assert before + 90_000 <= wall <= date <= time.time() + 90_000
    assert monotonic <= passed <= time.monotonic()
