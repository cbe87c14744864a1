"""Running a gate in each of its modes, the way Airflow does, against a real HTTP server and without waiting.

``poke``, ``reschedule`` and ``deferred`` each take a sensor that is about to poll once, and return an :class:`Outcome`.
The looks of a worker go through Airflow's own ``execute``; those of a triggerer through the trigger, after a round
trip of its kwargs and its event through JSON, which is what Airflow's database makes of them.
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
    """Choose rows of the table: one for each way in which a mode could matter.

    What a row decides is decided by one function, which is tried with every row, as is one mode. What another mode adds
    is how the gate's arguments, the kinds of answers, the verdict and its message travel.
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
    """How it ended: waiting, reached, failed or skipped; why; and what the task returned."""

    state: str
    message: str = ""
    observed: dict[str, Any] = field(default_factory=dict)


class Store(dict):
    """Airflow 3.3's task state store, as far as it matters: it only takes JSON."""

    def set(self, key, value):
        self[key] = json.loads(json.dumps(value))


def context(store=None, poke=0, try_number=1):
    """What Airflow hands to a running task; on 2.11 without a store and without the number of its pokes."""
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
    """Make a gate that polls once: its time is up at once."""
    settings = {"task_id": "gate", "timeout": 0, **arguments, **more}
    if not {"project_name", *SELECTORS} & settings.keys():
        settings.setdefault("project_id", "np_1")
    return getattr(sensors, sensor)(**settings)


def poke(gate):
    """Run a gate that holds a worker."""
    gate.mode = "poke"
    return _outcome(lambda: gate.execute(context()))


def reschedule(gate, monkeypatch, store=None, timeout=3600, **which):
    """Run a poke of a gate that gives its worker back between two of them.

    :param which: the number of the poke, and of the try
    """
    gate.mode = "reschedule"
    gate.timeout = timeout
    module = import_module(type(gate).__mro__[2].__module__)
    if hasattr(module, "_orig_start_date"):  # Airflow 2.11 asks its database
        monkeypatch.setattr(module, "_orig_start_date", lambda **kwargs: None)
    return _outcome(lambda: gate.execute(context(store, **which)))


def deferred(gate):
    """Run a gate that waits in the triggerer: a poll on the worker, then one there if it must wait."""
    gate.deferrable = True

    def run():
        try:
            return gate.execute(context())
        except TaskDeferred as deferral:
            event = fire(deferral.trigger)
            return gate.resume_execution(deferral.method_name, {"event": event}, context())

    return _outcome(run)


def in_triggerer(gate):
    """Have the triggerer take the very first poll."""
    from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger

    event = fire(OmsMilestoneTrigger(gate=gate.gate().as_dict(), deadline=0))
    return _outcome(lambda: gate.resume_execution("execute_complete", {"event": event}, context()))


def fire(trigger):
    """Run a trigger until it fires, after Airflow has stored and loaded it, and return its event's payload."""
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
