"""Runs a gate in each of its modes as Airflow does, against a real HTTP server and without real pauses.

``poke``, ``reschedule`` and ``deferred`` each take a sensor that is about to poll once, and return an :class:`Outcome`.
On a worker a poll goes through Airflow's own ``execute``; in the triggerer it goes through the trigger, whose kwargs
and event are converted to JSON and back, as Airflow's database does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowSkipException, TaskDeferred

from airflow_provider_oms.exceptions import OmsMilestoneFailedError
from airflow_provider_oms.milestones.fleet import SELECTORS
from airflow_provider_oms.sensors import oms as sensors
from tests.gate_cases import FAILED, REACHED, WAITING, Case, Reply

SKIPPED = "skipped"


def one_of_each_kind(cases: Iterable[Case]) -> list[Case]:
    """Choose rows of the table, one for each way in which the mode could make a difference.

    One function decides every row, and is tested with every row, as is one of the modes. In another mode only the
    transport of arguments, answers, verdict and message can differ.
    """
    chosen: dict[Any, Case] = {}
    for case in cases:
        answers = (case.progress, case.steps, case.verify_pages, case.project)
        came = tuple((a.status, a.fault, type(a.body), *a.headers) if isinstance(a, Reply) else None for a in answers)
        asked = (case.project is None, case.apart is None, case.date_offset == 0)
        verdict = (case.expected, case.without_memory, case.message is None or case.message.isascii())
        chosen.setdefault((case.sensor, repr(case.arguments), came, asked, verdict), case)
    return list(chosen.values())


@dataclass(frozen=True)
class Outcome:
    """How a gate ended (waiting, reached, failed or skipped), the message, and the value that the task returned."""

    state: str
    message: str = ""
    observed: dict[str, Any] = field(default_factory=dict)


class Store(dict):
    """A task state store as in Airflow 3.3, which takes only JSON."""

    def set(self, key, value):
        self[key] = json.loads(json.dumps(value))


def context(store=None, poke=0, try_number=1):
    """Return the context of a running task; on 2.11 it has no store and no number of the poke."""
    task_instance = SimpleNamespace(
        try_number=try_number,
        max_tries=0,
        dag_id="dag",
        task_id="gate",
        run_id="run",
        map_index=-1,
        get_first_reschedule_date=lambda context: None,
    )
    return {"ti": task_instance, "task_reschedule_count": poke} | ({} if store is None else {"task_state_store": store})


def make(sensor, arguments, **more):
    """Make a gate that polls once, because its time-out passes at once."""
    settings = {"task_id": "gate", "timeout": 0, **arguments, **more}
    if not {"project_name", *SELECTORS} & settings.keys():
        settings.setdefault("project_id", "np_1")
    return getattr(sensors, sensor)(**settings)


def poke(gate):
    """Run a gate in poke mode, which occupies a worker."""
    gate.mode = "poke"
    return _outcome(lambda: gate.execute(context()))


def reschedule(gate, monkeypatch, store=None, timeout=3600, **which):
    """Run one poke of a gate in reschedule mode, which frees its worker between two pokes.

    :param which: the number of the poke, and of the try
    """
    gate.mode = "reschedule"
    gate.timeout = timeout
    module = import_module(type(gate).__mro__[2].__module__)
    if hasattr(module, "_orig_start_date"):  # Airflow 2.11 reads it from its database
        monkeypatch.setattr(module, "_orig_start_date", lambda **kwargs: None)
    return _outcome(lambda: gate.execute(context(store, **which)))


def deferred(gate):
    """Run a deferrable gate: it polls on the worker, then once in the triggerer if it must wait."""
    gate.deferrable = True

    def run():
        try:
            return gate.execute(context())
        except TaskDeferred as deferral:
            event = fire(deferral.trigger)
            return gate.resume_execution(deferral.method_name, {"event": event}, context())

    return _outcome(run)


def in_triggerer(gate):
    """Let the triggerer make the first poll."""
    from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

    event = fire(OmsMilestoneTrigger(gate=gate.gate().as_dict(), deadline=0))
    return _outcome(lambda: gate.resume_execution("execute_complete", {"event": event}, context()))


def fire(trigger):
    """Run a trigger, stored and loaded as by Airflow, until it fires, and return the payload of its event."""
    classpath, kwargs = trigger.serialize()
    module, name = classpath.rsplit(".", 1)
    loaded = getattr(import_module(module), name)(**json.loads(json.dumps(kwargs)))

    async def run():
        return [event async for event in loaded.run()]

    (event,) = asyncio.run(run())
    return json.loads(json.dumps(event.payload))


def _outcome(run):
    try:
        return Outcome(REACHED, observed=run())
    except OmsMilestoneFailedError as error:
        return Outcome(FAILED, str(error))
    except AirflowSkipException as error:
        return Outcome(SKIPPED, str(error))
    except AirflowSensorTimeout as error:
        return Outcome(WAITING, str(error))
    except Exception as error:
        if type(error).__name__ == "AirflowRescheduleException":
            return Outcome(WAITING)
        raise
