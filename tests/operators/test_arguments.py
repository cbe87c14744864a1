"""What all operators have in common as Airflow operators."""

from __future__ import annotations

import inspect
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.operators.project_body import check
from airflow_provider_oms.simulator import Project
from tests.milestones.support import NOT_A_PROJECT, NOT_AN_ID
from tests.rows import each_row

PROJECT = {"project_id": "np_1"}
ALL: dict[type, dict[str, Any]] = {
    operators.OmsStartProjectOperator: PROJECT,
    operators.OmsStopProjectOperator: PROJECT,
    operators.OmsResumeProjectOperator: PROJECT,
    operators.OmsReleaseProjectOperator: PROJECT,
    operators.OmsDeleteProjectOperator: PROJECT,
    operators.OmsAdvanceProjectOperator: {**PROJECT, "from_step": "FULL_VERIFIER"},
    operators.OmsUpdateProjectConfigOperator: {**PROJECT, "config": {"fullTransferConfig": {"throttleRps": 1}}},
    operators.OmsModifyObjectsOperator: {**PROJECT, "add": ["shop.prices"]},
    operators.OmsFullVerificationReportOperator: PROJECT,
    operators.OmsStartProjectsByLabelOperator: {"label_id": "l_1"},
    operators.OmsStopProjectsByLabelOperator: {"label_id": "l_1"},
    operators.OmsCreateMySqlDataSourceOperator: {"name": "one"},
    operators.OmsCreateOceanBaseDataSourceOperator: {"name": "one", "oceanbase_conn_id": "x"},
    operators.OmsCreateKafkaDataSourceOperator: {"name": "one", "kafka_conn_id": "x"},
    operators.OmsCreateOceanBaseODPDataSourceOperator: {"name": "one", "oceanbase_conn_id": "x", "url": "http://x"},
    operators.OmsCreatePolarDBDataSourceOperator: {"name": "one", "polardb_conn_id": "x", "access_key_conn_id": "y"},
    operators.OmsCreateProjectOperator: {
        "project": {
            "name": "p",
            "type": "MIGRATION",
            "sourceEndpointId": "e_1",
            "sinkEndpointId": "e_2",
            "transferMapping": operators.transfer_mapping({"shop": ["orders"]}),
        }
    },
    operators.OmsActionOperator: {"action": "ListAllLabels"},
}
ON_A_PROJECT = [cls for cls, arguments in ALL.items() if "project_id" in arguments]
WAITING = [cls for cls in ALL if issubclass(cls, operators.OmsWaitingOperator)]


@pytest.fixture(autouse=True)
def no_look_ups(request, monkeypatch):
    if "sim" not in request.fixturenames:
        monkeypatch.setattr(OmsHook, "get_connection", lambda *args: pytest.fail("no look-up while a DAG is parsed"))


def test_none_is_missing():
    bases = {
        operators.OmsOperator,
        operators.OmsProjectOperator,
        operators.OmsProjectActionOperator,
        operators.OmsLabelOperator,
        operators.OmsDataSourceOperator,
        operators.OmsWaitingOperator,
    }
    classes = {getattr(operators, name) for name in operators.__all__ if inspect.isclass(getattr(operators, name))}
    assert classes - bases == set(ALL)


@pytest.mark.parametrize("cls", ALL)
def test_template_fields_are_attributes(cls):
    operator = cls(task_id="task", **ALL[cls])
    assert "oms_conn_id" in operator.template_fields
    assert all(hasattr(operator, name) for name in operator.template_fields)
    assert operator.oms_conn_id == "oms_default"


@pytest.mark.parametrize("cls", ALL)
def test_arguments_are_keywords(cls):
    kinds = {
        parameter.kind
        for base in cls.__mro__
        if base.__module__.startswith("airflow_provider_oms") and "__init__" in vars(base)
        for name, parameter in inspect.signature(inspect.unwrap(base.__init__)).parameters.items()
        if name != "self"
    }
    assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}


@pytest.mark.parametrize("cls", ALL)
def test_every_argument_is_documented(cls):
    for base in cls.__mro__:
        if not base.__module__.startswith("airflow_provider_oms") or "__init__" not in vars(base):
            continue
        names = set(inspect.signature(inspect.unwrap(base.__init__)).parameters) - {"self", "kwargs"}
        docs = "".join(
            inspect.getdoc(one) or "" for one in cls.__mro__ if one.__module__.startswith("airflow_provider")
        )
        assert not {name for name in names if f":param {name}:" not in docs}


@pytest.mark.parametrize("cls", ALL)
def test_mapped(cls):
    arguments = dict(ALL[cls])
    first = next(iter(arguments))
    value = arguments.pop(first)
    with DAG("d", schedule=None, start_date=datetime(2025, 1, 1)):
        mapped = cls.partial(task_id="task", **arguments).expand(**{first: [value, value]})
    assert mapped.operator_class is cls


@pytest.mark.parametrize("cls", ALL)
def test_templates_are_left_alone_while_the_dag_is_parsed(cls):
    arguments = dict.fromkeys(ALL[cls], "{{ later }}")
    operator = cls(task_id="task", oms_conn_id="{{ conn }}", **arguments)
    operator.render_template_fields({"later": "x", "conn": "other"})
    assert operator.oms_conn_id == "other"
    assert all(getattr(operator, name) == "x" for name in arguments)


@pytest.mark.parametrize("cls", ON_A_PROJECT)
@pytest.mark.parametrize(
    "project",
    [{}, {"project_id": "a", "project_name": "b"}, {"project_id": ""}, {"project_name": " "}, {"project_id": 7}],
)
def test_a_project_or_its_name(cls, project):
    arguments = {name: value for name, value in ALL[cls].items() if name != "project_id"}
    with pytest.raises(ValueError, match=r"project_(id|name)"):
        cls(task_id="task", **arguments, **project)


#: Every argument that names an object of OMS, by operator.
NAMES = [
    *((cls, name) for cls in ON_A_PROJECT for name in ("project_id", "project_name")),
    *((cls, name) for cls in ALL if issubclass(cls, operators.OmsLabelOperator) for name in ("label_id", "label_name")),
    *((cls, "name") for cls in ALL if issubclass(cls, operators.OmsDataSourceOperator)),
]


@pytest.mark.parametrize(("cls", "name"), NAMES)
@each_row("rendered", [*NOT_A_PROJECT, None, 7])
def test_what_was_rendered_to_nothing(cls, name, rendered, runner):
    """A missing result must not be taken for a project that was deleted."""
    given = {key: value for key, value in ALL[cls].items() if key not in ("project_id", "label_id")}
    operator = cls(task_id="task", **{**given, name: "{{ later }}"})
    setattr(operator, name, rendered)
    run = runner.go(operator)
    assert isinstance(run.error, OmsOperationRefusedError)
    assert name in str(run.error)
    assert runner.asked() == []


@pytest.mark.parametrize(("cls", "name"), [one for one in NAMES if one[1].endswith("_id")])
@each_row("rendered", NOT_AN_ID)
def test_what_can_be_no_id(cls, name, rendered, runner):
    given = {key: value for key, value in ALL[cls].items() if key not in ("project_id", "label_id")}
    operator = cls(task_id="task", **{**given, name: "{{ later }}"})
    setattr(operator, name, rendered)
    assert isinstance(runner.go(operator).error, OmsOperationRefusedError)
    assert runner.asked() == []
    if "{{" not in rendered:
        with pytest.raises(ValueError, match=name):
            cls(task_id="task2", **{**given, name: rendered})


@pytest.mark.parametrize("cls", ON_A_PROJECT)
def test_blanks_around_an_id_and_a_name_are_none_of_it(cls, runner, sim):
    project_id = sim.add_project(Project(name="shop"))
    for given in ({"project_id": f" {project_id}\n"}, {"project_name": "\tshop "}):
        with OmsHook() as hook:
            operator = cls(task_id="task", **{**{k: v for k, v in ALL[cls].items() if k != "project_id"}, **given})
            assert operator.find_project(hook) == project_id


@pytest.mark.parametrize("cls", WAITING)
@pytest.mark.parametrize("name", ["poke_interval", "timeout"])
@pytest.mark.parametrize("value", [-1, "soon", True, float("nan")])
def test_times(cls, name, value):
    with pytest.raises(ValueError, match=name):
        cls(task_id="task", **ALL[cls], **{name: value})


@pytest.mark.parametrize("cls", WAITING)
def test_times_as_timedelta(cls):
    operator = cls(task_id="task", **ALL[cls], poke_interval=timedelta(minutes=1), timeout=timedelta(hours=2))
    assert (operator.poke_interval, operator.timeout) == (60, 7200)
    assert cls(task_id="task2", **ALL[cls], timeout=None).timeout is None


FLAGS = [
    (cls, name)
    for cls in ALL
    for name in (
        *("create_labels", "deferrable", "precheck", "reads_only", "retry_failed"),
        *("enable_ssl", "stop_first", "stop_on_kill", "try_keep_hb", "wait_for_completion"),
    )
    if any(
        name in inspect.signature(base.__init__).parameters
        for base in cls.__mro__
        if base.__module__.startswith("airflow_provider_oms")
    )
]


@pytest.mark.parametrize(("cls", "name"), FLAGS)
@pytest.mark.parametrize("value", ["false", "{{ params.no }}", 1])
def test_a_flag_is_no_text(cls, name, value):
    """Any text would count as True."""
    with pytest.raises(ValueError, match=f"{name} must be True or False"):
        cls(task_id="task", **ALL[cls], **{name: value})


def test_a_wrong_rendered_body_is_the_same_mistake():
    with pytest.raises(ValueError, match="project must be a mapping"):
        check(json.loads("[]"))
