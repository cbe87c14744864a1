"""Make Airflow's database, run a DAG file by ``dag.test()`` and report what its tasks do. Runs in the demo's Airflow.

``python -m demo.runner FILE DAG_ID REPORT [--poke-interval SECONDS]`` adds JSON lines to REPORT.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the DAG; returns 0 when every task has succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("dag_id")
    parser.add_argument("report", type=Path)
    parser.add_argument("--poke-interval", type=float)
    given = parser.parse_args(arguments)
    _write(given.report, event="phase", name="database")
    make_database()
    _write(given.report, event="phase", name="run")
    dag = load_dag(given.file, given.dag_id)
    watch_tasks(dag, partial(_write, given.report))
    if given.poke_interval is not None:
        set_argument(dag, "poke_interval", given.poke_interval)
    _write(given.report, event="loaded", tasks=list(dag.task_dict))
    run = dag.test()
    instances = run.get_task_instances()
    for instance in instances:
        _write(given.report, event="task", **describe(instance))
    _write(given.report, event="end", state=str(getattr(run.state, "value", run.state)))
    return 0 if all(instance.state == "success" for instance in instances) else 1


def make_database() -> None:
    """Do what ``airflow db migrate`` does for a new database, without starting Airflow twice."""
    from airflow.utils.db import initdb

    initdb()


def load_dag(file: Path, dag_id: str) -> Any:
    """Import a DAG file and return its DAG.

    :raises LookupError: when the file has no such DAG
    """
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise LookupError(f"{file} can't be imported")
    module = importlib.util.module_from_spec(spec)
    # Airflow finds the file of a DAG by the module that is being imported.
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    for value in vars(module).values():
        if getattr(value, "dag_id", None) == dag_id and hasattr(value, "task_dict"):
            return value
    raise LookupError(f"{file} has no DAG {dag_id}")


def set_argument(dag: Any, name: str, value: Any) -> None:
    """Set an argument of every task of a DAG whose operator has it."""
    for task in dag.tasks:
        arguments = getattr(task, "partial_kwargs", None)
        if arguments is None:
            if hasattr(task, name):
                setattr(task, name, value)
        elif any(name in inspect.signature(base.__init__).parameters for base in task.operator_class.__mro__):
            arguments[name] = value


def watch_tasks(dag: Any, report: Callable[..., None]) -> None:
    """Have every task report when it begins and how it ends."""
    states = {"execute": "running", "success": "success", "failure": "failed", "skipped": "skipped", "retry": "retry"}
    for task in dag.tasks:
        target = getattr(task, "partial_kwargs", None)
        for moment, state in states.items():
            name = f"on_{moment}_callback"
            callback = partial(_report_state, report, task.task_id, state)
            if target is not None:
                target[name] = _with(target.get(name), callback)
            else:
                setattr(task, name, _with(getattr(task, name, None), callback))


def describe(instance: Any) -> dict[str, Any]:
    """Return what Airflow has stored of a task: its state, its times, and what it returned."""
    state = getattr(instance.state, "value", instance.state)
    returned = instance.xcom_pull(task_ids=instance.task_id) if state == "success" else None
    return {
        "task": instance.task_id,
        "map_index": instance.map_index,
        "state": state,
        "start": _seconds(instance.start_date),
        "end": _seconds(instance.end_date),
        "returned": returned,
    }


def _with(present: Any, more: Callable[[Any], None]) -> list[Any]:
    if present is None:
        return [more]
    return [*(present if isinstance(present, Iterable) else [present]), more]


def _report_state(report: Callable[..., None], task_id: str, state: str, context: Any) -> None:
    report(event="state", task=task_id, state=state, time=time.time())


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _write(report: Path, **event: Any) -> None:
    # Opened each time: Airflow 3.0 copies a DAG with its callbacks, and an open file can't be copied.
    with report.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(event, default=str) + "\n")


if __name__ == "__main__":
    sys.exit(main())
