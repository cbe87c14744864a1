"""The conventions of Airflow's own providers, checked for every operator and sensor."""

from __future__ import annotations

import inspect
import re

import pytest

from airflow_provider_oms.links.oms import OmsConsoleLink
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors

#: Arguments that say how a task waits or works. They are checked when the DAG is parsed; the others are templated.
SETTLED = {
    *("deferrable", "start_from_trigger", "wait_for_completion", "poke_interval", "timeout", "stop_on_kill"),
    *("allow_modifying", "require_verification", "min_projects", "on_failure"),
    *("fail_on_suspend", "failure_grace", "outage_tolerance", "hold_for", "stop_first", "reads_only", "retry_failed"),
    *(
        "precheck",
        "precheck_timeout",
        "create_labels",
        "try_keep_hb",
        "enable_ssl",
        "max_rows",
        "max_sql",
        "max_tables",
    ),
}


def classes(module):
    return [value for name in module.__all__ if inspect.isclass(value := getattr(module, name))]


SENSORS, OPERATORS = classes(sensors), classes(operators)
every = pytest.mark.parametrize("cls", [*SENSORS, *OPERATORS], ids=lambda cls: cls.__name__)


def ours(cls):
    """Iterate over the classes of this provider in a class's bases."""
    return [one for one in cls.__mro__ if one.__module__.startswith("airflow_provider_oms.")]


def parameters(cls):
    """Return every argument that this provider adds to a class."""
    found = {}
    for one in ours(cls):
        if constructor := vars(one).get("__init__"):
            found = {**inspect.signature(constructor).parameters, **found}
    return {name: parameter for name, parameter in found.items() if name not in ("self", "kwargs")}


def documented(cls):
    """Return the explanation of each argument in the docstrings."""
    found = {}
    for one in ours(cls):
        said = re.findall(r":param (\w+):(.*?)(?=\n\s*:|\Z)", inspect.cleandoc(one.__doc__ or ""), re.DOTALL)
        found = {**dict(said), **found}
    return found


def test_nothing_is_missing():
    assert len(SENSORS) == 9
    assert len(OPERATORS) >= 15


@every
def test_its_name_says_what_it_is(cls):
    assert re.fullmatch(r"Oms\w*(Sensor|Operator)", cls.__name__)
    assert cls.__name__.endswith("Sensor" if cls in SENSORS else "Operator")


@every
def test_all_its_arguments_are_given_by_name(cls):
    assert {parameter.kind for parameter in parameters(cls).values()} <= {inspect.Parameter.KEYWORD_ONLY}


@every
def test_what_it_is_about_is_templated_and_how_it_works_is_not(cls):
    assert set(parameters(cls)) - SETTLED == set(cls.template_fields)
    assert len(set(cls.template_fields)) == len(cls.template_fields)


@every
def test_the_docstring_says_what_is_templated(cls):
    said = {name for name, text in documented(cls).items() if "(templated)" in text}
    assert said == set(cls.template_fields)


@every
def test_structures_are_shown_as_json(cls):
    structured = {
        name
        for name, parameter in parameters(cls).items()
        if name in cls.template_fields and re.search("Mapping|Sequence|dict|list", str(parameter.annotation))
    }
    assert cls.template_fields_renderers == dict.fromkeys(structured, "json")


@every
def test_a_file_is_read_for_a_structure_only(cls):
    """Airflow reads a file for every templated text with such an ending, even if the text isn't a file name."""
    assert set(cls.template_ext) <= {".json"}
    assert not cls.template_ext or cls.template_fields_renderers


@every
def test_it_has_the_link_to_the_console(cls):
    assert [type(link) for link in cls.operator_extra_links] == [OmsConsoleLink]


def test_gates_and_actions_are_distinguished_by_colour():
    """Airflow 2.11 uses the colours in its graph."""
    gates, actions = ({cls.ui_color for cls in group} for group in (SENSORS, OPERATORS))
    assert len(gates) == len(actions) == 1
    assert gates != actions
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in gates | actions)
