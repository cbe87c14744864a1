"""Counts what a poll executes and allocates, which is the same on every machine. Tests compare it with stored counts.

python -m benchmarks.counts [--store]

Counted are the lines of this package that run, and the memory blocks that it allocates and doesn't free. Lines of other
packages aren't counted, because they depend on the packages' versions. ``--store`` stores the new counts: review the
difference first.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.answers import project_id, project_name, taken
from benchmarks.gates import FULL_TRANSFER, LAG, STATUS, STEP, logging_to_nowhere
from benchmarks.server import CannedOms

STORED = Path(__file__).with_name("counts.json")

#: How far a count may be from the stored one, because versions of Python and Airflow differ slightly.
ROOM = 0.1

_PACKAGE = str(Path(__file__).resolve().parent.parent / "airflow_provider_oms")
_SIMULATOR = str(Path(_PACKAGE) / "simulator")

#: How many polls are made, and which of them is counted. The first ones in a process also set up what is reused later.
_WARM, _COUNTED = 3, 10


class Lines:
    """Counts the lines of this package that the current thread executes."""

    def __init__(self) -> None:
        self.count = 0

    def _trace(self, frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        file = frame.f_code.co_filename
        return self._line if file.startswith(_PACKAGE) and not file.startswith(_SIMULATOR) else None

    def _line(self, frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        self.count += event == "line"
        return self._line

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the lines that are executed in the ``with`` block."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)


def measure(oms: CannedOms) -> dict[str, float]:
    """Poll in several ways, and return the counts by name.

    :param oms: the server that is asked; the connection ``oms_default`` leads to it
    """
    with logging_to_nowhere():
        found = {
            f"lines, a poll in a triggerer, {name}": asyncio.run(_triggerer(milestone))
            for name, milestone in {"status": STATUS, "step": STEP, "transfer": FULL_TRANSFER, "lag": LAG}.items()
        }
        found["lines, a poke on a worker, status"] = _worker()
        found["lines, reading a list, a row"] = _list()
        found["lines, judging a row that says not yet"] = _row()
        found["memory blocks that a poll leaves"] = asyncio.run(_left())
    return {name: round(value, 1) for name, value in found.items()}


async def _triggerer(milestone: dict[str, Any]) -> float:
    from airflow_provider_oms.milestones.memory import Memory
    from airflow_provider_oms.triggers.oms import shared_poll
    from airflow_provider_oms.triggers.shared import shared_oms

    lines = Lines()
    async with shared_oms("oms_default", project_id(0)) as share:
        for number in range(_WARM + _COUNTED):
            gate, memory = _gate(number, milestone), Memory()
            if number < _WARM:
                await shared_poll(gate, memory, share)
                continue
            with lines.counted():
                await shared_poll(gate, memory, share)
    return lines.count / _COUNTED


def _gate(number: int, milestone: dict[str, Any], interval: float = 60.0) -> Any:
    from airflow_provider_oms.milestones.gate import Gate

    return Gate.from_dict({"project_id": project_id(number), "poke_interval": interval, "milestone": milestone})


def _worker() -> float:
    from airflow_provider_oms.sensors.oms import OmsProjectStatusSensor

    gate = OmsProjectStatusSensor(task_id="gate", project_id=project_id(0), target_statuses="FINISHED")
    lines = Lines()
    for _ in range(_WARM):
        gate.poll_once()
    with lines.counted():
        for _ in range(_COUNTED):
            gate.poll_once()
    return lines.count / _COUNTED


def _list() -> float:
    from airflow_provider_oms.client import actions
    from airflow_provider_oms.client.protocol import HttpAnswer, read_answer

    call, body = actions.list_projects().page(1), taken()["ListProjects"]
    answer, lines = read_answer(call, HttpAnswer(200, {}, body, 0.0)), Lines()
    with lines.counted():
        rows = [row.id for row in answer.data.rows if row.name != project_name(7)]
    return lines.count / len(rows)


def _row() -> float:
    from airflow_provider_oms.client import actions
    from airflow_provider_oms.client.protocol import HttpAnswer, read_answer
    from airflow_provider_oms.milestones.rows import Hint, told_by

    answer = read_answer(actions.list_projects().page(1), HttpAnswer(200, {}, taken()["ListProjects"], 0.0))
    gate, rows, lines = _gate(0, FULL_TRANSFER), answer.data.rows[: _WARM + _COUNTED], Lines()
    for number, row in enumerate(rows):
        if number < _WARM:
            told_by(gate, row, answer)
            continue
        with lines.counted():
            told = told_by(gate, row, answer)
        assert told.hint is Hint.NOT_YET
    return lines.count / _COUNTED


async def _left() -> float:
    from airflow_provider_oms.milestones.memory import Memory
    from airflow_provider_oms.triggers.oms import shared_poll
    from airflow_provider_oms.triggers.shared import shared_oms

    ours = [tracemalloc.Filter(True, f"{_PACKAGE}/*")]

    def blocks() -> int:
        gc.collect()
        statistics = tracemalloc.take_snapshot().filter_traces(ours).statistics("filename")
        return sum(statistic.count for statistic in statistics)

    tracemalloc.start()
    try:
        async with shared_oms("oms_default", project_id(0)) as share:
            gate, memory = _gate(0, FULL_TRANSFER, interval=0.001), Memory()  # too short to share an answer
            for _ in range(_WARM * _COUNTED):
                await shared_poll(gate, memory, share)
            before = blocks()
            for _ in range(20 * _COUNTED):
                await shared_poll(gate, memory, share)
            return max(0, blocks() - before) / (20 * _COUNTED)
    finally:
        tracemalloc.stop()


def stored() -> dict[str, float]:
    """Return the stored counts."""
    return dict(json.loads(STORED.read_text()))


def main() -> int:
    from benchmarks.__main__ import throwaway_airflow

    parser = argparse.ArgumentParser(prog="python -m benchmarks.counts", description=__doc__)
    parser.add_argument("--store", action="store_true", help="store the new counts")
    options = parser.parse_args()
    throwaway_airflow()
    with CannedOms() as oms:
        found = measure(oms)
    before = stored() if STORED.exists() else {}
    for name, count in found.items():
        print(f"{name}: {count} (stored: {before.get(name, 'none')})")
    if options.store:
        STORED.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
