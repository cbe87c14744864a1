"""The cost of a poll in instructions, which are the same on every processor, however busy it is. It needs valgrind.

A child process runs under valgrind's ``callgrind``, which counts the instructions that the process itself executes,
without the kernel's. The gates in it poll one after the other (:mod:`benchmarks.turns`).
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gates import logging_to_nowhere
from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped
from benchmarks.server import CannedOms
from benchmarks.turns import CONTENDERS, in_turn

#: A function of the C library that nothing else here calls. At each call valgrind writes its count, and resets it.
MARK, mark = "getppid", os.getppid

#: How many gates there are, and how many polls they make together before counting begins.
GATES, WARM = 10, 60


def run(size: Size, oms: CannedOms) -> Iterator[Row | Skipped]:
    """Yield the instructions of a poll, compared with those of the bare loop."""
    if shutil.which("valgrind") is None:
        yield Skipped("a poll, instructions", "valgrind isn't installed here")
        return
    polls = size.of(400, 20)
    found = _counted(oms, polls)
    note = f"{polls} polls; without the kernel's"
    peer = "bare aiohttp loop"
    yield Row("a poll, 1 request, instructions", found["one"], peer, found["bare one"], "k", note=note)
    yield Row("a poll, 2 requests, instructions", found["two"], peer, found["bare two"], "k", note=note)
    yield Row("a request of our client alone, instructions", found["client"], peer, found["bare one"], "k", note=note)
    yield Row("a poll whose answer is shared, instructions", found["shared"], peer, found["bare one"], "k", note=note)


def _counted(oms: CannedOms, polls: int) -> dict[str, float]:
    """Return for each contender how many thousand instructions a poll takes."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", f"--dump-before={MARK}"]
        subprocess.run(
            [*valgrind, sys.executable, "-m", "benchmarks.instructions", oms.url, str(polls)],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            check=True,
        )
        # Each contender calls MARK before and after the counted polls, so their count is in every second file.
        totals = [total_of(Path(f"{counts}.{number}")) for number in range(1, 2 * len(CONTENDERS) + 1)]
    return {name: total / polls / 1000 for name, total in zip(CONTENDERS, totals[1::2], strict=True)}


def total_of(file: Path) -> int:
    """Return the count in a file that callgrind has written."""
    found = re.search(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _main(url: str, polls: str) -> None:
    """Let each contender poll; this runs under valgrind."""
    with logging_to_nowhere():
        for jobs in CONTENDERS.values():
            asyncio.run(in_turn(jobs(url, GATES), gates=GATES, warm=WARM, polls=int(polls), mark=mark))


if __name__ == "__main__":
    _main(*sys.argv[1:])
