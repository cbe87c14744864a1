"""``start_from_trigger``: a gate that needs no worker, not even for its first poll. It needs Airflow 3.3 or later.

Airflow passes the arguments to the triggerer as they are written in the DAG, and renders them there. It renders them
again after every restart of the triggerer, without the DAG's own macros, and renders unknown names as empty text. A
trigger that asks for an XCom waits for ever. So only templates that always render to the same value are allowed; all
others are refused while the DAG is parsed.

Airflow makes mapped tasks poll on a worker first, as without the argument. A gate that is given a project's name needs
a worker for a moment once the name is resolved, because only a worker can write the id into the trigger's row.

Source: docs/develop/airflow-facts.md#start-from-trigger
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from airflow_provider_oms import __version__
from airflow_provider_oms.tasks.airflow_version import airflow_version
from airflow_provider_oms.tasks.templates import is_literal
from airflow_provider_oms.triggers.deferral import SLACK

if TYPE_CHECKING:
    from airflow_provider_oms.sensors.base import OmsGateSensor

TRIGGER = "airflow_provider_oms.triggers.first_poll.OmsFirstPollTrigger"

#: The names that a template may use: they are constant in a DAG run, and the triggerer knows them.
FIXED = frozenset(
    {
        *("dag_run", "data_interval_end", "data_interval_start", "ds", "ds_nodash"),
        *("logical_date", "run_id", "ts", "ts_nodash", "ts_nodash_with_tz"),
    }
)

#: The arguments that have no meaning in the triggerer.
_NOT_THERE = {"self", "kwargs", "deferrable", "start_from_trigger"}


def start_trigger_args(sensor: OmsGateSensor, base: type) -> Any:
    """Return the arguments with which Airflow starts the task in the triggerer.

    :param sensor: the gate
    :param base: the class of all gates; the arguments of its base classes are Airflow's
    :raises ValueError: when the gate can't start in the triggerer; the message says why
    """
    from airflow.triggers.base import StartTriggerArgs

    if airflow_version() < (3, 3):
        raise ValueError(
            "start_from_trigger needs Airflow 3.3 or later: earlier versions don't render a trigger's templates"
        )
    if not sensor.deferrable:
        raise ValueError("start_from_trigger=True needs deferrable=True")
    given = {name: _plain(getattr(sensor, name)) for name in _arguments(type(sensor), base)}
    for name, value in given.items():
        _check(name, value)
    templated = {name: value for name, value in given.items() if name in sensor.template_fields}
    settings = {name: value for name, value in given.items() if name not in templated}
    allowed = sensor.timeout + SLACK
    limit = getattr(sensor, "execution_timeout", None)
    kwargs = {
        "sensor": f"{type(sensor).__module__}.{type(sensor).__qualname__}",
        "settings": json.dumps(settings),
        "timeout": sensor.timeout,
        # Airflow ends the deferral at its time-out or at execution_timeout, both counted from the same moment.
        "allowed": allowed if limit is None else min(allowed, limit.total_seconds()),
        "written_by": __version__,
        **templated,
    }
    return StartTriggerArgs(
        trigger_cls=TRIGGER,
        trigger_kwargs=kwargs,
        next_method="execute_complete",
        next_kwargs=None,
        timeout=timedelta(seconds=allowed),
    )


def _arguments(cls: type, base: type) -> Iterator[str]:
    """Return the names of a gate's own arguments and those of the base of all gates."""
    for one in cls.__mro__:
        if constructor := vars(one).get("__init__"):
            yield from (name for name in inspect.signature(constructor).parameters if name not in _NOT_THERE)
        if one is base:
            return


def _plain(value: Any) -> Any:
    """Return a value as JSON, so that Airflow's serialization has nothing to change."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _check(name: str, value: Any) -> None:
    if is_literal(value):
        return
    if hasattr(value, "resolve"):
        raise ValueError(f"{name} is another task's result (XCom), which a trigger can't read. {_INSTEAD}")
    for text in _texts(value):
        try:
            used = find_undeclared_variables(SandboxedEnvironment().parse(text))
        except jinja2.TemplateError as error:
            raise ValueError(f"{name} isn't a valid template: {error}") from None
        if strange := sorted(used - FIXED):
            raise ValueError(
                f"{name} uses {', '.join(strange)}. With start_from_trigger a template is rendered again whenever "
                f"the triggerer restarts, so it may only use {', '.join(sorted(FIXED))}. {_INSTEAD}"
            )


_INSTEAD = "Leave start_from_trigger out: the first poll on a worker is short."


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
