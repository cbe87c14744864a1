"""Follow ``max_lag`` from a DAG to the verdict, and print which functions of the package are called, file by file.

.venv-airflow-3.3-test-lint/bin/python scripts/follow.py

The script makes a gate as a DAG file does, and polls a simulated OMS once in poke mode. A ``*`` marks the files in
which a function gets ``max_lag``, or the sensor, milestone or gate that contains it: read these to follow the setting.
Calls of the simulator, and calls during the import of modules, are not counted.
"""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "airflow_provider_oms"
_SIMULATOR = PACKAGE / "simulator"

#: The objects that hold max_lag on its way.
_HOLDERS = {"OmsCheckpointLagSensor", "CheckpointLagMilestone", "Gate"}


class Trace:
    """A context manager that counts the calls of the package's functions, by file and function."""

    def __init__(self) -> None:
        self.calls: dict[str, Counter[str]] = {}
        #: The files in which a function gets max_lag.
        self.given: set[str] = set()
        self._generators: list[FrameType] = []  # kept alive, to recognise a generator that is resumed

    def __enter__(self) -> Trace:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *exc_info: object) -> None:
        sys.setprofile(None)
        self._generators.clear()

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        path = Path(code.co_filename)
        if event != "call" or not path.is_relative_to(PACKAGE) or path.is_relative_to(_SIMULATOR):
            return
        if code.co_name.startswith("<") or self._resumes(frame, code):
            return
        file = str(path.relative_to(PACKAGE))
        self.calls.setdefault(file, Counter())[code.co_qualname] += 1
        handed = frame.f_locals.items()
        if any(name == "max_lag" or type(value).__name__ in _HOLDERS for name, value in handed):
            self.given.add(file)

    def _resumes(self, frame: FrameType, code: CodeType) -> bool:
        """Return whether a generator is only resumed, which Python reports as a call, too."""
        if not code.co_flags & inspect.CO_GENERATOR:
            return False
        if any(frame is known for known in self._generators):
            return True
        self._generators.append(frame)
        return False


def follow() -> Trace:
    """Make a gate and poll once; return what was called. This is done twice, so that imports aren't counted."""
    from airflow_provider_oms.sensors.oms import OmsCheckpointLagSensor
    from airflow_provider_oms.simulator import Clock, Project, Simulator

    project = Project(id="np_1", status="RUNNING", step="INCR_TRANSFER")
    with Simulator([project], clock=Clock(speed=0)) as simulator:
        os.environ["AIRFLOW_CONN_OMS_DEFAULT"] = simulator.connection_json
        for number in range(2):
            with Trace() as trace:
                OmsCheckpointLagSensor(task_id=f"lag_{number}", project_id="np_1", max_lag=60).poke({})
    return trace


def main() -> int:
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False")
        trace = follow()
    for file, functions in trace.calls.items():
        print(f"{'*' if file in trace.given else ' '} {functions.total():4}  {file}: {', '.join(functions)}")
    given = sum(functions.total() for file, functions in trace.calls.items() if file in trace.given)
    total = sum(functions.total() for functions in trace.calls.values())
    print(f"max_lag: {len(trace.given)} files, {given} calls; the whole poll: {len(trace.calls)} files, {total} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
