"""No password, in plain text or in Base64, is in anything that a task writes, wherever it fails."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from urllib.parse import quote

import pytest

from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Fault
from tests.frames import shown_with_frames

OMS, SOURCE, TARGET = "oms-simulator", "Pa55-of-source", "Pa55-of-target"
DRC, INNER, PAYLOAD = "Pa55-of-drc", "Pa55-of-inner", "Pa55-in-payload"


def forms(secret):
    return [secret, base64.b64encode(secret.encode()).decode()]


#: How OMS, or a proxy, may write what it repeats.
SPELLINGS = {
    "as it is": str,
    "Gson": lambda text: text.replace("=", "\\u003d"),
    "URL": lambda text: quote(text, safe=""),
    "URL in URL": lambda text: quote(quote(text, safe=""), safe=""),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "no padding": lambda text: text.rstrip("="),
}


SECRETS = [form for secret in (SOURCE, TARGET, DRC, INNER, PAYLOAD) for form in forms(secret)]
SECRETS += [forms(f"admin:{OMS}")[1], forms(OMS)[1]]  # the plain word is also the name of the simulator's logger

FAULTS = {
    "refused": {"kind": "error", "code": "PARAM_ERROR", "message": "Connectivity test failed"},
    "busy": {"kind": "error"},
    "forbidden": {"kind": "status", "status": 403},
    "broken": {"kind": "status", "status": 500},
    "html": {"kind": "html"},
    "lost": {"kind": "reset_after"},
    "never arrived": {"kind": "reset_before"},
    "half": {"kind": "truncate"},
}


@pytest.fixture(autouse=True)
def connections(monkeypatch):
    fields = {
        "SOURCE": {"conn_type": "mysql", "host": "10.0.0.1", "port": 3306, "login": "mover", "password": SOURCE},
        "TARGET": {"conn_type": "mysql", "host": "10.0.0.2", "port": 2883, "login": "m@t#c", "password": TARGET},
        "DRC": {"conn_type": "generic", "login": "drc", "password": DRC},
        "INNER": {"conn_type": "generic", "password": INNER},
    }
    for name, values in fields.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(values))


#: For each task of ``tasks`` that creates a data source, what it sends and by which actions.
SENT = (SOURCE, TARGET, SOURCE, TARGET, SOURCE, PAYLOAD)
KINDS = ("MySql", "OceanBase", "Kafka", "OceanBaseODP", "PilarDB")  # as OMS spells them
CREATE = [f"Create{kind}DataSource" for kind in KINDS]


def tasks(deferrable):
    """Return the tasks of a whole migration."""
    body = {
        "name": "shop",
        "type": "MIGRATION",
        "sourceEndpointName": "source",
        "sinkEndpointName": "target",
        "transferMapping": operators.transfer_mapping({"shop": ["orders"]}),
        "enableFullTransfer": True,
        "enableIncrTransfer": True,
    }
    waits = {"deferrable": deferrable}
    return [
        operators.OmsCreateMySqlDataSourceOperator(task_id="task", name="source", mysql_conn_id="source"),
        operators.OmsCreateOceanBaseDataSourceOperator(
            task_id="task", name="target", oceanbase_conn_id="target", drc_conn_id="drc", inner_drc_conn_id="inner"
        ),
        operators.OmsCreateKafkaDataSourceOperator(
            task_id="task", name="kafka", kafka_conn_id="source", sasl_mechanism="PLAIN"
        ),
        operators.OmsCreateOceanBaseODPDataSourceOperator(
            task_id="task",
            name="odp",
            oceanbase_conn_id="target",
            url="http://gateway",
            access_key_conn_id="drc",
            drc_conn_id="drc",
        ),
        operators.OmsCreatePolarDBDataSourceOperator(
            task_id="task", name="polardb", polardb_conn_id="source", access_key_conn_id="drc"
        ),
        operators.OmsActionOperator(
            task_id="task",
            action="CreateMySqlDataSource",
            payload={"name": "third", "ip": "x", "username": "u", "password": forms(PAYLOAD)[1]},
        ),
        operators.OmsCreateProjectOperator(task_id="task", project=body),
        operators.OmsStartProjectOperator(task_id="task", project_name="shop", **waits),
        operators.OmsStopProjectOperator(task_id="task", project_name="shop", **waits),
        operators.OmsDeleteProjectOperator(task_id="task", project_name="shop", stop_first=True, **waits),
    ]


def written(runs, tasks, caplog, captured):
    """Return everything that the tasks have written, by place."""
    yield "log", caplog.text
    yield "output", captured.out + captured.err
    for run, task in zip(runs, tasks, strict=False):
        yield "xcom", json.dumps([run.result, run.xcoms])
        yield "trigger", json.dumps(run.deferrals)
        if run.error is not None:
            yield "exception", "".join(traceback.format_exception(run.error)) + repr(run.error)
            yield "chain", "".join(map(repr, _chain(run.error)))
            yield "frames", shown_with_frames(run.error)
        if isinstance(task, operators.OmsActionOperator):
            continue  # its payload is written by the DAG's author; Airflow masks it by its key
        yield "rendered", repr([getattr(task, name) for name in task.template_fields])
        yield "attributes", repr(vars(task))


def _chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_a_run_that_fails_at_every_place(runner, sim, caplog, capfd, fault, deferrable):
    caplog.set_level(logging.DEBUG)
    places = range(1) if fault is None else range(40)
    for place in places:
        sim.clear_faults()
        if fault:
            template = Fault(**FAULTS[fault])
            template.after, template.times = place, 1
            sim.add_fault(template)
        made = tasks(deferrable)
        sim.clear_requests()
        runs = []
        for task in made:
            runs.append(runner.go(task))
            if fault and template.fired:
                break  # the later tasks have places of their own
        captured = capfd.readouterr()
        for where, text in written(runs, made, caplog, captured):
            for secret in SECRETS:
                assert secret not in text, (fault, place, where)
        caplog.clear()
        sim._store.projects.clear()
        sim._store.data_sources.clear()
        if fault and not template.fired:
            break
    else:
        assert fault is None, "there were more requests than places"


@pytest.mark.parametrize("number", range(len(SENT)))
@pytest.mark.parametrize("way", ["refused", "busy", "html", "text"])
@pytest.mark.parametrize(
    ("before", "spelling"), [*((before, "as it is") for before in range(0, 60, 7)), *((13, name) for name in SPELLINGS)]
)
def test_an_oms_that_repeats_what_it_was_sent(runner, sim, caplog, capfd, number, way, before, spelling):
    """Wherever the answer is truncated, a part of a password must not be shown either."""
    caplog.set_level(logging.DEBUG)
    made = tasks(False)[number]

    def repeat(payload):
        sent = [secret for secret in (SOURCE, TARGET, DRC, INNER, PAYLOAD) if forms(secret)[1] in json.dumps(payload)]
        assert sent
        said = "-" * before + " ".join(SPELLINGS[spelling](form) for secret in sent for form in forms(secret))
        if way == "html":
            return f"<html>{said}</html>"
        if way == "text":
            return said
        code = {"refused": "PARAM_ERROR", "busy": "GHANA-OPERAT000001"}[way]
        detail = {"message": f"{'x' * 960}{said}", "proposal": said, "code": code}
        return {"success": False, "code": code, "message": said, "advice": said, "errorDetail": detail}

    for action in CREATE:
        sim.set_answer(action, repeat)
    run = runner.go(made)
    assert run.error is not None
    for where, text in written([run], [made], caplog, capfd.readouterr()):
        if where == "attributes":
            continue
        for secret in SECRETS:
            assert secret[:5] not in text, where


@pytest.mark.parametrize("number", range(len(SENT)))
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("listed", [False, True], ids=["created", "found"])
def test_an_id_that_is_a_password(runner, sim, caplog, capfd, number, spelling, listed):
    """An id is written to XCom, so a text that contains a secret isn't accepted as an id."""
    caplog.set_level(logging.DEBUG)
    made = tasks(False)[number]
    secret = SPELLINGS[spelling](SENT[number])
    there = {"id": secret, "name": getattr(made, "name", ""), "ip": secret, "type": secret}
    sim.set_answer("ListDataSource", {"success": True, "data": [there] if listed else [], "totalCount": int(listed)})
    for action in CREATE:
        sim.set_answer(action, {"success": True, "data": secret})
    run = runner.go(made)

    assert run.error is not None or isinstance(made, operators.OmsActionOperator)
    for where, text in written([run], [made], caplog, capfd.readouterr()):
        if where != "attributes":
            assert not any(form in text for form in (secret, *SECRETS)), where


def test_errors_before_anything_is_sent_show_no_frames(runner, monkeypatch):
    """An Airflow connection shows its password, and would be in the frames."""
    fields = {"conn_type": "mysql", "login": "mover", "password": SOURCE, "extra": {"token": PAYLOAD}}
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE", json.dumps(fields))
    run = runner.go(tasks(False)[0])

    assert "has no host" in str(run.error)
    assert not any(secret in shown_with_frames(run.error) for secret in SECRETS)


def test_the_simulator_does_get_the_passwords(runner, sim):
    """Otherwise the test above could pass without any password."""
    for task in tasks(False)[: len(SENT)]:
        assert runner.go(task).error is None
    found = [source.password for source in sim.data_sources.values()]
    assert found == list(SENT)


def test_both_forms_are_masked(monkeypatch, runner):
    from airflow.providers.common.compat import sdk

    masked = []
    monkeypatch.setattr(sdk, "mask_secret", lambda value, name=None: masked.append(value))
    for task in tasks(False)[: len(SENT)]:
        runner.go(task)
    for secret in (SOURCE, TARGET, DRC, INNER):
        assert set(forms(secret)) <= set(masked)
    assert forms(PAYLOAD)[1] in masked
