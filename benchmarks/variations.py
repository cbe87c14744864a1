"""Why the ratio of a poll to the bare loop differs between processes and machines: one condition is varied at a time.

python -m benchmarks.variations

In each variation our gates and the bare loop poll in turn, in processes that differ from the usual one only in that
condition.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.gates import LIST_SETTING, UNLISTED, logging_to_nowhere
from benchmarks.server import CannedOms
from benchmarks.turns import CONTENDERS, in_turn

#: Processes of each variation, rounds in each, and polls in a round.
PROCESSES, ROUNDS, POLLS = 3, 5, 400

GATES, WARM = 10, 100

VARIATIONS = {
    "usual": "one process, 10 gates",
    "other order": "the bare loop first in each round",
    "cold": "the first round alone, with nothing before it",
    "hash seed 1": "PYTHONHASHSEED=1",
    "hash seed 2": "PYTHONHASHSEED=2",
    "fixed layout": "addresses aren't randomized (setarch -R)",
    "no collector": "the garbage collector is off",
    "2000 gates": "as many as in the table: each finds its objects pushed out of the cache",
    "apart": "each of the two in a process that never ran the other",
    "neighbours": "another process keeps each core busy",
}


def main() -> int:
    from benchmarks.__main__ import throwaway_airflow

    throwaway_airflow()
    with CannedOms() as oms:
        print("| what is varied | ours | bare | ratio | of it user | system |\n|---|---|---|---|---|---|")
        for name, what in VARIATIONS.items():
            if name == "fixed layout" and shutil.which("setarch") is None:
                continue
            with _neighbours(2 * (os.cpu_count() or 1) if name == "neighbours" else 0):
                found = [_of_a_process(oms, name) for _ in range(PROCESSES)]
            ratios = [sum(one["one"]) / sum(one["bare one"]) for one in found]
            ours, bare = (median(sum(one[which]) for one in found) for which in ("one", "bare one"))
            user, system = (median(one["one"][part] / one["bare one"][part] for one in found) for part in (0, 1))
            between = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            print(
                f"| {name}: {what} | {ours:.0f} us | {bare:.0f} us | {between} | {user:.2f} | {system:.2f} |",
                flush=True,
            )
    return 0


def _of_a_process(oms: CannedOms, name: str) -> dict[str, list[float]]:
    if name == "apart":
        return measured(oms, name, "one") | measured(oms, name, "bare one")
    order = ("bare one", "one") if name == "other order" else ("one", "bare one")
    return measured(oms, name, *order)


def measured(oms: CannedOms, name: str, *contenders: str) -> dict[str, list[float]]:
    """Return the microseconds of user and system time for a poll, by contender, measured in a separate process."""
    command = [sys.executable, "-m", "benchmarks.variations", oms.url, name, *contenders]
    if name == "fixed layout":
        command = ["setarch", "-R", *command]
    seed = {"PYTHONHASHSEED": name[-1]} if name.startswith("hash seed") else {}
    printed = subprocess.run(
        command, cwd=Path(__file__).parent.parent, env={**os.environ, **seed}, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, list[float]] = json.loads(printed.stdout)
    return found


@contextlib.contextmanager
def _neighbours(number: int) -> Iterator[None]:
    """Run processes that keep all cores and their caches busy."""
    work = "numbers = list(range(1_000_000))\nwhile True: numbers.reverse()"
    busy = [subprocess.Popen([sys.executable, "-c", work]) for _ in range(number)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _mark(marks: list[resource.struct_rusage]) -> None:
    marks.append(resource.getrusage(resource.RUSAGE_SELF))


def _measure(url: str, name: str, *contenders: str) -> None:
    """Measure each contender; this runs in a separate process."""
    os.environ[LIST_SETTING] = UNLISTED  # each gate is on its own project
    if name == "no collector":
        gc.disable()
    gates = 2000 if name == "2000 gates" else GATES
    polls, warm = max(POLLS, gates), 0 if name == "cold" else max(WARM, gates)
    rounds: dict[str, list[tuple[float, ...]]] = {contender: [] for contender in contenders}
    with logging_to_nowhere():
        for _ in range(1 if name == "cold" else ROUNDS):
            for contender in contenders:
                marks: list[resource.struct_rusage] = []
                gc.collect()
                jobs = CONTENDERS[contender](url, gates)
                mark = partial(_mark, marks)
                asyncio.run(in_turn(jobs, gates=gates, warm=warm + 1, polls=polls, mark=mark))
                before, after = marks
                rounds[contender].append(
                    tuple((after[part] - before[part]) / polls * 1e6 for part in (0, 1))  # user, system
                )
    print(json.dumps({one: [median(part) for part in zip(*found, strict=True)] for one, found in rounds.items()}))


if __name__ == "__main__":
    sys.exit(_measure(*sys.argv[1:]) if sys.argv[1:] else main())
